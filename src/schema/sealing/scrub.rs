//! The write-ahead log of an SQLite database, which keeps what rewritten pages held.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, Statement};
use sea_orm_migration::SchemaManager;

/// Readers come and go, and a checkpoint of another connection does not wait for this one.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Empties the write-ahead log, once nobody reads.
pub(super) async fn empty_write_ahead_log(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for _ in 0..ATTEMPTS {
        if is_truncated(manager).await? {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(DbErr::Migration(
        "another program is reading the database file, so its write-ahead log cannot be emptied"
            .into(),
    ))
}

/// The first column of the pragma's row says whether another connection kept it from finishing.
async fn is_truncated(manager: &SchemaManager<'_>) -> Result<bool, DbErr> {
    let pragma = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
    let answer = manager.get_connection().query_one_raw(pragma).await?;
    let busy: i32 = answer.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(busy == 0)
}
