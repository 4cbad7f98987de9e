//! Runs the statements of a plan on a server, and verifies the result.

use sea_orm::{ConnectionTrait, DbErr};
use strongroom_migration::Engine;

use super::drift::drift;
use super::plan::{Accounts, Plan, plan};
use super::refusal::refusal;
use super::site::Site;
use super::state::{Change, ENABLED, Kind, Object};
use super::statement::Statement;
use super::{GrantError, Policy};
use crate::db::{Lock, statement};

/// Runs the statements of a plan.
pub(crate) async fn execute(
    db: &impl ConnectionTrait,
    lock: &Lock,
    site: &Site,
    statements: &[Statement],
) -> Result<(), GrantError> {
    for statement in statements {
        if !site.target.engine.has_transactional_ddl() {
            lock.look(db).await?;
        }
        db.execute_unprepared(&statement.exposed())
            .await
            .map_err(|error| refusal(&site.target, &error, &statement.sql))?;
    }
    Ok(())
}

/// Refuses a server that does not follow the policy after the statements of a plan.
pub(crate) async fn verify(
    db: &impl ConnectionTrait,
    site: &Site,
    policy: &Policy,
    accounts: &Accounts,
) -> Result<(), GrantError> {
    let after = plan(db, site, policy, accounts).await?;
    if !after.changes.is_empty() {
        return Err(GrantError::Left(drift(&after.found.state, &after.changes, |_| true)));
    }
    assert_denials(db, site, policy, &after).await
}

/// Concurrent changes to one account fail on PostgreSQL; a change that waits for a table's lock must not wait long.
pub(crate) async fn take_turns(db: &impl ConnectionTrait, engine: Engine) -> Result<(), DbErr> {
    if engine == Engine::Postgres {
        db.execute_unprepared("SET LOCAL lock_timeout = '3s'").await?;
        db.execute_unprepared("SELECT pg_advisory_xact_lock(hashtext('strongroom grants'))")
            .await?;
    }
    Ok(())
}

/// A restored copy beside its original has the same ring, and so the same names.
pub(crate) fn refuse_shared_accounts(plan: &Plan, site: &Site) -> Result<(), GrantError> {
    let elsewhere = |object: &Object| {
        object.table().is_some_and(|(schema, table)| {
            let governed = table.starts_with("strongroom_") || site.catalog.contains_key(table);
            let is_there = !plan.found.gone.contains(schema);
            is_there
                && schema != site.target.schema
                && !schema.starts_with(site.target.names.prefix())
                && governed
        })
    };
    let shared = plan.found.foreign.iter().any(|found| found.object == "another database")
        || site.target.engine != Engine::Postgres
            && plan.found.state.grants.iter().any(|grant| elsewhere(&grant.object));
    if shared {
        Err(GrantError::SharedAccounts(site.target.names.prefix().to_owned()))
    } else {
        Ok(())
    }
}

/// Returns the logins whose sessions may do what the login no longer may.
pub(crate) fn closed_logins(changes: &[Change]) -> Vec<String> {
    let closed = changes.iter().filter_map(|change| match change {
        Change::Set(account, setting, value) if setting == ENABLED && value != "true" => {
            Some(account)
        }
        Change::DropAccount(account, Kind::Login) | Change::DropMember(_, account) => Some(account),
        _ => None,
    });
    let mut closed: Vec<String> = closed.cloned().collect();
    closed.dedup();
    closed
}

/// What the policy denies is looked for by every path, PUBLIC's too where the server answers for it.
async fn assert_denials(
    db: &impl ConnectionTrait,
    site: &Site,
    policy: &Policy,
    after: &Plan,
) -> Result<(), GrantError> {
    for denial in &policy.denials {
        let role = site.target.names.role(&denial.component);
        let schema =
            if site.target.engine == Engine::MariaDb { &role } else { &site.target.schema };
        let column = Object::Column(schema.clone(), denial.table.clone(), denial.column.clone());
        let path = after
            .found
            .state
            .paths(&role, denial.verb.sql(), &column)
            .first()
            .map(|grant| grant.object.to_string());
        let path = match path {
            None if site.target.engine == Engine::Postgres => {
                by_the_servers_word(db, site, &role, denial).await?
            }
            path => path,
        };
        if let Some(path) = path {
            return Err(GrantError::Denied {
                component: denial.component.clone(),
                verb: denial.verb.to_string(),
                column: format!("{}.{}", denial.table, denial.column),
                path,
            });
        }
    }
    Ok(())
}

async fn by_the_servers_word(
    db: &impl ConnectionTrait,
    site: &Site,
    role: &str,
    denial: &super::Denial,
) -> Result<Option<String>, GrantError> {
    let sql = "SELECT has_column_privilege($1, format('%I.%I', $2::text, $3::text)::regclass, $4, $5) AS can";
    let values = [role, &site.target.schema, &denial.table, &denial.column, denial.verb.sql()]
        .map(Into::into);
    let row = db.query_one_raw(statement(db.get_database_backend(), sql, values)).await?;
    let can: bool = row.map_or(Ok(true), |row| row.try_get("", "can"))?;
    Ok(can.then(|| "the server says so; PUBLIC may have been granted it".to_owned()))
}
