//! A table that was there before Strongroom, brought to the form of step 1 and back. Pure.

use serde::{Deserialize, Serialize};

use crate::Engine;

/// What is changed about an adopted table. Written down, so that giving it back needs no configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The unique index on its access key, if it has one. Sealing and going back leaves ours in its place.
    pub unique: Option<String>,
    /// MySQL and MariaDB: its character set and collation, where they are not ours.
    pub collation: Option<(String, String)>,
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
        !name.is_empty() && name.len() <= 63 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// The SQL that makes the table ours; empty for one that is as step 1 makes it.
    pub fn adopt(&self, engine: Engine) -> String {
        let mut sql = Paragraphs(engine, String::new());
        sql.rename_table(&self.table, TABLE);
        for (ours, theirs) in &self.renamed {
            sql.rename_column(theirs, ours);
        }
        for column in &self.added {
            sql.add_column(column);
        }
        sql.rename_primary_key(self.primary_key.as_deref(), Some(PRIMARY_KEY));
        if self.collation.is_some() {
            let ours = binary_collation(engine);
            sql.convert(&format!("unless collation {TABLE}.{ours}"), "utf8mb4", ours);
        }
        sql.1
    }

    /// The SQL that gives it back as it was.
    pub fn release(&self, engine: Engine) -> String {
        let mut sql = Paragraphs(engine, String::new());
        if let Some((character_set, collation)) = &self.collation {
            sql.convert(&format!("if collation {TABLE}.{}", binary_collation(engine)), character_set, collation);
        }
        sql.rename_primary_key(self.primary_key.as_ref().map(|_| PRIMARY_KEY), self.primary_key.as_deref());
        sql.release_indexes(self.unique.as_deref());
        for column in &self.added {
            sql.drop_column(column);
        }
        for (ours, theirs) in &self.renamed {
            sql.rename_column(ours, theirs);
        }
        sql.rename_table(TABLE, &self.table);
        sql.1
    }
}

/// The collation that compares bytes and pads nothing.
pub fn binary_collation(engine: Engine) -> &'static str {
    if engine == Engine::MariaDb { "utf8mb4_nopad_bin" } else { "utf8mb4_0900_bin" }
}

/// SQL in the form that the journal reads.
struct Paragraphs(Engine, String);

impl Paragraphs {
    fn add(&mut self, left_to_do: &str, statement: &str) {
        self.1.extend(["-- ", left_to_do, "\n", statement, ";\n\n"]);
    }

    /// MySQL takes double quotes for text.
    fn quoted(&self, name: &str) -> String {
        let quote = if matches!(self.0, Engine::MySql | Engine::MariaDb) { '`' } else { '"' };
        format!("{quote}{name}{quote}")
    }

    fn rename_table(&mut self, from: &str, to: &str) {
        if from != to {
            let statement = format!("ALTER TABLE {} RENAME TO {}", self.quoted(from), self.quoted(to));
            self.add(&format!("if table {from}"), &statement);
        }
    }

    fn rename_column(&mut self, from: &str, to: &str) {
        let statement = format!("ALTER TABLE {TABLE} RENAME COLUMN {} TO {}", self.quoted(from), self.quoted(to));
        self.add(&format!("if column {TABLE}.{from}"), &statement);
    }

    fn add_column(&mut self, column: &str) {
        let form = match (column, self.0) {
            ("type", _) => "varchar(255) NOT NULL DEFAULT 'ec2'",
            ("project_id", _) => "varchar(64)",
            ("access_key", _) => "varchar(255)",
            ("created_at", Engine::Postgres) => "timestamptz NOT NULL DEFAULT now()",
            // SQLite adds no column whose default is not a constant.
            ("created_at", Engine::Sqlite) => "timestamp NOT NULL DEFAULT '1970-01-01 00:00:00.000000'",
            ("created_at", _) => "datetime(6) NOT NULL DEFAULT (utc_timestamp(6))",
            _ => "text",
        };
        let statement = format!("ALTER TABLE {TABLE} ADD COLUMN {} {form}", self.quoted(column));
        self.add(&format!("unless column {TABLE}.{column}"), &statement);
    }

    fn drop_column(&mut self, column: &str) {
        let statement = format!("ALTER TABLE {TABLE} DROP COLUMN {}", self.quoted(column));
        self.add(&format!("if column {TABLE}.{column}"), &statement);
    }

    /// Steps 1 to 7 make these indexes, by way of going down or by making the table anew.
    fn release_indexes(&mut self, theirs: Option<&str>) {
        if theirs == Some(UNIQUE) {
            return;
        }
        let theirs = theirs.map(|name| self.quoted(name));
        match self.0 {
            Engine::Sqlite => {
                self.add("if index", "DROP INDEX IF EXISTS credential_user;\nDROP INDEX IF EXISTS credential_project");
            }
            Engine::Postgres => {
                let change =
                    theirs.map_or(format!("DROP CONSTRAINT {UNIQUE}"), |name| format!("RENAME CONSTRAINT {UNIQUE} TO {name}"));
                self.add(
                    "if it is there",
                    &format!(
                        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_constraint WHERE conrelid = '{TABLE}'::regclass AND conname = '{UNIQUE}') \
                         THEN ALTER TABLE {TABLE} {change}; END IF; END $$"
                    ),
                );
            }
            Engine::MySql | Engine::MariaDb => {
                let change = theirs.map_or(format!("DROP INDEX {UNIQUE}"), |name| format!("RENAME INDEX {UNIQUE} TO {name}"));
                self.add(&format!("if index {TABLE}.{UNIQUE}"), &format!("ALTER TABLE {TABLE} {change}"));
            }
        }
    }

    fn rename_primary_key(&mut self, from: Option<&str>, to: Option<&str>) {
        if let (Some(from), Some(to)) = (from, to) {
            let statement = format!("ALTER TABLE {TABLE} RENAME CONSTRAINT {} TO {}", self.quoted(from), self.quoted(to));
            self.add(&format!("if table {TABLE}"), &statement);
        }
    }

    fn convert(&mut self, left_to_do: &str, character_set: &str, collation: &str) {
        let statement = format!("ALTER TABLE {TABLE} CONVERT TO CHARACTER SET {character_set} COLLATE {collation}");
        self.add(left_to_do, &statement);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn giving_back_is_the_way_come() {
        let adoption = Adoption {
            table: "ec2_keys".into(),
            renamed: vec![("id".into(), "uuid".into())],
            added: vec!["extra".into()],
            primary_key: Some("ec2_keys_pkey".into()),
            unique: Some("credential_access_key".into()),
            collation: None,
        };
        let statements = |text: String| {
            text.lines().filter(|line| !line.starts_with("--") && !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            statements(adoption.adopt(Engine::Postgres)),
            [
                "ALTER TABLE \"ec2_keys\" RENAME TO \"credential\";",
                "ALTER TABLE credential RENAME COLUMN \"uuid\" TO \"id\";",
                "ALTER TABLE credential ADD COLUMN \"extra\" text;",
                "ALTER TABLE credential RENAME CONSTRAINT \"ec2_keys_pkey\" TO \"credential_pkey\";",
            ]
        );
        assert_eq!(
            statements(adoption.release(Engine::Postgres)),
            [
                "ALTER TABLE credential RENAME CONSTRAINT \"credential_pkey\" TO \"ec2_keys_pkey\";",
                "ALTER TABLE credential DROP COLUMN \"extra\";",
                "ALTER TABLE credential RENAME COLUMN \"id\" TO \"uuid\";",
                "ALTER TABLE \"credential\" RENAME TO \"ec2_keys\";",
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
