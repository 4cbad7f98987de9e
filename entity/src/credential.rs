//! A credential, sealed. The table's form from schema step 6 on.

use sea_orm::entity::prelude::*;

use crate::{BlindIndex, Sealed, SealedEntity, SealedModel, SealedTable};

/// The table as the reseal engine sees it.
pub const TABLE: &SealedTable = Entity::TABLE;

/// A row. Everything but the cells, the index and the time is bound into the cells.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
#[sea_orm(table_name = "credential")]
#[sealed(label = "credential", scope(project_id), owners(user_id, type, extra), crate = "crate")]
pub struct Model {
    /// Made by the program, at most 64 characters.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The user whom the credential belongs to.
    pub user_id: String,
    /// The project, or none.
    pub project_id: Option<String>,
    /// `ec2`, `totp`, `cert`, …
    pub r#type: String,
    /// JSON of whatever else belongs to the credential: its restrictions.
    pub extra: Option<String>,
    /// When the row was made.
    pub created_at: ChronoDateTimeUtc,
    /// The access key: an identifier that clients present.
    #[sealed(plain = "access_key")]
    pub access_key_sealed: Option<Sealed<AccessKey>>,
    /// The blind index of the access key, 16 bytes, unique.
    pub access_key_index: Option<BlindIndex<AccessKey>>,
    /// The secret key, or for other types than `ec2` the whole secret.
    #[sealed(plain = "secret_key")]
    pub secret_key_sealed: Sealed<SecretKey>,
}

/// The credential stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
