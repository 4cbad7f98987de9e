//! The order in which a pass goes through a table.
//!
//! On SQLite a pass follows the stored rows, by rowid: rows under random ids are spread over the file, so a page of them in
//! order of ids touches as many blocks as it has rows. Elsewhere it follows the ids. `VACUUM` may renumber rows, and a new
//! row may get any rowid: the count at the end of a pass finds the rows that it missed, and the next pass moves them.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult};
use strongroom_entity::SealedTable;

use super::page::{Forms, Row, Size, decode, decode_from, select_list, within_bytes};
use super::statement::{id_value, quoted};
use crate::db::statement;

/// How far a pass has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// Before the first row.
    Start,
    /// Behind the row with this id.
    Id(String),
    /// Behind the row with this rowid.
    Rowid(i64),
}

/// A pass over a table: which rows it reads, and how far it has come.
pub(super) struct Walk {
    pub(super) table: &'static SealedTable,
    pub(super) forms: Forms,
    /// Rows that do not meet it are passed over.
    pub(super) condition: String,
    /// The name of the rowid, where the pass follows it.
    pub(super) rowid: Option<&'static str>,
    pub(super) position: Position,
}

impl Walk {
    /// Begins a pass, or continues one in the order in which it began.
    pub(super) async fn from(
        db: &impl ConnectionTrait,
        table: &'static SealedTable,
        forms: Forms,
        condition: &str,
        position: Position,
    ) -> Result<Self, DbErr> {
        let rowid =
            if matches!(position, Position::Id(_)) { None } else { rowid(db, table).await? };
        // The table was made again without rowids.
        let is_lost = matches!(position, Position::Rowid(_)) && rowid.is_none();
        let position = if is_lost { Position::Start } else { position };
        Ok(Self { table, forms, condition: condition.to_owned(), rowid, position })
    }

    /// Begins a pass over all rows.
    pub(super) async fn over(
        db: &impl ConnectionTrait,
        table: &'static SealedTable,
        forms: Forms,
    ) -> Result<Self, DbErr> {
        Self::from(db, table, forms, "1 = 1", Position::Start).await
    }

    /// Reads the next page; empty at the end.
    pub(super) async fn next(
        &mut self,
        db: &impl ConnectionTrait,
        size: Size,
    ) -> Result<Vec<Row>, DbErr> {
        let rows = read(db, self, size).await?;
        if let Some(last) = rows.last() {
            self.position = last.position();
        }
        Ok(rows)
    }
}

/// Reads the rows of a pass that follow its position: as many as `size` says.
async fn read(db: &impl ConnectionTrait, walk: &Walk, size: Size) -> Result<Vec<Row>, DbErr> {
    let engine = db.get_database_backend();
    let Walk { table, forms, condition, rowid, position } = walk;
    let name = quoted(engine, table.name);
    let (first, order) = match rowid {
        Some(rowid) => (format!("{name}.{rowid}, "), format!("{name}.{rowid}")),
        None => (String::new(), quoted(engine, table.id.name)),
    };
    let after = match position {
        Position::Start => None,
        Position::Id(id) => Some(id_value(table.id, id)),
        Position::Rowid(rowid) => Some((*rowid).into()),
    };
    let beyond = after.as_ref().map_or_else(String::new, |_| format!("AND {order} > $1"));
    let sql = format!(
        "SELECT {first}{} FROM {name} WHERE ({condition}) {beyond} ORDER BY {order} LIMIT {}",
        select_list(table, *forms, engine),
        size.rows,
    );
    let found = db.query_all_raw(statement(engine, &sql, after)).await?;
    let rows = found.iter().map(|row| decode_walked(row, walk)).collect::<Result<Vec<_>, _>>()?;
    Ok(within_bytes(rows, size.bytes))
}

fn decode_walked(row: &QueryResult, walk: &Walk) -> Result<Row, DbErr> {
    match walk.rowid {
        Some(_) => Ok(Row {
            rowid: Some(row.try_get_by_index(0)?),
            ..decode_from(row, 1, walk.table, walk.forms)?
        }),
        None => decode(row, walk.table, walk.forms),
    }
}

impl Row {
    /// The position behind it, in the order in which it was read.
    pub(super) fn position(&self) -> Position {
        self.rowid.map_or_else(|| Position::Id(self.id.clone()), Position::Rowid)
    }
}

/// The names of a rowid. A column of the same name hides each.
const ROWID: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// Returns a name of the table's rowid, if it has one that no column hides.
async fn rowid(
    db: &impl ConnectionTrait,
    table: &SealedTable,
) -> Result<Option<&'static str>, DbErr> {
    let engine = db.get_database_backend();
    if engine != DbBackend::Sqlite {
        return Ok(None);
    }
    let stored =
        "SELECT 1 FROM pragma_table_list($1) WHERE schema = 'main' AND type = 'table' AND wr = 0";
    if db.query_one_raw(statement(engine, stored, [table.name.into()])).await?.is_none() {
        return Ok(None);
    }
    let columns = db.query_all_raw(statement(
        engine,
        "SELECT lower(name) FROM pragma_table_xinfo($1)",
        [table.name.into()],
    ));
    let columns: Vec<String> =
        columns.await?.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
    Ok(ROWID.into_iter().find(|name| !columns.iter().any(|column| column == name)))
}
