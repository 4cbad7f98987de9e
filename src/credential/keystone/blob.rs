//! What an EC2 credential's blob says. Keystone encodes it as JSON once or twice; we write it as its POST
//! does, twice.

use std::io;

use serde::Serialize;
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

/// Writes a blob: a JSON object in a JSON string. `None` when another member has the name of one of the keys.
pub(super) fn write(access: &str, secret: &str, others: &Map<String, Value>) -> Option<Zeroizing<String>> {
    #[derive(Serialize)]
    struct Blob<'a> {
        access: &'a str,
        secret: &'a str,
        #[serde(flatten)]
        others: &'a Map<String, Value>,
    }
    if others.contains_key("access") || others.contains_key("secret") {
        return None;
    }
    let length = access.len() + secret.len() + serde_json::to_vec(others).ok()?.len() + 64;
    let once = ascii_json(&Blob { access, secret, others }, length)?;
    ascii_json(once.as_str(), once.len())
}

/// JSON with a blank after `,` and `:`, as Keystone writes it, so that texts compare.
pub(super) fn spaced_json(value: &Value) -> Option<String> {
    json(value, Vec::new(), Spaced { ascii: false })
}

/// The same in ASCII alone, byte for byte what Python's `json.dumps` writes. `length` is about what goes in:
/// a buffer that need not grow leaves nothing behind that is not wiped.
pub(super) fn ascii_json<T: Serialize + ?Sized>(value: &T, length: usize) -> Option<Zeroizing<String>> {
    json(value, Vec::with_capacity(length.saturating_mul(LONGEST_ESCAPE)), Spaced { ascii: true }).map(Zeroizing::new)
}

fn json<T: Serialize + ?Sized>(value: &T, mut text: Vec<u8>, spaced: Spaced) -> Option<String> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, spaced)).ok()?;
    String::from_utf8(text).ok()
}

/// `\u0001` for one byte.
const LONGEST_ESCAPE: usize = 6;

struct Spaced {
    ascii: bool,
}

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

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if !self.ascii {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            match character {
                ' '..='~' => writer.write_all(&[character as u8])?,
                _ => character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?,
            }
        }
        Ok(())
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

    #[test]
    fn a_blob_is_written_as_python_does() {
        let others = serde_json::from_str(r#"{"trust_id": null, "n": [1, 2]}"#).unwrap();
        let written = write("a", "\u{1}\u{7f}\"\\/\n\u{f3}\u{1f510}", &others).unwrap();
        // json.dumps(json.dumps({"access": "a", "secret": …, "n": [1, 2], "trust_id": None}))
        let python = r#""{\"access\": \"a\", \"secret\": \"\\u0001\\u007f\\\"\\\\/\\n\\u00f3\\ud83d\\udd10\", \"n\": [1, 2], \"trust_id\": null}""#;
        assert_eq!(written.as_str(), python);
        assert!(write("a", "s", &serde_json::from_str(r#"{"secret": "t"}"#).unwrap()).is_none());
    }
}
