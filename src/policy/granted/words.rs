//! Splits a line of SQL into words, quoted names, texts and marks.

use std::iter::Peekable;
use std::str::Chars;

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// A keyword, or a name without quotes.
    Bare(String),
    /// A name in backticks or double quotes.
    Name(String),
    /// A text in single quotes.
    Text,
    /// One of `. , ( ) @ *`.
    Mark(char),
}

impl Word {
    /// The keyword, or the name that has no quotes.
    pub(super) fn bare(&self) -> Option<&str> {
        if let Self::Bare(text) = self { Some(text) } else { None }
    }

    /// The name, with quotes or without.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Bare(text) | Self::Name(text) => Some(text),
            Self::Text | Self::Mark(_) => None,
        }
    }
}

/// The line's parts. A quote that is never closed ends with the line, and the rest has no meaning as a grant.
pub(super) fn words(line: &str) -> Vec<Word> {
    let (mut chars, mut words) = (line.chars().peekable(), Vec::new());
    while let Some(c) = chars.next() {
        match c {
            '`' | '"' => words.push(quoted(&mut chars, c).map_or(Word::Text, Word::Name)),
            '\'' => {
                quoted(&mut chars, c);
                words.push(Word::Text);
            }
            '.' | ',' | '(' | ')' | '@' | '*' => words.push(Word::Mark(c)),
            c if c.is_whitespace() => {}
            c => words.push(Word::Bare(bare(c, &mut chars))),
        }
    }
    words
}

/// A doubled quote stands for itself. None for a quote that is never closed.
fn quoted(chars: &mut Peekable<Chars<'_>>, quote: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            '\\' if quote == '\'' => text.extend(chars.next()),
            c if c == quote && chars.next_if_eq(&quote).is_none() => return Some(text),
            c => text.push(c),
        }
    }
}

fn bare(first: char, chars: &mut Peekable<Chars<'_>>) -> String {
    let mut text = String::from(first);
    let goes_on = |c: &char| {
        !c.is_whitespace() && !matches!(c, '.' | ',' | '(' | ')' | '@' | '*' | '`' | '"' | '\'')
    };
    while let Some(c) = chars.next_if(goes_on) {
        text.push(c);
    }
    text
}
