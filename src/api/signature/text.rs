//! Names and values that forwarders hand over in JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Unexpected, Visitor};

/// A text, as Keystone reads one: a Python caller's numbers, booleans and `None` count as their texts in Python, but that
/// `None` is a value that is not there. Errors show no value: one of them may be a session token.
pub(super) struct Text(pub(super) String);

/// One text or several.
pub(super) struct Texts(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a number")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Text, E> {
        Ok(Text(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
        // With a point, as Python and JSON write it.
        Ok(Text(format!("{number:?}")))
    }

    fn visit_bool<E>(self, is_true: bool) -> Result<Text, E> {
        Ok(Text(if is_true { "True" } else { "False" }.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(String::new()))
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number or a list of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
        let mut texts = Vec::new();
        while let Some(Text(text)) = list.next_element()? {
            texts.push(text);
        }
        if texts.is_empty() {
            return Err(serde::de::Error::invalid_value(
                Unexpected::Other("an empty list"),
                &"at least one value",
            ));
        }
        Ok(Texts(texts))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Texts, E> {
        TextVisitor.visit_str(text).map(one)
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Texts, E> {
        TextVisitor.visit_string(text).map(one)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Texts, E> {
        TextVisitor.visit_u64(number).map(one)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Texts, E> {
        TextVisitor.visit_i64(number).map(one)
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Texts, E> {
        TextVisitor.visit_f64(number).map(one)
    }

    fn visit_bool<E: serde::de::Error>(self, is_true: bool) -> Result<Texts, E> {
        TextVisitor.visit_bool(is_true).map(one)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Texts, E> {
        TextVisitor.visit_unit().map(one)
    }
}

fn one(Text(text): Text) -> Texts {
    Texts(vec![text])
}
