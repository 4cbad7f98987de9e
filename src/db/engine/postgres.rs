//! Connecting to PostgreSQL.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions, PgSslMode};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, SqlxPostgresConnector};

use super::hosts::{Hosts, Role, Server};
use super::server::{
    End, checked, first, holding, in_time, is_there, mode, peer, way_of, without_brackets,
};
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
        let hosts = Hosts::<sqlx::Postgres>::new(address, options(address).map_err(conn)?);
        first(&hosts, |options, limit| probe(hosts.clone(), options, access, limit)).await?;
        let (on_connect, on_acquire) = (hosts.clone(), hosts.clone());
        let pool =
            PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = pool.after_connect(move |session, _| {
            let hosts = on_connect.clone();
            Box::pin(async move {
                hosts.admit(session).await?;
                postgres_session::prepare(session, access).await
            })
        });
        let pool = if hosts.is_list() { checked(pool, on_acquire) } else { pool };
        let pool = pool.connect_lazy_with(hosts.current().map_err(conn)?);
        let alive = Arc::new(());
        hosts.follow(&pool, Arc::downgrade(&alive));
        let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
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
            is_verified: matches!(options.get_ssl_mode(), PgSslMode::VerifyFull),
        })))
    }
}

/// Opens a session of one host, as the pool will.
async fn probe(
    hosts: Arc<Hosts<sqlx::Postgres>>,
    options: PgConnectOptions,
    access: Access,
    limit: Duration,
) -> Result<(), DbErr> {
    if matches!(options.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow) {
        end(&options).refuse_greeting().await?;
    }
    let probe = async {
        let mut session = options.connect().await?;
        hosts.admit(&mut session).await?;
        postgres_session::prepare(&mut session, access).await?;
        session.close().await
    };
    in_time(end(&options), limit, probe).await
}

fn end(options: &PgConnectOptions) -> End {
    let host = options.get_host();
    let place = options.get_socket().is_none().then(|| (host.to_owned(), options.get_port()));
    End { engine: DbBackend::Postgres, place: place.filter(|(host, _)| !host.starts_with('/')) }
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
async fn create(address: &Address) -> Result<(), DbErr> {
    let options = options(address).map_err(conn)?;
    let name = options.first().and_then(PgConnectOptions::get_database).unwrap_or_default();
    let name = name.replace('"', "\"\"");
    let options = options.into_iter().map(|options| options.database("postgres")).collect();
    let hosts = Hosts::<sqlx::Postgres>::new(address, options);
    first(&hosts, |options, limit| probe(hosts.clone(), options, Access::Guest, limit)).await?;
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool
        .after_connect(|session, _| Box::pin(postgres_session::prepare(session, Access::Guest)));
    let pool = pool.connect_with(hosts.current().map_err(conn)?).await.map_err(conn)?;
    let server = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    server
        .execute_unprepared(&format!(
            "CREATE DATABASE \"{name}\" ENCODING 'UTF8' TEMPLATE template0"
        ))
        .await?;
    server.close().await
}

/// How a pool of a component's connects to each host: its sessions are called `strongroom/NAME`.
pub(crate) fn component_options(
    address: &Address,
    name: &str,
) -> Result<Vec<PgConnectOptions>, DbErr> {
    let options = options(address).map_err(conn)?;
    let name = format!("strongroom/{name}");
    Ok(options.into_iter().map(|options| options.application_name(&name)).collect())
}

fn options(address: &Address) -> Result<Vec<PgConnectOptions>, sqlx::Error> {
    address.exposed().map(|url| options_of(address, url)).collect()
}

fn options_of(address: &Address, url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let mut options =
        PgConnectOptions::from_str(url)?.application_name("strongroom").disable_statement_logging();
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

/// A server that is no standby may refuse changes all the same, as some do while another takes over.
#[async_trait]
impl Server for sqlx::Postgres {
    async fn role(session: &mut PgConnection) -> Result<Role, sqlx::Error> {
        let sql = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only')";
        let (is_standby, read_only): (bool, String) =
            sqlx::query_as(sql).persistent(false).fetch_one(session).await?;
        Ok(Role { is_standby, is_read_only: read_only == "on", ..Role::default() })
    }

    async fn role_again(session: &mut PgConnection) -> Result<Role, sqlx::Error> {
        let sql = "SELECT pg_catalog.pg_is_in_recovery(), (SELECT s.reset_val FROM pg_catalog.pg_settings s \
                   WHERE s.name OPERATOR(pg_catalog.=) 'default_transaction_read_only')";
        let (is_standby, read_only): (bool, String) =
            sqlx::query_as(sql).fetch_one(session).await?;
        Ok(Role { is_standby, is_read_only: read_only == "on", ..Role::default() })
    }
}
