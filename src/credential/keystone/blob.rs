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

/// Why a text is no EC2 blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BlobError {
    #[error("the blob is no JSON")]
    NotJson,
    #[error("the blob is JSON, but no object")]
    NotObject,
    #[error("the blob is JSON within strings of JSON, more than {DEEPEST} deep")]
    TooDeep,
    #[error("the {0} is missing: the blob has no member `{0}`")]
    Missing(&'static str),
    #[error("the {0} is no text: the blob's member `{0}` is another kind of JSON")]
    NotText(&'static str),
}

/// Reads a blob.
pub(super) fn parse(text: &str) -> Result<Ec2, BlobError> {
    let mut members = object(text)?;
    let access = string(&mut members, "access")?;
    let secret = string(&mut members, "secret")?;
    let others = (!members.is_empty()).then_some(Value::Object(members));
    let extra = others.map(|others| spaced_json(&others).ok_or(BlobError::NotJson)).transpose()?;
    Ok(Ec2 { access, secret, extra })
}

fn object(text: &str) -> Result<Map<String, Value>, BlobError> {
    let mut text = Zeroizing::new(text.to_owned());
    for _ in 0..DEEPEST {
        match serde_json::from_str(&text).map_err(|_| BlobError::NotJson)? {
            Value::Object(members) => return Ok(members),
            Value::String(inner) => text = Zeroizing::new(inner),
            _ => return Err(BlobError::NotObject),
        }
    }
    Err(BlobError::TooDeep)
}

fn string(
    members: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Zeroizing<String>, BlobError> {
    match members.remove(name) {
        Some(Value::String(text)) => Ok(Zeroizing::new(text)),
        None | Some(Value::Null) => Err(BlobError::Missing(name)),
        Some(_) => Err(BlobError::NotText(name)),
    }
}

/// Writes a blob: a JSON object in a JSON string. `None` when another member has the name of one of the keys.
pub(super) fn write(
    access: &str,
    secret: &str,
    others: &Map<String, Value>,
) -> Option<Zeroizing<String>> {
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
pub(super) fn ascii_json<T: Serialize + ?Sized>(
    value: &T,
    length: usize,
) -> Option<Zeroizing<String>> {
    json(value, Vec::with_capacity(length.saturating_mul(LONGEST_ESCAPE)), Spaced { ascii: true })
        .map(Zeroizing::new)
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
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if !self.ascii {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            match character {
                ' '..='~' => writer.write_all(&[character as u8])?,
                _ => character
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?,
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
        assert_eq!(parse(&encoded(8)).err(), Some(BlobError::TooDeep));
    }

    #[test]
    fn another_text_is_refused_with_its_cause() {
        for (text, cause) in [
            ("", BlobError::NotJson),
            ("x", BlobError::NotJson),
            ("17", BlobError::NotObject),
            ("[]", BlobError::NotObject),
            ("\"\\\"x\\\"\"", BlobError::NotJson),
            ("{}", BlobError::Missing("access")),
            (r#"{"access": "a"}"#, BlobError::Missing("secret")),
            (r#"{"access": "a", "secret": null}"#, BlobError::Missing("secret")),
            (r#"{"access": "a", "secret": 7}"#, BlobError::NotText("secret")),
        ] {
            assert_eq!(parse(text).err(), Some(cause), "{text}");
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
