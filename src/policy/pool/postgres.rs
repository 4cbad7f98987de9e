//! A component's pool on PostgreSQL.

use async_trait::async_trait;
use sea_orm::sqlx;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, Postgres};
use sea_orm::{DatabaseConnection, DbErr, SqlxPostgresConnector};

use super::login_pool::Driver;
use super::rights::Expected;
use crate::db::{Address, postgres_options};
use crate::policy::Limits;

#[async_trait]
impl Driver for Postgres {
    fn options(address: &Address, name: &str) -> Result<PgConnectOptions, DbErr> {
        postgres_options(address, name)
    }

    /// The limits are its role's own.
    async fn prepare(_session: &mut PgConnection, _limits: &Limits) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn require(session: &mut PgConnection, expected: &Expected) -> Result<(), sqlx::Error> {
        let user: String = sqlx::query_scalar("SELECT session_user::text").fetch_one(&mut *session).await?;
        let rights: Vec<String> = sqlx::query_scalar(RIGHTS).fetch_all(session).await?;
        expected.require(&user, &rights)
    }

    fn database(pool: PgPool) -> DatabaseConnection {
        SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
    }
}

/// Every right of the session's login, a line each.
const RIGHTS: &str = "\
WITH tables AS (SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.oid = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))
SELECT t.name || '.' || a.attname || ' ' || v AS r FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) v WHERE has_column_privilege(t.oid, a.attnum, v)
UNION ALL SELECT t.name || ' ' || v FROM tables t CROSS JOIN unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) v WHERE has_table_privilege(t.oid, v)
UNION ALL SELECT t.name || ' OWNER' FROM tables t WHERE pg_has_role(t.relowner, 'USAGE')
UNION ALL SELECT v FROM pg_roles r CROSS JOIN LATERAL unnest(ARRAY[
    CASE WHEN rolsuper THEN 'SUPERUSER' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END,
    CASE WHEN rolbypassrls THEN 'BYPASSRLS' END, CASE WHEN rolreplication THEN 'REPLICATION' END]) v
    WHERE r.rolname = session_user AND v IS NOT NULL
UNION ALL SELECT 'CREATE on the schema' WHERE has_schema_privilege(current_schema(), 'CREATE')
UNION ALL SELECT 'role ' || r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
    WHERE u.rolname = session_user";
