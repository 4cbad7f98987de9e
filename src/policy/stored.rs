//! The policies that were put in force, as they are written down.

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use strongroom_entity::policy::{Column, Entity, Model};

use super::{GrantError, Policy};
use crate::db::has_table;
use crate::key::PolicyKeys;

/// What put a policy in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The step of `migrate up` that brings this version.
    Migration(u32),
    /// `policy apply`.
    Command,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::Migration(_) => "migration",
            Self::Command => "command",
        }
    }
}

/// The policy in force; `None` before the first.
pub async fn in_force(
    db: &impl ConnectionTrait,
    keys: &PolicyKeys,
) -> Result<Option<Policy>, GrantError> {
    if !has_table(db, "strongroom_policy").await? {
        return Ok(None);
    }
    let newest = Entity::find().order_by_desc(Column::Number).one(db).await?;
    newest.map(|row| verified(&row, keys)).transpose()
}

/// Writes a policy down as the one in force, unless the newest is the same already.
pub async fn write(
    db: &impl ConnectionTrait,
    keys: &PolicyKeys,
    policy: &Policy,
    source: Source,
) -> Result<(), GrantError> {
    let newest = Entity::find().order_by_desc(Column::Number).one(db).await?;
    // A policy of the operator's own that stands alone is brought by a migration all the same.
    let version = if let Source::Migration(version) = source { version } else { policy.version };
    let version = i32::try_from(version).unwrap_or(i32::MAX);
    if let Some(row) = &newest
        && (row.source.as_str(), row.version) == (source.as_str(), version)
        && verified(row, keys).is_ok_and(|newest| newest == *policy)
    {
        return Ok(());
    }
    let number = match newest {
        Some(row) => row.number.checked_add(1).ok_or(GrantError::Forged(row.number))?,
        None => 1,
    };
    let mut row = Model {
        number,
        version,
        source: source.as_str().to_owned(),
        body: body(policy),
        mac: Vec::new(),
    };
    row.mac = keys.policy_mac(number, &authenticated(&row));
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

/// What was in force before a migration brought version `version`, and the number of the first policy since then.
pub(crate) async fn before(
    db: &impl ConnectionTrait,
    keys: &PolicyKeys,
    version: u32,
) -> Result<(Policy, i64), GrantError> {
    let rows = Entity::find().order_by_asc(Column::Number).all(db).await?;
    // An altered row could hide which of them the migration brought.
    let policies = rows.iter().map(|row| verified(row, keys)).collect::<Result<Vec<_>, _>>()?;
    let brought = |row: &Model| {
        row.source == Source::Migration(version).as_str()
            && u32::try_from(row.version) == Ok(version)
    };
    let place = rows.iter().position(brought).unwrap_or(rows.len());
    let first = rows.get(place).map_or(i64::MAX, |row| row.number);
    let before = place.checked_sub(1).and_then(|before| policies.get(before)).cloned();
    Ok((before.unwrap_or_default(), first))
}

/// Forgets the policies from a number on.
pub(crate) async fn forget_from(db: &impl ConnectionTrait, number: i64) -> Result<(), GrantError> {
    Entity::delete_many().filter(Column::Number.gte(number)).exec(db).await?;
    Ok(())
}

fn verified(row: &Model, keys: &PolicyKeys) -> Result<Policy, GrantError> {
    if !keys.verifies(row.number, &authenticated(row), &row.mac) {
        return Err(GrantError::Forged(row.number));
    }
    serde_json::from_str(&row.body).map_err(|_| GrantError::Forged(row.number))
}

/// Everything about a row but its number and its time, which the code takes in by itself or not at all.
fn authenticated(row: &Model) -> String {
    format!("{} {}\n{}", row.source, row.version, row.body)
}

/// The number of the newest policy; it grows with every change.
pub async fn newest(db: &impl ConnectionTrait) -> Result<Option<i64>, GrantError> {
    Ok(Entity::find()
        .select_only()
        .column_as(Column::Number.max(), "newest")
        .into_tuple()
        .one(db)
        .await?
        .flatten())
}

/// One text for one policy: maps are ordered.
pub fn body(policy: &Policy) -> String {
    serde_json::to_string(policy).unwrap_or_default()
}
