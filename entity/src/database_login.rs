//! One of a component's two database logins.

use sea_orm::entity::prelude::*;

/// A row; none for a login that stands by.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "strongroom_database_login")]
pub struct Model {
    /// The component.
    #[sea_orm(primary_key, auto_increment = false)]
    pub component: String,
    /// `a` or `b`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot: String,
    /// `active`: programs use it. `incoming`: being made ready. `outgoing`: being left.
    pub state: String,
    /// Counts the component's passwords.
    pub version: i32,
    /// The password, wrapped under the root.
    pub wrapped: Vec<u8>,
}

/// Logins stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
