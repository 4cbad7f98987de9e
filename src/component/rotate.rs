//! Another login and password for a component, while its programs run.
//!
//! Both logins work until the last step. Each step is written down, so after a crash the same call goes on: a password
//! that was made is used, a login that is being left is left.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, sleep};

use super::login::{self, LoginState, Logins, NewLogin};
use crate::db::history::{self, Entry};
use crate::db::{self, Lock};
use crate::policy::names::Slot;
use crate::policy::nodes::Nodes;
use crate::policy::refusal::refusal;
use crate::policy::state::{Change, ENABLED, State};
use crate::policy::statement::{Verifiers, statements};
use crate::policy::{GrantError, Site};

/// How patient a rotation is.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For how long the old login must be without a session: a connection that was begun before the switch may still
    /// be on its way. Longer than programs take to notice and a connection may take: then none is.
    pub settle: Duration,
    /// When sessions of the old login that are left are ended.
    pub deadline: Duration,
}

/// A pool of [`Components`](super::Components) notices within half a second, and gives a connection up after ten.
pub const SETTLE: Duration = Duration::from_secs(12);

impl Default for Pace {
    fn default() -> Self {
        Self { settle: SETTLE, deadline: Duration::from_mins(1) }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotated {
    /// The login that was left; it is closed, and without a session on every node that was asked.
    pub from: String,
    /// The login in use.
    pub to: String,
    /// Sessions that did not leave by themselves.
    pub ended: usize,
    /// Nodes of a cluster that could not be asked, with the reason: the old login may have sessions there. The same rotation
    /// goes on when it is run again.
    pub unvisited: Vec<String>,
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The other login has a new password.
    Opened,
    /// Programs are told to use it.
    Switched,
    /// So many sessions of the old login are left.
    Leaving(usize),
}

/// A rotation of one component's login.
pub struct Rotation<'a> {
    /// The database.
    pub db: &'a DatabaseConnection,
    /// The run lock.
    pub lock: &'a Lock,
    /// The database's accounts and keys.
    pub site: &'a Site,
    /// The component.
    pub component: &'a str,
    /// How patient it is.
    pub pace: Pace,
    /// Is told of each stage.
    pub on_stage: &'a (dyn Fn(Stage) + Send + Sync),
}

impl Rotation<'_> {
    /// Rotates, or continues a rotation that was begun. `probe` must log in with the new login, and fail
    /// otherwise: it runs before any program receives that login.
    pub async fn run(
        &self,
        probe: impl AsyncFn(&str, &SecretString) -> Result<(), GrantError>,
    ) -> Result<Rotated, GrantError> {
        let logins = Logins::read(self.db).await?;
        let (active, _) =
            logins.find(self.component, LoginState::Active).ok_or_else(|| self.unknown())?;
        let leaving = logins.find(self.component, LoginState::Outgoing).map(|(slot, _)| slot);
        let (from, to) = leaving.map_or((active, active.other()), |leaving| (leaving, active));
        let row = db::retry!(self.begin(to))?;
        if leaving.is_none() {
            self.open(to, &logins).await?;
            (self.on_stage)(Stage::Opened);
            let opened = Logins::read(self.db).await?;
            let (_, incoming) =
                opened.find(self.component, LoginState::Incoming).ok_or_else(|| self.unknown())?;
            probe(&self.account(to), &self.site.keys.password(incoming)?.text()).await?;
            db::retry!(self.switch(from, to))?;
            (self.on_stage)(Stage::Switched);
        }
        let (ended, unvisited) = self.leave(&self.account(from)).await?;
        if unvisited.is_empty() {
            db::retry!(login::forget(self.db, self.component, from))?;
            db::retry!(history::finish(self.db, self.lock, row))?;
        }
        Ok(Rotated { from: self.account(from), to: self.account(to), ended, unvisited })
    }

    async fn begin(&self, to: Slot) -> Result<i64, GrantError> {
        let entry = Entry {
            number: None,
            name: format!("login of {} to {to}", self.component),
            kind: "login",
            direction: "up",
            checksum: None,
        };
        let transaction = db::begin(self.db).await?;
        let row = history::begin(&transaction, self.lock, &entry).await?;
        self.lock.fence(&transaction).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// The password is stored first; after a crash the same one is set again.
    async fn open(&self, to: Slot, logins: &Logins) -> Result<(), GrantError> {
        let component = self.component;
        if logins.find(component, LoginState::Incoming).is_none() {
            self.lock.look(self.db).await?;
            refuse_same_password(self.site, component, logins)?;
            let (state, version) = (LoginState::Incoming, logins.next_version(component));
            let new = NewLogin { component, slot: to, state, version };
            db::retry!(login::make(self.db, self.site, new))?;
        }
        let verifiers =
            Logins::read(self.db).await?.verifiers(&self.site.target, &self.site.keys)?;
        let account = self.account(to);
        let opened = db::retry!(self.enable(&account, true, &verifiers));
        if matches!(opened, Err(GrantError::PasswordRefused)) {
            // The next run must not try the same one again.
            login::forget(self.db, component, to).await?;
        }
        opened
    }

    async fn enable(
        &self,
        account: &str,
        enabled: bool,
        verifiers: &Verifiers,
    ) -> Result<(), GrantError> {
        let target = &self.site.target;
        let change = Change::Set(account.to_owned(), ENABLED.to_owned(), enabled.to_string());
        for statement in statements(target, &State::default(), &[change], verifiers) {
            self.lock.look(self.db).await?;
            self.db
                .execute_unprepared(&statement.exposed())
                .await
                .map_err(|error| refusal(target, &error, &statement.sql))?;
        }
        Ok(())
    }

    async fn switch(&self, from: Slot, to: Slot) -> Result<(), GrantError> {
        let transaction = db::begin(self.db).await?;
        login::move_to(&transaction, self.component, from, LoginState::Outgoing).await?;
        login::move_to(&transaction, self.component, to, LoginState::Active).await?;
        self.lock.fence(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Waits until the old login has had no session for the settle time, closes it, and ends the sessions that are left.
    /// Returns how many had to be ended, and the nodes that could not be asked.
    async fn leave(&self, account: &str) -> Result<(usize, Vec<String>), GrantError> {
        let engine = self.site.target.engine;
        let nodes = Nodes::open(self.db, engine, &self.site.options.nodes).await?;
        let left = self.leave_nodes(&nodes, account).await;
        let unvisited = nodes.unvisited.clone();
        nodes.close().await;
        Ok((left?, unvisited))
    }

    async fn leave_nodes(&self, nodes: &Nodes, account: &str) -> Result<usize, GrantError> {
        let engine = self.site.target.engine;
        let (begun, mut quiet) = (Instant::now(), Instant::now());
        while quiet.elapsed() < self.pace.settle && begun.elapsed() < self.pace.deadline {
            self.lock.check()?;
            let there = db::retry!(nodes.count(self.db, engine, account))?;
            if there > 0 {
                quiet = Instant::now();
            }
            (self.on_stage)(Stage::Leaving(there));
            sleep(POLL).await;
        }
        db::retry!(self.enable(account, false, &Verifiers::new()))?;
        let mut ended = 0;
        for _ in 0..LOOKS {
            self.lock.check()?;
            match db::retry!(nodes.end(self.db, engine, account))? {
                0 => return Ok(ended),
                more => ended = ended.max(more),
            }
            sleep(POLL).await;
        }
        Err(GrantError::SessionsStay { login: account.to_owned() })
    }

    fn account(&self, slot: Slot) -> String {
        self.site.target.names.login(self.component, slot)
    }

    fn unknown(&self) -> GrantError {
        GrantError::UnknownComponent(self.component.to_owned())
    }
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

const POLL: Duration = Duration::from_millis(200);

/// How often sessions that were told to end are looked for.
const LOOKS: u32 = 100;
