//! A subject as text (RFC 4514), in one spelling only: that of `openssl x509 -subject -nameopt RFC2253`.
//!
//! Every character with a meaning is escaped, so no value can pass for two. What has no such spelling that all
//! tools agree on is refused: several values in one part, values that are not text, types without a short name.

use x509_parser::x509::X509Name;

/// Types by their number, and what OpenSSL calls them.
const TYPES: [(&str, &str); 14] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.42", "GN"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
];

/// The subject, its last part first; nothing where it cannot be written without doubt.
pub(super) fn text(name: &X509Name<'_>) -> Option<String> {
    let mut parts = name.iter_rdn().map(part).collect::<Option<Vec<String>>>()?;
    parts.reverse();
    Some(parts.join(","))
}

fn part(rdn: &x509_parser::x509::RelativeDistinguishedName<'_>) -> Option<String> {
    let mut attributes = rdn.iter();
    let attribute = attributes.next().filter(|_| attributes.next().is_none())?;
    let number = attribute.attr_type().to_id_string();
    let (_, kind) = TYPES.iter().find(|(known, _)| *known == number)?;
    Some(format!("{kind}={}", escape(attribute.as_str().ok()?)))
}

/// Whether [`text`] could ever give this.
pub(super) fn is_canonical(subject: &str) -> bool {
    split(subject).into_iter().all(|part| {
        let Some((kind, value)) = part.split_once('=') else { return false };
        TYPES.iter().any(|(_, known)| *known == kind)
            && unescape(value).is_some_and(|plain| escape(&plain) == value)
    })
}

/// At the commas that are not escaped.
fn split(subject: &str) -> Vec<&str> {
    let mut escaped = false;
    let at_comma = |c: char| {
        let separates = c == ',' && !escaped;
        escaped = c == '\\' && !escaped;
        separates
    };
    subject.split(at_comma).collect()
}

fn escape(value: &str) -> String {
    let last = value.len().saturating_sub(1);
    value.bytes().enumerate().map(|(at, byte)| escape_byte(byte, at == 0, at == last)).collect()
}

fn escape_byte(byte: u8, first: bool, last: bool) -> String {
    let c = char::from(byte);
    match c {
        ',' | '+' | '"' | '\\' | '<' | '>' | ';' => format!("\\{c}"),
        '#' if first => format!("\\{c}"),
        ' ' if first || last => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        _ => format!("\\{byte:02X}"),
    }
}

fn unescape(value: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), value.bytes());
    while let Some(byte) = rest.next() {
        let plain = if byte == b'\\' { unescape_one(&mut rest)? } else { byte };
        bytes.push(plain);
    }
    String::from_utf8(bytes).ok()
}

/// After a backslash: two hexadecimal digits, or the character itself.
fn unescape_one(rest: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let first = rest.next()?;
    let Some(high) = digit(first) else { return Some(first) };
    Some(high * 16 + digit(rest.next()?)?)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_spelling_only() {
        for subject in
            ["CN=nova-compute", "CN=a,O=b", r"CN=a\,O=b,O=c", r"CN=\#1", r"CN=J\C3\BCrg", "CN="]
        {
            assert!(is_canonical(subject), "{subject}");
        }
        for subject in [
            "",
            "nova",
            "CN=a, O=b",
            "cn=a",
            "XX=a",
            "CN= a",
            "CN=a ",
            "CN=Jürg",
            r"CN=\61",
            r"CN=a\",
            "CN=a+O=b",
            "/CN=a",
            "CN=a,",
        ] {
            assert!(!is_canonical(subject), "{subject}");
        }
    }

    proptest! {
        #[test]
        fn a_value_never_passes_for_two(value in "\\PC*", control in any::<char>()) {
            let value = format!("{value}{control}");
            let subject = format!("CN={},O=b", escape(&value));
            let name = format!("CN={}", escape(&value));
            prop_assert_eq!(split(&subject), [name.as_str(), "O=b"]);
            prop_assert_eq!(unescape(&escape(&value)), Some(value));
            prop_assert!(is_canonical(&subject));
        }
    }
}
