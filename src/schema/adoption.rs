//! What was changed about an adopted table, as the database remembers it.

use sea_orm::sea_query::{Alias, OnConflict, Query};
use sea_orm::{ConnectionTrait, DbErr};
use sha2::{Digest as _, Sha256};
use strongroom_migration::Adoption;

use super::SchemaError;
use super::status::step_1_is_begun;
use crate::db::{has_table, statement};
use crate::key::Manifest;

const TABLE: &str = "strongroom_adoption";
const READ: &str = "SELECT body FROM strongroom_adoption WHERE id = 1";

/// The adoption that is in force or under way. Writes nothing. The record of a table that was given back, or
/// of one that nothing was done to yet, counts for nothing.
pub async fn adopted(db: &impl ConnectionTrait) -> Result<Option<Adoption>, SchemaError> {
    if !has_table(db, TABLE).await? || !step_1_is_begun(db).await? {
        return Ok(None);
    }
    let read = statement(db.get_database_backend(), READ, []);
    let Some(row) = db.query_one_raw(read).await? else { return Ok(None) };
    let body: String = row.try_get("", "body")?;
    let adoption: Adoption =
        serde_json::from_str(&body).map_err(|_| SchemaError::AlteredAdoption)?;
    // The row is not authenticated: what it names goes into statements.
    let names =
        adoption.renamed.iter().flat_map(|(ours, theirs)| [ours, theirs]).chain(&adoption.added);
    let names = names.chain([&adoption.table]).chain(&adoption.primary_key);
    if names.into_iter().all(|name| Adoption::is_plain_name(name)) {
        Ok(Some(adoption))
    } else {
        Err(SchemaError::AlteredAdoption)
    }
}

/// Returns the SHA-256 of the record that is in force, in hex.
pub(super) async fn adoption_digest(
    db: &impl ConnectionTrait,
) -> Result<Option<String>, SchemaError> {
    if !has_table(db, TABLE).await? || !step_1_is_begun(db).await? {
        return Ok(None);
    }
    let read = statement(db.get_database_backend(), READ, []);
    let Some(row) = db.query_one_raw(read).await? else { return Ok(None) };
    let body: String = row.try_get("", "body")?;
    Ok(Some(hex::encode(Sha256::digest(body))))
}

/// Refuses a record that is not the one whose digest the authenticated manifest has: its SQL would run with an upgrade's
/// rights.
pub async fn require_adoption(
    db: &impl ConnectionTrait,
    manifest: &Manifest,
) -> Result<(), SchemaError> {
    let found = adoption_digest(db).await?;
    if found.as_deref() == manifest.adoption() { Ok(()) } else { Err(SchemaError::AlteredAdoption) }
}

/// Forgets it, when step 1 begins to make a table of its own.
pub(super) async fn forget_adoption(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    db.execute(Query::delete().from_table(Alias::new(TABLE))).await.map(drop)
}

/// Writes it down, before anything is changed: whoever goes on after a crash knows what was meant.
pub async fn write_adoption(db: &impl ConnectionTrait, adoption: &Adoption) -> Result<(), DbErr> {
    let body = serde_json::to_string(adoption).unwrap_or_default();
    let mut write = Query::insert();
    write
        .into_table(Alias::new(TABLE))
        .columns(["id", "body"].map(Alias::new))
        .values_panic([1.into(), body.into()]);
    write.on_conflict(
        OnConflict::column(Alias::new("id")).update_column(Alias::new("body")).to_owned(),
    );
    db.execute(&write).await.map(drop)
}
