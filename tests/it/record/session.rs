//! A table that was there before, in plaintext: as the new program knows it.

use sea_orm::entity::prelude::*;
use strongroom::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
#[sea_orm(table_name = "session")]
#[sealed(label = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    #[sealed(plain = "ticket")]
    pub ticket_sealed: Sealed<Ticket>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
