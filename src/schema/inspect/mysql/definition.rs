//! Rewrites the text of a column's definition.

use crate::schema::sealing::create_table::tokens;

/// Replaces the collation of a definition, or adds one.
pub(super) fn with_collation(definition: &str, kind: &str, exact: &str) -> String {
    let mut out = String::new();
    let mut words = definition.split_inclusive(' ').peekable();
    while let Some(word) = words.next() {
        match word.trim() {
            "CHARACTER" if words.peek().is_some_and(|next| next.trim() == "SET") => {
                words.next();
                words.next();
            }
            "COLLATE" => {
                words.next();
            }
            _ => out.push_str(word),
        }
    }
    out.replacen(kind, &format!("{kind} {exact} "), 1)
}

/// Removes the CHECK of a definition: MariaDB prints a column's own CHECK with the column.
pub(super) fn without_check(definition: &str) -> String {
    let mut depth = 0_usize;
    let mut cut: Option<(usize, usize)> = None;
    for token in tokens(definition) {
        match (&mut cut, token.text) {
            (None, word) if word.eq_ignore_ascii_case("CHECK") => {
                cut = Some((token.start, definition.len()));
            }
            (Some(_), "(") => depth += 1,
            (Some((_, end)), ")") => {
                depth -= 1;
                if depth == 0 {
                    *end = token.end;
                    break;
                }
            }
            _ => {}
        }
    }
    let Some((start, end)) = cut else { return definition.to_owned() };
    [definition.get(..start), definition.get(end..)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_columns_own_check_is_cut_and_nothing_else() {
        let cut =
            without_check(" varchar(9) DEFAULT ')' CHECK (length(`a`) > (3)) COMMENT 'CHECK (1)'");
        assert_eq!(cut, " varchar(9) DEFAULT ')'  COMMENT 'CHECK (1)'");
        assert_eq!(without_check(" text"), " text");
    }

    #[test]
    fn a_collation_replaces_the_one_that_was_there() {
        let exact = "CHARACTER SET utf8mb4 COLLATE ours";
        let with = |definition| {
            with_collation(definition, "varchar(9)", exact)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            with(" varchar(9) DEFAULT NULL"),
            "varchar(9) CHARACTER SET utf8mb4 COLLATE ours DEFAULT NULL"
        );
        assert_eq!(
            with(" varchar(9) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL COMMENT 'x'"),
            "varchar(9) CHARACTER SET utf8mb4 COLLATE ours NOT NULL COMMENT 'x'"
        );
    }
}
