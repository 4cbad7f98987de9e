//! The run lock: a lease row with a fencing token.
//!
//! Promises: one holder at a time by the database's clock; a holder that fell asleep past its lease
//! cannot commit anything that ends with [`Lock::fence`]. Advisory locks are not used: they break
//! under transaction-mode poolers and do not survive a failover.
//!
//! Does not promise: that a statement already running on the server stops when the lease is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, Value};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Transient, has_table, holder, is_transient, statement};

mod take;

const LEASE: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The lock, held until it is released or dropped.
pub struct Lock {
    db: DatabaseConnection,
    token: i64,
    holder: String,
    lost: Arc<AtomicBool>,
    heartbeat: JoinHandle<()>,
}

/// Who holds the lock now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// What [`take_away`] wants.
    pub id: String,
    /// The same for a person.
    pub shown: String,
    /// Whether the process is certainly gone; `false` when nobody can tell.
    pub is_gone: bool,
    /// Whether the lease lasts longer than any that this program takes.
    pub is_overlong: bool,
    /// How long the lease lasts if it is not renewed.
    pub expires_in: Duration,
}

/// Who holds the lock; `None` when nobody does. Writes nothing.
pub async fn holder(db: &DatabaseConnection) -> Result<Option<Holder>, DbErr> {
    if !has_table(db, "strongroom_lock").await? {
        return Ok(None);
    }
    let engine = db.get_database_backend();
    let (now, expires) = (now_ms(engine), number(engine, "expires_ms"));
    let sql = format!(
        "SELECT holder, {expires} - {now} AS left_ms FROM strongroom_lock WHERE name = 'run' AND {expires} > {now}"
    );
    let Some(row) = db.query_one_raw(of(db, &sql, [])).await? else { return Ok(None) };
    let (id, left): (String, i64) = (row.try_get("", "holder")?, row.try_get("", "left_ms")?);
    let (shown, is_gone, expires_in) =
        (holder::shown(&id), holder::is_dead(&id), Duration::from_millis(left.unsigned_abs()));
    Ok(Some(Holder { id, shown, is_gone, is_overlong: expires_in > LEASE + HEARTBEAT, expires_in }))
}

/// Whose lease ran out without the lock being given back, for a person: that run was killed or hangs. The
/// next run takes the lock at once. Writes nothing.
pub async fn abandoned_by(db: &DatabaseConnection) -> Result<Option<String>, DbErr> {
    if !has_table(db, "strongroom_lock").await? {
        return Ok(None);
    }
    let engine = db.get_database_backend();
    let (now, expires) = (now_ms(engine), number(engine, "expires_ms"));
    let sql = format!(
        "SELECT holder FROM strongroom_lock WHERE name = 'run' AND {expires} > 0 AND {expires} <= {now}"
    );
    let Some(row) = db.query_one_raw(of(db, &sql, [])).await? else { return Ok(None) };
    Ok(Some(holder::shown(&row.try_get::<String>("", "holder")?)))
}

/// Takes the lock away from a holder, who can commit nothing from then on. False when that holder
/// does not have it.
pub async fn take_away(db: &DatabaseConnection, id: &str) -> Result<bool, DbErr> {
    let next = next_token(db.get_database_backend());
    let sql = format!(
        "UPDATE strongroom_lock SET token = {next}, expires_ms = 0, holder = '' WHERE name = 'run' AND holder = $1"
    );
    Ok(super::retry!(db.execute_raw(of(db, &sql, [id.into()])))?.rows_affected() == 1)
}

/// Why the lock is not, or no longer, ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another run is alive.
    #[error("the run lock is held by {holder}")]
    Held {
        /// Who, for a person.
        holder: String,
    },
    /// Its lease is neither renewed nor over in time, so its holder may be gone.
    #[error(
        "the run lock is held by {holder}, who shows no sign of life, under a lease that does not end in time"
    )]
    Stuck {
        /// Who, for a person.
        holder: String,
        /// What [`take_away`] wants.
        id: String,
    },
    /// The lease ended under us; nothing more may be written.
    #[error("the run lock was lost: its lease was not renewed in time")]
    Lost,
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl LockError {
    /// The same error again, for where it cannot be moved out of another.
    #[doc(hidden)]
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Held { holder } => Self::Held { holder: holder.clone() },
            Self::Stuck { holder, id } => Self::Stuck { holder: holder.clone(), id: id.clone() },
            Self::Lost => Self::Lost,
            Self::Database(error) => Self::Database(error.clone()),
        }
    }
}

impl Transient for LockError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Database(error) if is_transient(error))
    }
}

impl Lock {
    /// Takes the lock. Waits while its holder shows no sign of life, for 30 s at most: see [`LockError::Held`] and
    /// [`LockError::Stuck`].
    pub async fn take(db: &DatabaseConnection) -> Result<Self, LockError> {
        take::take(db).await
    }

    fn start(db: DatabaseConnection, token: i64, holder: String) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let heartbeat = tokio::spawn(beat(db.clone(), token, lost.clone()));
        Self { db, token, holder, lost, heartbeat }
    }

    /// Who holds it: this process, in the words of the history.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// The fencing token; larger than that of every run before.
    pub fn token(&self) -> i64 {
        self.token
    }

    /// Fails once the lease is known to be lost. Cheap: call it before each piece of work.
    pub fn check(&self) -> Result<(), LockError> {
        if self.lost.load(Ordering::Acquire) { Err(LockError::Lost) } else { Ok(()) }
    }

    /// The last statement before every commit of a run: takes the lease's row, so that nobody can
    /// take the lock over between this and the commit. Renews the lease as well: where a long piece of
    /// work shuts out all writers, it shut out the heartbeat too.
    pub async fn fence(&self, transaction: &impl ConnectionTrait) -> Result<(), LockError> {
        let engine = transaction.get_database_backend();
        let fence = statement(engine, &renewal(engine), [lease_ms(), self.token.into()]);
        if transaction.execute_raw(fence).await?.rows_affected() == 1 {
            Ok(())
        } else {
            Err(LockError::Lost)
        }
    }

    /// Looks whether the lock is still ours, before a statement that cannot be fenced because it commits
    /// by itself.
    pub async fn look(&self, db: &impl ConnectionTrait) -> Result<(), LockError> {
        self.check()?;
        let sql = "SELECT token FROM strongroom_lock WHERE name = 'run' AND token = $1";
        let ours = statement(db.get_database_backend(), sql, [self.token.into()]);
        super::retry!(db.query_one_raw(ours.clone()))?.map(drop).ok_or(LockError::Lost)
    }

    /// Gives the lock back, so that the next run need not wait.
    pub async fn release(self) -> Result<(), LockError> {
        self.heartbeat.abort();
        let sql = "UPDATE strongroom_lock SET expires_ms = 0 WHERE name = 'run' AND token = $1";
        super::retry!(self.db.execute_raw(of(&self.db, sql, [self.token.into()])))?;
        Ok(())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

/// Renews the lease. No row: somebody else has the lock. No answer for a whole lease: as good as lost.
async fn beat(db: DatabaseConnection, token: i64, lost: Arc<AtomicBool>) {
    let sql = renewal(db.get_database_backend());
    let mut renewed = Instant::now();
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let before = Instant::now();
        match db.execute_raw(of(&db, &sql, [lease_ms(), token.into()])).await {
            Ok(done) if done.rows_affected() == 1 => renewed = before,
            // A long piece of work of our own that shuts out writers shuts out the next holder too.
            Err(error) if renewed.elapsed() < LEASE || is_transient(&error) => {
                tracing::info!(%error, "the run lock's lease was not renewed yet");
            }
            _ => return lost.store(true, Ordering::Release),
        }
    }
}

/// Renews the lease of the holder of a token. A lease that was given back stays so: a heartbeat may still be on its way to
/// the server when the holder releases the lock.
fn renewal(engine: DbBackend) -> String {
    format!(
        "UPDATE strongroom_lock SET expires_ms = {} + $1 WHERE name = 'run' AND token = $2 AND expires_ms <> 0",
        now_ms(engine)
    )
}

/// A column of the lock as a number. SQLite keeps any text in it, which then counts as 0.
fn number(engine: DbBackend, column: &str) -> String {
    if engine == DbBackend::Sqlite {
        format!("CAST({column} AS INTEGER)")
    } else {
        column.to_owned()
    }
}

/// The token after this one. One that cannot have been counted up to is followed by 1, so that it never overflows.
fn next_token(engine: DbBackend) -> String {
    let token = number(engine, "token");
    format!("CASE WHEN {token} BETWEEN 0 AND 1000000000000000000 THEN {token} + 1 ELSE 1 END")
}

pub(super) fn now_ms(engine: DbBackend) -> &'static str {
    match engine {
        DbBackend::MySql => "(timestampdiff(MICROSECOND, '1970-01-01', utc_timestamp(6)) DIV 1000)",
        DbBackend::Postgres => "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
        _ => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    }
}

/// The database's clock, in milliseconds since 1970.
pub async fn clock_ms(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let engine = db.get_database_backend();
    let row = db
        .query_one_raw(statement(engine, &format!("SELECT {} AS now_ms", now_ms(engine)), []))
        .await?;
    row.map_or(Ok(0), |row| row.try_get("", "now_ms"))
}

fn lease_ms() -> Value {
    i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX).into()
}

fn of<const N: usize>(db: &DatabaseConnection, sql: &str, values: [Value; N]) -> Statement {
    statement(db.get_database_backend(), sql, values)
}
