//! The program's own migrations. Tables that are sealed from their first row on take one line more than others.

use sea_orm::Schema;
use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use strongroom::migration::Phase;
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
        let mut table = Schema::new(manager.get_database_backend()).create_table_from_entity(api_token::Entity);
        manager.create_table(table.if_not_exists().take()).await?;
        self.0.bring(manager, api_token::Entity::TABLE, Phase::Sealed).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.forget(manager, api_token::Entity::TABLE).await?;
        manager.drop_table(Table::drop().table(api_token::Entity).if_exists().take()).await
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
        let mut table = Schema::new(manager.get_database_backend()).create_table_from_entity(webhook::Entity);
        manager.create_table(table.if_not_exists().take()).await?;
        self.0.bring(manager, webhook::Entity::TABLE, Phase::Sealed).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.forget(manager, webhook::Entity::TABLE).await?;
        manager.drop_table(Table::drop().table(webhook::Entity).if_exists().take()).await
    }
}
