use sea_orm::entity::prelude::*;
use strongroom_entity::{Sealed, SealedModel};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
#[sea_orm(table_name = "api_token", rename_all = "camelCase")]
#[sealed(label = "api_token", scope(tenant_id), owners(user_id), crate = "strongroom_entity")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: String,
    pub user_id: Option<i64>,
    pub token: Sealed<Token>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

fn main() {}
