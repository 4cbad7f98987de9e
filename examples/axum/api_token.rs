//! A tenant's API tokens.

use sea_orm::entity::prelude::*;
use strongroom::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
#[sea_orm(table_name = "api_token")]
#[sealed(label = "api_token", scope(tenant_id))]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: String,
    pub name: String,
    pub token: Sealed<Token>,
    #[sea_orm(unique)]
    pub token_index: BlindIndex<Token>,
}

impl ActiveModelBehavior for ActiveModel {}
