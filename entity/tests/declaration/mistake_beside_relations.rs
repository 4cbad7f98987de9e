mod item {
    use sea_orm::entity::prelude::*;
    use strongroom_entity::{Sealed, SealedModel};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "item")]
    #[sealed(label = "item", owners(vault), crate = "strongroom_entity")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub vault_id: String,
        pub content: Sealed<Content>,
        #[sea_orm(belongs_to, from = "vault_id", to = "id")]
        pub vault: HasOne<super::vault::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod vault {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "vault")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        #[sea_orm(has_many)]
        pub items: HasMany<super::item::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn main() {}
