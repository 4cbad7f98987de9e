mod vault {
    use sea_orm::entity::prelude::*;
    use strongroom_entity::{Sealed, SealedModel};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "vault")]
    #[sealed(label = "vault", crate = "strongroom_entity")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub pin: Sealed<Pin>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod other {
    use sea_orm::entity::prelude::*;
    use strongroom_entity::{Sealed, SealedModel};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "vault")]
    #[sealed(label = "safe", crate = "strongroom_entity")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub pin: Sealed<Pin>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use strongroom_entity::{SealedEntity as _, require_distinct_labels};

const _: () = require_distinct_labels(&[vault::Entity::TABLE, other::Entity::TABLE]);

fn main() {}
