//! A wrapped key of the ring.

use sea_orm::entity::prelude::*;

/// A row. Everything but the time is authenticated by the wrapping.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "strongroom_key")]
pub struct Model {
    /// 1 to 2³² − 1, never used twice in a ring.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// `data`, `index` or `manifest`.
    pub purpose: String,
    /// `project:ID`, or `-` for rows without a project and for keys of the whole ring.
    pub scope: String,
    /// The generation; 1 for keys that do not roll.
    pub generation: i32,
    /// The key, wrapped under the root.
    pub wrapped: Vec<u8>,
}

/// Keys stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
