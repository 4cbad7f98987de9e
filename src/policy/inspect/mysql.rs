//! The privilege tables of MySQL and MariaDB.

mod accounts;
mod databases;
mod views;

use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use strongroom_migration::Engine;

use super::{Inspected, all, one};
use crate::policy::drift::Drift;
use crate::policy::reach::{is_known, reaches, reaches_by_public};
use crate::policy::state::{Grant, Object};
use crate::policy::wanted::Target;
use crate::policy::{Policy, cure};

pub(super) async fn inspect(
    db: &impl ConnectionTrait,
    target: &Target,
    policy: &Policy,
) -> Result<Inspected, DbErr> {
    let mut found = Inspected::default();
    accounts::accounts(db, target, &mut found.state).await?;
    accounts::members(db, target, &mut found.state).await?;
    let databases = databases::all(db).await?;
    if target.engine == Engine::MariaDb {
        views::views(db, target, databases.as_ref(), &mut found).await?;
    }
    for level in LEVELS {
        privileges(db, target, policy, level, &mut found).await?;
    }
    found.gone = databases::gone(&found.state, databases.as_ref());
    others(db, target, policy, &mut found.foreign).await?;
    Ok(found)
}

/// A view of `information_schema`, and which of its columns say on what a privilege is.
struct Level {
    view: &'static str,
    on: &'static str,
}

const LEVELS: [Level; 4] = [
    Level { view: "user_privileges", on: "NULL AS s, NULL AS t, NULL AS c" },
    Level {
        view: "schema_privileges",
        on: "CAST(table_schema AS CHAR) AS s, NULL AS t, NULL AS c",
    },
    Level {
        view: "table_privileges",
        on: "CAST(table_schema AS CHAR) AS s, CAST(table_name AS CHAR) AS t, NULL AS c",
    },
    Level {
        view: "column_privileges",
        on: "CAST(table_schema AS CHAR) AS s, CAST(table_name AS CHAR) AS t, CAST(column_name AS CHAR) AS c",
    },
];

/// What our accounts hold anywhere, and what others hold on our tables and views.
async fn privileges(
    db: &impl ConnectionTrait,
    target: &Target,
    policy: &Policy,
    level: Level,
    found: &mut Inspected,
) -> Result<(), DbErr> {
    let sql = format!(
        "SELECT CAST(grantee AS CHAR) AS grantee, CAST(privilege_type AS CHAR) AS privilege, \
         CAST(is_grantable AS CHAR) AS grantable, {} FROM information_schema.{} WHERE privilege_type <> 'USAGE'",
        level.on, level.view
    );
    let nobody_binds = unbound(db, target).await?;
    for row in all(db, &sql, []).await? {
        let grantee = parse_grantee(&text(&row, "grantee")?);
        let object = object(row.try_get("", "s")?, row.try_get("", "t")?, row.try_get("", "c")?);
        let mut privileges = vec![text(&row, "privilege")?];
        if text(&row, "grantable")? == "YES" {
            privileges.push("GRANT OPTION".to_owned());
        }
        for privilege in privileges {
            let grant = Grant { grantee: grantee.clone(), object: object.clone(), privilege };
            if grantee.starts_with(target.names.prefix()) {
                found.state.grants.insert(grant);
            } else if is_foreign(target, policy, &nobody_binds, &grant) {
                found.foreign.push(drift_of(target, grant));
            }
        }
    }
    Ok(())
}

fn drift_of(target: &Target, grant: Grant) -> Drift {
    let Grant { grantee, object, privilege } = grant;
    let kind = if grantee == PUBLIC { "public" } else { "foreign" };
    let cure = cure::revoke(target, &grantee, &object, &privilege);
    Drift::new(kind, &grantee, &object, privilege).cured_by(cure)
}

/// MariaDB's name for everybody.
const PUBLIC: &str = "PUBLIC";

/// Says whether a grant of another account reaches what the policy governs.
fn is_foreign(target: &Target, policy: &Policy, unbound: &[String], grant: &Grant) -> bool {
    let Grant { grantee, object, privilege } = grant;
    if grantee == PUBLIC {
        return reaches_by_public(target, policy, object, privilege);
    }
    !unbound.contains(grantee)
        && reaches(target, policy, object, privilege)
        && !is_known(policy, grantee)
}

/// Accounts that no grant holds back: administrators of the server, its own accounts, and this login.
async fn unbound(db: &impl ConnectionTrait, target: &Target) -> Result<Vec<String>, DbErr> {
    let power = if target.engine == Engine::MariaDb { "SUPER" } else { "SYSTEM_USER" };
    let sql = "SELECT CAST(grantee AS CHAR) AS grantee FROM information_schema.user_privileges WHERE privilege_type = $1 \
               UNION SELECT concat('''', replace(current_user(), '@', '''@'''), '''')";
    let rows = all(db, sql, [power.into()]).await?;
    let mut unbound: Vec<String> = rows
        .iter()
        .map(|row| Ok(parse_grantee(&text(row, "grantee")?)))
        .collect::<Result<_, DbErr>>()?;
    unbound.extend(
        ["mysql.sys@localhost", "mysql.session@localhost", "mysql.infoschema@localhost"]
            .map(str::to_owned),
    );
    Ok(unbound)
}

async fn others(
    db: &impl ConnectionTrait,
    target: &Target,
    policy: &Policy,
    foreign: &mut Vec<Drift>,
) -> Result<(), DbErr> {
    let anonymous = "SELECT CAST(Host AS CHAR) AS host FROM mysql.user WHERE User = ''";
    for row in all(db, anonymous, []).await? {
        let host = text(&row, "host")?;
        let drift = Drift::new("anonymous", format!("@{host}"), "account", "anybody logs in as it");
        foreign.push(drift.cured_by(cure::drop_anonymous(&host)));
    }
    if target.engine == Engine::MySql {
        let mandatory =
            text(&one(db, "SELECT CAST(@@mandatory_roles AS CHAR) AS roles", []).await?, "roles")?;
        let drift = |role: &str| {
            Drift::new("membership", "everybody", format!("role {role}"), "mandatory_roles")
        };
        let roles = mandatory
            .split(',')
            .map(role_of)
            .filter(|role| !role.is_empty() && !is_known(policy, role));
        foreign.extend(
            roles.map(|role| drift(&role).cured_by("SET GLOBAL mandatory_roles = ''".to_owned())),
        );
    }
    let routines = "SELECT CAST(User AS CHAR) AS name, CAST(Host AS CHAR) AS host, \
                    CAST(concat(Db, '.', Routine_name) AS CHAR) AS routine FROM mysql.procs_priv WHERE left(User, length($1)) = $2";
    for row in
        all(db, routines, [target.names.prefix().into(), target.names.prefix().into()]).await?
    {
        let name = account_of(&text(&row, "name")?, &text(&row, "host")?);
        foreign.push(Drift::new(
            "extra",
            name,
            format!("routine {}", text(&row, "routine")?),
            "EXECUTE",
        ));
    }
    Ok(())
}

/// A role as `mandatory_roles` names it, with quotes and a host or without.
fn role_of(text: &str) -> String {
    let bare = |text: &str| text.trim().trim_matches(['\'', '`', '"']).to_owned();
    match text.rsplit_once('@') {
        Some((user, host)) => account_of(&bare(user), &bare(host)),
        None => bare(text),
    }
}

fn object(schema: Option<String>, table: Option<String>, column: Option<String>) -> Object {
    match (schema, table, column) {
        (None, ..) => Object::Server,
        (Some(schema), None, _) => Object::Database(schema),
        (Some(schema), Some(table), None) => Object::Table(schema, table),
        (Some(schema), Some(table), Some(column)) => Object::Column(schema, table, column),
    }
}

/// `'user'@'host'` as an account is called here.
fn parse_grantee(grantee: &str) -> String {
    let (user, host) = grantee.rsplit_once('@').unwrap_or((grantee, ""));
    account_of(user.trim_matches('\''), host.trim_matches('\''))
}

/// By name alone where the host is any or, for a role of MariaDB, none.
fn account_of(user: &str, host: &str) -> String {
    if matches!(host, "%" | "") { user.to_owned() } else { format!("{user}@{host}") }
}

fn text(row: &QueryResult, column: &str) -> Result<String, DbErr> {
    row.try_get("", column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_called_by_name_unless_their_host_is_special() {
        assert_eq!(parse_grantee("'sr_1_api_a'@'%'"), "sr_1_api_a");
        assert_eq!(parse_grantee("'sr_1_api'@''"), "sr_1_api");
        assert_eq!(parse_grantee("'root'@'localhost'"), "root@localhost");
    }
}
