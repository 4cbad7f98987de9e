//! How large pages may be on a Galera cluster, where every node takes a page in one piece, and when to rest.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbErr};

use super::error::ResealError;
use super::page::Size;
use crate::db::{ByDialect, Dialect, is_writeset_too_large, statement};

/// Rows that other nodes apply without falling behind.
const ROWS: u64 = 500;
/// How often the cluster is asked how it does.
const INTERVAL: Duration = Duration::from_secs(1);
/// The part of the time for which a node may have stopped the others.
const PAUSED: f64 = 0.1;
/// Rests before a page is written all the same: writers of other tables may be what the node does not keep up with.
const RESTS: u32 = 30;

const VARIABLES: ByDialect<Option<&str>> = ByDialect {
    postgres: None,
    mysql: Some(
        "SHOW SESSION VARIABLES WHERE Variable_name IN ('wsrep_on', 'wsrep_max_ws_rows', 'wsrep_max_ws_size')",
    ),
    sqlite: None,
};

/// Whether the server is a node of a Galera cluster.
pub async fn is_cluster(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(Pace::of(db).await?.largest.is_some())
}

/// The pace of a run. On a single server nothing is bounded, and nothing is asked.
pub(super) struct Pace {
    largest: Option<Size>,
    seen: Option<(Instant, u64)>,
}

impl Pace {
    /// Asks the server what it is.
    pub(super) async fn of(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let dialect = Dialect::of(db);
        let mut said = Vec::new();
        if let Some(sql) = dialect.pick(VARIABLES) {
            for row in db.query_all_raw(statement(dialect, sql, [])).await? {
                said.push((row.try_get_by_index::<String>(0)?, row.try_get_by_index::<String>(1)?));
            }
        }
        Ok(Self { largest: largest(&said), seen: None })
    }

    /// A page within what the cluster takes.
    pub(super) fn within(&self, size: Size) -> Size {
        self.largest.map_or(size, |most| Size {
            rows: size.rows.min(most.rows),
            bytes: size.bytes.min(most.bytes),
        })
    }

    /// Whether the page was too large for the cluster; then the next ones are half as large.
    pub(super) fn halves(&mut self, error: &ResealError, size: Size) -> bool {
        let ResealError::Database(error) = error else { return false };
        if !is_writeset_too_large(error) || size.rows <= 1 {
            return false;
        }
        self.largest = Some(Size { rows: size.rows / 2, bytes: size.bytes });
        true
    }

    /// Rests while a node keeps the others waiting.
    pub(super) async fn rest(&mut self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        if self.largest.is_none() || self.seen.is_some_and(|(at, _)| at.elapsed() < INTERVAL) {
            return Ok(());
        }
        for _ in 0..RESTS {
            let (now, paused) = (Instant::now(), paused_ns(db).await?);
            let before = self.seen.replace((now, paused));
            let Some((at, earlier)) = before else { break };
            if part(paused.saturating_sub(earlier), now - at) <= PAUSED {
                break;
            }
            tokio::time::sleep(INTERVAL).await;
        }
        Ok(())
    }
}

/// A quarter of what the server takes, as a page writes its checkpoint and what triggers add, too.
fn largest(said: &[(String, String)]) -> Option<Size> {
    let value = |wanted: &str| {
        said.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    if value("wsrep_on").is_none_or(|on| !matches!(on.as_str(), "ON" | "1")) {
        return None;
    }
    let number = |name| value(name).and_then(|text| text.parse::<u64>().ok()).filter(|n| *n > 0);
    let rows = number("wsrep_max_ws_rows").map_or(ROWS, |most| (most / 4).clamp(1, ROWS));
    let bytes = number("wsrep_max_ws_size").map_or(u64::MAX, |most| most / 4);
    Some(Size { rows, bytes: usize::try_from(bytes).unwrap_or(usize::MAX) })
}

async fn paused_ns(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    let sql = "SHOW GLOBAL STATUS LIKE 'wsrep_flow_control_paused_ns'";
    let row = db.query_one_raw(statement(Dialect::of(db), sql, [])).await?;
    let text: String = row.map_or(Ok(String::new()), |row| row.try_get_by_index(1))?;
    Ok(text.parse().unwrap_or(0))
}

fn part(paused_ns: u64, of: Duration) -> f64 {
    Duration::from_nanos(paused_ns).as_secs_f64() / of.as_secs_f64().max(f64::EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(values: &[(&str, &str)]) -> Vec<(String, String)> {
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn pages_stay_below_a_quarter_of_what_a_cluster_takes() {
        assert!(largest(&said(&[])).is_none());
        assert!(largest(&said(&[("wsrep_on", "OFF")])).is_none());
        let of = |rows, size| {
            let values =
                [("wsrep_on", "ON"), ("wsrep_max_ws_rows", rows), ("wsrep_max_ws_size", size)];
            largest(&said(&values)).map(|size| (size.rows, size.bytes)).unwrap()
        };
        assert_eq!(of("0", "2147483647"), (500, 536_870_911));
        assert_eq!(of("100", "4096"), (25, 1024));
        assert_eq!(of("2", "4096").0, 1);
    }

    #[test]
    fn a_part_of_the_time_is_between_none_and_all() {
        assert!(part(0, Duration::from_secs(1)) <= PAUSED);
        assert!(part(200_000_000, Duration::from_secs(1)) > PAUSED);
    }
}
