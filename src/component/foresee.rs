//! Predicts whether a policy can be reverted. Changes no account.
//!
//! PostgreSQL runs the statements in a transaction that is rolled back, because it alone knows what an account still owns.
//! MySQL and MariaDB commit each statement: there the login's rights and the accounts' other databases are read.

use sea_orm::{ConnectionTrait, DatabaseConnection};

use super::plan::plan_back;
use crate::db;
use crate::key::RingAccess;
use crate::policy::apply::{refuse_shared_accounts, take_turns};
use crate::policy::drift::drift;
use crate::policy::refusal::refusal;
use crate::policy::{GrantError, Plan, Policy, PolicyOptions, Site, stored};

/// Fails where reverting policy `version` would fail.
pub async fn foresee_take_back(
    db: &DatabaseConnection,
    access: RingAccess,
    options: &PolicyOptions,
    version: u32,
) -> Result<(), GrantError> {
    let site = Site::load(db, access, options).await?;
    let (policy, _) = stored::before(db, &site.keys, version).await?;
    if !site.has_accounts() {
        return Ok(());
    }
    let plan = plan_back(db, &site, &policy).await?;
    refuse_shared_accounts(&plan, &site)?;
    if site.target.engine.has_transactional_ddl() {
        rehearse(db, &site, &policy, &plan).await
    } else {
        require_rights(db, &plan).await
    }
}

async fn rehearse(
    db: &DatabaseConnection,
    site: &Site,
    policy: &Policy,
    plan: &Plan,
) -> Result<(), GrantError> {
    let transaction = db::begin(db).await?;
    take_turns(&transaction, site.target.engine).await?;
    for statement in &plan.statements {
        let done = transaction.execute_unprepared(&statement.exposed()).await;
        done.map_err(|error| refusal(&site.target, &error, &statement.sql))?;
    }
    let after = plan_back(&transaction, site, policy).await?;
    transaction.rollback().await?;
    if after.changes.is_empty() {
        Ok(())
    } else {
        Err(GrantError::Left(drift(&after.found.state, &after.changes, |_| true)))
    }
}

/// Accepts a login with roles, because only the server knows their rights.
async fn require_rights(db: &impl ConnectionTrait, plan: &Plan) -> Result<(), GrantError> {
    let Some(first) = plan.statements.first() else { return Ok(()) };
    let rows =
        db.query_all_raw(db::statement(db.get_database_backend(), "SHOW GRANTS", [])).await?;
    let grants =
        rows.iter().map(|row| row.try_get_by_index::<String>(0)).collect::<Result<Vec<_>, _>>()?;
    let is_enough = |grant: &String| {
        let of_role = !grant.contains(" ON ");
        of_role
            || (grant.contains(" ON *.*")
                && (grant.contains("ALL PRIVILEGES") || grant.contains("CREATE USER")))
    };
    if grants.iter().any(is_enough) {
        return Ok(());
    }
    Err(GrantError::Forbidden {
        sql: first.sql.clone(),
        cause: "the login has no CREATE USER on *.*".to_owned(),
    })
}
