//! Taking the run lock: for how long to wait, and what a waiting run says.
//!
//! A live holder renews its lease within seconds, which ends the wait with [`LockError::Held`]. A dead holder's lease ends
//! within [`LEASE`]. A lease that is longer was written by something else, or the database's clock was set back: it is never
//! waited for to its end, and [`LockError::Stuck`] names the holder.

use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Value};
use tokio::time::{Instant, sleep};

use super::{
    HEARTBEAT, LEASE, Lock, LockError, clock_ms, lease_ms, next_token, now_ms, number, of,
};
use crate::db::{holder, is_transient, retry, statement};

const POLL: Duration = Duration::from_millis(250);
/// A wait is silent for no longer.
const SILENCE: Duration = Duration::from_millis(1500);
/// A live holder renews its lease at least once in this time.
const SIGN_OF_LIFE: Duration = HEARTBEAT.saturating_mul(2);

/// Takes the lock, and says so where it has to wait.
pub(super) async fn take(db: &DatabaseConnection) -> Result<Lock, LockError> {
    match select(pin!(wait_for_it(db)), pin!(tell(db))).await {
        Either::Left((taken, _)) => taken,
        Either::Right((never, _)) => match never {},
    }
}

async fn wait_for_it(db: &DatabaseConnection) -> Result<Lock, LockError> {
    let holder = holder::this_process();
    let (begun, first) = (Instant::now(), Lease::read(db).await?);
    let patience = if first.is_longer_than_ours(db).await? { SIGN_OF_LIFE } else { LEASE };
    loop {
        match try_to_take(db, &holder).await {
            Ok(Some(token)) => return Ok(Lock::start(db.clone(), token, holder)),
            // On SQLite a long transaction of the holder keeps everybody from writing.
            Err(error) if !is_transient(&error) => return Err(error.into()),
            _ => {}
        }
        let now = Lease::read(db).await?;
        if now.token != first.token || now.expires_ms != first.expires_ms {
            return Err(LockError::Held { holder: holder::shown(&now.holder) });
        }
        if begun.elapsed() > patience {
            return Err(LockError::Stuck { holder: holder::shown(&now.holder), id: now.holder });
        }
        sleep(POLL).await;
    }
}

/// Says once that the run waits, and for whom.
async fn tell(db: &DatabaseConnection) -> Infallible {
    sleep(SILENCE).await;
    let held_by = Lease::read(db)
        .await
        .map_or_else(|_| "another run".to_owned(), |lease| holder::shown(&lease.holder));
    tracing::warn!(
        "waiting for the run lock, which is held by {held_by}; for {} s at most",
        LEASE.as_secs()
    );
    pending().await
}

struct Lease {
    holder: String,
    token: i64,
    expires_ms: i64,
}

impl Lease {
    async fn read(db: &DatabaseConnection) -> Result<Self, DbErr> {
        let number = |column| number(db.get_database_backend(), column);
        let sql = format!(
            "SELECT holder, {} AS token, {} AS expires_ms FROM strongroom_lock WHERE name = 'run'",
            number("token"),
            number("expires_ms"),
        );
        let row = retry!(db.query_one_raw(of(db, &sql, [])))?;
        let row =
            row.ok_or_else(|| DbErr::RecordNotFound("strongroom_lock has lost its row".into()))?;
        Ok(Self {
            holder: row.try_get("", "holder")?,
            token: row.try_get("", "token")?,
            expires_ms: row.try_get("", "expires_ms")?,
        })
    }

    async fn is_longer_than_ours(&self, db: &DatabaseConnection) -> Result<bool, DbErr> {
        let left = self.expires_ms.saturating_sub(clock_ms(db).await?);
        Ok(left > i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX))
    }
}

async fn try_to_take(db: &DatabaseConnection, holder: &str) -> Result<Option<i64>, DbErr> {
    if let Some(token) = claim(db, holder).await? {
        return Ok(Some(token));
    }
    let lease = Lease::read(db).await?;
    take_from_the_dead(db, &lease, holder).await
}

/// One conditional update decides; reading first would let two win.
async fn claim(db: &DatabaseConnection, holder: &str) -> Result<Option<i64>, DbErr> {
    let engine = db.get_database_backend();
    let is_over = format!("{} < {}", number(engine, "expires_ms"), now_ms(engine));
    take_where(db, &is_over, [holder.into(), lease_ms()]).await
}

async fn take_from_the_dead(
    db: &DatabaseConnection,
    lease: &Lease,
    holder: &str,
) -> Result<Option<i64>, DbErr> {
    if !holder::is_dead(&lease.holder) {
        return Ok(None);
    }
    tracing::info!(
        holder = holder::shown(&lease.holder),
        "taking the run lock from a process that is gone"
    );
    take_where(db, "token = $3", [holder.into(), lease_ms(), lease.token.into()]).await
}

/// The new token, if the condition held. MySQL and MariaDB have no RETURNING here: the token comes back
/// with the statement's own result, as an insert's id would.
async fn take_where<const N: usize>(
    db: &DatabaseConnection,
    condition: &str,
    values: [Value; N],
) -> Result<Option<i64>, DbErr> {
    let engine = db.get_database_backend();
    let (now, next) = (now_ms(engine), next_token(engine));
    let set = |next: &str| {
        format!("UPDATE strongroom_lock SET holder = $1, token = {next}, expires_ms = {now} + $2")
    };
    if engine == DbBackend::MySql {
        let sql = format!(
            "{} WHERE name = 'run' AND {condition}",
            set(&format!("last_insert_id({next})"))
        );
        let done = db.execute_raw(statement(engine, &sql, values)).await?;
        return Ok((done.rows_affected() == 1)
            .then(|| i64::try_from(done.last_insert_id()).unwrap_or(i64::MAX)));
    }
    let sql = format!("{} WHERE name = 'run' AND {condition} RETURNING token", set(&next));
    let row = db.query_one_raw(statement(engine, &sql, values)).await?;
    row.map(|row| row.try_get("", "token")).transpose()
}
