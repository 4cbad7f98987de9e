//! Rows as they are read: no column more than is asked for.

use sea_orm::FromQueryResult;
use strongroom_entity::credential::{AccessKey, Column, Entity, SecretKey};
use strongroom_entity::{Sealed, SealedModel};

/// A credential with, if it was asked for, its secret.
#[derive(FromQueryResult, SealedModel)]
#[sea_orm(entity = "Entity")]
#[sealed(scope(project_id), owners(user_id, type, extra), crate = "strongroom_entity")]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) project_id: Option<String>,
    pub(super) r#type: String,
    pub(super) extra: Option<String>,
    access_key_sealed: Option<Sealed<AccessKey>>,
    secret_key_sealed: Option<Sealed<SecretKey>>,
}

/// The same without the secret.
#[derive(FromQueryResult)]
pub(super) struct Unrevealed {
    id: String,
    user_id: String,
    project_id: Option<String>,
    r#type: String,
    extra: Option<String>,
    access_key_sealed: Option<Sealed<AccessKey>>,
}

impl Row {
    /// What is read in any case: the access key, and what cells are bound to.
    pub(super) const COLUMNS: [Column; 6] = [
        Column::Id,
        Column::UserId,
        Column::ProjectId,
        Column::Type,
        Column::Extra,
        Column::AccessKeySealed,
    ];

    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let secret = self.secret_key_sealed.iter().map(Sealed::as_bytes);
        self.access_key_sealed.iter().map(Sealed::as_bytes).chain(secret)
    }
}

impl From<Unrevealed> for Row {
    fn from(row: Unrevealed) -> Self {
        let Unrevealed { id, user_id, project_id, r#type, extra, access_key_sealed } = row;
        Self { id, user_id, project_id, r#type, extra, access_key_sealed, secret_key_sealed: None }
    }
}
