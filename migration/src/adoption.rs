//! A table that was there before Strongroom, brought to the form of step 1 and back. Pure.

use serde::{Deserialize, Serialize};

use crate::Engine;

/// The changes to an adopted table, recorded so that giving it back needs no configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adoption {
    /// Its own name.
    pub table: String,
    /// Columns that bear another name: ours, then theirs.
    pub renamed: Vec<(String, String)>,
    /// Columns of ours that it lacks.
    pub added: Vec<String>,
    /// PostgreSQL: the name of its primary key's constraint, where it is not ours.
    pub primary_key: Option<String>,
    /// What hangs on the columns that change, by name: removed by step 1, restored on the way back.
    pub carried: Vec<String>,
    /// Removes that, while the table has its own names.
    pub detach: Vec<String>,
    /// Restores it, once the table has its own names again.
    pub attach: Vec<String>,
    /// SQLite makes the table anew instead of all this: the SQL of going up, and that of going down.
    pub rebuild: Option<(String, String)>,
    /// What the sealed columns took, where that is less than any text.
    pub limits: Vec<Limit>,
    /// Columns of ours that get a stricter type on the way back, and that type.
    pub casts: Vec<(String, String)>,
}

/// What a column takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Our name of it.
    pub column: String,
    /// At most so many characters.
    pub characters: u64,
    /// At most so many bytes.
    pub bytes: u64,
    /// No character beyond this one.
    pub highest: u32,
}

/// The name that the table bears while it is ours.
const TABLE: &str = "credential";
/// The unique index on access keys that steps 1 and 6 make.
const UNIQUE: &str = "credential_access_key";
/// The name that step 7 knows its primary key by on PostgreSQL.
const PRIMARY_KEY: &str = "credential_pkey";

impl Adoption {
    /// Whether a name from outside may stand in a statement. Others are refused and not quoted.
    pub fn is_plain_name(name: &str) -> bool {
        !name.is_empty()
            && name.len() <= 63
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// Returns the SQL that makes the table ours.
    pub fn adopt(&self, engine: Engine) -> String {
        if let Some((up, _)) = &self.rebuild {
            return up.clone();
        }
        let mut sql = Paragraphs(engine, String::new());
        sql.take(&self.detach);
        sql.rename_table(&self.table, TABLE);
        for (ours, theirs) in &self.renamed {
            sql.rename_column(theirs, ours);
        }
        for column in &self.added {
            sql.add_column(column);
        }
        sql.rename_primary_key(self.primary_key.as_deref(), Some(PRIMARY_KEY));
        sql.add_unique();
        sql.1
    }

    /// Returns the SQL that gives the table back as it was.
    pub fn release(&self, engine: Engine) -> String {
        if let Some((_, down)) = &self.rebuild {
            return down.clone();
        }
        let mut sql = Paragraphs(engine, String::new());
        sql.rename_primary_key(
            self.primary_key.as_ref().map(|_| PRIMARY_KEY),
            self.primary_key.as_deref(),
        );
        sql.drop_unique();
        for column in &self.added {
            sql.drop_column(column);
        }
        for (ours, theirs) in &self.renamed {
            sql.rename_column(ours, theirs);
        }
        sql.rename_table(TABLE, &self.table);
        sql.take(&self.attach);
        sql.1
    }
}

/// The collation that compares bytes and pads nothing.
pub fn binary_collation(engine: Engine) -> &'static str {
    if engine == Engine::MariaDb { "utf8mb4_nopad_bin" } else { "utf8mb4_0900_bin" }
}

/// Returns the type of a column of ours that an adopted table lacks.
pub fn added_type(column: &str, engine: Engine) -> &'static str {
    match (column, engine) {
        ("type", _) => "varchar(255) NOT NULL DEFAULT 'ec2'",
        ("project_id", _) => "varchar(64)",
        ("access_key", _) => "varchar(255)",
        ("created_at", Engine::Postgres) => "timestamptz NOT NULL DEFAULT now()",
        // SQLite adds no column whose default is not a constant.
        ("created_at", Engine::Sqlite) => "timestamp NOT NULL DEFAULT '1970-01-01 00:00:00.000000'",
        ("created_at", _) => "datetime(6) NOT NULL DEFAULT (utc_timestamp(6))",
        _ => "text",
    }
}

/// SQL in the form that the journal reads.
struct Paragraphs(Engine, String);

impl Paragraphs {
    fn add(&mut self, left_to_do: &str, statement: &str) {
        self.1.extend(["-- ", left_to_do, "\n", statement, ";\n\n"]);
    }

    /// Statements that bring their own guards.
    fn take(&mut self, statements: &[String]) {
        for statement in statements {
            self.1.extend([statement.as_str(), ";\n\n"]);
        }
    }

    /// MySQL takes double quotes for text.
    fn quoted(&self, name: &str) -> String {
        self.0.quoted(name)
    }

    fn rename_table(&mut self, from: &str, to: &str) {
        if from != to {
            let statement =
                format!("ALTER TABLE {} RENAME TO {}", self.quoted(from), self.quoted(to));
            self.add(&format!("if table {from}"), &statement);
        }
    }

    fn rename_column(&mut self, from: &str, to: &str) {
        let statement = format!(
            "ALTER TABLE {TABLE} RENAME COLUMN {} TO {}",
            self.quoted(from),
            self.quoted(to)
        );
        self.add(&format!("if column {TABLE}.{from}"), &statement);
    }

    fn add_column(&mut self, column: &str) {
        let statement = format!(
            "ALTER TABLE {TABLE} ADD COLUMN {} {}",
            self.quoted(column),
            added_type(column, self.0)
        );
        self.add(&format!("unless column {TABLE}.{column}"), &statement);
    }

    fn drop_column(&mut self, column: &str) {
        let statement = format!("ALTER TABLE {TABLE} DROP COLUMN {}", self.quoted(column));
        self.add(&format!("if column {TABLE}.{column}"), &statement);
    }

    fn add_unique(&mut self) {
        let statement = if self.0 == Engine::Postgres {
            format!("ALTER TABLE {TABLE} ADD CONSTRAINT {UNIQUE} UNIQUE (access_key)")
        } else {
            format!("ALTER TABLE {TABLE} ADD UNIQUE KEY {UNIQUE} (access_key)")
        };
        self.add(&format!("unless index {TABLE}.{UNIQUE}"), &statement);
    }

    fn drop_unique(&mut self) {
        let what = if self.0 == Engine::Postgres { "CONSTRAINT" } else { "INDEX" };
        self.add(
            &format!("if index {TABLE}.{UNIQUE}"),
            &format!("ALTER TABLE {TABLE} DROP {what} {UNIQUE}"),
        );
    }

    fn rename_primary_key(&mut self, from: Option<&str>, to: Option<&str>) {
        if let (Some(from), Some(to)) = (from, to) {
            let statement = format!(
                "ALTER TABLE {TABLE} RENAME CONSTRAINT {} TO {}",
                self.quoted(from),
                self.quoted(to)
            );
            self.add(&format!("if table {TABLE}"), &statement);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with("--") && !line.is_empty())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn release_undoes_adopt_in_reverse_order() {
        let adoption = Adoption {
            table: "ec2_keys".into(),
            renamed: vec![("id".into(), "uuid".into())],
            added: vec!["extra".into()],
            primary_key: Some("ec2_keys_pkey".into()),
            detach: vec!["DROP INDEX one".into()],
            attach: vec!["CREATE INDEX one ON ec2_keys (access_key)".into()],
            ..Adoption::default()
        };
        assert_eq!(
            statements(&adoption.adopt(Engine::Postgres)),
            [
                "DROP INDEX one;",
                "ALTER TABLE \"ec2_keys\" RENAME TO \"credential\";",
                "ALTER TABLE credential RENAME COLUMN \"uuid\" TO \"id\";",
                "ALTER TABLE credential ADD COLUMN \"extra\" text;",
                "ALTER TABLE credential RENAME CONSTRAINT \"ec2_keys_pkey\" TO \"credential_pkey\";",
                "ALTER TABLE credential ADD CONSTRAINT credential_access_key UNIQUE (access_key);",
            ]
        );
        assert_eq!(
            statements(&adoption.release(Engine::Postgres)),
            [
                "ALTER TABLE credential RENAME CONSTRAINT \"credential_pkey\" TO \"ec2_keys_pkey\";",
                "ALTER TABLE credential DROP CONSTRAINT credential_access_key;",
                "ALTER TABLE credential DROP COLUMN \"extra\";",
                "ALTER TABLE credential RENAME COLUMN \"id\" TO \"uuid\";",
                "ALTER TABLE \"credential\" RENAME TO \"ec2_keys\";",
                "CREATE INDEX one ON ec2_keys (access_key);",
            ]
        );
    }

    #[test]
    fn names_that_would_need_quoting_are_not_plain() {
        for name in ["", "a b", "a`; DROP TABLE b", "a.b", "\"a\""] {
            assert!(!Adoption::is_plain_name(name), "{name}");
        }
    }
}
