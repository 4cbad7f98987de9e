//! `strongroom policy login` and `rotate-login`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{PolicyContext, lock_patiently};
use crate::counted::counted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, write_err};
use crate::session::{Session, release};
use crate::text::Text;
use strongroom::internal::component::{Credentials, try_login};
use strongroom::internal::component::{LoginState, Logins};
use strongroom::internal::component::{Pace, Rotated, Rotation, SETTLE, Stage};
use strongroom::policy::GrantError;

#[derive(Debug, Args)]
pub(crate) struct RotateLogin {
    /// The component
    component: String,
    /// For how long, in seconds, the old login must be without a session before it is closed
    #[arg(long, value_name = "S", default_value_t = SETTLE.as_secs())]
    settle: u64,
    /// After so many seconds the sessions of the old login that are left are ended
    #[arg(long, value_name = "S", default_value_t = 60)]
    deadline: u64,
}

pub(super) async fn show(
    context: &PolicyContext,
    component: &str,
    reveal: bool,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    require_accounts(context)?;
    let logins = Logins::read(&context.db).await?;
    let unknown = || GrantError::UnknownComponent(component.to_owned());
    let (slot, row) = logins.find(component, LoginState::Active).ok_or_else(unknown)?;
    let user = context.site.target.names.login(component, slot);
    let password = if reveal { Some(context.site.keys.password(row)?.text()) } else { None };
    let password = password.as_ref().map(secrecy::ExposeSecret::expose_secret);
    let (database, schema) =
        (context.site.target.view_schema(component), context.site.target.named_schema());
    let server = session.address()?;
    let document = json!({ "component": component, "user": user, "password": password, "database": database, "schema": schema });
    output.result(&document, || {
        let mut lines = vec![format!("server    {server}"), format!("user      {user}")];
        lines.extend(database.map(|database| format!("database  {database}")));
        lines.extend(schema.map(|schema| format!("schema    {schema}")));
        lines.push(format!("password  {}", password.unwrap_or("not shown; --reveal shows it")));
        Text::of(lines)
    });
    Ok(Exit::Done)
}

pub(super) async fn rotate(
    context: &PolicyContext,
    rotate: &RotateLogin,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    require_accounts(context)?;
    let policy = context.in_force().await?;
    let address = session.address()?;
    let pace = Pace {
        settle: Duration::from_secs(rotate.settle),
        deadline: Duration::from_secs(rotate.deadline.max(rotate.settle)),
    };
    let probe = async |user: &str, password: &secrecy::SecretString| {
        let login = Credentials { component: &rotate.component, user, password };
        try_login(&address, &context.site.target, &policy, &login).await
    };
    let (progress, left) = (output.progress(), std::sync::atomic::AtomicUsize::new(usize::MAX));
    let on_stage = |stage| match stage {
        Stage::Opened if progress => write_err("the other login is open"),
        Stage::Switched if progress => write_err("programs are told to use it"),
        Stage::Leaving(sessions)
            if progress
                && left.swap(sessions, std::sync::atomic::Ordering::Relaxed) != sessions =>
        {
            write_err(&format!(
                "the old login has {}",
                counted(u64::try_from(sessions).unwrap_or(u64::MAX), "session", "sessions")
            ));
        }
        _ => {}
    };
    let lock = lock_patiently(session, &context.db).await?;
    let rotation = Rotation {
        db: &context.db,
        lock: &lock,
        site: &context.site,
        component: &rotate.component,
        pace,
        on_stage: &on_stage,
    };
    let rotated = rotation.run(probe).await;
    release(lock).await;
    let rotated = rotated?;
    let left = if rotated.unvisited.is_empty() { json!(0) } else { json!(null) };
    let document = json!({ "component": rotate.component, "from": rotated.from, "to": rotated.to, "sessions_ended": rotated.ended,
                           "sessions_left": left, "nodes_not_asked": rotated.unvisited });
    output.result(&document, || rotated_in_words(&rotate.component, &rotated));
    Ok(if rotated.unvisited.is_empty() { Exit::Done } else { Exit::Left })
}

fn rotated_in_words(component: &str, rotated: &Rotated) -> Text {
    let Rotated { from, to, ended, unvisited, .. } = rotated;
    let ended = match ended {
        0 => String::new(),
        ended => format!("; {ended} had to be ended"),
    };
    if unvisited.is_empty() {
        let line = format!("{component} uses {to} now; {from} is closed and has no session{ended}");
        return Text::of(vec![line]);
    }
    let nodes = unvisited.join(", ");
    Text::of(vec![
        format!(
            "{component} uses {to} now; {from} is closed, and may have sessions on nodes that could not be asked{ended}"
        ),
        format!("not asked: {nodes}"),
        "Next: name the nodes in `database.nodes`, and run the same command again once they answer"
            .to_owned(),
    ])
}

fn require_accounts(context: &PolicyContext) -> Result<(), Failure> {
    if context.site.has_accounts() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Failed,
        "no_accounts",
        "SQLite has no logins: each connection of a component is held to the policy by itself",
    ))
}
