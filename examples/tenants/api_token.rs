//! A tenant's API tokens. Beside the plain entity that it could have been there are six lines that differ.

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
    pub signing_key: Sealed<SigningKey>,
    #[sea_orm(has_many)]
    pub webhooks: HasMany<super::webhook::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
