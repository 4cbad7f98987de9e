//! Whether a server can hold the pools of all components at once.

use sea_orm::ConnectionTrait;

use crate::db::{ByDialect, Dialect, statement};
use crate::policy::{GrantError, Policy};

/// The sessions that pools may open, and those that the server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Of all components together.
    pub wanted: u32,
    /// What the server allows to logins that are no administrator's; none where it does not count.
    pub allowed: Option<u32>,
}

impl Capacity {
    /// Asks the server. While a login is rotated a component has sessions of two logins, but no more in one pool.
    pub async fn read(db: &impl ConnectionTrait, policy: &Policy) -> Result<Self, GrantError> {
        let wanted =
            policy.components.values().map(|component| component.limits.connections()).sum();
        let dialect = Dialect::of(db);
        let Some(sql) = dialect.pick(ALLOWED) else { return Ok(Self { wanted, allowed: None }) };
        let row = db.query_one_raw(statement(dialect, sql, [])).await?;
        let allowed: String = row.map_or(Ok(String::new()), |row| row.try_get("", "n"))?;
        Ok(Self { wanted, allowed: allowed.parse().ok() })
    }

    /// Refuses pools that are together larger than the server.
    pub(super) fn require(self) -> Result<(), GrantError> {
        match self.allowed {
            Some(allowed) if self.wanted > allowed => {
                Err(GrantError::TooManyConnections { wanted: self.wanted, allowed })
            }
            _ => Ok(()),
        }
    }
}

/// How many connections the server leaves to logins that are no administrator's.
const ALLOWED: ByDialect<Option<&str>> = ByDialect {
    postgres: Some(
        "SELECT (current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint \
         - coalesce(current_setting('reserved_connections', true), '0')::bigint)::text AS n",
    ),
    mysql: Some("SELECT CAST(@@max_connections AS CHAR) AS n"),
    sqlite: None,
};
