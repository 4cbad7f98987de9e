//! Connecting to PostgreSQL.

use std::str::FromStr as _;

use async_trait::async_trait;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, SqlxPostgresConnector};

use super::server::{End, in_time, is_there, mode, peer, without_brackets};
use super::{ACQUIRE_TIMEOUT, CONNECTIONS, Driver, postgres_session};
use crate::db::cause::conn;
use crate::db::tls::Mode;
use crate::db::{Access, Address, Way};

pub(super) struct Postgres;

#[async_trait]
impl Driver for Postgres {
    async fn connect(
        &self,
        address: &Address,
        access: Access,
    ) -> Result<DatabaseConnection, DbErr> {
        let options = options(address).map_err(conn)?;
        if matches!(options.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow) {
            end(&options).refuse_greeting().await?;
        }
        let probe = async {
            let mut session = options.connect().await?;
            postgres_session::prepare(&mut session, access).await?;
            session.close().await
        };
        in_time(end(&options), probe).await?;
        let pool =
            PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = pool
            .after_connect(move |session, _| Box::pin(postgres_session::prepare(session, access)));
        Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool.connect_lazy_with(options)))
    }

    async fn create_if_missing(&self, address: &Address) -> Result<bool, DbErr> {
        if is_there(self.connect(address, Access::Read).await).await? {
            return Ok(false);
        }
        create(address).await.map(|()| true)
    }

    fn way(&self, address: &Address) -> Result<Option<Way>, DbErr> {
        let options = options(address).map_err(conn)?;
        let is_verified = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
        Ok(Some(Way {
            peer: peer(options.get_socket().is_some(), options.get_host()),
            is_verified,
        }))
    }
}

fn end(options: &PgConnectOptions) -> End {
    let host = options.get_host();
    let place = options.get_socket().is_none().then(|| (host.to_owned(), options.get_port()));
    End { engine: DbBackend::Postgres, place: place.filter(|(host, _)| !host.starts_with('/')) }
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
async fn create(address: &Address) -> Result<(), DbErr> {
    let options = options(address).map_err(conn)?;
    let name = options.get_database().unwrap_or_default().replace('"', "\"\"");
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool
        .after_connect(|session, _| Box::pin(postgres_session::prepare(session, Access::Guest)));
    let pool = pool.connect_with(options.database("postgres")).await.map_err(conn)?;
    let server = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    server
        .execute_unprepared(&format!(
            "CREATE DATABASE \"{name}\" ENCODING 'UTF8' TEMPLATE template0"
        ))
        .await?;
    server.close().await
}

/// How a pool of a component's connects: its sessions are called `strongroom/NAME`.
pub(crate) fn component_options(address: &Address, name: &str) -> Result<PgConnectOptions, DbErr> {
    let options = options(address).map_err(conn)?;
    Ok(options.application_name(&format!("strongroom/{name}")))
}

fn options(address: &Address) -> Result<PgConnectOptions, sqlx::Error> {
    let mut options = PgConnectOptions::from_str(address.expose())?
        .application_name("strongroom")
        .disable_statement_logging();
    let host = options.get_host().to_owned();
    if let Some(mode) = mode(address, options.get_socket().is_some(), &host)? {
        options = options.ssl_mode(match mode {
            Mode::Off => PgSslMode::Disable,
            Mode::Opportunistic => PgSslMode::Prefer,
            Mode::Unverified => PgSslMode::Require,
            Mode::AnyHost => PgSslMode::VerifyCa,
            Mode::Verified => PgSslMode::VerifyFull,
        });
    }
    if let Some(pem) = address.tls().authorities() {
        options = options.ssl_root_cert_from_pem(pem);
    }
    Ok(options.host(without_brackets(&host)))
}
