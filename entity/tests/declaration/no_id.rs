use strongroom_entity::{Sealed, SealedModel};

#[derive(SealedModel)]
#[sea_orm(table_name = "api_token")]
#[sealed(label = "api_token")]
pub struct Model {
    pub id: String,
    pub token: Sealed<Token>,
}

fn main() {}
