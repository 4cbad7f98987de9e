//! A policy that was put in force.

use sea_orm::entity::prelude::*;

/// A row. The newest is in force.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "strongroom_policy")]
pub struct Model {
    /// Its place in the order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// The version that a migration brought; of a command, the compiled-in policy that it is built on, 0 for none.
    pub version: i32,
    /// `migration` or `command`.
    pub source: String,
    /// The whole policy, in JSON.
    pub body: String,
    /// Over ring, number and body, under the ring's manifest key.
    pub mac: Vec<u8>,
}

/// Policies stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
