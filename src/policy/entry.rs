//! Values of a policy file with their lines. An error names the key and what is wanted, never what stands there.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::error::{Place, PolicyError};
use crate::policy::suggest::nearest;

/// PostgreSQL's bound on its timeouts.
const MOST_MILLISECONDS: u64 = i32::MAX as u64;

/// A text and what it is called.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

/// A name in a policy file, and its line.
#[derive(Debug, Clone)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Its line.
    pub place: Place,
}

/// Columns, as they were written.
#[derive(Debug, Clone)]
pub(super) enum Columns {
    /// `"*"`
    All(Place),
    /// A list of names.
    These(Vec<Name>),
}

/// A table of a policy file, and its line.
pub struct Table<'a> {
    file: File<'a>,
    at: usize,
    entries: &'a DeTable<'a>,
}

/// One key of a policy file with its value. Errors name the line, and never quote the value.
pub struct Entry<'a> {
    file: File<'a>,
    key: &'a str,
    at: usize,
    value: &'a DeValue<'a>,
}

impl<'a> File<'a> {
    /// The whole text. The parser's message is fit to be shown; its `Display` quotes the line.
    pub(super) fn document(self) -> Result<DeTable<'a>, PolicyError> {
        DeTable::parse(self.text).map(Spanned::into_inner).map_err(|error| {
            let at = error.span().map_or(self.text.len(), |span| span.start);
            PolicyError::Syntax { place: self.place(at), reason: error.message().to_owned() }
        })
    }

    pub(super) fn table(self, entries: &'a DeTable<'a>, at: usize) -> Table<'a> {
        Table { file: self, at, entries }
    }

    fn place(self, at: usize) -> Place {
        let line = 1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        Place { file: self.name.to_owned(), line }
    }

    fn name(self, value: &Spanned<DeValue<'_>>) -> Option<Name> {
        let text = value.get_ref().as_str().filter(|text| !text.is_empty())?;
        Some(Name { text: text.to_owned(), place: self.place(value.span().start) })
    }
}

impl<'a> Table<'a> {
    /// Returns the line where it begins.
    pub fn place(&self) -> Place {
        self.file.place(self.at)
    }

    /// Returns its keys, each once.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let file = self.file;
        self.entries.iter().map(move |(key, value)| Entry {
            file,
            key: key.get_ref(),
            at: key.span().start,
            value: value.get_ref(),
        })
    }
}

impl<'a> Entry<'a> {
    /// Returns the key.
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// Returns its line.
    pub fn place(&self) -> Place {
        self.file.place(self.at)
    }

    /// Makes the error of a key that is not one of these.
    pub fn unknown(&self, known: &[&'static str]) -> PolicyError {
        self.unknown_in(known, [])
    }

    /// The same, where packages register keys too.
    pub(super) fn unknown_in(
        &self,
        known: &[&'static str],
        registered: impl IntoIterator<Item = &'static str>,
    ) -> PolicyError {
        let registered: Vec<_> = registered.into_iter().collect();
        let near = nearest(self.key, known.iter().chain(&registered).copied());
        let (place, key) = (self.place(), self.key.to_owned());
        PolicyError::UnknownKey { place, key, near, registered }
    }

    /// Makes the error of a value that contradicts something else. The reason must not quote values.
    pub fn refused(&self, reason: impl Into<String>) -> PolicyError {
        let (key, reason) = (self.key.to_owned(), reason.into());
        PolicyError::Refused { place: self.place(), key, reason }
    }

    /// Makes the error of a value that is not what is wanted.
    pub fn invalid(&self, wanted: &'static str) -> PolicyError {
        PolicyError::Invalid { place: self.place(), key: self.key.to_owned(), wanted }
    }

    /// Reads a table.
    pub fn table(&self) -> Result<Table<'a>, PolicyError> {
        let entries = self.value.as_table().ok_or_else(|| self.invalid("a table"))?;
        Ok(self.file.table(entries, self.at))
    }

    /// Reads a list of tables.
    pub fn tables(&self) -> Result<Vec<Table<'a>>, PolicyError> {
        let wrong = || self.invalid("a list of tables");
        let items = self.value.as_array().ok_or_else(wrong)?;
        let table = |item: &'a Spanned<DeValue<'a>>| {
            Some(self.file.table(item.get_ref().as_table()?, item.span().start))
        };
        items.iter().map(table).collect::<Option<_>>().ok_or_else(wrong)
    }

    /// Reads `true` or `false`.
    pub fn flag(&self) -> Result<bool, PolicyError> {
        self.value.as_bool().ok_or_else(|| self.invalid("true or false"))
    }

    /// Returns the value if it is text.
    pub fn text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// Reads a whole number from 1 to `most`.
    pub fn number(&self, most: u32, wanted: &'static str) -> Result<u32, PolicyError> {
        let integer = self.value.as_integer();
        let number =
            integer.and_then(|integer| u32::from_str_radix(integer.as_str(), integer.radix()).ok());
        number.filter(|number| (1..=most).contains(number)).ok_or_else(|| self.invalid(wanted))
    }

    /// Reads a time such as `"250ms"` or `"5s"`, in milliseconds.
    pub fn milliseconds(&self) -> Result<u64, PolicyError> {
        let wanted = "a time such as \"250ms\", \"5s\", \"2m\" or \"1h\", at most 596 hours";
        self.value.as_str().and_then(milliseconds).ok_or_else(|| self.invalid(wanted))
    }

    /// Reads a name.
    pub fn name(&self) -> Result<Name, PolicyError> {
        let text = self
            .value
            .as_str()
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.invalid("a name"))?;
        Ok(Name { text: text.to_owned(), place: self.place() })
    }

    /// Reads a list of names, each once.
    pub fn names(&self) -> Result<Vec<Name>, PolicyError> {
        let names = self
            .value
            .as_array()
            .and_then(|items| items.iter().map(|item| self.file.name(item)).collect());
        let names: Vec<Name> = names.ok_or_else(|| self.invalid("a list of names"))?;
        let mut seen = BTreeSet::new();
        match names.iter().find(|name| !seen.insert(&name.text)) {
            Some(Name { text, place }) => Err(PolicyError::Twice {
                place: place.clone(),
                key: self.key.to_owned(),
                name: text.clone(),
            }),
            None => Ok(names),
        }
    }

    /// Reads a list of names, each once and at least one.
    pub fn some_names(&self) -> Result<Vec<Name>, PolicyError> {
        let names = self.names()?;
        if names.is_empty() {
            Err(PolicyError::Empty { place: self.place(), key: self.key.to_owned() })
        } else {
            Ok(names)
        }
    }

    pub(super) fn columns(&self) -> Result<Columns, PolicyError> {
        match self.value.as_str() {
            Some("*") => Ok(Columns::All(self.place())),
            Some(_) => Err(self.invalid("\"*\" or a list of names")),
            None => self.some_names().map(Columns::These),
        }
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)
        .filter(|time| (1..=MOST_MILLISECONDS).contains(time))
}

#[cfg(test)]
mod tests {
    use crate::policy::ComponentKeys;
    use crate::policy::source::Source;

    fn message(text: &str) -> String {
        Source::parse("own.toml", text, &ComponentKeys::default()).unwrap_err().to_string()
    }

    #[test]
    fn a_time_is_a_whole_number_and_a_unit() {
        for time in "|5|0s|s|1.5s|-1s|+1s|5 s|5d|\u{665}s|597h|99999999999999999999s".split('|') {
            let text = format!("component.x.lock_timeout = \"{time}\"");
            let wanted = "a time such as \"250ms\", \"5s\", \"2m\" or \"1h\", at most 596 hours";
            assert_eq!(
                message(&text),
                format!("own.toml:1: `lock_timeout` must be {wanted}"),
                "{time}"
            );
        }
        assert_eq!(super::milliseconds("596h"), Some(596 * 3_600_000));
    }

    #[test]
    fn what_nests_too_deep_is_refused() {
        let dotted = format!("{}a = 1", "a.".repeat(100_000));
        let nested = format!("known = {}", "[".repeat(100_000));
        for text in [dotted, nested] {
            assert!(message(&text).contains(": not TOML: "), "{text:.20}");
        }
    }
}
