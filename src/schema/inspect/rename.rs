//! Names in a text, replaced. Pure.

use crate::schema::sealing::create_table::tokens;

/// Replaces names, quoted or not, outside texts, comments and the columns of other tables.
pub(super) fn renamed(text: &str, names: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut copied, mut elsewhere) = (0, Referred::No);
    for token in tokens(text) {
        elsewhere = elsewhere.after(&token.text.to_ascii_uppercase());
        let Some(name) = token.name().filter(|_| elsewhere == Referred::No) else { continue };
        let Some((_, new)) = names.iter().find(|(old, _)| name.eq_ignore_ascii_case(old)) else {
            continue;
        };
        out.push_str(text.get(copied..token.start).unwrap_or_default());
        out.extend(["\"", *new, "\""]);
        copied = token.end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

/// Whether the names are those of a table that a foreign key refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Referred {
    No,
    /// After `REFERENCES`: the table's name.
    Table,
    /// After that name: a list of columns may follow.
    Named,
    /// In that list.
    Columns,
}

impl Referred {
    fn after(self, word: &str) -> Self {
        match (self, word) {
            (_, "REFERENCES") => Self::Table,
            (Self::Table, _) => Self::Named,
            (Self::Named, "(") | (Self::Columns, _) if word != ")" => Self::Columns,
            _ => Self::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renaming_replaces_names_and_nothing_else() {
        let names = [("access", "access_key"), ("tenant", "project_id")];
        for (text, expected) in [
            (
                "access text CHECK (length(access) > 3)",
                "\"access_key\" text CHECK (length(\"access_key\") > 3)",
            ),
            (
                "tenant text DEFAULT 'tenant' -- tenant",
                "\"project_id\" text DEFAULT 'tenant' -- tenant",
            ),
            (
                "FOREIGN KEY (tenant) REFERENCES tenant (tenant) ON DELETE CASCADE",
                "FOREIGN KEY (\"project_id\") REFERENCES tenant (tenant) ON DELETE CASCADE",
            ),
            ("a REFERENCES access, tenant", "a REFERENCES access, \"project_id\""),
            (
                "CREATE INDEX i ON t (lower(\"Access\"), tenant DESC)",
                "CREATE INDEX i ON t (lower(\"access_key\"), \"project_id\" DESC)",
            ),
        ] {
            assert_eq!(renamed(text, &names), expected);
        }
    }
}
