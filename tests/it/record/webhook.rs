//! Where a token's events go. Bound to a UUID and a number.

use sea_orm::entity::prelude::*;
use strongroom::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
#[sea_orm(table_name = "webhook")]
#[sealed(label = "webhook", owners(api_token_id, account))]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub api_token_id: Uuid,
    pub account: Option<i64>,
    pub url: String,
    pub secret: Sealed<Secret>,
    #[sea_orm(belongs_to, from = "api_token_id", to = "id")]
    pub api_token: HasOne<super::api_token::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
