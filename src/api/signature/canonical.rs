//! The one spelling of a request's parts that is signed.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Names and values, encoded, in the order given.
pub(super) fn encoded<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (encode(name), encode(value))).collect()
}

/// `name=value&name=value`.
pub(super) fn joined(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// A header's value without spaces around it and with single ones inside. None if it holds a control character: a line
/// break would begin another header.
pub(super) fn header_value(value: &str) -> Option<String> {
    let plain = value.chars().all(|character| character == '\t' || !character.is_control());
    let words: Vec<_> = value.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    plain.then(|| words.join(" "))
}

fn encode(text: &str) -> String {
    encoded_bytes(text.as_bytes())
}

/// Bytes, which need not be UTF-8 once a path is decoded.
pub(super) fn encoded_bytes(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}
