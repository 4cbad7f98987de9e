//! Base64 as Python's `urlsafe_b64decode` reads it.
//!
//! Keystone hands keys and tokens to that function. It takes both alphabets, ignores every other
//! character, and reads nothing after complete padding.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use zeroize::Zeroizing;

/// Bits after the last whole byte are ignored, as in Python.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// Returns the bytes; `None` where Python raises an error.
pub(super) fn urlsafe_b64decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digits = digits(text)?;
    LENIENT.decode(&*digits).ok().map(Zeroizing::new)
}

/// Returns the digits in the standard alphabet; `None` when the padding is incomplete.
fn digits(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut digits = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut pads = 0;
    for &byte in text {
        let in_group = digits.len() % 4;
        match byte {
            b'=' if in_group >= 2 => {
                pads += 1;
                if in_group + pads >= 4 {
                    return Some(digits);
                }
            }
            b'-' | b'+' => digits.push(b'+'),
            b'_' | b'/' => digits.push(b'/'),
            digit if digit.is_ascii_alphanumeric() => digits.push(digit),
            _ => continue,
        }
        if byte != b'=' {
            pads = 0;
        }
    }
    digits.len().is_multiple_of(4).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: `base64.urlsafe_b64decode` of CPython 3.11; `None` is an error there.
    #[test]
    fn decoding_gives_what_python_gives() {
        for (text, wanted) in [
            ("", Some(&b""[..])),
            ("YWI=", Some(b"ab")),
            ("YW\r\nI=\n", Some(b"ab")),
            ("  YWI = ", Some(b"ab")),
            ("Y!W*I=\u{e9}", Some(b"ab")),
            ("-_-_", Some(b"\xfb\xff\xbf")),
            ("+/-_", Some(b"\xfb\xff\xbf")),
            ("YWI=YWI=", Some(b"ab")),
            ("YWJj=", Some(b"abc")),
            ("=YWI=", Some(b"ab")),
            ("YQ==", Some(b"a")),
            ("YQ=x=", Some(b"a\x0c")),
            ("YR==", Some(b"a")),
            ("YWI", None),
            ("YQ=", None),
            ("Y", None),
            ("Y===", None),
        ] {
            assert_eq!(
                urlsafe_b64decode(text.as_bytes()).as_deref().map(Vec::as_slice),
                wanted,
                "{text:?}"
            );
        }
    }
}
