//! Whether a pool can serve one more.

use sea_orm::DatabaseConnection;

/// Returns false only where every connection that the pool may have is in use.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(super) fn has_free_connection(db: &DatabaseConnection) -> bool {
    use sea_orm::DatabaseConnectionType;
    macro_rules! is_free {
        ($pool:expr) => {{
            let pool = $pool;
            pool.num_idle() > 0 || pool.size() < pool.options().get_max_connections()
        }};
    }
    match &db.inner {
        #[cfg(feature = "postgres")]
        DatabaseConnectionType::SqlxPostgresPoolConnection(_) => {
            is_free!(db.get_postgres_connection_pool())
        }
        #[cfg(feature = "mysql")]
        DatabaseConnectionType::SqlxMySqlPoolConnection(_) => {
            is_free!(db.get_mysql_connection_pool())
        }
        #[cfg(feature = "sqlite")]
        DatabaseConnectionType::SqlxSqlitePoolConnection(_) => {
            is_free!(db.get_sqlite_connection_pool())
        }
        _ => true,
    }
}

/// Without an engine there is no pool.
#[cfg(not(any(feature = "postgres", feature = "mysql", feature = "sqlite")))]
pub(super) fn has_free_connection(_: &DatabaseConnection) -> bool {
    true
}
