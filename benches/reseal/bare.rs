//! The bare statement: a page of ready-made bytes, swapped where the bytes before are still there.

use std::collections::HashMap;

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, QueryResult, Statement, TransactionTrait as _, Value,
};

use crate::support::{Engine, Room, block_on};

/// Rows a statement, as many as the engine takes by default.
const PAGE: usize = 1000;

/// The columns that are compared and set, and whether each is text.
pub(crate) struct Form {
    /// Only the reseal engine may write plaintext beside cells that count.
    writes_plaintext: bool,
    compare: [(&'static str, bool); 2],
    set: &'static [(&'static str, bool)],
}

const TEXTS: [(&str, bool); 2] = [("access_key", true), ("secret_key", true)];
const CELLS: [(&str, bool); 2] = [("access_key_sealed", false), ("secret_key_sealed", false)];
const CELLS_AND_INDEX: [(&str, bool); 3] =
    [("access_key_sealed", false), ("secret_key_sealed", false), ("access_key_index", false)];
pub(crate) const FILL: Form =
    Form { writes_plaintext: false, compare: TEXTS, set: &CELLS_AND_INDEX };
pub(crate) const ROLL: Form = Form { writes_plaintext: false, compare: CELLS, set: &CELLS };
pub(crate) const OPEN: Form = Form { writes_plaintext: true, compare: CELLS, set: &TEXTS };

/// A row's place, the bytes before, and the bytes after.
pub(crate) type Change = (Value, Vec<Value>, Vec<Value>);

pub(crate) struct Bare<'a> {
    pub(crate) room: &'a Room,
    pub(crate) db: &'a DatabaseConnection,
}

impl Bare<'_> {
    /// Sealing once more what is sealed.
    pub(crate) fn fill(&self) -> Vec<Change> {
        self.changes(
            "access_key, secret_key",
            "access_key_sealed, secret_key_sealed, access_key_index",
            3,
        )
    }

    /// Opening what is sealed.
    pub(crate) fn open(&self) -> Vec<Change> {
        let opened = |change: Change| {
            let Value::String(Some(id)) = &change.0 else {
                return (change.0, change.1, plaintext("rowid"));
            };
            let text = plaintext(id);
            (change.0, change.1, text)
        };
        self.changes("access_key_sealed, secret_key_sealed", "NULL, NULL", 0)
            .into_iter()
            .map(opened)
            .collect()
    }

    /// From the cells as they are to those before.
    pub(crate) fn back_to(&self, mut before: HashMap<String, Vec<Value>>) -> Vec<Change> {
        let now = self.changes("access_key_sealed, secret_key_sealed", "id", 0);
        let ids = self
            .room
            .query(&format!("SELECT id FROM credential ORDER BY {}", self.place()), |row| {
                row.try_get_by_index(0).unwrap()
            });
        let ids: Vec<String> = ids;
        now.into_iter()
            .zip(ids)
            .map(|((place, old, _), id)| (place, old, before.remove(&id).unwrap()))
            .collect()
    }

    pub(crate) fn cells(&self) -> HashMap<String, Vec<Value>> {
        let sql = "SELECT id, access_key_sealed, secret_key_sealed FROM credential";
        self.room
            .query(sql, |row| (row.try_get_by_index(0).unwrap(), values(row, 1, 2, false)))
            .into_iter()
            .collect()
    }

    pub(crate) fn empty_cells(&self) {
        self.room.execute("UPDATE credential SET access_key_sealed = NULL, secret_key_sealed = NULL, access_key_index = NULL");
    }

    pub(crate) fn empty_plaintext(&self) {
        block_on(async {
            let transaction = self.db.begin().await.unwrap();
            let run = async |sql: &str| transaction.execute_unprepared(sql).await.unwrap();
            run("UPDATE strongroom_reseal SET writing = TRUE WHERE table_name = 'credential'")
                .await;
            run("UPDATE credential SET access_key = NULL, secret_key = NULL").await;
            run("UPDATE strongroom_reseal SET writing = FALSE WHERE table_name = 'credential'")
                .await;
            transaction.commit().await.unwrap();
        });
    }

    /// Applies all changes, page by page, each in a transaction; how many rows were changed.
    pub(crate) fn apply(&self, form: &Form, changes: &[Change]) -> u64 {
        changes.chunks(PAGE).map(|page| block_on(self.apply_page(form, page))).sum()
    }

    async fn apply_page(&self, form: &Form, page: &[Change]) -> u64 {
        let transaction = self.db.begin().await.unwrap();
        if form.writes_plaintext {
            let guard =
                "UPDATE strongroom_reseal SET writing = TRUE WHERE table_name = 'credential'";
            transaction.execute_unprepared(guard).await.unwrap();
        }
        let values = page
            .iter()
            .flat_map(|(place, old, new)| std::iter::once(place).chain(old).chain(new).cloned());
        let statement = Statement::from_sql_and_values(
            self.db.get_database_backend(),
            self.sql(form, page.len()),
            values,
        );
        let changed = transaction.execute_raw(statement).await.unwrap().rows_affected();
        transaction.commit().await.unwrap();
        changed
    }

    fn sql(&self, form: &Form, rows: usize) -> String {
        let columns: Vec<_> = form.compare.iter().chain(form.set).collect();
        let width = 1 + columns.len();
        let names: Vec<String> = std::iter::once("place".to_owned())
            .chain((0..columns.len()).map(|n| format!("v{n}")))
            .collect();
        let set = form
            .set
            .iter()
            .zip(2..)
            .map(|((column, _), n)| format!("{}{column} = v.v{n}", self.qualifier()));
        let set = set.collect::<Vec<_>>().join(", ");
        let same = if self.is_mysql() { "<=>" } else { "IS NOT DISTINCT FROM" };
        let compare = form
            .compare
            .iter()
            .zip(0..)
            .map(|((column, _), n)| format!("credential.{column} {same} v.v{n}"));
        let compare = compare.collect::<Vec<_>>().join(" AND ");
        let place = self.place();
        if self.is_mysql() {
            let shape = std::iter::once(&("id", true))
                .chain(columns)
                .zip(&names)
                .map(|((column, _), name)| format!("s.{column} AS {name}"));
            let shape = shape.collect::<Vec<_>>().join(", ");
            let list = format!(" UNION ALL SELECT {}", vec!["?"; width].join(", ")).repeat(rows);
            return format!(
                "UPDATE credential JOIN (SELECT {shape} FROM credential s WHERE FALSE{list}) v ON credential.id = v.place SET {set} WHERE {compare}"
            );
        }
        let types: Vec<&str> = std::iter::once(&("id", true))
            .chain(columns)
            .map(|(_, text)| if *text { "::text" } else { "::bytea" })
            .collect();
        let parameter = |n: usize| match self.room.engine {
            Engine::Postgres => format!("${}{}", n + 1, types.get(n).copied().unwrap_or_default()),
            _ => "?".to_owned(),
        };
        let tuple = |row: usize| {
            format!(
                "({})",
                (0..width).map(|n| parameter(row * width + n)).collect::<Vec<_>>().join(", ")
            )
        };
        let list = (0..rows).map(tuple).collect::<Vec<_>>().join(", ");
        format!(
            "WITH v ({}) AS (VALUES {list}) UPDATE credential SET {set} FROM v WHERE credential.{place} = v.place AND {compare}",
            names.join(", ")
        )
    }

    fn changes(&self, old: &str, new: &str, cells: usize) -> Vec<Change> {
        let place = self.place();
        let old_is_text = !old.contains("sealed");
        self.room.query(
            &format!("SELECT {place}, {old}, {new} FROM credential ORDER BY {place}"),
            |row| {
                let place = if self.room.engine == Engine::Sqlite {
                    row.try_get_by_index::<i64>(0).unwrap().into()
                } else {
                    row.try_get_by_index::<String>(0).unwrap().into()
                };
                (place, values(row, 1, 2, old_is_text), values(row, 3, cells, false))
            },
        )
    }

    fn place(&self) -> &'static str {
        if self.room.engine == Engine::Sqlite { "rowid" } else { "id" }
    }

    fn qualifier(&self) -> &'static str {
        if self.is_mysql() { "credential." } else { "" }
    }

    fn is_mysql(&self) -> bool {
        matches!(self.room.engine, Engine::MySql | Engine::MariaDb)
    }
}

fn values(row: &QueryResult, first: usize, count: usize, text: bool) -> Vec<Value> {
    (first..first + count)
        .map(|n| {
            if text {
                row.try_get_by_index::<Option<String>>(n).unwrap().into()
            } else {
                row.try_get_by_index::<Option<Vec<u8>>>(n).unwrap().into()
            }
        })
        .collect()
}

/// As long as what the rows have.
fn plaintext(id: &str) -> Vec<Value> {
    vec![
        format!("AKIA{:.12}TESTACCESS", format!("{id:0<12}")).into(),
        "plaintext-secret-000000000000".into(),
    ]
}
