//! What the service handed out, and what was refused.

use sea_orm::entity::prelude::*;

/// A row of the chain.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "strongroom_audit")]
pub struct Model {
    /// Its place in the chain, from 1, without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// Milliseconds since 1970, by the database's clock.
    pub at_ms: i64,
    /// Who wrote it.
    pub replica: String,
    /// The request's id.
    pub request: String,
    /// Who asked; empty for a caller that is no component.
    pub component: String,
    /// The name in the caller's certificate.
    pub identity: String,
    /// What was asked for.
    pub action: String,
    /// Of which row.
    pub object: String,
    /// `done` or `refused`.
    pub result: String,
    /// What refused it; empty when it was done.
    pub barrier: String,
    /// Over everything above and the code of the row before, under the ring's manifest key.
    pub mac: Vec<u8>,
}

/// Audit rows stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
