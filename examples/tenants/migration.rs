//! The program's own migrations. Tables that are sealed from their first row on take one line more than others.
//!
//! The tables are written out and not made from their entities: a step that was applied must stay as it was, and an entity
//! changes.

use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use strongroom::prelude::*;
use strongroom::schema::Sealing;

use crate::{api_token, webhook};

pub struct Migrator(pub Sealing);

impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateApiToken(self.0.clone())), Box::new(CreateWebhook(self.0.clone()))]
    }
}

struct CreateApiToken(Sealing);

impl MigrationName for CreateApiToken {
    fn name(&self) -> &'static str {
        "m0001_create_api_token"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateApiToken {
    /// Sealing commits its own work.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table("api_token")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("tenant_id").string().not_null())
            .col(ColumnDef::new("name").string().not_null())
            .col(ColumnDef::new("token").blob().not_null())
            .col(ColumnDef::new("token_index").var_binary(16).not_null().unique_key())
            .col(ColumnDef::new("signing_key").blob().not_null());
        self.0.create_table(manager, table, api_token::Entity::TABLE).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.drop_table(manager, api_token::Entity::TABLE).await
    }
}

struct CreateWebhook(Sealing);

impl MigrationName for CreateWebhook {
    fn name(&self) -> &'static str {
        "m0002_create_webhook"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateWebhook {
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table("webhook")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("tenant_id").string().not_null())
            .col(ColumnDef::new("api_token_id").uuid().not_null())
            .col(ColumnDef::new("url").string().not_null())
            .col(ColumnDef::new("secret").blob().not_null())
            .foreign_key(
                ForeignKey::create().from("webhook", "api_token_id").to("api_token", "id"),
            );
        self.0.create_table(manager, table, webhook::Entity::TABLE).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.drop_table(manager, webhook::Entity::TABLE).await
    }
}
