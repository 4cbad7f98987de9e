//! `strongroom policy apply`.

use std::path::Path;

use serde_json::json;
use strongroom::migration::Migrator;

use super::plan_file::PlanFile;
use super::{PolicyContext, lock_patiently};
use crate::counted::counted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::{Session, release};
use strongroom::internal::component::{Applied, Credentials, converge, try_login};
use strongroom::internal::component::{LoginState, Logins};
use strongroom::internal::db::history::{self, Entry};
use strongroom::internal::db::{self, Lock};
use strongroom::internal::policy::stored::{self, Source};
use strongroom::internal::policy::{GrantError, Needs, Policy, require_ready};
use strongroom::schema;

pub(super) async fn run(
    context: &PolicyContext,
    plan: Option<&Path>,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    require_migrations(context).await?;
    require_ready(&context.db, &context.site.options, Needs { policies: true, triggers: false })
        .await?;
    let policy = context.wanted()?;
    let file = plan.map(PlanFile::read).transpose()?;
    let lock = lock_patiently(session, &context.db).await?;
    let applied = match &file {
        Some(file) => match file.require(context, &policy, &context.plan(&policy).await?).await {
            Ok(()) => apply(context, &lock, &policy).await,
            Err(failure) => {
                release(lock).await;
                return Err(failure);
            }
        },
        None => apply(context, &lock, &policy).await,
    };
    release(lock).await;
    let applied = applied?;
    try_logins(context, &policy, session, output).await?;
    output.result(
        &json!({ "statements": applied.statements, "sessions_ended": applied.sessions, "nodes_not_asked": applied.unvisited }),
        || text(&applied, context),
    );
    if applied.unvisited.is_empty() {
        return Ok(Exit::Done);
    }
    output.warning(&format!(
        "sessions of closed logins may be left on nodes that could not be asked: {}; name the nodes in `database.nodes`, or end \
         these sessions there",
        applied.unvisited.join(", ")
    ));
    Ok(Exit::Left)
}

/// A policy by hand stands on the newest one that a migration brought.
async fn require_migrations(context: &PolicyContext) -> Result<(), Failure> {
    let status = schema::status(&context.db, &Migrator::without_keys().steps()).await?;
    if status.pending == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Left,
        "pending",
        counted(status.pending, "migration is pending", "migrations are pending"),
    )
    .help("run `strongroom migrate up --yes` first"))
}

async fn apply(
    context: &PolicyContext,
    lock: &Lock,
    policy: &Policy,
) -> Result<Applied, GrantError> {
    let entry =
        Entry { number: None, name: name(policy), kind: "policy", direction: "up", checksum: None };
    if context.site.target.engine.has_transactional_ddl() {
        db::retry!(apply_at_once(context, lock, policy, &entry))
    } else {
        db::retry!(apply_by_statement(context, lock, policy, &entry))
    }
}

fn name(policy: &Policy) -> String {
    let components: Vec<_> = policy.components.keys().map(String::as_str).collect();
    format!("policy {} for {}", policy.version, components.join(", ")).chars().take(128).collect()
}

async fn apply_at_once(
    context: &PolicyContext,
    lock: &Lock,
    policy: &Policy,
    entry: &Entry,
) -> Result<Applied, GrantError> {
    let transaction = db::begin(&context.db).await?;
    stored::write(&transaction, &context.site.keys, policy, Source::Command).await?;
    let applied = converge(&transaction, lock, &context.site, policy).await?;
    let row = history::begin(&transaction, lock, entry).await?;
    history::finish(&transaction, lock, row).await?;
    lock.fence(&transaction).await?;
    transaction.commit().await?;
    Ok(applied)
}

/// The policy and the row of the history come first: they say what was meant, should this be killed.
async fn apply_by_statement(
    context: &PolicyContext,
    lock: &Lock,
    policy: &Policy,
    entry: &Entry,
) -> Result<Applied, GrantError> {
    let transaction = db::begin(&context.db).await?;
    stored::write(&transaction, &context.site.keys, policy, Source::Command).await?;
    let row = history::begin(&transaction, lock, entry).await?;
    lock.fence(&transaction).await?;
    transaction.commit().await?;
    let applied = converge(&context.db, lock, &context.site, policy).await?;
    db::retry!(history::finish(&context.db, lock, row))?;
    Ok(applied)
}

/// Looking at the server is one proof; being each component is another. A login that may do more is an error; one that
/// cannot be tried from here, for want of a client certificate or by the server's rules for hosts, is named.
async fn try_logins(
    context: &PolicyContext,
    policy: &Policy,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    if !context.site.has_accounts() {
        return Ok(());
    }
    let (address, logins) = (session.address()?, Logins::read(&context.db).await?);
    for name in policy.components.keys() {
        let Some((slot, row)) = logins.find(name, LoginState::Active) else { continue };
        let user = context.site.target.names.login(name, slot);
        let password = &context.site.keys.password(row)?.text();
        let login = Credentials { component: name, user: &user, password };
        match try_login(&address, &context.site.target, policy, &login).await {
            Ok(()) => {}
            Err(GrantError::Database(error)) => {
                output.warning(&format!("login {user} could not be tried from here: {error}"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn text(applied: &Applied, context: &PolicyContext) -> String {
    match *applied {
        _ if !context.site.has_accounts() => {
            "the policy is in force: each connection of a component is held to it".to_owned()
        }
        Applied { statements: 0, .. } => "nothing to do: the server follows the policy".to_owned(),
        Applied { statements, sessions, .. } => {
            let ended = if sessions == 0 {
                String::new()
            } else {
                format!(", and {}", counted(sessions as u64, "session ended", "sessions ended"))
            };
            format!(
                "the server follows the policy: {}{ended}",
                counted(statements as u64, "statement was run", "statements were run")
            )
        }
    }
}
