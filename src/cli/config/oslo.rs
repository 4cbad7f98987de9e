//! Reads an option file of `oslo.config`, as `OpenStack`'s services have them.
//!
//! INI crates read another dialect: here a line that begins with a blank continues the value, a blank line ends it, `#`
//! and `;` begin a comment in the first column only, backslashes are text, the last assignment counts, and `$name`
//! stands for another option. No error holds a value: it may be a password.

use std::collections::HashMap;

use zeroize::Zeroizing;

/// An option file.
#[derive(Default)]
pub(super) struct OptionFile(HashMap<(String, String), Zeroizing<String>>);

/// Why an option file cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OptionError {
    #[error("line {0} is neither a section, an assignment nor a comment")]
    Line(usize),
    #[error("line {0} stands before the first section")]
    NoSection(usize),
    #[error(
        "`[{0}] {1}` has a `$` that names no option of this file; a dollar sign is written `$$`"
    )]
    Variable(String, String),
}

/// Options may name options that name others; a circle ends here.
const DEEPEST: usize = 8;

impl OptionFile {
    /// Reads a file's text.
    pub(super) fn parse(text: &str) -> Result<Self, OptionError> {
        let mut file = Self::default();
        let (mut section, mut open) = (None, None);
        for (index, line) in text.lines().enumerate() {
            let (line, number) = (line.trim_end(), index + 1);
            if line.is_empty() {
                open = None;
            } else if line.starts_with([' ', '\t']) {
                let key = open.as_ref().ok_or(OptionError::Line(number))?;
                file.continue_value(key, line.trim_start());
            } else if line.starts_with('[') {
                section = Some(section_name(line).ok_or(OptionError::Line(number))?);
                open = None;
            } else if line.starts_with(['#', ';']) {
                open = None;
            } else {
                let (name, value) = assignment(line).ok_or(OptionError::Line(number))?;
                let key = (section.clone().ok_or(OptionError::NoSection(number))?, name.to_owned());
                file.0.insert(key.clone(), Zeroizing::new(value.to_owned()));
                open = Some(key);
            }
        }
        Ok(file)
    }

    fn continue_value(&mut self, key: &(String, String), line: &str) {
        if let Some(value) = self.0.get_mut(key) {
            value.push('\n');
            value.push_str(line);
        }
    }

    /// Returns an option's value with its variables replaced; `None` when it is not set.
    pub(super) fn value(
        &self,
        section: &str,
        name: &str,
    ) -> Result<Option<Zeroizing<String>>, OptionError> {
        let Some(raw) = self.raw(section, name) else { return Ok(None) };
        let replaced = self.replaced(raw, section, DEEPEST);
        replaced.map(Some).ok_or_else(|| OptionError::Variable(section.to_owned(), name.to_owned()))
    }

    fn raw(&self, section: &str, name: &str) -> Option<&str> {
        self.0.get(&(section.to_owned(), name.to_owned())).map(|value| value.as_str())
    }

    /// Replaces variables as Python's `string.Template` does; `None` when one names nothing.
    fn replaced(&self, raw: &str, section: &str, depth: usize) -> Option<Zeroizing<String>> {
        let mut text = Zeroizing::new(String::with_capacity(raw.len()));
        let raw = Zeroizing::new(raw.replace(r"\$", "$$"));
        let mut rest = raw.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            text.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                text.push('$');
                rest = after;
            } else if let Some((name, after)) = variable(after) {
                text.push_str(&self.of_variable(name, section, depth.checked_sub(1)?)?);
                rest = after;
            } else {
                text.push('$');
                rest = after;
            }
        }
        text.push_str(rest);
        Some(text)
    }

    /// `group.name`, or a name of the same section, or one of `[DEFAULT]`.
    fn of_variable(&self, name: &str, section: &str, depth: usize) -> Option<Zeroizing<String>> {
        let (group, option) = name.split_once('.').unwrap_or((section, name));
        let own = self.raw(&normal(group), option).map(|raw| (raw, normal(group)));
        let (raw, section) =
            own.or_else(|| Some((self.raw(DEFAULT, name)?, DEFAULT.to_owned())))?;
        self.replaced(raw, &section, depth)
    }
}

const DEFAULT: &str = "DEFAULT";

fn normal(section: &str) -> String {
    if section == DEFAULT { section.to_owned() } else { section.to_lowercase() }
}

fn section_name(line: &str) -> Option<String> {
    line.strip_prefix('[')?.strip_suffix(']').filter(|name| !name.is_empty()).map(normal)
}

/// The first `=` or `:` ends the name; a pair of quotes around the value is not part of it.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(['=', ':'])?;
    let (name, value) = (name.trim(), value.trim());
    let unquoted =
        ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    (!name.is_empty()).then_some((name, unquoted.unwrap_or(value)))
}

/// `name` or `{name}` at the beginning, and what follows.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (braced, body) = text.strip_prefix('{').map_or((false, text), |body| (true, body));
    let is_first = |c: char| c == '_' || c.is_ascii_alphabetic();
    let end =
        body.find(|c: char| !(is_first(c) || c == '.' || c.is_ascii_digit())).unwrap_or(body.len());
    let (name, after) = body.split_at(end);
    let after = if braced { after.strip_prefix('}')? } else { after };
    name.starts_with(is_first).then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, section: &str, name: &str) -> Result<Option<String>, OptionError> {
        let value = OptionFile::parse(text)?.value(section, name)?;
        Ok(value.map(|value| value.as_str().to_owned()))
    }

    /// Expected values: oslo.config 10.7.
    #[test]
    fn values_are_read_as_oslo_reads_them() {
        for (text, wanted) in [
            ("[database]\nconnection = a;b#c\\n%x \n", r"a;b#c\n%x"),
            ("[Database]\r\nconnection: x\r\n", "x"),
            ("[database]\nconnection = \"a b\"\n  more\n# c\n", "a b\nmore"),
            (
                "[database]\n#connection = no\nconnection=a\nconnection=b\n[credential]\n[database]\n",
                "b",
            ),
            ("[database]\nconnection=a=b:c\n", "a=b:c"),
            ("[database]\nconnection=\n", ""),
            ("[database]\nconnection=p$$x-\\$y-$1-$\n", "p$x-$y-$1-$"),
            (
                "[DEFAULT]\nfoo=F\n[database]\nuser=u\nconnection=$foo-${user}-$credential.x\n[credential]\nx=$foo\n",
                "F-u-F",
            ),
            ("[database]\nconnection=${user}x\nuser=$$\n", "$x"),
            ("[database]\nconnection=${1}${user\nuser=1\n", "${1}${user"),
        ] {
            assert_eq!(
                value(text, "database", "connection"),
                Ok(Some(wanted.to_owned())),
                "{text}"
            );
        }
        assert_eq!(value("[database]\n", "database", "connection"), Ok(None));
    }

    #[test]
    fn another_text_is_refused_without_its_values() {
        let variable = || OptionError::Variable("database".into(), "connection".into());
        for (text, error) in [
            ("connection=canary\n", OptionError::NoSection(1)),
            ("[database]\ncanary\n", OptionError::Line(2)),
            ("[database]\n canary\n", OptionError::Line(2)),
            ("[database\n", OptionError::Line(1)),
            ("[]\n", OptionError::Line(1)),
            ("[database]\n= canary\n", OptionError::Line(2)),
            ("[database]\nconnection=p$canary\n", variable()),
            ("[database]\nconnection=$connection\n", variable()),
            ("[database]\nconnection=a\n\n b\n", OptionError::Line(4)),
        ] {
            let refused = value(text, "database", "connection").expect_err(text);
            assert!(!refused.to_string().contains("canary"), "{text}");
            assert_eq!(refused, error, "{text}");
        }
    }
}
