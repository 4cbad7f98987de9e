//! Connecting to MySQL and MariaDB.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::sqlx::mysql::{
    MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlPoolOptions, MySqlSslMode,
};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _, Row as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, SqlxMySqlConnector};

use super::hosts::{Hosts, Role, Server};
use super::server::{
    End, checked, first, holding, in_time, is_there, mode, peer, way_of, without_brackets,
};
use super::{ACQUIRE_TIMEOUT, CONNECTIONS, Driver, mysql_session};
use crate::db::cause::conn;
use crate::db::tls::Mode;
use crate::db::{Access, Address, Way};

pub(super) struct MySql;

#[async_trait]
impl Driver for MySql {
    async fn connect(
        &self,
        address: &Address,
        access: Access,
    ) -> Result<DatabaseConnection, DbErr> {
        let hosts = Hosts::<sqlx::MySql>::new(address, options(address).map_err(conn)?);
        first(&hosts, |options, limit| probe(hosts.clone(), options, access, limit)).await?;
        let (on_connect, on_acquire) = (hosts.clone(), hosts.clone());
        let pool =
            MySqlPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = pool.after_connect(move |session, _| {
            let hosts = on_connect.clone();
            Box::pin(async move {
                hosts.admit(session).await?;
                mysql_session::prepare(session, access).await
            })
        });
        let pool = if hosts.is_list() { checked(pool, on_acquire) } else { pool };
        let pool = pool.connect_lazy_with(hosts.current().map_err(conn)?);
        let alive = Arc::new(());
        hosts.follow(&pool, Arc::downgrade(&alive));
        let db = SqlxMySqlConnector::from_sqlx_mysql_pool(pool);
        Ok(if hosts.is_list() { holding(db, alive) } else { db })
    }

    async fn create_if_missing(&self, address: &Address) -> Result<bool, DbErr> {
        if is_there(self.connect(address, Access::Read).await).await? {
            return Ok(false);
        }
        create(address).await.map(|()| true)
    }

    fn way(&self, address: &Address) -> Result<Option<Way>, DbErr> {
        let options = options(address).map_err(conn)?;
        Ok(way_of(options.iter().map(|options| Way {
            peer: peer(options.get_socket().is_some(), options.get_host()),
            is_verified: matches!(options.get_ssl_mode(), MySqlSslMode::VerifyIdentity),
        })))
    }
}

/// Opens a session of one host, as the pool will.
async fn probe(
    hosts: Arc<Hosts<sqlx::MySql>>,
    options: MySqlConnectOptions,
    access: Access,
    limit: Duration,
) -> Result<(), DbErr> {
    let probe = async {
        let mut session = options.connect().await?;
        hosts.admit(&mut session).await?;
        mysql_session::prepare(&mut session, access).await?;
        session.close().await
    };
    in_time(end(&options), limit, probe).await
}

fn end(options: &MySqlConnectOptions) -> End {
    let place =
        options.get_socket().is_none().then(|| (options.get_host().to_owned(), options.get_port()));
    End { engine: DbBackend::MySql, place }
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
async fn create(address: &Address) -> Result<(), DbErr> {
    let options = options(address).map_err(conn)?;
    let name = options.first().and_then(MySqlConnectOptions::get_database).unwrap_or_default();
    let name = name.replace('`', "``");
    let options = options.into_iter().map(|options| options.database("information_schema"));
    let hosts = Hosts::<sqlx::MySql>::new(address, options.collect());
    first(&hosts, |options, limit| probe(hosts.clone(), options, Access::Guest, limit)).await?;
    let pool = MySqlPoolOptions::new().max_connections(1);
    let pool =
        pool.after_connect(|session, _| Box::pin(mysql_session::prepare(session, Access::Guest)));
    let pool = pool.connect_with(hosts.current().map_err(conn)?).await;
    let server = SqlxMySqlConnector::from_sqlx_mysql_pool(pool.map_err(conn)?);
    server.execute_unprepared(&format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4")).await?;
    server.close().await
}

/// How a pool of a component's connects to each host.
pub(crate) fn component_options(address: &Address) -> Result<Vec<MySqlConnectOptions>, DbErr> {
    options(address).map_err(conn)
}

fn options(address: &Address) -> Result<Vec<MySqlConnectOptions>, sqlx::Error> {
    address.exposed().map(|url| options_of(address, url)).collect()
}

fn options_of(address: &Address, url: &str) -> Result<MySqlConnectOptions, sqlx::Error> {
    let options = MySqlConnectOptions::from_str(url)?.disable_statement_logging();
    // The driver would add to the sql_mode that it finds; the session's own is set right after.
    let mut options = options.pipes_as_concat(false).no_engine_substitution(false);
    let host = options.get_host().to_owned();
    if let Some(mode) = mode(address, options.get_socket().is_some(), &host)? {
        options = options.ssl_mode(match mode {
            Mode::Off => MySqlSslMode::Disabled,
            Mode::Opportunistic => MySqlSslMode::Preferred,
            Mode::Unverified => MySqlSslMode::Required,
            Mode::AnyHost => MySqlSslMode::VerifyCa,
            Mode::Verified => MySqlSslMode::VerifyIdentity,
        });
    }
    if let Some(pem) = address.tls().authorities() {
        options = options.ssl_ca_from_pem(pem);
    }
    Ok(options.host(without_brackets(&host)))
}

/// A node of a Galera cluster that is not ready refuses the first statement (1047), or says so itself.
#[async_trait]
impl Server for sqlx::MySql {
    async fn role(session: &mut MySqlConnection) -> Result<Role, sqlx::Error> {
        let role = Self::role_again(&mut *session).await?;
        if role.is_apart || value(session, "SHOW VARIABLES LIKE 'wsrep_on'").await? != "ON" {
            return Ok(role);
        }
        let ready = value(session, "SHOW STATUS LIKE 'wsrep_ready'").await?;
        let status = value(session, "SHOW STATUS LIKE 'wsrep_cluster_status'").await?;
        Ok(Role { is_apart: ready != "ON" || status != "Primary", ..role })
    }

    async fn role_again(session: &mut MySqlConnection) -> Result<Role, sqlx::Error> {
        let told = sqlx::query_scalar("SELECT CAST(@@GLOBAL.read_only AS CHAR)");
        let told: String = match told.persistent(false).fetch_one(session).await {
            Err(error) if is_not_ready(&error) => {
                return Ok(Role { is_apart: true, ..Role::default() });
            }
            told => told?,
        };
        let is_read_only = !matches!(told.as_str(), "0" | "OFF");
        Ok(Role { is_read_only, ..Role::default() })
    }
}

fn is_not_ready(error: &sqlx::Error) -> bool {
    let told = error.as_database_error().and_then(|error| error.try_downcast_ref());
    told.is_some_and(|error: &MySqlDatabaseError| error.number() == 1047)
}

/// The second column of a server's answer; empty where it knows no such name.
async fn value(session: &mut MySqlConnection, sql: &'static str) -> Result<String, sqlx::Error> {
    let row = sqlx::raw_sql(sql).fetch_optional(&mut *session).await?;
    row.map_or(Ok(String::new()), |row| row.try_get(1))
}
