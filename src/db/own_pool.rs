//! Sessions of a pool that a program opens by itself.

use sea_orm::ConnectOptions;

use super::Access;
#[cfg(feature = "mysql")]
use super::engine::mysql_session;
#[cfg(feature = "postgres")]
use super::engine::postgres_session;

/// Sets up each session of the program's own pool as [`connect`](super::connect) does.
///
/// It takes the place of the pool's own `after_connect`. SQLite needs none.
#[cfg_attr(
    not(any(feature = "mysql", feature = "postgres")),
    expect(unused_variables, unused_mut, reason = "only servers have sessions")
)]
pub fn with_sessions(mut options: ConnectOptions, access: Access) -> ConnectOptions {
    #[cfg(feature = "mysql")]
    options.map_sqlx_mysql_pool_opts(move |pool| {
        pool.after_connect(move |session, _| Box::pin(mysql_session::prepare(session, access)))
    });
    #[cfg(feature = "postgres")]
    options.map_sqlx_postgres_pool_opts(move |pool| {
        pool.after_connect(move |session, _| Box::pin(postgres_session::prepare(session, access)))
    });
    options
}
