//! Text for terminals. Everything that is printed as text goes through here.
//!
//! Promises: no value, wherever it came from, moves the cursor, changes a colour or a title, turns the direction of
//! writing, or adds a line: control characters are shown as escapes.

use std::fmt::Write as _;

/// Lines for a person.
pub(super) struct Text(Vec<String>);

impl Text {
    /// Each is one line, whatever is in it: a line break in a value is shown as an escape, too.
    pub(super) fn of(lines: Vec<String>) -> Self {
        Self(lines)
    }

    /// A message with values from elsewhere: only a line break before an indented line is one.
    pub(super) fn message(text: &str) -> Self {
        let mut lines = text.split("\n  ");
        let first = lines.next().unwrap_or_default().to_owned();
        Self([first].into_iter().chain(lines.map(|line| format!("  {line}"))).collect())
    }

    /// A document in JSON, which has escapes of its own.
    pub(super) fn json(document: &str) -> Self {
        Self::from(json(document))
    }

    /// The same with each line replaced.
    pub(super) fn map(self, change: impl Fn(&str) -> String) -> Self {
        Self(self.0.iter().map(|line| change(line)).collect())
    }

    /// The lines, safe to print.
    pub(super) fn shown(&self) -> String {
        self.0.iter().map(|line| shown(line)).collect::<Vec<_>>().join("\n")
    }
}

/// Text of the program's own, in which a line break is one.
impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.split('\n').map(str::to_owned).collect())
    }
}

/// Whether text holds more than lines.
pub(super) fn has_control(text: &str) -> bool {
    text.chars().any(|c| is_control(c) && c != '\n')
}

/// Returns one line with its control characters as escapes.
fn shown(line: &str) -> String {
    if !line.chars().any(is_control) {
        return line.to_owned();
    }
    line.chars().fold(String::with_capacity(line.len() + 16), |mut shown, c| {
        if is_control(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        shown
    })
}

/// Returns a JSON document with the control characters that its writer leaves as they are in escapes.
pub(super) fn json(document: &str) -> String {
    document.chars().fold(String::with_capacity(document.len()), |mut shown, c| {
        if is_control(c) && c != '\n' {
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
        shown
    })
}

/// Control characters, line separators, and marks that turn the direction of writing. All of them have four digits.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_any_control_character_is_shown_with_escapes() {
        let value = "a\u{1b}[31mb\u{7}\r\n\tc\u{9b}0m\u{202e}d\u{0}\u{7f}é";
        let shown = Text::of(vec![value.to_owned(), "next".to_owned()]).shown();
        assert_eq!(shown, "a\\u{1b}[31mb\\u{7}\\r\\n\\tc\\u{9b}0m\\u{202e}d\\u{0}\\u{7f}é\nnext");
        assert_eq!(Text::message("one\n  - two\nthree").shown(), "one\n  - two\\nthree");
        assert_eq!(Text::from("one\ntwo\rthree".to_owned()).shown(), "one\ntwo\\rthree");
        for c in (0..0x11_0000).filter_map(char::from_u32).filter(|c| is_control(*c)) {
            assert!(u32::from(c) <= 0xffff, "{c:?}");
        }
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({ "a\u{9b}": "\u{1b}\u{7f}\u{9b}\u{2028}\u{202e}\n" });
        let document = json(&serde_json::to_string(&value).unwrap());
        assert!(!document.chars().any(is_control), "{document:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&document).unwrap(), value);
    }
}
