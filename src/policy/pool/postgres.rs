//! A component's pool on PostgreSQL.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::sqlx;
use sea_orm::sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sea_orm::{DatabaseConnection, DbErr, SqlxPostgresConnector};

use super::held::{Held, is_there, one, sweep};
use super::rights::Expected;
use super::rolling::{ACQUIRE_TIMEOUT, Rolling};
use crate::db::{Address, conn, postgres_options};
use crate::policy::{Component, Limits};

pub(super) struct Postgres {
    pool: PgPool,
    held: Arc<Held>,
}

impl Postgres {
    pub(super) fn open(
        address: &Address,
        name: &str,
        _of: &Component,
        expected: Expected,
        _limits: &Limits,
        size: u32,
    ) -> Result<Self, DbErr> {
        let held = Held::new(expected);
        let (on_connect, on_acquire) = (held.clone(), held.clone());
        let pool = PgPoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = pool.after_connect(move |session, _| {
            let held = on_connect.clone();
            Box::pin(async move {
                let expected = held.expected();
                require(session, &expected).await?;
                held.require_unchanged(&expected)
            })
        });
        let pool = pool.test_before_acquire(false).before_acquire(move |session, about| {
            let current = on_acquire.is_current(about.age);
            Box::pin(async move { Ok(current && is_there(session, about.idle_for).await) })
        });
        Ok(Self { pool: pool.connect_lazy_with(postgres_options(address, name)?), held })
    }
}

#[async_trait]
impl Rolling for Postgres {
    fn database(&self) -> DatabaseConnection {
        SqlxPostgresConnector::from_sqlx_postgres_pool(self.pool.clone())
    }

    async fn probe(&self) -> Result<(), DbErr> {
        let expected = self.held.expected();
        let mut session = one(self.pool.connect_options().as_ref()).await.map_err(conn)?;
        require(&mut session, &expected).await.map_err(conn)
    }

    fn expect(&self, expected: Expected) {
        self.held.expect(expected);
    }

    async fn switch(&self, address: &Address, name: &str, expected: Expected) -> Result<(), DbErr> {
        self.expect(expected);
        self.pool.set_connect_options(postgres_options(address, name)?);
        self.held.switched();
        sweep(&self.pool).await;
        Ok(())
    }
}

const POSTGRES: &str = "\
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

/// The rights of the session's login, as it is told them itself.
async fn require(session: &mut PgConnection, expected: &Expected) -> Result<(), sqlx::Error> {
    let user: String = sqlx::query_scalar("SELECT session_user::text").fetch_one(&mut *session).await?;
    let rights: Vec<String> = sqlx::query_scalar(POSTGRES).fetch_all(session).await?;
    expected.require(&user, &rights)
}
