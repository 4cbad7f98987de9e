//! How many bytes a statement may carry.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// What one statement may carry on this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet {
    /// The server's own limit; none where it is beyond what this program ever sends.
    pub(crate) limit: Option<u64>,
}

/// The largest page: far below the limits of PostgreSQL and SQLite.
const LARGEST: usize = 4 << 20;

impl Packet {
    /// How many bytes of rows a page may hold. A statement carries each cell as it was and as it is to be, and a part of
    /// the limit is for everything else.
    pub(crate) fn page_bytes(self) -> usize {
        let fits =
            self.limit.map_or(LARGEST, |limit| usize::try_from(limit / 4).unwrap_or(LARGEST));
        fits.min(LARGEST)
    }
}

/// Asks the server. Only MySQL and MariaDB have a limit that a page can meet: a session's is the one that the server had
/// when it began.
pub(crate) async fn packet(db: &impl ConnectionTrait) -> Result<Packet, DbErr> {
    if db.get_database_backend() != DbBackend::MySql {
        return Ok(Packet { limit: None });
    }
    let sql = Statement::from_string(
        DbBackend::MySql,
        "SELECT CAST(@@SESSION.max_allowed_packet AS CHAR) AS bytes",
    );
    let row = db.query_one_raw(sql).await?;
    let text: String = row.map_or(Ok(String::new()), |row| row.try_get("", "bytes"))?;
    let limit = text.parse().map_err(|_| DbErr::Type(format!("max_allowed_packet is `{text}`")))?;
    Ok(Packet { limit: Some(limit) })
}

/// The least that this program works with.
pub(crate) const LEAST_PACKET: u64 = 64 << 10;

/// How many of `wanted` rows one statement may take: `most`, or fewer where the server takes less. A row is of so many
/// bytes, with its share of the statement's text.
pub(crate) async fn rows_a_statement(
    db: &impl ConnectionTrait,
    wanted: usize,
    bytes_each: usize,
    most: usize,
) -> Result<usize, DbErr> {
    let least = usize::try_from(LEAST_PACKET / 4).unwrap_or(LARGEST);
    if wanted.min(most) * bytes_each <= least {
        return Ok(most);
    }
    let fits = packet(db).await?.page_bytes().max(least) / bytes_each.max(1);
    Ok(fits.clamp(1, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_adapt_to_a_small_packet_and_to_no_larger_one() {
        for (limit, bytes) in [
            (None, 4 << 20),
            (Some(64 << 10), 16 << 10),
            (Some(16 << 20), 4 << 20),
            (Some(1 << 30), 4 << 20),
        ] {
            assert_eq!(Packet { limit }.page_bytes(), bytes);
        }
    }
}
