//! Rows to be written, in the columns that count at each phase.

use sea_orm::sea_query::{Alias, Expr, InsertStatement, Query, SimpleExpr};
#[cfg(feature = "keystone")]
use sea_orm::sea_query::{ExprTrait as _, UpdateStatement};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IdenStatic as _, Iterable as _};
use strongroom_entity::credential::{AccessKey, SecretKey};
use strongroom_entity::{credential, plain_credential};
use strongroom_migration::Phase;

use super::NewCredential;
use crate::key::{RingError, ScopedKeys};

/// One statement that inserts every row: plaintext, cells or both, as the phase demands.
pub(super) fn insert(
    rows: &[NewCredential],
    phase: Phase,
    keys: Option<&ScopedKeys>,
) -> Result<InsertStatement, RingError> {
    let mut statement = Query::insert();
    statement.into_table(credential::Entity);
    for (position, row) in rows.iter().enumerate() {
        let (names, values): (Vec<_>, Vec<_>) = columns(row, phase, keys)?.into_iter().unzip();
        if position == 0 {
            statement.columns(names.into_iter().map(Alias::new));
        }
        statement.values_panic(values);
    }
    Ok(statement)
}

/// One statement that gives the row of this id every value anew, in the same columns.
#[cfg(feature = "keystone")]
pub(super) fn update(
    row: &NewCredential,
    phase: Phase,
    keys: Option<&ScopedKeys>,
) -> Result<UpdateStatement, RingError> {
    let mut statement = Query::update();
    statement.table(credential::Entity);
    let id = credential::Column::Id;
    let values = columns(row, phase, keys)?.into_iter().filter(|(name, _)| name != id.as_str());
    statement.values(values.map(|(name, value)| (Alias::new(name), value)));
    statement.and_where(Expr::col(id).eq(row.id.clone()));
    Ok(statement)
}

/// Returns the columns that count at this phase, in order of name, with the row's values.
fn columns(
    row: &NewCredential,
    phase: Phase,
    keys: Option<&ScopedKeys>,
) -> Result<Vec<(String, SimpleExpr)>, RingError> {
    let mut columns = Vec::new();
    if let Some(keys) = keys.filter(|_| phase != Phase::Plain) {
        columns.extend(set_columns::<credential::Entity, _>(&sealed(row, keys)?));
    }
    if !phase.cells_count() {
        columns.extend(set_columns::<plain_credential::Entity, _>(&plain(row)));
    }
    columns.sort_by(|(left, _), (right, _)| left.cmp(right));
    columns.dedup_by(|(left, _), (right, _)| left == right);
    Ok(columns)
}

fn sealed(new: &NewCredential, keys: &ScopedKeys) -> Result<credential::ActiveModel, RingError> {
    let mut row = credential::ActiveModel {
        id: Set(new.id.clone()),
        user_id: Set(new.user_id.clone()),
        project_id: Set(new.project_id.clone()),
        r#type: Set(new.kind.clone()),
        extra: Set(new.extra.clone()),
        access_key_sealed: Set(None),
        access_key_index: Set(None),
        ..Default::default()
    };
    if let Some(access) = &new.access {
        keys.seal::<AccessKey, _>(&mut row, access.as_bytes())?;
    }
    keys.seal::<SecretKey, _>(&mut row, new.secret.as_bytes())?;
    Ok(row)
}

fn plain(new: &NewCredential) -> plain_credential::ActiveModel {
    plain_credential::ActiveModel {
        id: Set(new.id.clone()),
        user_id: Set(new.user_id.clone()),
        project_id: Set(new.project_id.clone()),
        r#type: Set(new.kind.clone()),
        access_key: Set(new.access.as_ref().map(|access| access.to_string())),
        secret_key: Set(new.secret.to_string()),
        extra: Set(new.extra.clone()),
        ..Default::default()
    }
}

fn set_columns<E: EntityTrait, A: ActiveModelTrait<Entity = E>>(
    row: &A,
) -> Vec<(String, SimpleExpr)> {
    let columns = E::Column::iter();
    columns
        .filter_map(|column| {
            Some((column.as_str().to_owned(), Expr::value(row.get(column).into_value()?)))
        })
        .collect()
}
