//! The servers of an address, and the one that its sessions go to.
//!
//! A pool of the driver has one host. When that host is gone, or is no longer the wanted one, [`Hosts::follow`] gives the
//! pool the next host; sessions of the host before are dropped when somebody asks for one. No session is handed out that
//! was not looked at: see [`Hosts::admit`].

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::sqlx::pool::PoolConnectionMetadata;
use sea_orm::sqlx::{self, ConnectOptions as _, Connection, Database, Pool};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::since::Since;
use crate::db::NotPrimary;
use crate::db::address::{Address, Demand};

/// How often a pool with several hosts looks at the one that it uses.
const LOOK: Duration = Duration::from_secs(1);
/// A host that takes longer to answer is passed over.
const ANSWER: Duration = Duration::from_secs(3);
/// A session that was used a moment ago is not asked again: that would double the journeys of a busy program.
const FRESH: Duration = Duration::from_millis(500);

pub(crate) type Options<D> = <<D as Database>::Connection as Connection>::Options;

/// What a server says of itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Role {
    pub(super) is_standby: bool,
    pub(super) is_read_only: bool,
    /// A node of a cluster that takes no statements now.
    pub(super) is_apart: bool,
}

/// A driver whose servers have a role.
#[async_trait]
pub(crate) trait Server: Database {
    /// Asks a session that nothing was set in yet.
    async fn role(session: &mut Self::Connection) -> Result<Role, sqlx::Error>;

    /// Asks a session that is set up: one short statement.
    async fn role_again(session: &mut Self::Connection) -> Result<Role, sqlx::Error>;
}

/// The hosts of one pool.
pub(crate) struct Hosts<D: Server> {
    options: RwLock<Vec<Options<D>>>,
    demand: Demand,
    /// Shared with every pool of the same address.
    current: Arc<AtomicUsize>,
    moved: Since,
    wake: Notify,
    is_told: AtomicBool,
}

impl<D: Server> Hosts<D>
where
    Options<D>: sqlx::ConnectOptions<Connection = D::Connection>,
{
    pub(crate) fn new(address: &Address, options: Vec<Options<D>>) -> Arc<Self> {
        Arc::new(Self {
            options: RwLock::new(options),
            demand: address.demand(),
            current: address.current(),
            moved: Since::default(),
            wake: Notify::new(),
            is_told: AtomicBool::new(false),
        })
    }

    /// The host that was found last, and how to connect to it.
    pub(crate) fn current(&self) -> Result<Options<D>, sqlx::Error> {
        let options = self.read();
        let place = self.current.load(Ordering::Acquire);
        options.get(place).or_else(|| options.first()).cloned().ok_or_else(nowhere)
    }

    /// All hosts, the one that was found last first, with their places.
    pub(super) fn in_turn(&self) -> Vec<(usize, Options<D>)> {
        let all: Vec<_> = self.read().iter().cloned().enumerate().collect();
        let from = self.current.load(Ordering::Acquire).min(all.len());
        let (before, after) = all.split_at(from);
        after.iter().chain(before).cloned().collect()
    }

    pub(super) fn found(&self, place: usize) {
        self.current.store(place, Ordering::Release);
    }

    pub(super) fn is_list(&self) -> bool {
        self.read().len() > 1
    }

    /// Refuses a new session that is not of the wanted server. The first thing that is asked of it.
    pub(crate) async fn admit(&self, session: &mut D::Connection) -> Result<(), sqlx::Error> {
        if self.demand == Demand::Any {
            return Ok(());
        }
        let admitted = D::role(session).await.and_then(|role| self.judge(role));
        if admitted.is_err() {
            self.wake.notify_one();
        }
        admitted
    }

    /// Whether a session that idled may be used: it is there, of the current host, and that host is still the wanted one.
    pub(crate) async fn keeps(
        &self,
        session: &mut D::Connection,
        about: &PoolConnectionMetadata,
    ) -> bool {
        if !self.moved.is_before(about.age) {
            return false;
        }
        if about.idle_for < FRESH {
            return true;
        }
        let kept = self.is_wanted(session).await;
        if !kept {
            self.wake.notify_one();
        }
        kept
    }

    /// Drops every session that is open now when somebody asks for it.
    pub(crate) fn drop_sessions(&self) {
        self.moved.mark();
        self.wake.notify_one();
    }

    /// Uses other logins from now on.
    pub(crate) fn replace(
        &self,
        options: Vec<Options<D>>,
        pool: &Pool<D>,
    ) -> Result<(), sqlx::Error> {
        *self.options.write().unwrap_or_else(PoisonError::into_inner) = options;
        pool.set_connect_options(self.current()?);
        Ok(())
    }

    /// Moves the pool to another host whenever the one that it uses is not the wanted one, for as long as `alive` is held.
    pub(crate) fn follow(self: &Arc<Self>, pool: &Pool<D>, alive: Weak<()>) {
        if self.is_list() {
            tokio::spawn(follow(self.clone(), pool.clone(), alive));
        }
    }

    async fn is_wanted(&self, session: &mut D::Connection) -> bool {
        let asked = async {
            if self.demand == Demand::Any {
                return session.ping().await;
            }
            D::role_again(session).await.and_then(|role| self.judge(role))
        };
        matches!(timeout(ANSWER, asked).await, Ok(Ok(())))
    }

    pub(super) fn judge(&self, role: Role) -> Result<(), sqlx::Error> {
        if !role.is_apart && self.demand.accepts(role.is_standby, role.is_read_only) {
            return Ok(());
        }
        let refused = NotPrimary::new(role.is_apart, role.is_standby, role.is_read_only);
        Err(sqlx::Error::Configuration(refused.into()))
    }

    /// Tries each host, the current one first.
    async fn seek(&self, pool: &Pool<D>) {
        for (place, options) in self.in_turn() {
            let found = timeout(ANSWER, async {
                let mut session = options.connect().await?;
                if self.demand != Demand::Any {
                    self.judge(D::role(&mut session).await?)?;
                }
                session.close().await
            });
            match found.await {
                Ok(Ok(())) => return self.move_to(place, pool).await,
                Ok(Err(error)) => {
                    tracing::debug!(place, %error, "a host of the database's address");
                }
                Err(_) => {
                    tracing::debug!(place, "a host of the database's address does not answer");
                }
            }
        }
        if !self.is_told.swap(true, Ordering::AcqRel) {
            tracing::warn!("no host of the database's address takes changes now");
        }
    }

    async fn move_to(&self, place: usize, pool: &Pool<D>) {
        self.is_told.store(false, Ordering::Release);
        self.found(place);
        let Ok(options) = self.current() else { return };
        pool.set_connect_options(options);
        self.moved.mark();
        tracing::info!(host = place + 1, "sessions of the database go to this host of its address");
        while let Some(session) = pool.try_acquire() {
            let _ = timeout(FRESH, session.close()).await;
        }
    }

    /// Looks by a session of the pool, so that a login that has its limit of sessions has no session more.
    async fn holds(&self, pool: &Pool<D>) -> bool {
        if let Some(mut session) = pool.try_acquire() {
            return self.is_wanted(&mut session).await;
        }
        matches!(timeout(LOOK, pool.acquire()).await, Ok(Ok(_)))
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Vec<Options<D>>> {
        self.options.read().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn follow<D: Server>(hosts: Arc<Hosts<D>>, pool: Pool<D>, alive: Weak<()>)
where
    Options<D>: sqlx::ConnectOptions<Connection = D::Connection>,
{
    loop {
        let _ = timeout(LOOK, hosts.wake.notified()).await;
        if pool.is_closed() || alive.strong_count() == 0 {
            return;
        }
        if !hosts.holds(&pool).await {
            hosts.seek(&pool).await;
        }
    }
}

fn nowhere() -> sqlx::Error {
    sqlx::Error::Protocol("the database's address has no host".into())
}
