//! Step 9: policy 1. The server's accounts and grants follow `sql/policy/0001.toml`.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::grants::POLICIES;
use crate::{Grants, Sql, Step};

const VERSION: u32 = 1;

pub(crate) struct Migration(pub(crate) Arc<dyn Grants>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "policy_1"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.bring(manager.get_connection(), VERSION).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.take_back(manager.get_connection(), VERSION).await
    }
}

impl Step for Migration {
    /// The policy itself: what becomes of it is found by looking at the server.
    fn up_sql(&self) -> Vec<Sql> {
        let text = POLICIES[0];
        vec![Sql { postgres: text, sqlite: text, mysql: text }]
    }

    fn down_sql(&self) -> Vec<Sql> {
        Vec::new()
    }

    fn up_work(&self) -> Option<&'static str> {
        Some("makes accounts and grants as this policy says; `strongroom policy plan` shows the SQL once version 8 is there")
    }

    fn down_work(&self) -> Option<&'static str> {
        Some("makes accounts and grants as they were under the policy before")
    }

    fn down_destroys(&self) -> Option<&'static str> {
        Some("drops the components' database accounts, and ends their sessions")
    }
}
