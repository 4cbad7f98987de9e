//! What a login of MySQL or MariaDB needs to make accounts and grants.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use strongroom_migration::Engine;

use super::passwords;
use crate::db::{LEAST_PACKET, is_forbidden, packet, statement};
use crate::policy::GrantError;
use crate::policy::granted::{Right, rights};
use crate::policy::missing::Missing;
use crate::policy::reach::is_like;
use crate::policy::site::PolicyOptions;
use crate::policy::state::Object;

pub(super) async fn missing(
    db: &impl ConnectionTrait,
    engine: Engine,
    options: &PolicyOptions,
) -> Result<Vec<Missing>, GrantError> {
    let mut missing = rights_missing(db, engine).await?;
    missing.extend(passwords::missing(db, options).await?);
    Ok(missing)
}

/// What every way needs, with policies or without.
pub(super) async fn missing_of_server(
    db: &impl ConnectionTrait,
    triggers: bool,
) -> Result<Vec<Missing>, DbErr> {
    let mut missing = Vec::new();
    let packet = packet(db).await?;
    if let Some(limit) = packet.limit.filter(|limit| *limit < LEAST_PACKET) {
        let what =
            format!("max_allowed_packet is {limit} bytes, and {LEAST_PACKET} or more are needed");
        missing.push(Missing::new(what, "SET GLOBAL max_allowed_packet = 16777216".to_owned()));
    }
    if triggers && !may_make_triggers(db).await? {
        let what = "the binary log keeps this login from making triggers";
        missing
            .push(Missing::new(what, "SET GLOBAL log_bin_trust_function_creators = 1".to_owned()));
    }
    Ok(missing)
}

/// With a binary log, making triggers takes a setting of the server or SUPER (error 1419).
pub async fn may_make_triggers(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let sql = "SELECT CAST(@@GLOBAL.log_bin AND NOT @@GLOBAL.log_bin_trust_function_creators AS CHAR) AS bound";
    let row = db.query_one_raw(statement(db.get_database_backend(), sql, [])).await?;
    let is_bound = row.map_or(Ok(String::new()), |row| row.try_get::<String>("", "bound"))? != "0";
    Ok(!is_bound || Login::read(db).await?.has("SUPER", ""))
}

/// Whether this login sees the triggers of its database: the catalogue hides them without the TRIGGER right.
pub async fn may_see_triggers(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    if db.get_database_backend() != DbBackend::MySql {
        return Ok(true);
    }
    let login = Login::read(db).await?;
    Ok(login.has("TRIGGER", &login.database))
}

/// Views of the components' own schemas: MariaDB.
const VIEW_SCHEMAS: &str = "sr\\_%";

async fn rights_missing(db: &impl ConnectionTrait, engine: Engine) -> Result<Vec<Missing>, DbErr> {
    let login = Login::read(db).await?;
    let Login { database, account, .. } = &login;
    let mut missing = Vec::new();
    let mut need = |has: bool, what: &str, grant: String| {
        if !has {
            missing.push(Missing::new(what, format!("GRANT {grant}")));
        }
    };
    let reads = may_read(db, engine).await?;
    match engine {
        Engine::MariaDb => {
            let writes = login.has("UPDATE", "mysql");
            need(
                reads && writes,
                "this login may not see accounts and set their roles",
                format!("SELECT, UPDATE ON `mysql`.* TO {account}"),
            );
        }
        _ => need(
            reads,
            "this login may not see accounts and grants",
            format!("SELECT ON `mysql`.* TO {account}"),
        ),
    }
    need(
        login.has("CREATE USER", ""),
        "this login may not make accounts",
        format!("CREATE USER ON *.* TO {account}"),
    );
    if engine == Engine::MySql {
        let has = |right| login.has(right, "") || login.has("SUPER", "");
        let what = "this login may not hand out roles and end sessions";
        need(
            has("ROLE_ADMIN") && has("CONNECTION_ADMIN"),
            what,
            format!("ROLE_ADMIN, CONNECTION_ADMIN ON *.* TO {account}"),
        );
        let sees = can_read(db, "performance_schema.threads").await?;
        need(
            sees,
            "this login may not see sessions",
            format!("SELECT ON `performance_schema`.* TO {account}"),
        );
    }
    let rows = ["SELECT", "INSERT", "UPDATE", "DELETE"];
    let hands_on = rows.iter().all(|right| login.has(right, database)) && login.hands_on(database);
    let list = rows.join(", ");
    need(
        hands_on,
        "this login may not hand on rights on its tables",
        format!("{list} ON `{}`.* TO {account} WITH GRANT OPTION", database.replace('`', "``")),
    );
    if engine == Engine::MariaDb {
        let rights =
            ["CREATE", "DROP", "CREATE VIEW", "SHOW VIEW", "SELECT", "INSERT", "UPDATE", "DELETE"];
        let has =
            rights.iter().all(|right| login.has(right, "sr_0_api")) && login.hands_on("sr_0_api");
        let what = "this login may not make the schemas with the components' views";
        need(
            has,
            what,
            format!("ALL PRIVILEGES ON `{VIEW_SCHEMAS}`.* TO {account} WITH GRANT OPTION"),
        );
    }
    Ok(missing)
}

/// This login's own rights.
struct Login {
    account: String,
    database: String,
    rights: Vec<Granted>,
}

/// The rights of one line of `SHOW GRANTS`: the right to hand on is of that line.
struct Granted {
    rights: Vec<Right>,
    hands_on: bool,
}

impl Login {
    async fn read(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let backend = db.get_database_backend();
        let who = "SELECT CAST(current_user() AS CHAR) AS account, DATABASE() AS d";
        let who = db.query_one_raw(statement(backend, who, [])).await?;
        let who =
            who.ok_or_else(|| DbErr::RecordNotFound("the server does not know this login".into()))?;
        let account: String = who.try_get("", "account")?;
        let (user, host) = account.rsplit_once('@').unwrap_or((&account, "%"));
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let mut granted = Vec::new();
        for row in db.query_all_raw(statement(backend, "SHOW GRANTS", [])).await? {
            let line: String = row.try_get_by_index(0)?;
            let rights = rights(&line);
            let hands_on = rights.iter().any(|right| right.privilege == "GRANT OPTION");
            granted.push(Granted { rights, hands_on });
        }
        Ok(Self {
            account: format!("{}@{}", quoted(user), quoted(host)),
            database: who.try_get::<Option<String>>("", "d")?.unwrap_or_default(),
            rights: granted,
        })
    }

    /// Says whether it has a right on all of a database, or on the server for an empty name.
    fn has(&self, privilege: &str, database: &str) -> bool {
        let is = |right: &Right| {
            (right.privilege == privilege || right.privilege == "ALL PRIVILEGES")
                && covers(right, database)
        };
        self.rights.iter().flat_map(|granted| &granted.rights).any(is)
    }

    fn hands_on(&self, database: &str) -> bool {
        self.rights.iter().any(|granted| {
            granted.hands_on && granted.rights.iter().any(|right| covers(right, database))
        })
    }
}

fn covers(right: &Right, database: &str) -> bool {
    match &right.object {
        Object::Server => right.privilege != "GRANT OPTION",
        Object::Database(pattern) => !database.is_empty() && is_like(database, pattern),
        _ => false,
    }
}

/// Tries, since a right to read may come by many ways.
async fn may_read(db: &impl ConnectionTrait, engine: Engine) -> Result<bool, DbErr> {
    let tables: &[&str] = match engine {
        Engine::MariaDb => &[
            "user",
            "global_priv",
            "roles_mapping",
            "procs_priv",
            "db",
            "tables_priv",
            "columns_priv",
        ],
        _ => &[
            "user",
            "role_edges",
            "default_roles",
            "procs_priv",
            "db",
            "tables_priv",
            "columns_priv",
        ],
    };
    for table in tables {
        if !can_read(db, &format!("mysql.{table}")).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn can_read(db: &impl ConnectionTrait, table: &str) -> Result<bool, DbErr> {
    let sql = format!("SELECT 1 AS there FROM {table} LIMIT 0");
    match db.query_all_raw(statement(db.get_database_backend(), &sql, [])).await {
        Ok(_) => Ok(true),
        Err(error) if is_forbidden(&error) => Ok(false),
        Err(error) => Err(error),
    }
}
