//! How long a statement may be.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// Below every server's default; MariaDB's is 16 MiB.
const LONGEST: usize = 4 << 20;

/// Returns how many bytes of rows go into one statement: half of what a MySQL or MariaDB server takes, at most 4 MiB.
pub(super) async fn longest(db: &impl ConnectionTrait) -> Result<usize, DbErr> {
    if db.get_database_backend() != DbBackend::MySql {
        return Ok(LONGEST);
    }
    let asked = Statement::from_string(DbBackend::MySql, "SELECT CAST(@@SESSION.max_allowed_packet AS CHAR)");
    let row = db.query_one_raw(asked).await?;
    let bytes: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
    let packet = bytes.and_then(|bytes| bytes.parse().ok()).unwrap_or(LONGEST);
    Ok(LONGEST.min(packet / 2))
}

/// Returns how many of these weights fit together; at least one.
pub(super) fn how_many_fit(weights: impl Iterator<Item = usize>, longest: usize) -> usize {
    let mut length = 0;
    let fit = weights.take_while(|weight| {
        length += weight;
        length <= longest
    });
    fit.count().max(1)
}
