//! Another login and password for a component, while its programs run.
//!
//! Both logins work until the last step. Each step is written down, so after a crash the same call goes on: a password
//! that was made is used, a login that is being left is left.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, sleep};

use super::login::{self, LoginState, Logins};
use super::sessions;
use crate::db::history::{self, Entry};
use crate::db::{self, Lock};
use crate::policy::names::Slot;
use crate::policy::state::{Change, ENABLED, State};
use crate::policy::statement::{Verifiers, statements};
use crate::policy::told::told;
use crate::policy::{GrantError, Site};

/// How patient a rotation is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// For how long the old login must be without a session: a connection that was begun before the switch may still
    /// be on its way. Longer than programs take to notice and a connection may take: then none is.
    pub settle: Duration,
    /// When sessions of the old login that are left are ended.
    pub deadline: Duration,
}

/// A pool of [`Components`](super::Components) notices within half a second, and gives a connection up after ten.
pub(crate) const SETTLE: Duration = Duration::from_secs(12);

impl Default for Pace {
    fn default() -> Self {
        Self { settle: SETTLE, deadline: Duration::from_mins(1) }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct Rotated {
    /// The login that was left; it is closed, and without a session.
    pub from: String,
    /// The login in use.
    pub to: String,
    /// Sessions that did not leave by themselves.
    pub ended: usize,
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Stage {
    /// The other login has a new password.
    Opened,
    /// Programs are told to use it.
    Switched,
    /// So many sessions of the old login are left.
    Leaving(usize),
}

/// Rotates, or goes on with a rotation that was begun. `probe` must log in with the login that is handed to it and
/// fail if that does not work: it is asked before any program is told to.
pub(crate) async fn rotate(
    db: &DatabaseConnection,
    lock: &Lock,
    site: &Site,
    component: &str,
    pace: Pace,
    probe: impl AsyncFn(&str, &secrecy::SecretString) -> Result<(), GrantError>,
    on_stage: &(dyn Fn(Stage) + Send + Sync),
) -> Result<Rotated, GrantError> {
    let logins = Logins::read(db).await?;
    let entry = |to: Slot| Entry {
        number: None,
        name: format!("login of {component} to {to}"),
        kind: "login",
        direction: "up",
        checksum: None,
    };
    let (active, _) = logins
        .find(component, LoginState::Active)
        .ok_or_else(|| GrantError::UnknownComponent(component.to_owned()))?;
    let (from, to) = match logins.find(component, LoginState::Outgoing) {
        Some((leaving, _)) => (leaving, active),
        None => (active, active.other()),
    };
    let row = db::retry!(begin(db, lock, &entry(to)))?;
    if logins.find(component, LoginState::Outgoing).is_none() {
        open(db, lock, site, component, to, &logins).await?;
        on_stage(Stage::Opened);
        let opened = Logins::read(db).await?;
        let (_, incoming) = opened
            .find(component, LoginState::Incoming)
            .ok_or_else(|| GrantError::UnknownComponent(component.to_owned()))?;
        probe(&site.target.names.login(component, to), &site.keys.password(incoming)?.text())
            .await?;
        db::retry!(switch(db, lock, component, from, to))?;
        on_stage(Stage::Switched);
    }
    let account = site.target.names.login(component, from);
    let ended = leave(db, lock, site, &account, pace, on_stage).await?;
    login::forget(db, component, from).await?;
    history::finish(db, lock, row).await?;
    Ok(Rotated { from: account, to: site.target.names.login(component, to), ended })
}

async fn begin(db: &DatabaseConnection, lock: &Lock, entry: &Entry) -> Result<i64, GrantError> {
    let transaction = db::begin(db).await?;
    let row = history::begin(&transaction, lock, entry).await?;
    lock.fence(&transaction).await?;
    transaction.commit().await?;
    Ok(row)
}

/// The password is written down first; after a crash the same one is set again.
async fn open(
    db: &DatabaseConnection,
    lock: &Lock,
    site: &Site,
    component: &str,
    to: Slot,
    logins: &Logins,
) -> Result<(), GrantError> {
    if logins.find(component, LoginState::Incoming).is_none() {
        lock.look(db).await?;
        refuse_same_password(site, component, logins)?;
        login::make(db, site, component, to, LoginState::Incoming, logins.next_version(component))
            .await?;
    }
    let verifiers = Logins::read(db).await?.verifiers(&site.target, &site.keys)?;
    let account = site.target.names.login(component, to);
    let opened = db::retry!(set(db, lock, site, &account, "true", &verifiers));
    if matches!(opened, Err(GrantError::PasswordRefused)) {
        // The next run must not try the same one again.
        login::forget(db, component, to).await?;
    }
    opened
}

/// A file that was not renewed would make the new login's password the old one's.
fn refuse_same_password(site: &Site, component: &str, logins: &Logins) -> Result<(), GrantError> {
    let Some((_, active)) = logins
        .find(component, LoginState::Active)
        .filter(|_| site.options.password_files.contains_key(component))
    else {
        return Ok(());
    };
    let (next, now) = (site.options.password(component)?, site.keys.password(active)?);
    if next.text().expose_secret() != now.text().expose_secret() {
        return Ok(());
    }
    Err(GrantError::Login {
        component: component.to_owned(),
        reason: "its password file still holds the password in use".to_owned(),
    })
}

async fn set(
    db: &impl ConnectionTrait,
    lock: &Lock,
    site: &Site,
    account: &str,
    enabled: &str,
    verifiers: &Verifiers,
) -> Result<(), GrantError> {
    let change = Change::Set(account.to_owned(), ENABLED.to_owned(), enabled.to_owned());
    for statement in statements(&site.target, &State::default(), &[change], verifiers) {
        lock.look(db).await?;
        db.execute_unprepared(&statement.exposed())
            .await
            .map_err(|error| told(&site.target, &error, &statement.sql))?;
    }
    Ok(())
}

async fn switch(
    db: &DatabaseConnection,
    lock: &Lock,
    component: &str,
    from: Slot,
    to: Slot,
) -> Result<(), GrantError> {
    let transaction = db::begin(db).await?;
    login::move_to(&transaction, component, from, LoginState::Outgoing).await?;
    login::move_to(&transaction, component, to, LoginState::Active).await?;
    lock.fence(&transaction).await?;
    Ok(transaction.commit().await?)
}

const POLL: Duration = Duration::from_millis(200);

/// Waits until the old login has had no session for the settle time, closes it, and sees that none is left.
async fn leave(
    db: &DatabaseConnection,
    lock: &Lock,
    site: &Site,
    account: &str,
    pace: Pace,
    on_stage: &(dyn Fn(Stage) + Send + Sync),
) -> Result<usize, GrantError> {
    let (begun, mut quiet) = (Instant::now(), Instant::now());
    while quiet.elapsed() < pace.settle && begun.elapsed() < pace.deadline {
        lock.check()?;
        let there = sessions::of(db, site.target.engine, account).await?.len();
        if there > 0 {
            quiet = Instant::now();
        }
        on_stage(Stage::Leaving(there));
        sleep(POLL).await;
    }
    db::retry!(set(db, lock, site, account, "false", &Verifiers::new()))?;
    let mut ended = 0;
    for _ in 0..LOOKS {
        lock.check()?;
        match sessions::end(db, site.target.engine, account).await? {
            0 => return Ok(ended),
            more => ended = ended.max(more),
        }
        sleep(POLL).await;
    }
    Err(GrantError::SessionsStay { login: account.to_owned() })
}

/// How often sessions that were told to end are looked for.
const LOOKS: u32 = 100;
