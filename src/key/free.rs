//! Whether a pool can serve one more.

use sea_orm::{DatabaseConnection, DatabaseConnectionType};

/// Returns false only where every connection that the pool may have is in use.
pub(super) fn has_free_connection(db: &DatabaseConnection) -> bool {
    macro_rules! is_free {
        ($pool:expr) => {{
            let pool = $pool;
            pool.num_idle() > 0 || pool.size() < pool.options().get_max_connections()
        }};
    }
    match &db.inner {
        #[cfg(feature = "postgres")]
        DatabaseConnectionType::SqlxPostgresPoolConnection(_) => is_free!(db.get_postgres_connection_pool()),
        #[cfg(feature = "mysql")]
        DatabaseConnectionType::SqlxMySqlPoolConnection(_) => is_free!(db.get_mysql_connection_pool()),
        #[cfg(feature = "sqlite")]
        DatabaseConnectionType::SqlxSqlitePoolConnection(_) => is_free!(db.get_sqlite_connection_pool()),
        _ => true,
    }
}
