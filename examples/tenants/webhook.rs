//! Where the events of a token go, and what they are signed with.

use sea_orm::entity::prelude::*;
use strongroom::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
#[sea_orm(table_name = "webhook")]
#[sealed(label = "webhook", scope(tenant_id), owners(api_token_id))]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: String,
    pub api_token_id: Uuid,
    pub url: String,
    pub secret: Sealed<Secret>,
    #[sea_orm(belongs_to, from = "api_token_id", to = "id")]
    pub api_token: HasOne<super::api_token::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
