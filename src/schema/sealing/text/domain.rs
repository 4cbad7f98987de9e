//! PostgreSQL's domains of one table: the types of its cells and of their blind indexes, which take nothing else.

use strongroom_entity::SealedTable;
use strongroom_migration::Engine;

use crate::schema::sealing::guard::shortened;

const ENGINE: Engine = Engine::Postgres;

#[derive(Debug, Clone, Copy)]
pub(super) enum Domain {
    Cell,
    Index,
}

impl Domain {
    /// Those that a table needs.
    pub(super) fn of(table: &SealedTable) -> impl Iterator<Item = Self> {
        [Self::Cell, Self::Index]
            .into_iter()
            .filter(|domain| domain.columns(table).next().is_some())
    }

    pub(super) fn columns(self, table: &SealedTable) -> impl Iterator<Item = &'static str> {
        table.columns.iter().filter_map(move |column| match self {
            Self::Cell => Some(column.sealed),
            Self::Index => column.index,
        })
    }

    /// Quoted.
    pub(super) fn name(self, table: &SealedTable) -> String {
        let prefix = match self {
            Self::Cell => "strongroom_cell",
            Self::Index => "strongroom_blind_index",
        };
        ENGINE.quoted(&shortened(prefix, table.name))
    }

    /// Its name is what a program is told. The server adds no value to that.
    fn check(self) -> (&'static str, &'static str) {
        match self {
            Self::Cell => {
                ("\"takes sealed cells only\"", "length(VALUE) >= 112 AND get_byte(VALUE, 0) = 1")
            }
            Self::Index => ("\"takes blind indexes only\"", "length(VALUE) = 16"),
        }
    }

    /// The domain without its check, whether it was there or not: columns that are given a domain with a check are rewritten.
    pub(super) fn unchecked(self, table: &SealedTable) -> String {
        let (own, (check, _)) = (self.name(table), self.check());
        format!(
            "DO $$ BEGIN\n    CREATE DOMAIN {own} AS bytea;\nEXCEPTION WHEN duplicate_object THEN\n    \
             ALTER DOMAIN {own} DROP CONSTRAINT IF EXISTS {check};\nEND $$;"
        )
    }

    /// The check, for values that are there already too.
    pub(super) fn checked(self, table: &SealedTable) -> String {
        let (check, condition) = self.check();
        format!(
            "ALTER DOMAIN {} ADD CONSTRAINT {check}\n    CHECK ({condition});",
            self.name(table)
        )
    }

    /// The same where all values are NULL: nothing is read.
    pub(super) fn checked_from_now_on(self, table: &SealedTable) -> String {
        let (check, condition) = self.check();
        format!(
            "ALTER DOMAIN {} ADD CONSTRAINT {check}\n    CHECK ({condition}) NOT VALID;",
            self.name(table)
        )
    }

    /// Plain bytes get the domain. A column that has it is let be: a view that reads it would be in the way.
    pub(super) fn taken(self, table: &SealedTable) -> String {
        let names: Vec<_> = self.columns(table).map(|column| format!("'{column}'")).collect();
        let plain = format!(
            "a.attrelid = '{}'::regclass AND a.atttypid = 'bytea'::regtype AND a.attname IN ({})",
            ENGINE.quoted(table.name),
            names.join(", ")
        );
        each_column(&plain, &self.name(table))
    }

    /// What has the domain is plain bytes again, and the domain goes. It may be gone, and so may the table.
    pub(super) fn left(self, table: &SealedTable) -> String {
        let own = self.name(table);
        let held = format!(
            "a.atttypid = to_regtype('{own}') AND c.relkind IN ('r', 'p') AND a.attinhcount = 0"
        );
        format!("{}\n{}", each_column(&held, "bytea"), self.dropped(table))
    }

    pub(super) fn dropped(self, table: &SealedTable) -> String {
        format!("DROP DOMAIN IF EXISTS {};", self.name(table))
    }
}

fn each_column(condition: &str, kind: &str) -> String {
    format!(
        "DO $$ DECLARE it record; BEGIN\n    FOR it IN SELECT c.oid::regclass AS of_table, a.attname AS name\n        \
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid\n        WHERE {condition} AND NOT a.attisdropped\n    LOOP\n        \
         EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE {kind}', it.of_table, it.name);\n    END LOOP;\nEND $$;"
    )
}
