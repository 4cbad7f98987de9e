//! What a login can do, as the server tells the login itself, and what it may do.

use std::collections::BTreeSet;

use sea_orm::sqlx::mysql::MySqlConnection;
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::{self, Row as _};
use strongroom_migration::Engine;

use super::show_grants;
use crate::policy::wanted::Target;
use crate::policy::{Component, Policy, Verb};

/// What one login is expected to be able to do, at most. A right is a line of text: `schema.table.column SELECT`,
/// `schema.table DELETE`, or a word such as `SUPERUSER`.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    component: String,
    user: String,
    allowed: BTreeSet<String>,
    /// Tables that the policy governs: a right on any other is excused where everybody is known to have some.
    governed: BTreeSet<String>,
    excuses_others: bool,
}

impl Expected {
    pub(super) fn new(target: &Target, policy: &Policy, name: &str, component: &Component, user: &str) -> Self {
        let role = target.names.role(name);
        let schema = if target.engine == Engine::MariaDb { target.names.view_schema(name) } else { target.schema.clone() };
        let mut allowed = BTreeSet::from([format!("role {role}")]);
        for (table, rights) in &component.tables {
            for verb in Verb::OF_COLUMNS {
                allowed
                    .extend(rights.columns(verb).into_iter().flatten().map(|column| format!("{schema}.{table}.{column} {verb}")));
            }
            allowed.extend(rights.delete.then(|| format!("{schema}.{table} {}", Verb::Delete)));
        }
        Self {
            component: name.to_owned(),
            user: user.to_owned(),
            allowed,
            governed: policy.tables().into_iter().map(|table| format!("{schema}.{table}")).collect(),
            excuses_others: policy.known.contains("PUBLIC"),
        }
    }

    /// Why this login must not be used, if so.
    fn refusal(&self, user: &str, rights: &[String]) -> Option<Refused> {
        // A pool that finds no good session says nothing of the reason to whoever waits for one.
        let refused = |reason: String| {
            tracing::warn!(component = self.component, reason, "a session is refused");
            Some(Refused { component: self.component.clone(), reason })
        };
        if user != self.user {
            return refused(format!("the session is {user}'s and not {}'s", self.user));
        }
        let excess = rights.iter().find(|right| !self.allowed.contains(*right) && !self.is_excused(right));
        excess.and_then(|right| refused(format!("it may do more than the policy says: {right}")))
    }

    fn is_excused(&self, right: &str) -> bool {
        self.excuses_others
            && right.contains('.')
            && !self
                .governed
                .iter()
                .any(|table| right.starts_with(&format!("{table}.")) || right.starts_with(&format!("{table} ")))
    }
}

/// A login that must not be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the login of `{component}` is refused: {reason}")]
pub struct Refused {
    /// Whose login it is.
    pub component: String,
    /// Why.
    pub reason: String,
}

impl Refused {
    fn into_error(self) -> sqlx::Error {
        sqlx::Error::Configuration(Box::new(self))
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

/// Fails with [`Refused`] when the session's login is another, or can do more than it may.
pub(super) async fn require_on_postgres(session: &mut PgConnection, expected: &Expected) -> Result<(), sqlx::Error> {
    let user: String = sqlx::query_scalar("SELECT session_user::text").fetch_one(&mut *session).await?;
    let rights: Vec<String> = sqlx::query_scalar(POSTGRES).fetch_all(session).await?;
    expected.refusal(&user, &rights).map_or(Ok(()), |refused| Err(refused.into_error()))
}

/// The same on MySQL and MariaDB.
pub(super) async fn require_on_mysql(session: &mut MySqlConnection, expected: &Expected) -> Result<(), sqlx::Error> {
    let user: String = sqlx::query_scalar("SELECT CAST(current_user() AS CHAR)").fetch_one(&mut *session).await?;
    let rows = sqlx::query("SHOW GRANTS").fetch_all(session).await?;
    let mut rights = Vec::new();
    for row in rows {
        rights.extend(show_grants::rights(row.try_get::<String, _>(0)?.as_str()));
    }
    expected.refusal(user.strip_suffix("@%").unwrap_or(&user), &rights).map_or(Ok(()), |refused| Err(refused.into_error()))
}
