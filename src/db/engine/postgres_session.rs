//! Sets up every session on PostgreSQL, before its first statement.
//!
//! A role, a database or the server may have other defaults than the ones that this program was tried with. Nothing here
//! depends on them.

use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::{self, Executor as _};

use crate::db::Access;

/// The settings of each session. A setting that the server does not know, or that has the value already, is not set: some take
/// a superuser.
const SETTINGS: [(&str, &str); 25] = [
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    ("lock_timeout", "0"),
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("transaction_timeout", "0"),
    ("standard_conforming_strings", "on"),
    ("backslash_quote", "safe_encoding"),
    ("bytea_output", "hex"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("client_encoding", "UTF8"),
    ("array_nulls", "on"),
    ("transform_null_equals", "off"),
    ("quote_all_identifiers", "off"),
    ("check_function_bodies", "on"),
    ("default_table_access_method", "heap"),
    ("createrole_self_grant", ""),
    ("exit_on_error", "off"),
    ("session_replication_role", "origin"),
    ("row_security", "off"),
    ("xmloption", "content"),
    ("extra_float_digits", "2"),
];

/// With `row_security` off a row that a policy of the server hides is an error, and never silently missing. The schema that
/// holds Strongroom's tables comes first in the path: unqualified names mean it, whatever schema was made later.
pub(in crate::db) async fn prepare(
    session: &mut PgConnection,
    access: Access,
) -> Result<(), sqlx::Error> {
    let read_only = if access == Access::Read { "on" } else { "off" };
    let settings = SETTINGS.iter().copied().chain([("default_transaction_read_only", read_only)]);
    set(session, settings).await?;
    if access != Access::Guest {
        session.execute(OUR_SCHEMA_FIRST).await?;
    }
    Ok(())
}

/// Sets up a session of a component, with its limits in milliseconds. What the policy leaves open is the role's own.
pub(crate) async fn prepare_component(
    session: &mut PgConnection,
    limits: impl IntoIterator<Item = (&'static str, Option<u64>)>,
) -> Result<(), sqlx::Error> {
    prepare(session, Access::Write).await?;
    let limits: Vec<_> =
        limits.into_iter().filter_map(|(name, ms)| Some((name, ms?.to_string()))).collect();
    set(session, limits.iter().map(|(name, ms)| (*name, ms.as_str()))).await
}

/// All names are qualified: a path may name other schemas before `pg_catalog`.
async fn set(
    session: &mut PgConnection,
    settings: impl Iterator<Item = (&str, &str)>,
) -> Result<(), sqlx::Error> {
    let values: Vec<String> =
        settings.map(|(name, value)| format!("('{name}','{value}')")).collect();
    if values.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT pg_catalog.set_config(v.n, v.s, false) FROM (VALUES {}) AS v (n, s) \
         WHERE pg_catalog.current_setting(v.n, true) OPERATOR(pg_catalog.<>) v.s",
        values.join(",")
    );
    session.execute(sqlx::AssertSqlSafe(sql)).await.map(drop)
}

/// Finds the runner's own table by the path, as every statement does.
const OUR_SCHEMA_FIRST: &str = "\
SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', pg_catalog.quote_ident(n.nspname::pg_catalog.text),
       NULLIF(pg_catalog.current_setting('search_path'), '')), false)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('strongroom_history')
  AND n.nspname OPERATOR(pg_catalog.<>) pg_catalog.current_schema()";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_named_once_and_need_no_quoting() {
        for (place, (name, value)) in SETTINGS.iter().enumerate() {
            assert!(SETTINGS.iter().skip(place + 1).all(|(other, _)| other != name), "{name}");
            assert!(!name.contains('\'') && !value.contains('\''), "{name}");
        }
    }
}
