//! The manifest: one authenticated row that says how the ring stands.

use sea_orm::entity::prelude::*;

/// The row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "strongroom_manifest")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i16,
    /// 16 random bytes, bound into every cell.
    pub ring_id: Vec<u8>,
    /// Only grows; every change of the manifest is conditional on it.
    pub epoch: i64,
    /// JSON, authenticated as it stands, byte for byte.
    pub body: String,
    /// The authentication code over ring id and body.
    pub mac: Vec<u8>,
}

/// The manifest stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
