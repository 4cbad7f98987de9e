//! PostgreSQL's catalogs.

use sea_orm::{ConnectionTrait, DbErr};

use super::{Inspected, all};
use crate::policy::Policy;
use crate::policy::cure;
use crate::policy::diff::DEFAULT;
use crate::policy::drift::Drift;
use crate::policy::reach::reaches_by_public;
use crate::policy::state::{ENABLED, Grant, Kind, Object, State, USED};
use crate::policy::statement::WITH_OPTIONS;
use crate::policy::wanted::{POSTGRES_ATTRIBUTES, SEARCH_PATH, Target, timeouts};

pub(super) async fn inspect(
    db: &impl ConnectionTrait,
    target: &Target,
    policy: &Policy,
) -> Result<Inspected, DbErr> {
    let mut found = Inspected::default();
    accounts(db, target, &mut found.state).await?;
    settings(db, target, &mut found.state).await?;
    members(db, target, &mut found.state).await?;
    grants(db, target, &mut found.state).await?;
    belongings(db, target, &mut found.foreign).await?;
    others(db, target, policy, &mut found.foreign).await?;
    found.baseline = baseline(db).await?;
    Ok(found)
}

async fn accounts(
    db: &impl ConnectionTrait,
    target: &Target,
    state: &mut State,
) -> Result<(), DbErr> {
    let sql = "SELECT rolname::text AS name, rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, \
               rolbypassrls, rolconnlimit FROM pg_roles WHERE starts_with(rolname::text, $1)";
    for row in all(db, sql, [target.names.prefix().into()]).await? {
        let name: String = row.try_get("", "name")?;
        let kind = if target.names.parse_login(&name).is_some() { Kind::Login } else { Kind::Role };
        let mut set = |setting: &str, value: String| {
            state.settings.insert((name.clone(), setting.to_owned()), value)
        };
        set(ENABLED, row.try_get::<bool>("", "rolcanlogin")?.to_string());
        let columns =
            ["rolsuper", "rolcreatedb", "rolcreaterole", "rolreplication", "rolbypassrls"];
        for (setting, column) in POSTGRES_ATTRIBUTES.iter().zip(columns) {
            set(setting, row.try_get::<bool>("", column)?.to_string());
        }
        if kind == Kind::Login {
            let limit: i32 = row.try_get("", "rolconnlimit")?;
            set("connections", if limit < 0 { DEFAULT.to_owned() } else { limit.to_string() });
            for (setting, _) in timeouts(&crate::policy::Limits::default()) {
                set(setting, DEFAULT.to_owned());
            }
        }
        state.accounts.insert(name, kind);
    }
    Ok(())
}

async fn settings(
    db: &impl ConnectionTrait,
    target: &Target,
    state: &mut State,
) -> Result<(), DbErr> {
    let sql = "SELECT r.rolname::text AS name, s.setdatabase <> 0 AS here, unnest(s.setconfig)::text AS setting \
               FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole \
               WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) \
               AND starts_with(r.rolname::text, $1)";
    for row in all(db, sql, [target.names.prefix().into()]).await? {
        let (name, setting): (String, String) =
            (row.try_get("", "name")?, row.try_get("", "setting")?);
        let Some((setting, value)) = setting.split_once('=') else { continue };
        // Each new session sets everything else that somebody may have set for this database alone.
        let (setting, value) = match (row.try_get::<bool>("", "here")?, setting) {
            (false, setting) => (setting, value.to_owned()),
            (true, "search_path") => (SEARCH_PATH, value.trim_matches('"').replace("\"\"", "\"")),
            (true, _) => continue,
        };
        state.settings.insert((name, setting.to_owned()), value);
    }
    Ok(())
}

/// Who makes a role is its administrator without using it; that is how a migrating login manages it.
async fn members(
    db: &impl ConnectionTrait,
    target: &Target,
    state: &mut State,
) -> Result<(), DbErr> {
    // Before, a membership had no options: it was inherited by whoever inherits, and everybody could switch to the role.
    let (inherits, sets) = if target.version < WITH_OPTIONS {
        ("m.rolinherit", "false")
    } else {
        ("a.inherit_option", "a.set_option")
    };
    let sql = format!(
        "SELECT r.rolname::text AS role, m.rolname::text AS member, {inherits} AS i, {sets} AS s, a.admin_option AS a \
         FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member \
         WHERE starts_with(m.rolname::text, $1) OR starts_with(r.rolname::text, $1) \
         AND NOT (a.admin_option AND NOT {inherits} AND NOT {sets} AND (m.rolcreaterole OR m.rolsuper))"
    );
    for row in all(db, &sql, [target.names.prefix().into()]).await? {
        let (inherits, sets, admin): (bool, bool, bool) =
            (row.try_get("", "i")?, row.try_get("", "s")?, row.try_get("", "a")?);
        let how = if inherits && !sets && !admin {
            USED.to_owned()
        } else {
            format!("inherit {inherits}, set {sets}, admin {admin}")
        };
        state.members.insert((row.try_get("", "role")?, row.try_get("", "member")?), how);
    }
    Ok(())
}

const GRANTS: &str = "\
WITH ours AS (SELECT oid, rolname::text AS name FROM pg_roles WHERE starts_with(rolname::text, $1)),
found AS (
    SELECT x.grantee, x.privilege_type, x.is_grantable, 'table' AS what, n.nspname::text AS s, c.relname::text AS t, NULL::text AS c
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(c.relacl) x
    WHERE x.grantee <> c.relowner
  UNION ALL
    SELECT x.grantee, x.privilege_type, x.is_grantable, 'column', n.nspname::text, c.relname::text, a.attname::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL aclexplode(a.attacl) x WHERE NOT a.attisdropped
  UNION ALL
    SELECT x.grantee, x.privilege_type, x.is_grantable, 'schema', n.nspname::text, NULL, NULL
    FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x WHERE x.grantee <> n.nspowner
  UNION ALL
    SELECT x.grantee, x.privilege_type, x.is_grantable, 'database', d.datname::text, NULL, NULL
    FROM pg_database d CROSS JOIN LATERAL aclexplode(d.datacl) x
    WHERE d.datname = current_database() AND x.grantee <> d.datdba
)
SELECT o.name, f.privilege_type::text AS privilege, f.is_grantable AS grantable, f.what, f.s, f.t, f.c
FROM found f JOIN ours o ON o.oid = f.grantee";

async fn grants(
    db: &impl ConnectionTrait,
    target: &Target,
    state: &mut State,
) -> Result<(), DbErr> {
    for row in all(db, GRANTS, [target.names.prefix().into()]).await? {
        let what: String = row.try_get("", "what")?;
        let s: String = row.try_get("", "s")?;
        let object = match what.as_str() {
            "table" => Object::Table(s, row.try_get("", "t")?),
            "column" => Object::Column(s, row.try_get("", "t")?, row.try_get("", "c")?),
            "schema" => Object::Schema(s),
            _ => Object::Database(s),
        };
        let (grantee, privilege): (String, String) =
            (row.try_get("", "name")?, row.try_get("", "privilege")?);
        if row.try_get("", "grantable")? {
            let privilege = format!("GRANT OPTION FOR {privilege}");
            state.grants.insert(Grant {
                grantee: grantee.clone(),
                object: object.clone(),
                privilege,
            });
        }
        state.grants.insert(Grant { grantee, object, privilege });
    }
    Ok(())
}

/// Ownership, rights on things that no policy speaks of, and anything in another database of the server.
const BELONGINGS: &str = "\
SELECT r.rolname::text AS name, d.deptype = 'o' AS owns, d.dbid NOT IN (0, here.oid) OR d.classid = 'pg_database'::regclass AS elsewhere,
       CASE WHEN d.dbid IN (0, here.oid) THEN pg_describe_object(d.classid, d.objid, d.objsubid) ELSE 'another database' END AS what
FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid CROSS JOIN (SELECT oid FROM pg_database WHERE datname = current_database()) here
WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype IN ('a', 'o') AND starts_with(r.rolname::text, $1)
  AND NOT (d.deptype = 'a' AND d.dbid = here.oid AND d.classid IN ('pg_class'::regclass, 'pg_namespace'::regclass))
  AND NOT (d.deptype = 'a' AND d.dbid = 0 AND d.classid = 'pg_database'::regclass AND d.objid = here.oid)
  AND NOT (d.dbid = here.oid AND d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class c
           WHERE c.oid = d.objid AND (pg_is_other_temp_schema(c.relnamespace) OR c.relnamespace = pg_my_temp_schema())))
GROUP BY 1, 2, 3, 4";

async fn belongings(
    db: &impl ConnectionTrait,
    target: &Target,
    foreign: &mut Vec<Drift>,
) -> Result<(), DbErr> {
    for row in all(db, BELONGINGS, [target.names.prefix().into()]).await? {
        let (owns, elsewhere): (bool, bool) =
            (row.try_get("", "owns")?, row.try_get("", "elsewhere")?);
        let (kind, privilege) = match (owns, elsewhere) {
            (true, _) => ("owner", "OWNER"),
            (false, true) => ("foreign", "has rights there"),
            (false, false) => ("extra", "has rights there"),
        };
        let (name, what): (String, String) = (row.try_get("", "name")?, row.try_get("", "what")?);
        let drift = Drift::new(kind, &name, what, privilege);
        foreign.push(if owns { drift.cured_by(cure::reassign(&name)) } else { drift });
    }
    Ok(())
}

/// Rights of others on our tables: not those of superusers and owners, whom nothing binds.
const OTHERS: &str = "\
WITH ours AS (SELECT c.oid, c.relname::text AS t, c.relowner, c.relacl,
                     c.relname::text = ANY (string_to_array($2, ',')) AS is_governed FROM pg_class c
              WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT EXISTS
              (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')),
found AS (
    SELECT x.grantee, x.privilege_type, o.t, NULL::text AS c, o.relowner, o.is_governed FROM ours o CROSS JOIN LATERAL aclexplode(o.relacl) x
  UNION ALL
    SELECT x.grantee, x.privilege_type, o.t, a.attname::text, o.relowner, o.is_governed
    FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid AND NOT a.attisdropped CROSS JOIN LATERAL aclexplode(a.attacl) x
)
SELECT coalesce(r.rolname::text, 'PUBLIC') AS name, f.privilege_type::text AS privilege, f.t, f.c
FROM found f LEFT JOIN pg_roles r ON r.oid = f.grantee
WHERE f.grantee <> f.relowner AND NOT coalesce(r.rolsuper, false) AND NOT coalesce(starts_with(r.rolname::text, $1), false)
  AND (f.is_governed OR f.grantee = 0)
  UNION ALL
SELECT 'PUBLIC', x.privilege_type::text, NULL, NULL FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x
WHERE n.oid = quote_ident(current_schema())::regnamespace AND x.grantee = 0 AND x.privilege_type = 'CREATE'
  UNION ALL
SELECT 'PUBLIC', 'default ' || x.privilege_type, NULL, NULL FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) x
WHERE d.defaclobjtype = 'r' AND x.grantee = 0
  UNION ALL
SELECT m.rolname::text, 'member of ' || r.rolname, NULL, NULL FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid
JOIN pg_roles m ON m.oid = a.member
WHERE r.rolname IN ('pg_read_all_data', 'pg_write_all_data') AND NOT m.rolsuper AND NOT starts_with(m.rolname::text, $1)";

async fn others(
    db: &impl ConnectionTrait,
    target: &Target,
    policy: &Policy,
    foreign: &mut Vec<Drift>,
) -> Result<(), DbErr> {
    let tables = policy.tables().into_iter().collect::<Vec<_>>().join(",");
    for row in all(db, OTHERS, [target.names.prefix().into(), tables.into()]).await? {
        let name: String = row.try_get("", "name")?;
        let (table, column): (Option<String>, Option<String>) =
            (row.try_get("", "t")?, row.try_get("", "c")?);
        let object = match (table, column) {
            (Some(table), Some(column)) => Object::Column(target.schema.clone(), table, column),
            (Some(table), None) => Object::Table(target.schema.clone(), table),
            (None, _) => Object::Schema(target.schema.clone()),
        };
        let privilege: String = row.try_get("", "privilege")?;
        // Rights of PUBLIC on the policy's own tables always count.
        let is_known = match name.as_str() {
            "PUBLIC" => {
                object.table().is_some() && !reaches_by_public(target, policy, &object, &privilege)
            }
            name => policy.known.contains(name),
        };
        if is_known {
            continue;
        }
        let kind = if name == "PUBLIC" { "public" } else { "foreign" };
        let cure = match (privilege.strip_prefix("member of "), privilege.strip_prefix("default "))
        {
            (Some(role), _) => cure::leave(role, &name),
            (_, Some(privilege)) => {
                format!("ALTER DEFAULT PRIVILEGES REVOKE {privilege} ON TABLES FROM PUBLIC")
            }
            _ => cure::revoke(target, &name, &object, &privilege),
        };
        foreign.push(Drift::new(kind, name, object, privilege).cured_by(cure));
    }
    hidden(db, target, policy, foreign).await
}

/// Tables of the policy whose rows the server may hide from components.
async fn hidden(
    db: &impl ConnectionTrait,
    target: &Target,
    policy: &Policy,
    foreign: &mut Vec<Drift>,
) -> Result<(), DbErr> {
    let sql = "SELECT c.relname::text AS t FROM pg_class c WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relrowsecurity";
    for row in all(db, sql, []).await? {
        let table: String = row.try_get("", "t")?;
        let object = Object::Table(target.schema.clone(), table.clone());
        if policy.tables().contains(table.as_str()) {
            let cure = cure::show_rows(&target.schema, &table);
            foreign.push(
                Drift::new("row_security", "everybody", object, "rows may be hidden")
                    .cured_by(cure),
            );
        }
    }
    Ok(())
}

async fn baseline(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let sql = "SELECT 'PUBLIC: ' || string_agg(x.privilege_type, ', ') || ' on database ' || d.datname AS line FROM pg_database d \
               CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x \
               WHERE d.datname = current_database() AND x.grantee = 0 GROUP BY d.datname \
               UNION ALL SELECT 'PUBLIC: ' || string_agg(x.privilege_type, ', ') || ' on schema ' || n.nspname FROM pg_namespace n \
               CROSS JOIN LATERAL aclexplode(n.nspacl) x \
               WHERE n.oid = quote_ident(current_schema())::regnamespace AND x.grantee = 0 GROUP BY n.nspname";
    all(db, sql, []).await?.iter().map(|row| row.try_get("", "line")).collect()
}
