//! Connecting to MySQL and MariaDB.

use std::str::FromStr as _;

use async_trait::async_trait;
use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlSslMode};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, SqlxMySqlConnector};

use super::server::{End, in_time, is_there, mode, peer, without_brackets};
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
        let options = options(address).map_err(conn)?;
        let probe = async {
            let mut session = options.connect().await?;
            mysql_session::prepare(&mut session, access).await?;
            session.close().await
        };
        in_time(end(&options), probe).await?;
        let pool =
            MySqlPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool =
            pool.after_connect(move |session, _| Box::pin(mysql_session::prepare(session, access)));
        Ok(SqlxMySqlConnector::from_sqlx_mysql_pool(pool.connect_lazy_with(options)))
    }

    async fn create_if_missing(&self, address: &Address) -> Result<bool, DbErr> {
        if is_there(self.connect(address, Access::Read).await).await? {
            return Ok(false);
        }
        create(address).await.map(|()| true)
    }

    fn way(&self, address: &Address) -> Result<Option<Way>, DbErr> {
        let options = options(address).map_err(conn)?;
        let is_verified = matches!(options.get_ssl_mode(), MySqlSslMode::VerifyIdentity);
        Ok(Some(Way {
            peer: peer(options.get_socket().is_some(), options.get_host()),
            is_verified,
        }))
    }
}

fn end(options: &MySqlConnectOptions) -> End {
    let place =
        options.get_socket().is_none().then(|| (options.get_host().to_owned(), options.get_port()));
    End { engine: DbBackend::MySql, place }
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
async fn create(address: &Address) -> Result<(), DbErr> {
    let options = options(address).map_err(conn)?;
    let name = options.get_database().unwrap_or_default().replace('`', "``");
    let pool = MySqlPoolOptions::new().max_connections(1);
    let pool =
        pool.after_connect(|session, _| Box::pin(mysql_session::prepare(session, Access::Guest)));
    let pool = pool.connect_with(options.database("information_schema")).await;
    let server = SqlxMySqlConnector::from_sqlx_mysql_pool(pool.map_err(conn)?);
    server.execute_unprepared(&format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4")).await?;
    server.close().await
}

/// How a pool of a component's connects.
pub(crate) fn component_options(address: &Address) -> Result<MySqlConnectOptions, DbErr> {
    options(address).map_err(conn)
}

fn options(address: &Address) -> Result<MySqlConnectOptions, sqlx::Error> {
    let options = MySqlConnectOptions::from_str(address.expose())?.disable_statement_logging();
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
