//! A tenant's API tokens.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: String,
    pub name: String,
    #[sea_orm(unique)]
    pub token: String,
    pub signing_key: String,
    #[sea_orm(has_many)]
    pub webhooks: HasMany<super::webhook::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
