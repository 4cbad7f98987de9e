//! A page of rows, read without a lock.

use sea_orm::{DbErr, QueryResult};
use strongroom_entity::{IdKind, OwnerColumn, OwnerKind, SealedTable};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::statement::{read_bytes, read_owner};
use crate::crypto;
use crate::db::Dialect;
use crate::key::{CellAddress, scope_of};

/// Which forms of the sealed columns the table has now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forms {
    Both,
    SealedOnly,
}

/// A row as bytes. Text is read as its bytes too, so that no row is unreadable for its content and
/// comparisons are exact on every engine.
pub(super) struct Row {
    /// Where it was read by that.
    pub(super) rowid: Option<i64>,
    pub(super) id: String,
    /// In the order of the table's, as they are compared.
    pub(super) owners: Vec<Option<Vec<u8>>>,
    /// The same under their labels, as cells are bound to them.
    pub(super) context: Vec<(&'static str, crypto::Value<'static>)>,
    pub(super) scope: String,
    pub(super) cells: Vec<Cell>,
}

pub(super) struct Cell {
    pub(super) plain: Option<Zeroizing<Vec<u8>>>,
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) index: Option<Vec<u8>>,
}

impl Row {
    /// Where the cell of the column with this label belongs.
    pub(super) fn place(&self, label: &'static str) -> CellAddress {
        CellAddress::raw(label, &self.scope, &self.id, &self.context)
    }

    /// Everything of it that a statement carries, with room for what is added to each cell.
    fn size(&self) -> usize {
        let cells = self.cells.iter().map(|cell| {
            cell.plain.as_ref().map_or(0, |plain| plain.len())
                + cell.sealed.as_ref().map_or(0, Vec::len)
        });
        let owners = self.owners.iter().map(|value| value.as_ref().map_or(0, Vec::len));
        self.id.len()
            + cells.sum::<usize>()
            + owners.sum::<usize>()
            + self.cells.len() * CELL_OVERHEAD
    }
}

/// Every cell of a page.
pub(super) fn cells(rows: &[Row]) -> impl Iterator<Item = &[u8]> {
    rows.iter().flat_map(|row| &row.cells).filter_map(|cell| cell.sealed.as_deref())
}

/// What an envelope, its index and the statement's text add to a value.
const CELL_OVERHEAD: usize = 256;

/// How much a page may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Rows.
    pub(super) rows: u64,
    /// Bytes of cells.
    pub(super) bytes: usize,
}

pub(super) fn within_bytes(mut rows: Vec<Row>, most: usize) -> Vec<Row> {
    let mut bytes = 0;
    let fitting = rows.iter().take_while(|row| {
        bytes += row.size();
        bytes <= most
    });
    let fitting = fitting.count().max(1);
    rows.truncate(fitting);
    rows
}

/// What is read of a row, for [`decode`].
pub(super) fn select_list(table: &SealedTable, forms: Forms, dialect: Dialect) -> String {
    let mut list = vec![dialect.quoted(table.id.name)];
    list.extend(table.owners.iter().map(|owner| read_owner(*owner, dialect)));
    for column in table.columns {
        if forms == Forms::Both {
            list.extend(column.plain.map(|plain| read_bytes(plain, dialect)));
        }
        list.push(dialect.quoted(column.sealed));
        list.extend(column.index.map(|index| dialect.quoted(index)));
    }
    list.join(", ")
}

pub(super) fn decode(
    row: &QueryResult,
    table: &'static SealedTable,
    forms: Forms,
) -> Result<Row, DbErr> {
    decode_from(row, 0, table, forms)
}

pub(super) fn decode_from(
    row: &QueryResult,
    first: usize,
    table: &'static SealedTable,
    forms: Forms,
) -> Result<Row, DbErr> {
    let mut position = first..;
    let mut next = || position.next().unwrap_or_default();
    let id = read_id(row, next(), table.id.kind)?;
    let mut owners = Vec::with_capacity(table.owners.len());
    for _ in table.owners {
        owners.push(row.try_get_by_index::<Option<Vec<u8>>>(next())?);
    }
    let mut cells = Vec::with_capacity(table.columns.len());
    for column in table.columns {
        let beside = forms == Forms::Both && column.plain.is_some();
        let plain = if beside { row.try_get_by_index::<Option<Vec<u8>>>(next())? } else { None };
        let sealed = row.try_get_by_index(next())?;
        let index = if column.index.is_some() { row.try_get_by_index(next())? } else { None };
        cells.push(Cell { plain: plain.map(Zeroizing::new), sealed, index });
    }
    let values = table
        .owners
        .iter()
        .zip(&owners)
        .map(|(owner, bytes)| (owner.label, value_of(*owner, bytes.as_deref())));
    let context: Vec<_> = values.collect();
    let scope =
        table.owners.iter().zip(&context).find(|(owner, _)| Some(owner.name) == table.scope);
    let scope = scope_of(scope.and_then(|(_, (_, value))| scope_text(value)).as_deref());
    Ok(Row { rowid: None, id, owners, context, scope, cells })
}

/// A row's id, as the text that it is named by.
pub(super) fn read_id(row: &QueryResult, position: usize, kind: IdKind) -> Result<String, DbErr> {
    match kind {
        IdKind::Text => row.try_get_by_index(position),
        IdKind::Uuid => {
            row.try_get_by_index::<Uuid>(position).map(|id| id.hyphenated().to_string())
        }
    }
}

/// What a cell is bound to, from the bytes of an owner column. Bytes that are not what they should be are bound to as
/// they are: such a cell does not open, and is named as one.
fn value_of(owner: OwnerColumn, bytes: Option<&[u8]>) -> crypto::Value<'static> {
    let Some(bytes) = bytes else { return crypto::Value::Null };
    let as_they_are = || crypto::Value::Bytes(bytes.to_vec().into());
    match owner.kind {
        OwnerKind::Text => as_they_are(),
        OwnerKind::Integer => {
            let number = std::str::from_utf8(bytes).ok().and_then(|digits| digits.parse().ok());
            number.map_or_else(as_they_are, crypto::Value::Integer)
        }
        OwnerKind::Uuid => Uuid::from_slice(bytes).map_or_else(
            |_| as_they_are(),
            |id| crypto::Value::Bytes(id.hyphenated().to_string().into_bytes().into()),
        ),
    }
}

fn scope_text(value: &crypto::Value<'_>) -> Option<String> {
    match value {
        crypto::Value::Null => None,
        crypto::Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        crypto::Value::Integer(number) => Some(number.to_string()),
    }
}
