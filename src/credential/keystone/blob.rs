//! What an EC2 credential's blob says. Keystone encodes it as JSON once or twice.

use std::io;

use serde_json::ser::Formatter;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// Strings within strings are followed this deep.
const DEEPEST: usize = 8;

/// An EC2 blob.
pub(super) struct Ec2 {
    pub(super) access: Zeroizing<String>,
    pub(super) secret: Zeroizing<String>,
    /// The other members, as JSON with sorted names; `None` when there are none.
    pub(super) extra: Option<String>,
}

/// Reads a blob; `None` when it is not one.
pub(super) fn parse(text: &str) -> Option<Ec2> {
    let mut members = object(text)?;
    let access = string(members.remove("access")?)?;
    let secret = string(members.remove("secret")?)?;
    let extra = if members.is_empty() { None } else { Some(spaced_json(&Value::Object(members))?) };
    Some(Ec2 { access, secret, extra })
}

fn object(text: &str) -> Option<Map<String, Value>> {
    let mut text = Zeroizing::new(text.to_owned());
    for _ in 0..DEEPEST {
        match serde_json::from_str(&text).ok()? {
            Value::Object(members) => return Some(members),
            Value::String(inner) => text = Zeroizing::new(inner),
            _ => return None,
        }
    }
    None
}

fn string(value: Value) -> Option<Zeroizing<String>> {
    match value {
        Value::String(text) => Some(Zeroizing::new(text)),
        _ => None,
    }
}

/// JSON with a blank after `,` and `:`, as Keystone writes it, so that texts compare.
pub(super) fn spaced_json(value: &Value) -> Option<String> {
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, Spaced);
    serde::Serialize::serialize(value, &mut serializer).ok()?;
    String::from_utf8(text).ok()
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONCE: &str = r#"{"access": "a", "secret": "s", "trust_id": null, "app_cred_id": "x"}"#;

    fn encoded(times: usize) -> String {
        (0..times).fold(ONCE.to_owned(), |text, _| serde_json::to_string(&text).unwrap())
    }

    #[test]
    fn a_blob_is_read_through_up_to_seven_layers_of_string() {
        for layers in 0..=7 {
            let blob = parse(&encoded(layers)).unwrap();
            assert_eq!((blob.access.as_str(), blob.secret.as_str()), ("a", "s"));
            assert_eq!(blob.extra.as_deref(), Some(r#"{"app_cred_id": "x", "trust_id": null}"#));
        }
        assert!(parse(&encoded(8)).is_none());
    }

    #[test]
    fn what_is_not_a_blob_is_refused() {
        for text in ["", "x", "17", "[]", "{}", r#"{"access": "a"}"#, r#"{"access": "a", "secret": 7}"#] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn no_other_members_leave_no_extra() {
        assert!(parse(r#"{"access":"a","secret":"s"}"#).unwrap().extra.is_none());
    }
}
