//! Joins by name: `NATURAL JOIN` and `JOIN … USING (column)`.
//!
//! SQLite asks its authorizer for no right to the columns that such a join compares (3.51 at least). A value
//! can be guessed that way, and with a common table expression for the other side
//! `SELECT secret FROM cte FULL JOIN t USING (secret)` gives every value, to whom may not even touch the table.

/// Whether a statement has the word for such a join anywhere, in a literal or a name too: what only looks
/// for the words does not have to split a statement exactly as SQLite does.
pub(super) fn by_name(sql: &[u8]) -> bool {
    // `?1NATURAL` is a parameter and the keyword.
    let words = sql.split(|byte| !byte.is_ascii_alphabetic() && *byte != b'_');
    words
        .into_iter()
        .any(|word| word.eq_ignore_ascii_case(b"natural") || word.eq_ignore_ascii_case(b"using"))
}

#[cfg(test)]
mod tests {
    use super::by_name;

    #[test]
    fn words_are_found_however_they_are_written() {
        for sql in [
            "t JOIN u USING(a)",
            "t Natural/**/join u",
            "ON ?1NATURAL JOIN u",
            "\"t\"using\n(a)",
            "t,using",
            "\u{e9}using",
        ] {
            assert!(by_name(sql.as_bytes()), "{sql}");
        }
        for sql in [
            "",
            "SELECT housing, using_it, unnatural FROM t",
            "SELECT a FROM t JOIN u ON t.a = u.a",
        ] {
            assert!(!by_name(sql.as_bytes()), "{sql}");
        }
    }
}
