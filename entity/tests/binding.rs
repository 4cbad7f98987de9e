//! What `SealedModel` says of a row: of one by `DeriveEntityModel` alone, of one under `#[sea_orm::model]`, of a part.

#![expect(unreachable_pub, reason = "the entities are written as a program writes them")]

use sea_orm::prelude::Uuid;
use sea_orm::{
    ActiveValue, DbBackend, EntityTrait, Iterable, NotSet, QuerySelect as _, QueryTrait as _, Set,
};
use strongroom_entity::{
    Bound, IdColumn, IdKind, Label, Owner, OwnerColumn, OwnerKind, Sealable, Sealed, SealedColumn,
    SealedEntity, SealedTable, Searchable, Unset, require_distinct_labels,
};

mod api_token {
    use sea_orm::entity::prelude::*;
    use strongroom_entity::{BlindIndex, Sealed, SealedModel};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "api_token")]
    #[sealed(
        label = "token",
        owners(account = "customer_id", r#type, user_id),
        scope(tenant_id),
        crate = "strongroom_entity"
    )]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: Option<i64>,
        pub user_id: Option<String>,
        #[sea_orm(column_name = "account_id", enum_name = "Customer")]
        pub account: Uuid,
        pub r#type: String,
        pub token: Sealed<Token>,
        #[sea_orm(unique, enum_name = "Fingerprint")]
        pub token_index: BlindIndex<Token>,
        #[sealed(label = "token.remark")]
        pub note: Option<strongroom_entity::Sealed<FreeText>>,
        pub note_index: Option<BlindIndex<FreeText>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod vault {
    use sea_orm::entity::prelude::*;
    use strongroom_entity::{Sealed, SealedModel};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "vault")]
    #[sealed(label = "vault", scope(tenant = "project"), crate = "strongroom_entity")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub tenant: String,
        #[sealed(plain = "pin")]
        pub pin_sealed: Sealed<Pin>,
        #[sea_orm(has_many)]
        pub items: HasMany<super::item::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod item {
    use sea_orm::entity::prelude::*;
    use strongroom_entity::{Sealed, SealedModel};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "item")]
    #[sealed(label = "item", crate = "strongroom_entity")]
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

mod listed {
    use sea_orm::DerivePartialModel;
    use sea_orm::prelude::Uuid;
    use strongroom_entity::{Sealed, SealedModel};

    #[derive(Debug, DerivePartialModel, SealedModel)]
    #[sea_orm(entity = "super::api_token::Entity")]
    #[sealed(
        scope(tenant),
        owners(user_id, customer = "customer_id", type),
        crate = "strongroom_entity"
    )]
    pub struct Listed {
        #[sealed(id)]
        #[sea_orm(from_col = "id")]
        pub key: Uuid,
        #[sea_orm(from_col = "tenant_id")]
        pub tenant: Option<i64>,
        pub user_id: Option<String>,
        #[sea_orm(from_col = "customer", column_name = "account_id")]
        pub customer: Uuid,
        pub r#type: String,
        pub note: Option<Sealed<super::api_token::FreeText>>,
    }
}

const TABLES: &[&SealedTable] =
    &[api_token::Entity::TABLE, vault::Entity::TABLE, item::Entity::TABLE];
const _: () = require_distinct_labels(TABLES);

fn cell<L>() -> Sealed<L> {
    Sealed::from_envelope(vec![1, 2])
}

fn token() -> api_token::Model {
    api_token::Model {
        id: Uuid::nil(),
        tenant_id: Some(7),
        user_id: None,
        account: Uuid::max(),
        r#type: "robot".into(),
        token: cell(),
        token_index: strongroom_entity::BlindIndex::from_digest([3; 16]),
        note: None,
        note_index: None,
    }
}

fn unsealed_token() -> api_token::ActiveModel {
    let whole = api_token::ActiveModel::from(token());
    api_token::ActiveModel {
        token: NotSet,
        token_index: NotSet,
        note: NotSet,
        note_index: NotSet,
        ..whole
    }
}

fn owners_of_token() -> Vec<(&'static str, Owner)> {
    vec![
        ("tenant_id", Owner::Integer(7)),
        ("user_id", Owner::Null),
        ("customer_id", Owner::Text(Uuid::max().to_string())),
        ("type", Owner::Text("robot".into())),
    ]
}

#[test]
fn a_table_is_described_in_the_order_of_its_fields() {
    let owner = |name, label, kind| OwnerColumn { name, label, kind };
    let owners = [
        owner("tenant_id", "tenant_id", OwnerKind::Integer),
        owner("user_id", "user_id", OwnerKind::Text),
        owner("account_id", "customer_id", OwnerKind::Uuid),
        owner("type", "type", OwnerKind::Text),
    ];
    let table = api_token::Entity::TABLE;
    assert_eq!(table.name, "api_token");
    assert_eq!(table.id, IdColumn { name: "id", kind: IdKind::Uuid });
    assert_eq!(table.owners, owners);
    assert_eq!(table.scope, Some("tenant_id"));
    let token = SealedColumn {
        label: "token.token",
        plain: None,
        sealed: "token",
        index: Some("fingerprint"),
        nullable: false,
    };
    let note = SealedColumn {
        label: "token.remark",
        plain: None,
        sealed: "note",
        index: Some("note_index"),
        nullable: true,
    };
    assert_eq!(table.columns, [token, note]);
}

#[test]
fn the_credential_is_what_its_cells_were_bound_to_before() {
    let table = strongroom_entity::credential::TABLE;
    assert_eq!(
        table.owners.iter().map(|owner| owner.label).collect::<Vec<_>>(),
        ["user_id", "project_id", "type", "extra"]
    );
    assert!(
        table.owners.iter().all(|owner| owner.name == owner.label && owner.kind == OwnerKind::Text)
    );
    assert_eq!(
        (table.scope, table.id),
        (Some("project_id"), IdColumn { name: "id", kind: IdKind::Text })
    );
    let access = SealedColumn {
        label: "credential.access_key",
        plain: Some("access_key"),
        sealed: "access_key_sealed",
        index: Some("access_key_index"),
        nullable: true,
    };
    let secret = SealedColumn {
        label: "credential.secret_key",
        plain: Some("secret_key"),
        sealed: "secret_key_sealed",
        index: None,
        nullable: false,
    };
    assert_eq!(table.columns, [access, secret]);
}

#[test]
fn columns_are_called_as_sea_orm_calls_them() {
    for table in TABLES {
        let sea_orm: Vec<String> = match table.name {
            "api_token" => columns::<api_token::Entity>(),
            "vault" => columns::<vault::Entity>(),
            _ => columns::<item::Entity>(),
        };
        let owners = table.owners.iter().map(|owner| owner.name);
        let sealed =
            table.columns.iter().flat_map(|column| [Some(column.sealed), column.index]).flatten();
        let ours = owners.chain(sealed).chain([table.id.name]).chain(table.scope);
        ours.for_each(|name| {
            assert!(sea_orm.iter().any(|column| column == name), "{name} is not among {sea_orm:?}");
        });
    }
}

fn columns<E: EntityTrait>() -> Vec<String> {
    E::Column::iter().map(|column| sea_orm::Iden::unquoted(&column).to_owned()).collect()
}

#[test]
fn a_row_is_bound_to_its_id_its_owners_and_its_scope() {
    let binding = Bound::<api_token::Token>::binding(&token());
    assert_eq!(binding.id, Uuid::nil().to_string());
    assert_eq!(binding.scope.as_deref(), Some("7"));
    assert_eq!(binding.owners, owners_of_token());
    assert_eq!(binding, Bound::<api_token::FreeText>::binding(&token()));
    assert_eq!(Bound::<api_token::Token>::cell(&token()), &cell());
    assert_eq!(Bound::<api_token::FreeText>::cell(&token()), &None);
}

#[test]
fn a_row_to_be_written_is_bound_to_the_same() {
    let binding = Sealable::<api_token::Token>::binding(&unsealed_token());
    assert_eq!(binding, Ok(Bound::<api_token::Token>::binding(&token())));
}

#[test]
fn a_row_without_an_owner_is_not_bound() {
    let row = api_token::ActiveModel { account: NotSet, ..unsealed_token() };
    assert_eq!(Sealable::<api_token::Token>::binding(&row), Err(Unset("account_id")));
    let row = api_token::ActiveModel { user_id: NotSet, ..unsealed_token() };
    assert_eq!(Sealable::<api_token::FreeText>::binding(&row), Err(Unset("user_id")));
    let row = api_token::ActiveModel { id: NotSet, ..unsealed_token() };
    assert_eq!(Sealable::<api_token::FreeText>::binding(&row), Err(Unset("id")));
}

#[test]
fn a_cell_is_put_beside_its_index() {
    let mut row = unsealed_token();
    let index = strongroom_entity::BlindIndex::from_digest([9; 16]);
    Sealable::<api_token::Token>::put(&mut row, cell(), Some(index.clone()));
    assert_eq!((&row.token, &row.token_index), (&Set(cell()), &Set(index)));
    Sealable::<api_token::FreeText>::put(&mut row, cell(), None);
    assert_eq!((&row.note, &row.note_index), (&Set(Some(cell())), &Set(None)));
    const { assert!(<api_token::ActiveModel as Sealable<api_token::Token>>::IS_INDEXED) };
    const { assert!(!<vault::ActiveModel as Sealable<vault::Pin>>::IS_INDEXED) };
}

#[test]
fn a_cell_without_its_index_leaves_no_old_index_behind() {
    let mut row = api_token::ActiveModel::from(token());
    Sealable::<api_token::Token>::put(&mut row, cell(), None);
    assert_eq!(row.token_index, NotSet);
}

#[test]
fn what_is_searched_for_is_the_index() {
    assert!(matches!(<api_token::Token as Searchable>::index(), api_token::Column::Fingerprint));
    assert!(matches!(<api_token::FreeText as Searchable>::index(), api_token::Column::NoteIndex));
    assert_eq!(api_token::FreeText::LABEL, "token.remark");
}

#[test]
fn a_row_with_relations_is_bound_as_the_row_without() {
    let row = vault::Model { id: "v".into(), tenant: "t".into(), pin_sealed: cell() };
    let binding = Bound::<vault::Pin>::binding(&row);
    assert_eq!(binding.owners, [("project", Owner::Text("t".into()))]);
    assert_eq!(binding.scope.as_deref(), Some("t"));
    assert_eq!(Bound::<vault::Pin>::binding(&vault::ModelEx::from(row.clone())), binding);
    let mut written = vault::ActiveModel::builder().set_id("v").set_tenant("t");
    assert_eq!(Sealable::<vault::Pin>::binding(&written), Ok(binding));
    Sealable::<vault::Pin>::put(&mut written, cell(), None);
    assert_eq!(written.pin_sealed, Set(cell()));
    assert_eq!(vault::Entity::TABLE.plain_columns().collect::<Vec<_>>(), ["pin"]);
}

#[test]
fn a_row_without_owners_is_bound_to_its_id() {
    let row = item::ActiveModel { id: Set(Uuid::nil()), ..Default::default() };
    let binding = Sealable::<item::Content>::binding(&row).expect("the id is set");
    assert_eq!((binding.owners, binding.scope), (vec![], None));
    assert_eq!(item::Entity::TABLE.scope, None);
}

#[test]
fn a_part_is_bound_as_the_whole() {
    let token = token();
    let part = listed::Listed {
        key: token.id,
        tenant: token.tenant_id,
        user_id: token.user_id.clone(),
        customer: token.account,
        r#type: token.r#type.clone(),
        note: token.note.clone(),
    };
    assert_eq!(
        Bound::<api_token::FreeText>::binding(&part),
        Bound::<api_token::FreeText>::binding(&token)
    );
    assert_eq!(Bound::<api_token::FreeText>::cell(&part), &None);
}

#[test]
fn an_insert_carries_the_envelope() {
    let mut row = item::ActiveModel {
        id: Set(Uuid::nil()),
        vault_id: Set("v".into()),
        content: ActiveValue::NotSet,
    };
    row.put(cell::<item::Content>(), None);
    let statement = item::Entity::insert(row).build(DbBackend::Sqlite).to_string();
    assert!(
        statement.contains(r#"("id", "vault_id", "content")"#) && statement.contains("x'0102'"),
        "{statement}"
    );
    let query = item::Entity::find()
        .select_only()
        .column(item::Column::Content)
        .build(DbBackend::Postgres)
        .to_string();
    assert_eq!(query, r#"SELECT "item"."content" FROM "item""#);
}
