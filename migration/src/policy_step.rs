//! A step that brings a policy: the server's accounts and grants follow a file of `sql/policy/`.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::grants::POLICIES;
use crate::{Grants, Sql, Step};

/// Brings one version.
pub(crate) struct PolicyStep {
    pub(crate) version: u32,
    pub(crate) name: &'static str,
    pub(crate) down_destroys: Option<&'static str>,
    pub(crate) grants: Arc<dyn Grants>,
}

impl MigrationName for PolicyStep {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait]
impl MigrationTrait for PolicyStep {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.grants.bring(manager.get_connection(), self.version).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.grants.take_back(manager.get_connection(), self.version).await
    }
}

impl Step for PolicyStep {
    /// The policy itself: what becomes of it is found by looking at the server.
    fn up_sql(&self) -> Vec<Sql> {
        let text = usize::try_from(self.version).ok().and_then(|version| POLICIES.get(version - 1));
        text.map(|text| Sql { postgres: text, sqlite: text, mysql: text }).into_iter().collect()
    }

    fn down_sql(&self) -> Vec<Sql> {
        Vec::new()
    }

    fn manages_accounts(&self) -> bool {
        true
    }

    fn up_work(&self) -> Option<&'static str> {
        Some(
            "makes accounts and grants as this policy says; `strongroom policy plan` shows the SQL once version 8 is there",
        )
    }

    fn down_work(&self) -> Option<&'static str> {
        Some("makes accounts and grants as they were under the policy before")
    }

    fn down_destroys(&self) -> Option<&'static str> {
        self.down_destroys
    }
}
