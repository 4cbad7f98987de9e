//! Where the events of a token go, and what they are signed with.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: String,
    pub api_token_id: Uuid,
    pub url: String,
    pub secret: String,
    #[sea_orm(belongs_to, from = "api_token_id", to = "id")]
    pub api_token: HasOne<super::api_token::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
