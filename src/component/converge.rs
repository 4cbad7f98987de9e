//! Makes a server follow a policy, from whatever state the server is in.
//!
//! On PostgreSQL the caller's transaction makes it all or nothing. On MySQL and MariaDB every statement commits
//! immediately: after a crash the next run inspects the server again, and does the rest.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait;

use super::login;
use crate::db::Lock;
use crate::policy::apply::{closed_logins, execute, refuse_shared_accounts, take_turns, verify};
use crate::policy::nodes::Nodes;
use crate::policy::plan::{Accounts, plan};
use crate::policy::sessions;
use crate::policy::{GrantError, Policy, Site};

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Statements that were run.
    pub statements: usize,
    /// Sessions that were ended, because their login or its role was closed.
    pub sessions: usize,
    /// Nodes of a cluster that could not be asked for such sessions, with the reason.
    pub unvisited: Vec<String>,
}

/// Makes the server follow the policy, and verifies that it does. The caller has stored the policy before.
pub async fn converge(
    db: &impl ConnectionTrait,
    lock: &Lock,
    site: &Site,
    policy: &Policy,
) -> Result<Applied, GrantError> {
    if !site.has_accounts() {
        return Ok(Applied::default());
    }
    take_turns(db, site.target.engine).await?;
    // A login that may not look is refused before anything is written.
    plan(db, site, policy, &Accounts::default()).await?;
    let logins = login::prepare(db, site, policy).await?;
    let accounts = login::accounts(&logins, site, policy)?;
    let plan = plan(db, site, policy, &accounts).await?;
    refuse_shared_accounts(&plan, site)?;
    let closed = closed_logins(&plan.changes);
    // PostgreSQL knows no sessions of a role that is gone.
    let mut sessions = sessions_of(db, site, &closed).await?;
    execute(db, lock, site, &plan.statements).await?;
    sessions.extend(sessions_of(db, site, &closed).await?);
    sessions::kill(db, site.target.engine, &sessions).await?;
    let (elsewhere, unvisited) = end_elsewhere(db, site, &closed).await?;
    verify(db, site, policy, &accounts).await?;
    login::forget_others(db, policy).await?;
    let sessions = sessions.len() + elsewhere;
    Ok(Applied { statements: plan.statements.len(), sessions, unvisited })
}

/// Ends the sessions that logins without their role have on other nodes of a cluster.
async fn end_elsewhere(
    db: &impl ConnectionTrait,
    site: &Site,
    accounts: &[String],
) -> Result<(usize, Vec<String>), GrantError> {
    if accounts.is_empty() {
        return Ok((0, Vec::new()));
    }
    let engine = site.target.engine;
    let nodes = Nodes::open(db, engine, &site.options.nodes).await?;
    let mut ended = 0;
    for account in accounts {
        ended += nodes.end_elsewhere(engine, account).await?;
    }
    let unvisited = nodes.unvisited.clone();
    nodes.close().await;
    Ok((ended, unvisited))
}

async fn sessions_of(
    db: &impl ConnectionTrait,
    site: &Site,
    accounts: &[String],
) -> Result<BTreeSet<String>, GrantError> {
    let mut all = BTreeSet::new();
    for account in accounts {
        all.extend(sessions::of(db, site.target.engine, account).await?);
    }
    Ok(all)
}
