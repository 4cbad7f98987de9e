//! Rows by the values of a sealed column.

use std::collections::BTreeSet;

use sea_orm::sea_query::{Expr, ExprTrait as _, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter as _, QuerySelect as _};
use strongroom_entity::{Bound, Cell as _, Label, Searchable};

use super::keyed::traced;
use super::{Keyed, RecordError, keys};
use crate::crypto::BLIND_INDEX_LENGTH;
use crate::db::Dialect;
use crate::key::{CellAddress, OpenFailure, ScopedKeys};

type Index = [u8; BLIND_INDEX_LENGTH];
type ModelOf<L> = <<L as Searchable>::Entity as EntityTrait>::Model;

/// A statement takes about 32,000 parameters, and other conditions need some of them. A longer list is written out: an index
/// is 16 bytes, and is no secret to whoever can read the statement.
const PARAMETERS: usize = 1000;

/// Returns the condition that a column has one of these indexes, as one flat list.
pub(super) fn is_one_of(
    column: impl ColumnTrait,
    indexes: &BTreeSet<Index>,
    dialect: Dialect,
) -> SimpleExpr {
    if indexes.len() <= PARAMETERS {
        return column.is_in(indexes.iter().map(|index| index.to_vec()));
    }
    Expr::col(column.as_column_ref())
        .is_in(indexes.iter().map(|index| Expr::cust(dialect.bytes_literal(index))))
}

/// Returns the rows with this value, at most so many. Each cell is opened and compared, where the program may open it.
pub(super) async fn rows<L, K>(
    db: &K,
    column: L,
    value: &[u8],
    most: Option<u64>,
) -> Result<Vec<ModelOf<L>>, RecordError>
where
    L: Searchable,
    K: Keyed,
    ModelOf<L>: Bound<L> + Send + Sync,
{
    let wanted = db.eq(column, value)?;
    let rows = L::Entity::find().filter(wanted).limit(most).all(db).await?;
    if db.keys().opens::<L>() {
        keys::learn(db, rows.iter().filter_map(|row| row.cell().bytes())).await?;
        for row in &rows {
            traced(column, row.binding().id, says::<L, _>(db.keys(), row, value))?;
        }
    }
    Ok(rows)
}

fn says<L: Label, R: Bound<L>>(
    keys: &ScopedKeys,
    row: &R,
    value: &[u8],
) -> Result<(), OpenFailure> {
    let cell = row.cell().bytes().ok_or(OpenFailure::Missing)?;
    let opened = keys.open_at(&CellAddress::of(L::LABEL, &row.binding()), cell)?;
    if opened.as_bytes() == value { Ok(()) } else { Err(OpenFailure::IndexMismatch) }
}
