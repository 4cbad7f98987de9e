//! Request signatures that were verified.

use sea_orm::entity::prelude::*;

/// A signature that is not verified a second time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "strongroom_signature")]
pub struct Model {
    /// SHA-256 over what was signed, and by which access key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub fingerprint: Vec<u8>,
    /// When it is too old to be verified anyway: milliseconds since 1970, by the database's clock.
    pub expires_ms: i64,
}

/// Signatures stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
