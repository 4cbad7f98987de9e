//! Whether the server follows the policy in force, and holds the pools of all components.

use sea_orm::DatabaseConnection;

use super::check::Check;
use crate::counted::counted;
use crate::failure::Failure;
use crate::session::Session;
use strongroom::internal::component::{self, Capacity};
use strongroom::internal::db::has_table;
use strongroom::internal::policy::{GrantError, Policy, Site, stored};

/// Nothing before version 8.
pub(super) async fn all(session: &Session, db: &DatabaseConnection) -> Vec<Check> {
    match is_there(db).await {
        Ok(false) => return Vec::new(),
        Ok(true) => {}
        Err(error) => return vec![Check::unknown("policy", error)],
    }
    match in_force(session, db).await {
        Ok(Some((site, policy))) => {
            vec![follows(db, &site, &policy).await, capacity(db, &policy).await]
        }
        Ok(None) => Vec::new(),
        Err(failure) => vec![Check::failed("policy", failure)],
    }
}

async fn is_there(db: &DatabaseConnection) -> Result<bool, GrantError> {
    Ok(has_table(db, "strongroom_policy").await? && stored::newest(db).await?.is_some())
}

async fn in_force(
    session: &Session,
    db: &DatabaseConnection,
) -> Result<Option<(Site, Policy)>, Failure> {
    let options = session.config.policy_options(None)?;
    let site = Site::load(db, session.ring_access().await?, &options).await?;
    Ok(stored::in_force(db, &site.keys).await?.map(|policy| (site, policy)))
}

async fn follows(db: &DatabaseConnection, site: &Site, policy: &Policy) -> Check {
    if !site.has_accounts() {
        return Check::ok(
            "policy",
            format!("{}; each connection is held to it", components(policy)),
        );
    }
    match component::plan(db, site, policy).await {
        Ok(plan) => match plan.drift(site).len() {
            0 => Check::ok("policy", format!("{}; the server follows it", components(policy))),
            differs => {
                let places = counted(differs as u64, "place", "places");
                let hint = "`strongroom policy check` lists them; `strongroom policy apply` puts right what is Strongroom's own";
                Check::left("policy", format!("the server differs in {places}"), hint)
                    .code("policy_drift")
            }
        },
        Err(error) => Check::unknown("policy", error),
    }
}

fn components(policy: &Policy) -> String {
    counted(policy.components.len() as u64, "component", "components")
}

async fn capacity(db: &DatabaseConnection, policy: &Policy) -> Check {
    match Capacity::read(db, policy).await {
        Ok(Capacity { wanted, allowed: None }) => {
            Check::ok("connections", format!("pools may open {wanted}"))
        }
        Ok(Capacity { wanted, allowed: Some(allowed) }) if wanted <= allowed => {
            Check::ok("connections", format!("pools may open {wanted} of the server's {allowed}"))
        }
        Ok(Capacity { wanted, allowed }) => Check::left(
            "connections",
            format!(
                "pools may open {wanted}, and the server allows {}",
                allowed.unwrap_or_default()
            ),
            "lower `connections` in the policy, or raise the server's `max_connections`",
        ),
        Err(error) => Check::unknown("connections", error),
    }
}
