//! Policies as steps of the one history.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::DbErr;
use sea_orm_migration::SchemaManagerConnection;
use strongroom_migration::Grants;

use super::converge::{Applied, converge};
use super::login::Logins;
use crate::db::{Lock, LockError, wrapped};
use crate::key::{EpochFloor, RingAccess, RingError, Roots};
use crate::policy::stored::{self, Source};
use crate::policy::{GrantError, PolicyOptions, Site};

/// Brings policies and takes them back, under the run lock.
pub struct PolicySteps {
    roots: Option<Arc<Roots>>,
    floor: EpochFloor,
    options: PolicyOptions,
    lock: Arc<Lock>,
}

impl PolicySteps {
    /// Without roots every call is refused.
    pub fn new(
        roots: Option<Arc<Roots>>,
        floor: impl Into<EpochFloor>,
        options: PolicyOptions,
        lock: Arc<Lock>,
    ) -> Self {
        Self { roots, floor: floor.into(), options, lock }
    }

    async fn site(&self, db: &SchemaManagerConnection<'_>) -> Result<Site, GrantError> {
        let roots = self.roots.clone().ok_or(GrantError::NoRoot)?;
        Site::load(db, RingAccess::new(roots, self.floor.clone()), &self.options).await
    }

    /// What is written down first is what the server is meant to follow, if this is killed in the middle.
    async fn bring_policy(
        &self,
        db: &SchemaManagerConnection<'_>,
        version: u32,
    ) -> Result<(), GrantError> {
        let site = self.site(db).await?;
        let policy = self.options.policy(version, &site.catalog)?;
        stored::write(db, &site.keys, &policy, Source::Migration(version)).await?;
        converge(db, &self.lock, &site, &policy).await.map(|applied| warn_of_unvisited(&applied))
    }

    async fn take_policy_back(
        &self,
        db: &SchemaManagerConnection<'_>,
        version: u32,
    ) -> Result<(), GrantError> {
        let site = self.site(db).await?;
        let (policy, first) = stored::before(db, &site.keys, version).await?;
        // Each account has its row before it is made: without rows a login that may not look has nothing to look for.
        if !(policy.components.is_empty() && Logins::read(db).await?.is_empty()) {
            converge(db, &self.lock, &site, &policy)
                .await
                .map(|applied| warn_of_unvisited(&applied))?;
        }
        stored::forget_from(db, first).await
    }
}

fn warn_of_unvisited(applied: &Applied) {
    if !applied.unvisited.is_empty() {
        let nodes = applied.unvisited.join(", ");
        tracing::warn!(
            "sessions of closed logins may be left on nodes that could not be asked: {nodes}"
        );
    }
}

#[async_trait]
impl Grants for PolicySteps {
    async fn bring(&self, db: &SchemaManagerConnection<'_>, version: u32) -> Result<(), DbErr> {
        self.bring_policy(db, version).await.map_err(DbErr::from)
    }

    async fn take_back(&self, db: &SchemaManagerConnection<'_>, version: u32) -> Result<(), DbErr> {
        self.take_policy_back(db, version).await.map_err(DbErr::from)
    }
}

impl From<GrantError> for DbErr {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Database(error)
            | GrantError::Ring(RingError::Database(error))
            | GrantError::Lock(LockError::Database(error)) => error,
            error => wrapped(error),
        }
    }
}
