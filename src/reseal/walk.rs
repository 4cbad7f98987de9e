//! The order in which a pass goes through a table.
//!
//! On SQLite a pass follows the stored rows, by rowid: rows under random ids are spread over the file, so a page of them in
//! order of ids touches as many blocks as it has rows. Elsewhere it follows the ids. `VACUUM` may renumber rows, and a new
//! row may get any rowid: the count at the end of a pass finds the rows that it missed, and the next pass moves them.
//!
//! Invariant: a pass ends, however fast programs append rows. It goes no further than the last row that was there when it
//! began.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use strongroom_entity::SealedTable;

use super::page::{Forms, Row, Size, decode, decode_from, select_list, within_bytes};
use super::statement::id_value;
use crate::db::{ByDialect, Dialect, statement};

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
    /// Behind the last row that was there when the pass began: rows that programs append would keep it from ending.
    end: Position,
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
        let condition = condition.to_owned();
        let mut walk = Self { table, forms, condition, rowid, position, end: Position::Start };
        walk.end = walk.last_row(db).await?;
        Ok(walk)
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
        if self.end == Position::Start {
            return Ok(Vec::new());
        }
        let rows = self.read(db, size).await?;
        if let Some(last) = rows.last() {
            self.position = last.position();
        }
        Ok(rows)
    }

    /// Reads the rows that follow the position: as many as `size` says.
    async fn read(&self, db: &impl ConnectionTrait, size: Size) -> Result<Vec<Row>, DbErr> {
        let dialect = Dialect::of(db);
        let order = self.order(dialect);
        let (after, until) = (self.value(&self.position), self.value(&self.end));
        let beyond = match &after {
            Some(_) => format!("AND {order} <= $1 AND {order} > $2"),
            None => format!("AND {order} <= $1"),
        };
        let sql = format!(
            "{} WHERE ({}) {beyond} ORDER BY {order} LIMIT {}",
            self.select(dialect),
            self.condition,
            size.rows,
        );
        let found =
            db.query_all_raw(statement(dialect, &sql, until.into_iter().chain(after))).await?;
        let rows = found.iter().map(|row| self.decode(row)).collect::<Result<Vec<_>, _>>()?;
        Ok(within_bytes(rows, size.bytes))
    }

    /// Returns the position behind the last row of the table; the start where it has none.
    async fn last_row(&self, db: &impl ConnectionTrait) -> Result<Position, DbErr> {
        let dialect = Dialect::of(db);
        let sql = format!("{} ORDER BY {} DESC LIMIT 1", self.select(dialect), self.order(dialect));
        match db.query_one_raw(statement(dialect, &sql, [])).await? {
            Some(row) => Ok(self.decode(&row)?.position()),
            None => Ok(Position::Start),
        }
    }

    fn select(&self, dialect: Dialect) -> String {
        let (list, name) =
            (select_list(self.table, self.forms, dialect), dialect.quoted(self.table.name));
        match self.rowid {
            Some(_) => format!("SELECT {}, {list} FROM {name}", self.order(dialect)),
            None => format!("SELECT {list} FROM {name}"),
        }
    }

    fn order(&self, dialect: Dialect) -> String {
        match self.rowid {
            Some(rowid) => format!("{}.{rowid}", dialect.quoted(self.table.name)),
            None => dialect.quoted(self.table.id.name),
        }
    }

    fn value(&self, position: &Position) -> Option<Value> {
        match position {
            Position::Start => None,
            Position::Id(id) => Some(id_value(self.table.id, id)),
            Position::Rowid(rowid) => Some((*rowid).into()),
        }
    }

    fn decode(&self, row: &QueryResult) -> Result<Row, DbErr> {
        match self.rowid {
            Some(_) => Ok(Row {
                rowid: Some(row.try_get_by_index(0)?),
                ..decode_from(row, 1, self.table, self.forms)?
            }),
            None => decode(row, self.table, self.forms),
        }
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

/// Whether a table is stored in the order of a number that SQLite gives each row.
const STORED_BY_ROWID: ByDialect<Option<&str>> = ByDialect {
    postgres: None,
    mysql: None,
    sqlite: Some(
        "SELECT 1 FROM pragma_table_list($1) WHERE schema = 'main' AND type = 'table' AND wr = 0",
    ),
};

/// Returns a name of the table's rowid, if it has one that no column hides.
async fn rowid(
    db: &impl ConnectionTrait,
    table: &SealedTable,
) -> Result<Option<&'static str>, DbErr> {
    let dialect = Dialect::of(db);
    let Some(stored) = dialect.pick(STORED_BY_ROWID) else { return Ok(None) };
    if db.query_one_raw(statement(dialect, stored, [table.name.into()])).await?.is_none() {
        return Ok(None);
    }
    let columns = db.query_all_raw(statement(
        dialect,
        "SELECT lower(name) FROM pragma_table_xinfo($1)",
        [table.name.into()],
    ));
    let columns: Vec<String> =
        columns.await?.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
    Ok(ROWID.into_iter().find(|name| !columns.iter().any(|column| column == name)))
}
