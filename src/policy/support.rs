//! Whether a server can hold programs to columns. Nothing is ever widened because one cannot.

use sea_orm::ConnectionTrait;
use strongroom_migration::Engine;

use super::GrantError;
use crate::db::{Support, statement, support};

/// Refuses a server that has no column grants, or that would keep a grant to one of its nodes.
pub(super) async fn require_support(
    db: &impl ConnectionTrait,
    engine: Engine,
) -> Result<(), GrantError> {
    unsupported(db, engine).await?.map_or(Ok(()), |reason| Err(GrantError::Unsupported(reason)))
}

/// Why a server cannot carry policies, if so.
pub(super) async fn unsupported(
    db: &impl ConnectionTrait,
    engine: Engine,
) -> Result<Option<String>, GrantError> {
    if engine == Engine::Sqlite {
        return Ok(None);
    }
    let backend = db.get_database_backend();
    let row = db.query_one_raw(statement(backend, "SELECT version() AS v", [])).await?;
    let version: String = row.map_or(Ok(String::new()), |row| row.try_get("", "v"))?;
    if let Some(reason) = refusal(engine, &version) {
        return Ok(Some(reason));
    }
    if engine == Engine::MariaDb {
        let sql = "SELECT CAST(count(*) AS CHAR) AS v FROM information_schema.session_variables \
                   WHERE variable_name = 'WSREP_OSU_METHOD' AND variable_value <> 'TOI' AND @@wsrep_on";
        let row = db.query_one_raw(statement(backend, sql, [])).await?;
        if row.map_or(Ok(String::new()), |row| row.try_get::<String>("", "v"))? != "0" {
            return Ok(Some(
                "wsrep_osu_method is not TOI, so a grant would stay on one node".into(),
            ));
        }
    }
    Ok(None)
}

/// Why a server of this version is refused, by what it says of itself.
fn refusal(engine: Engine, version: &str) -> Option<String> {
    let foreign = ["CockroachDB", "-YB-", "Redshift", "TiDB", "Vitess", "OceanBase"];
    if let Some(name) = foreign.into_iter().find(|name| version.contains(name)) {
        return Some(format!(
            "{name} speaks {engine}'s protocol, and its column grants were never tried"
        ));
    }
    match support(engine, version) {
        Support::TooOld(reason) => Some(reason),
        Support::Tested | Support::Untested => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_by_what_they_say_of_themselves() {
        for (engine, version, accepted) in [
            (Engine::Postgres, "PostgreSQL 17.2 (Debian 17.2-1) on x86_64-pc-linux-gnu", true),
            (Engine::Postgres, "PostgreSQL 15.18 on x86_64-pc-linux-gnu", true),
            (Engine::Postgres, "PostgreSQL 13.18 on x86_64-pc-linux-gnu", false),
            (Engine::Postgres, "PostgreSQL 15.12-YB-2025.1.0.0-b0 on x86_64", false),
            (Engine::Postgres, "CockroachDB CCL v24.1.1 (x86_64-pc-linux-gnu)", false),
            (Engine::MySql, "9.7.0", true),
            (Engine::MySql, "8.0.18-log", true),
            (Engine::MySql, "8.0.17", false),
            (Engine::MySql, "5.7.44", false),
            (Engine::MySql, "8.0.11-TiDB-v8.5.0", false),
            (Engine::MariaDb, "11.8.6-MariaDB-0+deb13u1", true),
            (Engine::MariaDb, "10.3.39-MariaDB", false),
            (Engine::Postgres, "", false),
        ] {
            assert_eq!(refusal(engine, version).is_none(), accepted, "{version}");
        }
    }
}
