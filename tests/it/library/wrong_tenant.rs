//! An update or a delete that names another tenant, or a row that has moved, changes nothing.

use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::{
    ActiveModelTrait as _, EntityTrait as _, IntoActiveModel as _, TransactionTrait as _,
};
use strongroom::migration::Phase;
use strongroom::prelude::*;
use webhook::Secret;

use super::Program;
use crate::support::{Engine, block_on, on_every_engine};

on_every_engine!(
    an_update_by_another_tenant_changes_nothing,
    a_move_by_another_tenant_changes_nothing,
    an_id_or_owner_that_only_a_collation_takes_for_the_same_changes_nothing,
    a_row_without_an_owner_is_found_by_that,
    of_two_moves_at_once_the_second_is_refused,
    a_row_is_moved_from_where_it_is_said_to_be,
    a_draft_that_a_hook_changes_is_refused_before_it_is_written,
    a_delete_by_another_tenant_deletes_nothing,
    a_table_that_had_plaintext_is_updated_by_its_owner_alone,
);

mod webhook {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "webhook")]
    #[sealed(label = "webhook", scope(tenant_id), owners(account, number))]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub tenant_id: Option<String>,
        pub account: Uuid,
        pub number: Option<i64>,
        pub secret: Sealed<Secret>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    #[async_trait::async_trait]
    impl ActiveModelBehavior for ActiveModel {
        /// A number of -1 stands for the program that gives rows another one.
        async fn before_save<C: ConnectionTrait>(mut self, _: &C, _: bool) -> Result<Self, DbErr> {
            if self.number.try_as_ref() == Some(&Some(-1)) {
                self.number = sea_orm::ActiveValue::Set(Some(8));
            }
            Ok(self)
        }
    }
}

pub(super) mod had_plaintext {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "session")]
    #[sealed(label = "session", scope(tenant_id))]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: String,
        #[sealed(plain = "ticket")]
        pub ticket_sealed: Sealed<Ticket>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

const TABLE: &str = "CREATE TABLE webhook (id varchar(64) NOT NULL PRIMARY KEY, tenant_id varchar(64), account UUID NOT NULL, \
                     number bigint, secret BYTES NOT NULL)";

async fn program(engine: Engine) -> (Program, Strongroom) {
    let program = Program::begin(engine, &[TABLE]).await;
    program.seal(webhook::Entity::TABLE).await;
    let room = program.load().await;
    hook("hook-1", Some("acme"), Some(7)).with(Secret, "acme's").insert(&room).await.unwrap();
    (program, room)
}

fn hook(id: &str, tenant: Option<&str>, number: Option<i64>) -> webhook::ActiveModel {
    webhook::ActiveModel {
        id: Set(id.to_owned()),
        tenant_id: Set(tenant.map(ToOwned::to_owned)),
        account: Set(sea_orm::prelude::Uuid::from_u128(5)),
        number: Set(number),
        secret: NotSet,
    }
}

async fn stored(room: &Strongroom) -> webhook::Model {
    webhook::Entity::find_by_id("hook-1").one(room).await.unwrap().unwrap()
}

#[track_caller]
fn is_refused<T: std::fmt::Debug>(done: &Result<T, RecordError>) {
    assert!(matches!(done, Err(RecordError::Rebound { .. })), "{done:?}");
}

async fn says(room: &Strongroom, value: &str) {
    let row = stored(room).await;
    assert_eq!(room.open(Secret, &row).await.unwrap().as_text(), Some(value));
}

fn an_update_by_another_tenant_changes_nothing(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let other_number = hook("hook-1", Some("acme"), None);
        let other_account = webhook::ActiveModel {
            account: Unchanged(sea_orm::prelude::Uuid::from_u128(6)),
            ..hook("hook-1", Some("acme"), Some(7))
        };
        let gone = hook("hook-2", Some("acme"), Some(7));
        for row in [
            hook("hook-1", Some("evil"), Some(7)),
            hook("hook-1", None, Some(7)),
            other_number,
            other_account,
            gone,
        ] {
            let unchanged = webhook::ActiveModel {
                tenant_id: Unchanged(row.tenant_id.clone().unwrap()),
                ..row.clone()
            };
            for row in [row, unchanged] {
                is_refused(&row.clone().with(Secret, "evil's").update(&room).await);
                let transaction = room.begin().await.unwrap();
                is_refused(&row.with(Secret, "evil's").update(&transaction).await);
                transaction.commit().await.unwrap();
            }
            says(&room, "acme's").await;
        }
        let changed = hook("hook-1", Some("acme"), Some(7))
            .with(Secret, "acme's own")
            .update(&room)
            .await
            .unwrap();
        assert_eq!(room.open(Secret, &changed).await.unwrap().as_text(), Some("acme's own"));
    });
}

/// A program that takes the tenant from the request and sets it.
fn a_move_by_another_tenant_changes_nothing(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let mut row = stored(&room).await.into_active_model();
        row.tenant_id = Set(Some("evil".to_owned()));
        is_refused(&row.with(Secret, "evil's").update(&room).await);
        says(&room, "acme's").await;
    });
}

fn an_id_or_owner_that_only_a_collation_takes_for_the_same_changes_nothing(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        for row in [
            hook("HOOK-1", Some("acme"), Some(7)),
            hook("hook-1", Some("ACME"), Some(7)),
            hook("hook-1", Some("acme "), Some(7)),
        ] {
            is_refused(&row.clone().with(Secret, "x").update(&room).await);
            is_refused(&row.draft().delete(&room).await);
            says(&room, "acme's").await;
        }
    });
}

fn a_row_without_an_owner_is_found_by_that(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        hook("hook-3", None, None).with(Secret, "first").insert(&room).await.unwrap();
        is_refused(&hook("hook-3", Some(""), None).with(Secret, "x").update(&room).await);
        is_refused(&hook("hook-3", None, Some(0)).with(Secret, "x").update(&room).await);
        let changed =
            hook("hook-3", None, None).with(Secret, "second").update(&room).await.unwrap();
        assert_eq!(room.open(Secret, &changed).await.unwrap().as_text(), Some("second"));
        hook("hook-3", None, None).draft().delete(&room).await.unwrap();
        assert!(webhook::Entity::find_by_id("hook-3").one(&room).await.unwrap().is_none());
    });
}

/// Both have read the row at acme, and give it to somebody else.
fn of_two_moves_at_once_the_second_is_refused(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let read = stored(&room).await;
        let (one, other) =
            (room.open(Secret, &read).await.unwrap(), room.open(Secret, &read).await.unwrap());
        let to = |tenant: &str| {
            let mut row = read.clone().into_active_model();
            row.tenant_id = Set(Some(tenant.to_owned()));
            row
        };
        to("globex").with(Secret, one).update(&room).await.unwrap();
        is_refused(&to("initech").with(Secret, other).update(&room).await);
        is_refused(&read.into_active_model().with(Secret, "late").update(&room).await);
        assert_eq!(stored(&room).await.tenant_id.as_deref(), Some("globex"));
        says(&room, "acme's").await;
    });
}

fn a_row_is_moved_from_where_it_is_said_to_be(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let read = stored(&room).await;
        let mut row = read.clone().into_active_model();
        row.tenant_id = Set(None);
        let draft = || row.clone().with(Secret, "new").moved_from(&read);
        draft().update(&room).await.unwrap();
        is_refused(&draft().update(&room).await);
        assert_eq!(stored(&room).await.tenant_id, None);
        says(&room, "new").await;
    });
}

fn a_draft_that_a_hook_changes_is_refused_before_it_is_written(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let row = stored(&room).await;
        let late = hook("hook-1", Some("acme"), Some(-1))
            .with(Secret, "x")
            .moved_from(&row)
            .update(&room)
            .await;
        is_refused(&late);
        assert_eq!(stored(&room).await.number, Some(7));
        says(&room, "acme's").await;
    });
}

fn a_delete_by_another_tenant_deletes_nothing(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        for tenant in [Some("evil"), None] {
            is_refused(&hook("hook-1", tenant, Some(7)).draft().delete(&room).await);
        }
        says(&room, "acme's").await;
        stored(&room).await.into_active_model().draft().delete(&room).await.unwrap();
        assert!(webhook::Entity::find_by_id("hook-1").one(&room).await.unwrap().is_none());
    });
}

fn a_table_that_had_plaintext_is_updated_by_its_owner_alone(engine: Engine) {
    use had_plaintext::Ticket;
    block_on(async {
        let table = "CREATE TABLE session (id UUID NOT NULL PRIMARY KEY, tenant_id varchar(64) NOT NULL, ticket varchar(64) NOT NULL)";
        let program = Program::begin(engine, &[table]).await;
        program.seal(had_plaintext::Entity::TABLE).await;
        strongroom::schema::Sealing::new(program.roots.clone())
            .migrate_to(
                &sea_orm_migration::SchemaManager::new(&program.db),
                had_plaintext::Entity::TABLE,
                Phase::Sealed,
            )
            .await
            .unwrap();
        let room = program.load().await;
        let id = sea_orm::prelude::Uuid::from_u128(1);
        let row = |tenant: &str| had_plaintext::ActiveModel {
            id: Set(id),
            tenant_id: Set(tenant.to_owned()),
            ticket_sealed: NotSet,
        };
        row("acme").with(Ticket, "acme's").insert(&room).await.unwrap();
        is_refused(&row("evil").with(Ticket, "evil's").update(&room).await);
        is_refused(&row("evil").draft().delete(&room).await);
        let stored = had_plaintext::Entity::find_by_id(id).one(&room).await.unwrap().unwrap();
        assert_eq!(room.open(Ticket, &stored).await.unwrap().as_text(), Some("acme's"));
        // sea-orm's own way with a row that was sealed goes on.
        let sealed = row("acme").with(Ticket, "again").seal(&room).await.unwrap();
        sealed.update(&room).await.unwrap();
    });
}
