//! The text of a CREATE TABLE, taken apart as far as needed: its items, and which names each mentions.
//!
//! Read from the database's own catalogue. What is not understood is left as it is.

/// A table's definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::schema) struct CreateTable {
    /// Columns and constraints as they stand, blanks and comments included.
    pub(in crate::schema) items: Vec<String>,
    /// What follows the closing parenthesis.
    pub(in crate::schema) tail: String,
}

impl CreateTable {
    pub(in crate::schema) fn parse(sql: &str) -> Option<Self> {
        let mut items = Vec::new();
        let (mut depth, mut begun) = (0_usize, 0);
        for token in tokens(sql) {
            match token.text {
                "(" => {
                    depth += 1;
                    if depth == 1 {
                        begun = token.end;
                    }
                }
                "," if depth == 1 => {
                    items.push(sql.get(begun..token.start)?.to_owned());
                    begun = token.end;
                }
                ")" => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        items.push(sql.get(begun..token.start)?.to_owned());
                        return Some(Self { items, tail: sql.get(token.end..)?.to_owned() });
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The same table under another name.
    pub(in crate::schema) fn named(&self, quoted: &str) -> String {
        format!("CREATE TABLE {quoted} ({}){}", self.items.join(","), self.tail)
    }

    /// Where a column's item is.
    pub(in crate::schema) fn place(&self, column: &str) -> Option<usize> {
        self.items
            .iter()
            .position(|item| column_of(item).is_some_and(|name| name.eq_ignore_ascii_case(column)))
    }

    /// How many items are columns; the others follow them.
    pub(in crate::schema) fn columns(&self) -> usize {
        self.items.iter().take_while(|item| column_of(item).is_some()).count()
    }
}

/// The column that an item defines; `None` for a constraint or a key of the table.
pub(in crate::schema) fn column_of(item: &str) -> Option<String> {
    let mut all = tokens(item);
    let first = all.next()?;
    let is = |words: &[&str]| {
        first.is_bare_word() && words.iter().any(|word| first.text.eq_ignore_ascii_case(word))
    };
    let begins_item =
        is(&TABLE_ITEMS) || is(&KEYS) && all.next().is_some_and(|next| is_named_or_listed(&next));
    if begins_item { None } else { first.name() }
}

/// No column has one of these names without quotes.
const TABLE_ITEMS: [&str; 6] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "INDEX"];
/// SQLite takes these for names of columns: `key text`. MySQL and MariaDB print names in quotes, and these before them.
const KEYS: [&str; 4] = ["KEY", "FULLTEXT", "SPATIAL", "PERIOD"];

/// What follows when it is a key, and no type of a column.
fn is_named_or_listed(next: &Token<'_>) -> bool {
    !next.is_bare_word()
        || ["KEY", "INDEX", "FOR"].iter().any(|word| next.text.eq_ignore_ascii_case(word))
}

/// A text after its first word or name, and what comes before.
pub(in crate::schema) fn split_first(text: &str) -> (&str, &str) {
    text.split_at(tokens(text).next().map_or(0, |first| first.end))
}

/// The names in a text, quoted or not, outside texts and comments. Keywords are among them.
pub(in crate::schema) fn names(text: &str) -> Vec<String> {
    tokens(text).filter_map(|token| token.name()).collect()
}

/// Whether a text mentions a name, in whichever case.
pub(in crate::schema) fn mentions(text: &str, name: &str) -> bool {
    names(text).iter().any(|it| it.eq_ignore_ascii_case(name))
}

/// Whether one of these words stands in a text, unquoted.
pub(in crate::schema) fn has_word(text: &str, words: &[&str]) -> bool {
    tokens(text).any(|token| {
        token.is_bare_word() && words.iter().any(|word| token.text.eq_ignore_ascii_case(word))
    })
}

/// The columns of a key: the names in its last parentheses, if that is all there is in them.
pub(in crate::schema) fn key_columns(item: &str) -> Vec<String> {
    let all: Vec<_> = tokens(item).collect();
    let Some(open) = all.iter().position(|token| token.text == "(") else { return Vec::new() };
    let inside = all.iter().skip(open + 1);
    let mut depth = 1_usize;
    let mut columns = Vec::new();
    for token in inside {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            // A name in deeper parentheses is part of an expression; a number is the length of a prefix.
            _ => columns.extend(token.name()),
        }
        if depth == 0 {
            break;
        }
    }
    columns
}

/// A word, a quoted name, a text or a sign.
pub(in crate::schema) struct Token<'a> {
    pub(in crate::schema) text: &'a str,
    pub(in crate::schema) start: usize,
    pub(in crate::schema) end: usize,
}

impl Token<'_> {
    pub(in crate::schema) fn is_bare_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }

    pub(in crate::schema) fn name(&self) -> Option<String> {
        if self.is_bare_word() {
            return Some(self.text.to_owned());
        }
        let mut inside = self.text.chars();
        let (first, last) = (inside.next()?, inside.next_back()?);
        match (first, last) {
            ('"', '"') | ('`', '`') => {
                Some(inside.as_str().replace(
                    [first, first].iter().collect::<String>().as_str(),
                    &first.to_string(),
                ))
            }
            ('[', ']') => Some(inside.as_str().to_owned()),
            _ => None,
        }
    }
}

/// Comments and blanks are passed over.
pub(in crate::schema) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let length = length_of_first(rest)?;
            let (start, end) = (at, at + length);
            at = end;
            let token = text.get(start..end)?;
            if !(token.trim().is_empty() || token.starts_with("--") || token.starts_with("/*")) {
                return Some(Token { text: token, start, end });
            }
        }
    })
}

fn length_of_first(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    let to = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
    let length = match first {
        '-' if rest.starts_with("--") => to("\n"),
        '/' if rest.starts_with("/*") => to("*/"),
        '\'' | '"' | '`' => quoted_length(rest, first),
        '[' => to("]"),
        c if c.is_alphanumeric() || c == '_' => rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .unwrap_or(rest.len()),
        c => c.len_utf8(),
    };
    Some(length)
}

/// A doubled quote stands for one. MySQL and MariaDB escape with a backslash too, in what they print: as `\'` never.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut from = 1;
    while let Some(found) = rest.get(from..).and_then(|inside| inside.find(quote)) {
        from += found + 1;
        if !rest.get(from..).is_some_and(|after| after.starts_with(quote)) {
            return from;
        }
        from += 1;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "CREATE TABLE \"t\" (id text, -- of a, b)\n token varchar(9) DEFAULT 'it''s, (' UNIQUE, /* , */\n  \
                         \"no\"\"te\" [text], CONSTRAINT one UNIQUE (token), CHECK (length(`id`) > 3)) STRICT";

    #[test]
    fn items_are_told_apart_outside_quotes_comments_and_parentheses() {
        let found = CreateTable::parse(TABLE).unwrap();
        let columns: Vec<_> = found.items.iter().map(|item| column_of(item)).collect();
        assert_eq!(
            columns,
            [Some("id".into()), Some("token".into()), Some("no\"te".into()), None, None]
        );
        assert_eq!((found.columns(), found.tail.as_str()), (3, " STRICT"));
        assert_eq!(found.named("\"t\""), TABLE, "nothing is lost");
        assert_eq!(CreateTable::parse("CREATE TABLE t (a, b"), None);
    }

    #[test]
    fn a_column_may_have_the_name_of_a_key_where_that_needs_no_quotes() {
        let column = |item: &str| column_of(item);
        for name in ["key", "fulltext", "Spatial", "period"] {
            assert_eq!(column(&format!(" {name} varchar(9) NOT NULL")).as_deref(), Some(name));
            assert_eq!(column(name).as_deref(), Some(name), "without a type");
        }
        for key in [
            "KEY `a` (`b`)",
            "FULLTEXT KEY `a` (`b`)",
            "KEY (`b`)",
            "SPATIAL INDEX `a` (`b`)",
            "PERIOD FOR SYSTEM_TIME (a, b)",
        ] {
            assert_eq!(column(key), None, "{key}");
        }
    }

    #[test]
    fn names_are_found_where_they_are_names() {
        let found = CreateTable::parse(TABLE).unwrap();
        assert_eq!(found.items.iter().filter(|item| mentions(item, "TOKEN")).count(), 2);
        assert!(!mentions("a text DEFAULT 'token' -- token", "token"));
        assert!(
            has_word("token text UNIQUE", &["unique"])
                && !has_word("token text DEFAULT 'UNIQUE'", &["UNIQUE"])
        );
        assert_eq!(key_columns("UNIQUE KEY `a` (`token`(10))"), ["token"]);
        assert_eq!(key_columns("CONSTRAINT b UNIQUE (token, id)"), ["token", "id"]);
    }
}
