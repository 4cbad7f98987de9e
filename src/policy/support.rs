//! Whether a server can hold programs to columns. Nothing is ever widened because one cannot.

use sea_orm::ConnectionTrait;
use strongroom_migration::Engine;

use super::GrantError;
use crate::db::statement;

/// The oldest versions whose column grants, roles and memberships are what this program counts on.
const POSTGRES: u32 = 16;
const MYSQL: (u32, u32, u32) = (8, 0, 18);
const MARIADB: (u32, u32) = (10, 6);

/// Refuses a server that has no column grants, or that would keep a grant to one of its nodes.
pub(super) async fn require_support(db: &impl ConnectionTrait, engine: Engine) -> Result<(), GrantError> {
    if engine == Engine::Sqlite {
        return Ok(());
    }
    let backend = db.get_database_backend();
    let row = db.query_one_raw(statement(backend, "SELECT version() AS v", [])).await?;
    let version: String = row.map_or(Ok(String::new()), |row| row.try_get("", "v"))?;
    if let Some(reason) = refusal(engine, &version) {
        return Err(GrantError::Unsupported(reason));
    }
    if engine == Engine::MariaDb {
        let sql = "SELECT CAST(count(*) AS CHAR) AS v FROM information_schema.session_variables \
                   WHERE variable_name = 'WSREP_OSU_METHOD' AND variable_value <> 'TOI' AND @@wsrep_on";
        let row = db.query_one_raw(statement(backend, sql, [])).await?;
        if row.map_or(Ok(String::new()), |row| row.try_get::<String>("", "v"))? != "0" {
            return Err(GrantError::Unsupported("wsrep_osu_method is not TOI, so a grant would stay on one node".into()));
        }
    }
    Ok(())
}

/// Why a server of this version is refused, by what it says of itself.
fn refusal(engine: Engine, version: &str) -> Option<String> {
    let foreign = ["CockroachDB", "-YB-", "Redshift", "TiDB", "Vitess", "OceanBase"];
    if let Some(name) = foreign.into_iter().find(|name| version.contains(name)) {
        return Some(format!("{name} speaks {engine}'s protocol, and its column grants were never tried"));
    }
    let words = version.trim_start_matches("PostgreSQL ");
    let mut numbers = words.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
    let mut next = || numbers.next().unwrap_or(0);
    let (major, minor, patch) = (next(), next(), next());
    let (enough, wanted) = match engine {
        Engine::Postgres => (major >= POSTGRES, format!("{POSTGRES}")),
        Engine::MariaDb => ((major, minor) >= MARIADB, format!("{}.{}", MARIADB.0, MARIADB.1)),
        _ => ((major, minor, patch) >= MYSQL, format!("{}.{}.{}", MYSQL.0, MYSQL.1, MYSQL.2)),
    };
    (!enough).then(|| format!("{engine} {wanted} or newer is needed for policies"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_by_what_they_say_of_themselves() {
        for (engine, version, accepted) in [
            (Engine::Postgres, "PostgreSQL 17.2 (Debian 17.2-1) on x86_64-pc-linux-gnu", true),
            (Engine::Postgres, "PostgreSQL 15.18 on x86_64-pc-linux-gnu", false),
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
