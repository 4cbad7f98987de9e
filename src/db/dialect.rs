//! How each engine writes SQL: the one place where texts of one meaning differ.
//!
//! MySQL and MariaDB share a dialect. Only the server knows which of the two [`Engine`]s it is; the dialect follows from the
//! connection, without a query.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DbBackend};
use strongroom_migration::Engine;

/// How SQL is written for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect(Engine);

/// A value for each dialect, such as a long query.
#[derive(Debug, Clone, Copy)]
pub struct ByDialect<T> {
    /// For PostgreSQL.
    pub postgres: T,
    /// For MySQL and MariaDB.
    pub mysql: T,
    /// For SQLite.
    pub sqlite: T,
}

impl From<DbBackend> for Dialect {
    fn from(backend: DbBackend) -> Self {
        Self(match backend {
            DbBackend::Postgres => Engine::Postgres,
            DbBackend::MySql => Engine::MySql,
            _ => Engine::Sqlite,
        })
    }
}

impl From<Engine> for Dialect {
    fn from(engine: Engine) -> Self {
        Self(if engine == Engine::MariaDb { Engine::MySql } else { engine })
    }
}

impl Dialect {
    /// The dialect of a connection.
    pub fn of(db: &impl ConnectionTrait) -> Self {
        db.get_database_backend().into()
    }

    /// The engine, or MySQL for both that write as it does.
    pub fn engine(self) -> Engine {
        self.0
    }

    /// As sea-orm calls it.
    pub fn backend(self) -> DbBackend {
        self.pick(ByDialect {
            postgres: DbBackend::Postgres,
            mysql: DbBackend::MySql,
            sqlite: DbBackend::Sqlite,
        })
    }

    /// The value for this dialect.
    pub fn pick<T>(self, all: ByDialect<T>) -> T {
        match self.0 {
            Engine::Postgres => all.postgres,
            Engine::MySql | Engine::MariaDb => all.mysql,
            Engine::Sqlite => all.sqlite,
        }
    }

    /// An identifier.
    pub fn quoted(self, identifier: &str) -> String {
        self.0.quoted(identifier)
    }

    /// The `n`th parameter of a statement, from 1. SQLite looks a numbered one up among all before it: thousands of them
    /// take seconds, so it counts by place, as MySQL does.
    pub fn parameter(self, n: usize) -> String {
        if self.0 == Engine::Postgres { format!("${n}") } else { "?".to_owned() }
    }

    /// Gives a parameter the type that PostgreSQL cannot infer (`::bytea`). The others take it as it comes.
    pub fn typed(self, parameter: &str, kind: &str) -> String {
        if self.0 == Engine::Postgres {
            format!("{parameter}::{kind}")
        } else {
            parameter.to_owned()
        }
    }

    /// A parameter of bytes in a select list. MySQL reads it as text without the cast.
    pub fn bytes_parameter(self, parameter: &str) -> String {
        if self.0 == Engine::MySql {
            format!("CAST({parameter} AS BINARY)")
        } else {
            parameter.to_owned()
        }
    }

    /// Bytes in the text of a statement.
    pub fn bytes_literal(self, bytes: &[u8]) -> String {
        let (before, after) =
            if self.0 == Engine::Postgres { ("'\\x", "'::bytea") } else { ("x'", "'") };
        let mut text = String::with_capacity(bytes.len() * 2 + 12);
        text.push_str(before);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        text + after
    }

    /// The operator that compares NULL like a value.
    pub fn is_same(self) -> &'static str {
        self.pick(ByDialect { postgres: "IS NOT DISTINCT FROM", mysql: "<=>", sqlite: "IS" })
    }

    /// The bytes of a text in UTF-8, whatever the character set of the column.
    pub fn text_as_bytes(self, text: &str) -> String {
        self.pick(ByDialect {
            postgres: format!("convert_to({text}::text, 'UTF8')"),
            mysql: format!("CAST(CONVERT({text} USING utf8mb4) AS BINARY)"),
            sqlite: format!("CAST({text} AS BLOB)"),
        })
    }

    /// The text that bytes in UTF-8 are.
    pub fn bytes_as_text(self, bytes: &str) -> String {
        self.pick(ByDialect {
            postgres: format!("convert_from({bytes}, 'UTF8')"),
            mysql: format!("CONVERT({bytes} USING utf8mb4)"),
            sqlite: format!("CAST({bytes} AS TEXT)"),
        })
    }

    /// A text compared byte by byte, whatever its collation. On PostgreSQL the expression is text, elsewhere bytes: see
    /// [`exact_value`](Self::exact_value).
    pub fn exact(self, text: &str) -> String {
        if self.0 == Engine::Postgres {
            format!("{text}::text COLLATE \"C\"")
        } else {
            self.text_as_bytes(text)
        }
    }

    /// The value to compare [`exact`](Self::exact) with.
    pub fn exact_value(self, text: &str) -> sea_orm::Value {
        if self.0 == Engine::Postgres { text.into() } else { text.as_bytes().into() }
    }

    /// The number of characters of a text. PostgreSQL has no length function for enumerated types, so they are cast.
    pub fn characters(self, text: &str) -> String {
        self.pick(ByDialect {
            postgres: format!("char_length({text}::text)"),
            mysql: format!("char_length({text})"),
            sqlite: format!("length({text})"),
        })
    }

    /// The number of bytes of a text.
    pub fn bytes(self, text: &str) -> String {
        if self.0 == Engine::Sqlite {
            format!("length(CAST({text} AS blob))")
        } else {
            format!("octet_length({text})")
        }
    }

    /// A part of a column of bytes; the first byte is number 1.
    pub fn bytes_from(self, column: &str, first: usize, count: usize) -> String {
        if self.0 == Engine::Postgres {
            format!("substring({column}::bytea FROM {first} FOR {count})")
        } else {
            format!("substr({column}, {first}, {count})")
        }
    }

    /// The clause with which an insert skips an existing row. Empty on MySQL: IGNORE would hide other errors too, and
    /// `ON DUPLICATE KEY UPDATE` needs the right to update.
    pub fn unless_there(self) -> &'static str {
        if self.0 == Engine::MySql { "" } else { "ON CONFLICT DO NOTHING" }
    }

    /// The server's current time, in whole seconds since 1970. It advances within a transaction.
    pub fn clock_seconds(self) -> &'static str {
        self.pick(ByDialect {
            postgres: "extract(epoch FROM clock_timestamp())::bigint",
            mysql: "unix_timestamp()",
            sqlite: "unixepoch()",
        })
    }

    /// Whether UUIDs are columns of 16 bytes. PostgreSQL has a UUID type, which is read as text.
    pub fn has_uuids_as_bytes(self) -> bool {
        self.0 != Engine::Postgres
    }

    /// Whether an update that takes its values from a list joins it (`UPDATE t JOIN v … SET`), and names the table of every
    /// column. The others say `UPDATE t SET … FROM v`.
    pub fn updates_by_join(self) -> bool {
        self.0 == Engine::MySql
    }

    /// Whether schema changes roll back.
    pub fn has_transactional_ddl(self) -> bool {
        self.0.has_transactional_ddl()
    }

    /// Whether a transaction can be told not to write.
    pub fn has_read_only_transactions(self) -> bool {
        self.0 != Engine::Sqlite
    }

    /// A lock for the rest of the transaction, so that two sessions do not create the same tables at once: PostgreSQL's
    /// `CREATE TABLE IF NOT EXISTS` fails in that case.
    pub fn creation_lock(self, name: &str) -> Option<String> {
        (self.0 == Engine::Postgres)
            .then(|| format!("SELECT pg_advisory_xact_lock(hashtext('{name}'))"))
    }

    /// Limits how long a schema change in this transaction waits for a lock, because other sessions queue behind it.
    pub fn impatience(self) -> Option<&'static str> {
        (self.0 == Engine::Postgres).then_some("SET LOCAL lock_timeout = '3s'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Engine; 4] = [Engine::Postgres, Engine::MySql, Engine::MariaDb, Engine::Sqlite];

    #[test]
    fn a_quote_in_an_identifier_stays_inside_it() {
        let quoted = ALL.map(|engine| Dialect::from(engine).quoted("a`b\"c"));
        assert_eq!(quoted, ["\"a`b\"\"c\"", "`a``b\"c`", "`a``b\"c`", "\"a`b\"\"c\""]);
    }

    #[test]
    fn bytes_are_written_as_each_engine_reads_them() {
        let written = ALL.map(|engine| Dialect::from(engine).bytes_literal(&[0, 255]));
        assert_eq!(written, ["'\\x00ff'::bytea", "x'00ff'", "x'00ff'", "x'00ff'"]);
    }

    #[test]
    fn a_connection_and_its_engine_have_one_dialect() {
        for engine in ALL {
            let dialect = Dialect::from(engine);
            assert_eq!(Dialect::from(dialect.backend()), dialect);
        }
    }
}
