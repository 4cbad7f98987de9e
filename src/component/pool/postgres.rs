//! A component's pool on PostgreSQL.

use async_trait::async_trait;
use sea_orm::sqlx;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, Postgres};
use sea_orm::{DatabaseConnection, DbErr, SqlxPostgresConnector};

use super::login_pool::Driver;
use super::rights::Expected;
use crate::db::{Address, postgres_options, prepare_postgres};
use crate::policy::Limits;
use crate::policy::granted::Right;
use crate::policy::state::Object;
use crate::policy::wanted::timeouts;

#[async_trait]
impl Driver for Postgres {
    fn options(address: &Address, name: &str) -> Result<Vec<PgConnectOptions>, DbErr> {
        postgres_options(address, name)
    }

    async fn prepare(session: &mut PgConnection, limits: &Limits) -> Result<(), sqlx::Error> {
        prepare_postgres(session, timeouts(limits)).await
    }

    async fn require(session: &mut PgConnection, expected: &Expected) -> Result<(), sqlx::Error> {
        let user: String =
            sqlx::query_scalar("SELECT session_user::text").fetch_one(&mut *session).await?;
        let told: Vec<Told> = sqlx::query_as(RIGHTS).fetch_all(session).await?;
        expected.require(&user, &told.into_iter().map(right).collect::<Vec<_>>())
    }

    fn database(pool: PgPool) -> DatabaseConnection {
        SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
    }
}

/// A row of [`RIGHTS`]: schema, table, column, privilege, and whether everybody has it.
type Told = (Option<String>, Option<String>, Option<String>, String, bool);

fn right((schema, table, column, privilege, is_publics): Told) -> Right {
    let object = match (schema, table, column) {
        (Some(schema), Some(table), Some(column)) => Object::Column(schema, table, column),
        (Some(schema), Some(table), None) => Object::Table(schema, table),
        (Some(schema), None, _) => Object::Schema(schema),
        (None, ..) => Object::Server,
    };
    Right { object, privilege, is_publics }
}

/// Every right of the session's login.
const RIGHTS: &str = "\
WITH tables AS (SELECT c.oid, n.nspname::text AS s, c.relname::text AS t, c.relowner, c.relrowsecurity, EXISTS (SELECT FROM pg_depend e
                       WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e') AS of_extension
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.oid = quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))
SELECT t.s, t.t, a.attname::text AS c, v, has_column_privilege('public', t.oid, a.attnum, v) AS p
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) v
    WHERE has_column_privilege(t.oid, a.attnum, v) AND NOT (t.of_extension AND has_column_privilege('public', t.oid, a.attnum, v))
UNION ALL SELECT t.s, t.t, NULL, v, has_table_privilege('public', t.oid, v)
    FROM tables t CROSS JOIN unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) v
    WHERE has_table_privilege(t.oid, v) AND NOT (t.of_extension AND has_table_privilege('public', t.oid, v))
UNION ALL SELECT t.s, t.t, NULL, 'OWNER', false FROM tables t WHERE pg_has_role(t.relowner, 'USAGE')
UNION ALL SELECT t.s, t.t, NULL, 'ROW LEVEL SECURITY', false FROM tables t WHERE t.relrowsecurity
UNION ALL SELECT NULL, NULL, NULL, v, false FROM pg_roles r CROSS JOIN LATERAL unnest(ARRAY[
    CASE WHEN rolsuper THEN 'SUPERUSER' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END,
    CASE WHEN rolbypassrls THEN 'BYPASSRLS' END, CASE WHEN rolreplication THEN 'REPLICATION' END]) v
    WHERE r.rolname = session_user AND v IS NOT NULL
UNION ALL SELECT current_schema()::text, NULL, NULL, 'CREATE', has_schema_privilege('public', current_schema(), 'CREATE')
    WHERE has_schema_privilege(current_schema(), 'CREATE')
UNION ALL SELECT NULL, NULL, NULL, 'role ' || r.rolname, false FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
    JOIN pg_roles u ON u.oid = m.member WHERE u.rolname = session_user
UNION ALL SELECT NULL, NULL, NULL, 'OWNER of ' || pg_describe_object(d.classid, d.objid, d.objsubid), false
    FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid JOIN pg_database b ON b.datname = current_database()
    WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o' AND d.dbid IN (0, b.oid)
      AND pg_has_role(session_user, r.oid, 'MEMBER') AND NOT pg_is_other_temp_schema(coalesce(
          (SELECT relnamespace FROM pg_class WHERE oid = d.objid AND d.classid = 'pg_class'::regclass), 0))";
