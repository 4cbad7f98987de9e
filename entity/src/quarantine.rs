//! A row that could not be opened: recorded, named, never fatal to the rest.

use sea_orm::entity::prelude::*;

/// The record.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "strongroom_quarantine")]
pub struct Model {
    /// The table, or where an import read from.
    #[sea_orm(primary_key, auto_increment = false)]
    pub table_name: String,
    /// The row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub row_id: String,
    /// The column.
    #[sea_orm(primary_key, auto_increment = false)]
    pub column_name: String,
    /// Why, in a word that programs can rely on.
    pub reason: String,
    /// The run that met it last.
    pub run: String,
}

/// Quarantined rows stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
