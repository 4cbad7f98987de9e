use strongroom_entity::{Sealed, SealedModel};

#[derive(SealedModel)]
#[sealed(label = "api_token")]
pub struct Row<T> {
    pub id: T,
    pub token: Sealed<Token>,
}

#[derive(SealedModel)]
#[sealed(label = "api_token")]
pub enum Choice {}

#[derive(SealedModel)]
#[sealed(label = "api_token")]
pub struct Untabled {
    pub id: String,
    pub secret: Sealed<Secret>,
}

fn main() {}
