//! Whether a service can answer: what `/readyz` says, and `doctor` too.

use std::time::Duration;

use sea_orm::{DatabaseConnection, EntityTrait as _};
use strongroom::entity::audit_head;
use strongroom::migration::Migrator;

use super::finding::Finding;
use super::service::Service;
use strongroom::schema::{self, Status};

/// A database that does not answer must not keep a probe waiting.
const PATIENCE: Duration = Duration::from_secs(3);

impl Service {
    /// Looks at everything that an answer depends on.
    pub(super) async fn look(&self) -> Vec<Finding> {
        let found = self.looked().await;
        self.metrics.is_ready.set(i64::from(found.iter().all(|finding| finding.ok)));
        found
    }

    async fn looked(&self) -> Vec<Finding> {
        if self.readiness.is_leaving() {
            return vec![Finding::bad("service", "stopping")];
        }
        if let Some(known) = self.readiness.known() {
            return known;
        }
        let _one = self.readiness.looking.lock().await;
        if let Some(known) = self.readiness.known() {
            return known;
        }
        let timeout = || vec![Finding::bad("database", "no answer")];
        let mut found = tokio::time::timeout(PATIENCE, database(self.keeper()))
            .await
            .unwrap_or_else(|_| timeout());
        found.push(match tokio::time::timeout(PATIENCE, self.components.look_at_ring()).await {
            Ok(Ok(epoch)) => {
                self.metrics.ring_epoch.set(epoch.number());
                Finding::ok("ring", "opens")
            }
            Ok(Err(error)) if error.went_back() => {
                tracing::error!(%error, "not ready");
                Finding::bad("ring", format!("ring_went_back: {error}"))
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "not ready");
                Finding::bad("ring", "cannot be used; the service's log says why")
            }
            Err(_) => Finding::bad("ring", "no answer"),
        });
        found.push(Finding::ok("policy", format!("version {}", self.components.policy().version)));
        self.readiness.keep(&found);
        found
    }
}

/// The database and its schema: one that this program knows and can serve.
pub async fn database(db: &DatabaseConnection) -> Vec<Finding> {
    let steps = Migrator::without_keys().steps();
    match schema::status(db, &steps).await {
        Err(error) => {
            tracing::warn!(%error, "not ready");
            vec![Finding::bad("database", "cannot be used; the service's log says why")]
        }
        Ok(status) => {
            let mut found =
                vec![Finding::ok("database", "answers"), schema_of(&status, steps.len())];
            if status.version() >= SERVED {
                found.push(audit(db).await);
            }
            found
        }
    }
}

/// Without the chain's end nothing can be written down, and so nothing handed out.
async fn audit(db: &DatabaseConnection) -> Finding {
    match audit_head::Entity::find_by_id(1_i16).one(db).await {
        Ok(Some(_)) => Finding::ok("audit", "can be written"),
        Ok(None) => Finding::bad("audit", "the chain has no end row"),
        Err(_) => Finding::bad("audit", "cannot be read"),
    }
}

fn schema_of(status: &Status, newest: usize) -> Finding {
    let version = status.version();
    if version < SERVED {
        return Finding::bad(
            "schema",
            format!("version {version}: `strongroom migrate up --yes` is needed"),
        );
    }
    Finding::ok("schema", format!("version {version} of {newest}"))
}

/// The step that brings what the service writes to.
pub const SERVED: usize = 11;
