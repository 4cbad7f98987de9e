//! Writing Keystone's own table.

use std::sync::Arc;

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};

use super::form::Form;
use super::packet;
use super::repository::{KeyRepository, Primary, RepositoryError};

/// A Keystone to write to.
#[derive(Clone)]
pub struct Target {
    pub(super) db: DatabaseConnection,
    pub(super) repository: Arc<KeyRepository>,
    pub(super) primary: Primary,
}

impl Target {
    /// A database and the repository of its keys. Refuses one whose primary key is all zeros.
    pub fn new(db: DatabaseConnection, repository: KeyRepository) -> Result<Self, RepositoryError> {
        let primary = repository.primary()?;
        Ok(Self { db, repository: Arc::new(repository), primary })
    }
}

/// A row as Keystone's table holds it.
pub(super) struct TargetRow {
    values: [(&'static str, Option<String>); 7],
    weight: usize,
}

impl TargetRow {
    /// Encrypts a form.
    pub(super) fn seal(form: &Form, primary: &Primary) -> Self {
        let token = primary.encrypt(&form.blob);
        let weight = token.len() + form.extra.len() + 1024;
        let values = [
            ("id", Some(form.id.clone())),
            ("user_id", Some(form.user_id.clone())),
            ("project_id", form.project_id.clone()),
            ("type", Some(form.kind.clone())),
            ("extra", Some(form.extra.clone())),
            ("key_hash", Some(primary.hash.clone())),
            ("encrypted_blob", Some(token)),
        ];
        Self { values, weight }
    }
}

/// Adds rows. One that is there is an error: what came in between is not overwritten.
pub(super) async fn insert(db: &impl ConnectionTrait, rows: &[TargetRow]) -> Result<(), DbErr> {
    let longest = if rows.is_empty() { 0 } else { packet::longest(db).await? };
    let mut rest = rows;
    while !rest.is_empty() {
        let (now, later) =
            rest.split_at(packet::how_many_fit(rest.iter().map(|row| row.weight), longest));
        let mut statement = Query::insert();
        statement.into_table(Alias::new("credential"));
        for row in now {
            statement.columns(row.values.iter().map(|(name, _)| Alias::new(*name)));
            statement.values_panic(row.values.iter().map(|(_, value)| Expr::value(value.clone())));
        }
        db.execute(&statement).await?;
        rest = later;
    }
    Ok(())
}

/// Changes a row that is there; false when it is not there any more.
pub(super) async fn update(db: &impl ConnectionTrait, row: &TargetRow) -> Result<bool, DbErr> {
    let [(id, key), columns @ ..] = &row.values;
    let mut statement = Query::update();
    statement.table(Alias::new("credential"));
    statement.values(
        columns.iter().map(|(name, value)| (Alias::new(*name), Expr::value(value.clone()))),
    );
    statement.and_where(Expr::col(Alias::new(*id)).eq(key.clone()));
    Ok(db.execute(&statement).await?.rows_affected() > 0)
}
