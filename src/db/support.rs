//! Which versions of the servers are accepted, and which were tested.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use strongroom_migration::Engine;

/// How a server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// The tests run on this version.
    Tested,
    /// New enough, and never tried.
    Untested,
    /// Too old, for this reason.
    TooOld(String),
}

/// An engine, its oldest version, and the beginnings of the tested ones.
type Versions = (Engine, [u32; 3], &'static [&'static [u32]]);

/// The oldest version of each engine that has what Strongroom uses, and the ones that tests run on.
const VERSIONS: [Versions; 4] = [
    (Engine::Postgres, [14, 0, 0], &[&[15], &[17]]),
    (Engine::MySql, [8, 0, 18], &[&[9]]),
    (Engine::MariaDb, [10, 6, 0], &[&[10, 11], &[11, 8]]),
    (Engine::Sqlite, [3, 35, 0], &[&[3]]),
];

/// Returns the version, in the server's own words.
pub async fn server_version(db: &impl ConnectionTrait) -> Result<String, DbErr> {
    let engine = db.get_database_backend();
    let sql = match engine {
        DbBackend::Postgres => "SELECT current_setting('server_version')",
        DbBackend::MySql => "SELECT version()",
        _ => "SELECT sqlite_version()",
    };
    let row = db.query_one_raw(Statement::from_string(engine, sql)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the server did not answer".into()))?
        .try_get_by_index(0)
}

/// Judges a server by the version that it says of itself.
pub fn support(engine: Engine, version: &str) -> Support {
    let found = numbers(version);
    let Some((_, oldest, tested)) = VERSIONS.iter().find(|(known, ..)| *known == engine) else {
        return Support::Untested;
    };
    if found < *oldest {
        let wanted = oldest.map(|number| number.to_string()).join(".");
        let wanted = wanted.trim_end_matches(".0");
        return Support::TooOld(format!(
            "this is {engine} {}, and {wanted} or newer is needed",
            shown(version)
        ));
    }
    if tested.iter().any(|version| found.starts_with(version)) {
        Support::Tested
    } else {
        Support::Untested
    }
}

/// The versions that tests run on, for a person.
pub fn tested(engine: Engine) -> String {
    let of_engine = VERSIONS
        .iter()
        .find(|(known, ..)| *known == engine)
        .map_or(&[][..], |(.., tested)| *tested);
    let text = |version: &&[u32]| version.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
    of_engine.iter().map(text).collect::<Vec<_>>().join(" and ")
}

/// The first three numbers of a version.
fn numbers(version: &str) -> [u32; 3] {
    let words = version.trim_start_matches("PostgreSQL ");
    let mut numbers =
        words.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse().ok());
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}

fn shown(version: &str) -> &str {
    version.trim_start_matches("PostgreSQL ").split([' ', '-']).next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_judged_as_servers_tell_them() {
        for (engine, version, tested) in [
            (Engine::Postgres, "17.5 (Debian 17.5-1)", Some(true)),
            (Engine::Postgres, "PostgreSQL 15.18 on x86_64-pc-linux-gnu", Some(true)),
            (Engine::Postgres, "14.0", Some(false)),
            (Engine::Postgres, "18beta1", Some(false)),
            (Engine::Postgres, "13.21", None),
            (Engine::Postgres, "", None),
            (Engine::MySql, "9.7.0", Some(true)),
            (Engine::MySql, "8.4.0", Some(false)),
            (Engine::MySql, "8.0.43-log", Some(false)),
            (Engine::MySql, "8.0.18-log", Some(false)),
            (Engine::MySql, "8.0.17", None),
            (Engine::MySql, "5.7.44", None),
            (Engine::MariaDb, "11.8.3-MariaDB-0+deb13u1", Some(true)),
            (Engine::MariaDb, "10.11.14-MariaDB-0+deb12u2", Some(true)),
            (Engine::MariaDb, "10.6.22-MariaDB", Some(false)),
            (Engine::MariaDb, "10.5.29-MariaDB", None),
            (Engine::Sqlite, "3.34.1", None),
        ] {
            let expected = match support(engine, version) {
                Support::Tested => Some(true),
                Support::Untested => Some(false),
                Support::TooOld(_) => None,
            };
            assert_eq!(expected, tested, "{engine} {version}");
        }
    }
}
