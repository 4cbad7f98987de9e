//! A tenant's tokens, in sea-orm's newer form of an entity.

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
    pub note: Option<Sealed<Note>>,
    #[sea_orm(has_many)]
    pub webhooks: HasMany<super::webhook::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// A part of a row, with what its cells are bound to.
#[derive(Debug, DerivePartialModel, SealedModel)]
#[sea_orm(entity = "Entity")]
#[sealed(scope(tenant_id))]
pub struct Part {
    pub id: Uuid,
    pub tenant_id: String,
    pub token: Sealed<Token>,
}
