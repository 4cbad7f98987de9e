//! What a login of PostgreSQL needs to make accounts and grants.

use sea_orm::{ConnectionTrait, DbErr};

use crate::db::statement;
use crate::policy::missing::Missing;

/// One row: the login, whether it is a superuser, whether it may make roles, and what it may hand on. A schema that is not
/// there yet will be the login's own.
const ASKED: &str = "\
SELECT r.rolname::text AS login, quote_ident(r.rolname) AS quoted, r.rolsuper, r.rolcreaterole,
       has_database_privilege(current_database(), 'CONNECT WITH GRANT OPTION') AS connect,
       quote_ident(current_database()) AS d,
       coalesce(has_schema_privilege(current_schema(), 'USAGE WITH GRANT OPTION'), true) AS usage,
       quote_ident(coalesce(current_schema()::text, 'public')) AS s
FROM pg_roles r WHERE r.rolname = current_user";

pub(super) async fn missing(db: &impl ConnectionTrait) -> Result<Vec<Missing>, DbErr> {
    let row = db.query_one_raw(statement(db.get_database_backend(), ASKED, [])).await?;
    let row =
        row.ok_or_else(|| DbErr::RecordNotFound("the server does not know this login".into()))?;
    if row.try_get::<bool>("", "rolsuper")? {
        return Ok(Vec::new());
    }
    let text = |column: &str| row.try_get::<String>("", column);
    let (login, database, schema) = (text("quoted")?, text("d")?, text("s")?);
    let mut missing = Vec::new();
    if !row.try_get::<bool>("", "rolcreaterole")? {
        let what = format!("login {} may not make roles", text("login")?);
        missing.push(Missing::new(what, format!("ALTER ROLE {login} CREATEROLE")));
    }
    if !row.try_get::<bool>("", "connect")? {
        let what = format!("it may not let roles connect to database {database}");
        missing.push(Missing::new(
            what,
            format!("GRANT CONNECT ON DATABASE {database} TO {login} WITH GRANT OPTION"),
        ));
    }
    if !row.try_get::<bool>("", "usage")? {
        let what = format!("it may not let roles use schema {schema}");
        missing.push(Missing::new(
            what,
            format!("GRANT USAGE ON SCHEMA {schema} TO {login} WITH GRANT OPTION"),
        ));
    }
    Ok(missing)
}
