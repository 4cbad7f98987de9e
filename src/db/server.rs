//! What a server, and a session with it, are like. Reads only, and asks for no rights that a login that
//! may read has not got, unless it says so.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::lock::now_ms;

/// The protocol that encrypts this session, as the server sees it; none where nothing does.
pub async fn encryption(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    let engine = db.get_database_backend();
    let sql = match engine {
        DbBackend::Postgres => {
            "SELECT 'ssl', version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl"
        }
        DbBackend::MySql => "SHOW SESSION STATUS LIKE 'Ssl_version'",
        _ => return Ok(None),
    };
    let row = db.query_one_raw(Statement::from_string(engine, sql)).await?;
    let protocol: Option<String> = row.map(|row| row.try_get_by_index(1)).transpose()?;
    Ok(protocol.filter(|name| !name.is_empty()))
}

/// How far this host's clock is ahead of the database's, in milliseconds, to within half the time that
/// asking takes.
#[expect(clippy::disallowed_methods, reason = "the two clocks are what is compared")]
pub async fn clock_lead_ms(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let engine = db.get_database_backend();
    let asked = SystemTime::now();
    let row = db
        .query_one_raw(Statement::from_string(
            engine,
            format!("SELECT {} AS now_ms", now_ms(engine)),
        ))
        .await?;
    let took = asked.elapsed().unwrap_or_default();
    let there: i64 = row.map_or(Ok(0), |row| row.try_get("", "now_ms"))?;
    let here = asked.duration_since(UNIX_EPOCH).unwrap_or_default() + took / 2;
    Ok(milliseconds(here) - there)
}

/// Whether the server takes no changes from anybody: a replica, or one that was locked for reading.
pub async fn is_read_only(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let said = match db.get_database_backend() {
        DbBackend::Postgres => text(db, "SELECT pg_is_in_recovery()::text").await?,
        DbBackend::MySql => text(db, "SELECT CAST(@@GLOBAL.read_only AS CHAR)").await?,
        _ => return Ok(false),
    };
    Ok(!matches!(said.as_str(), "false" | "0" | "OFF"))
}

/// Whether this login changes every role, and grants itself any, without being a superuser: CREATEROLE of PostgreSQL before 16.
pub async fn changes_every_role(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(false);
    }
    let sql = "SELECT (rolcreaterole AND NOT rolsuper AND current_setting('server_version_num')::int < 160000)::text \
               FROM pg_roles WHERE rolname = current_user";
    Ok(text(db, sql).await? == "true")
}

/// MySQL and MariaDB: the largest statement that is taken, in bytes.
pub async fn max_allowed_packet(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    let bytes = text(db, "SELECT CAST(@@GLOBAL.max_allowed_packet AS CHAR)").await?;
    bytes.parse().map_err(|_| DbErr::Type(format!("max_allowed_packet is `{bytes}`")))
}

/// MySQL and MariaDB: whether sessions that do not ask for it are strict about values that are too long.
pub async fn is_strict_by_default(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let modes = text(db, "SELECT @@GLOBAL.sql_mode").await?;
    Ok(modes
        .split(',')
        .any(|mode| matches!(mode, "STRICT_ALL_TABLES" | "STRICT_TRANS_TABLES" | "TRADITIONAL")))
}

/// MySQL and MariaDB: the accounts that Strongroom's triggers run as and that are gone; every write that
/// meets such a trigger fails (error 1449). An error for a login that may not see accounts.
pub async fn lost_definers(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let definers = texts(
        db,
        "SELECT DISTINCT definer FROM information_schema.triggers \
         WHERE trigger_schema = DATABASE() AND trigger_name LIKE 'strongroom%' ORDER BY definer",
    )
    .await?;
    if definers.is_empty() {
        return Ok(definers);
    }
    let accounts: BTreeSet<_> =
        texts(db, "SELECT CONCAT(user, '@', host) FROM mysql.user").await?.into_iter().collect();
    Ok(definers.into_iter().filter(|definer| !accounts.contains(definer)).collect())
}

async fn text(db: &impl ConnectionTrait, sql: &str) -> Result<String, DbErr> {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the server did not answer".into()))?
        .try_get_by_index(0)
}

async fn texts(db: &impl ConnectionTrait, sql: &str) -> Result<Vec<String>, DbErr> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
