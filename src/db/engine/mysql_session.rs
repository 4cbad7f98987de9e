//! Sets up every session on MySQL and MariaDB, before its first statement.
//!
//! The server, the account or `init_connect` may have other defaults than the ones that this program was
//! tried with. Nothing here depends on them.

use std::fmt::Write as _;

use sea_orm::sqlx::mysql::MySqlConnection;
use sea_orm::sqlx::{self, Executor as _, Row as _};

use crate::db::{Access, UnfitDatabase};

/// The setting without which a server cuts a value that is too long, and stores the rest.
const STRICT: &str = "STRICT_ALL_TABLES";

/// The settings of each session, on both servers.
const SETTINGS: [(&str, &str); 18] = [
    ("autocommit", "1"),
    ("completion_type", "'NO_CHAIN'"),
    (
        "sql_mode",
        "'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
    ),
    ("sql_safe_updates", "0"),
    ("sql_select_limit", "18446744073709551615"),
    ("sql_big_selects", "1"),
    ("sql_auto_is_null", "0"),
    ("sql_quote_show_create", "1"),
    ("foreign_key_checks", "1"),
    ("unique_checks", "1"),
    ("default_storage_engine", "'InnoDB'"),
    ("time_zone", "'+00:00'"),
    ("max_sort_length", "1024"),
    ("wait_timeout", "28800"),
    ("interactive_timeout", "28800"),
    ("net_read_timeout", "60"),
    ("net_write_timeout", "60"),
    ("innodb_lock_wait_timeout", "50"),
];

/// The settings of one server. A comment with a version is a statement: `/*!5…` to MySQL, `/*M!…` to MariaDB.
const OF_ONE: &str = " /*!50708 , SESSION max_execution_time = 0 */ /*M!100101 , SESSION max_statement_time = 0 */ \
    /*M!100300 , SESSION idle_transaction_timeout = 0, SESSION idle_write_transaction_timeout = 0, \
    SESSION idle_readonly_transaction_timeout = 0 */ /*M!100201 , SESSION check_constraint_checks = 1 */ \
    /*M!100502 , SESSION sql_if_exists = 0 */";

/// READ COMMITTED, so that a compare-and-swap meets fewer conflicts. A change of the schema waits a short time for a lock.
pub(in crate::db) async fn prepare(
    session: &mut MySqlConnection,
    access: Access,
) -> Result<(), sqlx::Error> {
    set_all(session, if access == Access::Schema { 3 } else { 50 }).await?;
    let transactions = match access {
        Access::Read => "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
        Access::Write | Access::Guest | Access::Schema => {
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE"
        }
    };
    session.execute(transactions).await?;
    require_settings(session).await
}

async fn set_all(session: &mut MySqlConnection, lock_wait_timeout: u32) -> Result<(), sqlx::Error> {
    let mut sql = format!("SET NAMES utf8mb4, SESSION lock_wait_timeout = {lock_wait_timeout}");
    for (name, value) in SETTINGS {
        let _ = write!(sql, ", SESSION {name} = {value}");
    }
    session.execute(sqlx::AssertSqlSafe(sql + OF_ONE)).await.map(drop)
}

/// A pooler in between may take a `SET` and not pass it on. Servers outside a cluster know none of the names of one.
async fn require_settings(session: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    let mut told = told(session).await?;
    if told.is("wsrep_on", "ON") {
        session.execute(IN_A_CLUSTER).await?;
        told = self::told(session).await?;
    }
    let refused = |what| Err(sqlx::Error::Configuration(UnfitDatabase::Setting(what).into()));
    let mode = told.value("sql_mode");
    if !mode.split(',').any(|word| word == STRICT) {
        return refused("sql_mode strict, and would cut long values");
    }
    if mode
        .split(',')
        .any(|word| matches!(word, "ANSI_QUOTES" | "NO_BACKSLASH_ESCAPES" | "ORACLE" | "MSSQL"))
    {
        return refused("sql_mode as this session sets it");
    }
    if !told.is("autocommit", "ON") {
        return refused("autocommit on");
    }
    told.in_a_cluster().map_or(Ok(()), refused)
}

/// On a node of a Galera cluster: a read sees what any node acknowledged before it, each change of the schema is made on
/// all nodes, and a node that left the cluster answers nothing.
const IN_A_CLUSTER: &str = "SET SESSION wsrep_sync_wait = 1, SESSION wsrep_osu_method = 'TOI', SESSION wsrep_dirty_reads = 0";

/// What a session says of its settings.
struct Told(Vec<(String, String)>);

async fn told(session: &mut MySqlConnection) -> Result<Told, sqlx::Error> {
    let sql = "SHOW SESSION VARIABLES WHERE variable_name IN ('sql_mode', 'autocommit', 'wsrep_on', 'wsrep_sync_wait', \
               'wsrep_osu_method', 'wsrep_dirty_reads')";
    let rows = sqlx::raw_sql(sql).fetch_all(session).await?;
    let rows = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    rows.collect::<Result<_, sqlx::Error>>().map(Told)
}

impl Told {
    fn value(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(told, _)| told.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.value(name).eq_ignore_ascii_case(value)
    }

    /// What a node of a cluster did not keep.
    fn in_a_cluster(&self) -> Option<&'static str> {
        if !self.is("wsrep_on", "ON") {
            return None;
        }
        // A bit for reads, beside others that an administrator may want.
        let waits = self.value("wsrep_sync_wait").parse::<u32>().is_ok_and(|bits| bits & 1 == 1);
        let kept = [
            (waits, "wsrep_sync_wait on, and would read what is out of date"),
            (
                self.is("wsrep_osu_method", "TOI"),
                "wsrep_osu_method TOI, and would leave nodes different",
            ),
            (!self.is("wsrep_dirty_reads", "ON"), "wsrep_dirty_reads off"),
        ];
        kept.into_iter().find(|(kept, _)| !kept).map(|(_, what)| what)
    }
}

/// Sets up a session of a component, with its limits in milliseconds. MySQL bounds reading statements only.
pub(crate) async fn prepare_component(
    session: &mut MySqlConnection,
    lock_timeout: Option<u64>,
    statement_timeout: Option<u64>,
) -> Result<(), sqlx::Error> {
    prepare(session, Access::Write).await?;
    if let Some(ms) = lock_timeout {
        let seconds = ms.div_ceil(1000);
        let sql = format!(
            "SET SESSION lock_wait_timeout = {seconds}, SESSION innodb_lock_wait_timeout = {seconds}"
        );
        session.execute(sqlx::AssertSqlSafe(sql)).await?;
    }
    if let Some(ms) = statement_timeout {
        let (seconds, rest) = (ms / 1000, ms % 1000);
        let sql = format!(
            "SET NAMES utf8mb4 /*!50708 , SESSION max_execution_time = {ms} */ \
             /*M!100101 , SESSION max_statement_time = {seconds}.{rest:03} */"
        );
        session.execute(sqlx::AssertSqlSafe(sql)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_named_once() {
        for (place, (name, _)) in SETTINGS.iter().enumerate() {
            assert!(SETTINGS.iter().skip(place + 1).all(|(other, _)| other != name), "{name}");
        }
    }

    fn node(settings: &[(&str, &str)]) -> Told {
        Told(settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn a_node_that_does_not_keep_the_settings_is_refused() {
        let good = [
            ("wsrep_OSU_method", "TOI"),
            ("wsrep_dirty_reads", "OFF"),
            ("wsrep_on", "ON"),
            ("wsrep_sync_wait", "15"),
        ];
        assert_eq!(node(&good).in_a_cluster(), None);
        assert_eq!(node(&[("wsrep_on", "OFF")]).in_a_cluster(), None);
        assert_eq!(node(&[]).in_a_cluster(), None);
        for (name, value) in [
            ("wsrep_OSU_method", "RSU"),
            ("wsrep_OSU_method", "NBO"),
            ("wsrep_dirty_reads", "ON"),
            ("wsrep_sync_wait", "0"),
            ("wsrep_sync_wait", "6"),
        ] {
            let bad = good.map(|(known, kept)| (known, if known == name { value } else { kept }));
            assert!(node(&bad).in_a_cluster().is_some(), "{name} {value}");
        }
    }
}
