//! The password of a component's database login.
//!
//! Made so that the rules of servers are met: upper and lower case, digits, other characters, 79 of them, and no four
//! characters in a row that could be a word. It needs no escaping in SQL, in a URL or in a shell.

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::key::RingKey;
use super::random::{NoRandomness, make_bytes};

/// The password of a component's database login: more than 250 random bits, or what the operator's own tools made.
pub struct DatabasePassword {
    /// As it is wrapped.
    kept: SecretString,
}

/// An upper-case letter, a lower-case letter and a digit: 6,760 of them, so 20 have 254 bits.
const GROUPS: usize = 20;
/// Of a password that others make.
const SHORTEST: usize = 24;
const LONGEST: usize = 128;
const DISTINCT: usize = 10;
/// How long the passwords of older programs are, as they are wrapped.
const BYTES: usize = 32;

impl DatabasePassword {
    /// A new random password.
    pub fn make() -> Result<Self, NoRandomness> {
        let mut text = Zeroizing::new(String::with_capacity(4 * GROUPS));
        for group in 0..GROUPS {
            if group > 0 {
                text.push('-');
            }
            text.push(char::from(b'A' + below(26)?));
            text.push(char::from(b'a' + below(26)?));
            text.push(char::from(b'0' + below(10)?));
        }
        Ok(Self::keep(&text))
    }

    /// Takes a password that somebody else made: 64 hexadecimal digits, not all the same; or 24 to 128 characters of ASCII,
    /// ten different ones at least, with upper and lower case, a digit and another character, and none that SQL would have
    /// to escape.
    pub fn from_text(text: &str) -> Option<Self> {
        let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_same =
            text.as_bytes().windows(4).all(|four| matches!(four, [a, b, c, d] if a == c && b == d));
        (is_hex && !is_same || is_mixed(text)).then(|| Self::keep(text))
    }

    /// The password as a server takes it.
    pub fn text(&self) -> SecretString {
        self.kept.expose_secret().trim_end_matches('\n').into()
    }

    /// A text as long as the keys of older programs must not pass for one of them.
    fn keep(text: &str) -> Self {
        let end = if text.len() == BYTES { "\n" } else { "" };
        Self { kept: format!("{text}{end}").into() }
    }
}

fn is_mixed(text: &str) -> bool {
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    let is_plain =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\'' | b'"' | b'\\' | b'`');
    let mut distinct = text.as_bytes().to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    (SHORTEST..=LONGEST).contains(&text.len())
        && text.bytes().all(is_plain)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_punctuation)
        && distinct.len() >= DISTINCT
}

/// A random number below `most`, each as likely as the others.
fn below(most: u8) -> Result<u8, NoRandomness> {
    let unbiased = u8::MAX - u8::MAX % most;
    loop {
        let [byte] = make_bytes()?;
        if byte < unbiased {
            return Ok(byte % most);
        }
    }
}

/// Wrapped as its text. Passwords of older programs are wrapped as 32 bytes, whose hexadecimal digits the server knows.
impl RingKey for DatabasePassword {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() == BYTES {
            return Some(Self::keep(&hex::encode(bytes)));
        }
        Self::from_text(std::str::from_utf8(bytes).ok()?.trim_end_matches('\n'))
    }

    fn bytes(&self) -> &[u8] {
        self.kept.expose_secret().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_passwords_meet_every_rule() {
        for _ in 0..200 {
            let password = DatabasePassword::make().unwrap();
            let text = password.text().expose_secret().to_owned();
            assert_eq!(text.len(), 79);
            assert!(is_mixed(&text), "{text}");
            for four in text.as_bytes().windows(4) {
                assert!(four.contains(&b'-'), "{text}");
            }
            let kept = DatabasePassword::from_bytes(password.bytes()).unwrap();
            assert_eq!(kept.text().expose_secret(), text);
        }
    }

    #[test]
    fn passwords_of_older_programs_stay_what_they_are() {
        let kept = DatabasePassword::from_bytes(&[0xab; 32]).unwrap();
        assert_eq!(kept.text().expose_secret(), "ab".repeat(32));
    }

    #[test]
    fn texts_of_others_are_taken_as_they_are() {
        for (text, fits) in [
            ("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true),
            ("0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF", true),
            ("0000000000000000000000000000000000000000000000000000000000000000", false),
            ("abababababababababababababababababababababababababababababababab", false),
            ("0123456789abcdef", false),
            ("S3cret-passphrase-of-an-operator", true),
            ("A-text-of-exactly-32-characters-", true),
            ("mR8+q2Zk/0vB1nYx7Wc5uTt9hLp4sJd6gFa3eQiOoXM=", true),
            ("Aa1-Aa1-Aa1-Aa1-Aa1-Aa1-", false),
            ("S3cret-pass'phrase-of-an-operator", false),
            ("S3cret-pass\\phrase-of-an-operator", false),
            ("S3cret passphrase of an operator", false),
            ("S3cret-passphrase-of-an-öperator", false),
            ("", false),
        ] {
            assert_eq!(DatabasePassword::from_text(text).is_some(), fits, "{text}");
            if fits {
                let password = DatabasePassword::from_text(text).unwrap();
                assert_eq!(password.text().expose_secret(), text);
                assert_eq!(
                    DatabasePassword::from_bytes(password.bytes()).unwrap().text().expose_secret(),
                    text
                );
            }
        }
    }
}
