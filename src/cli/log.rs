//! Logs go to standard error. At no level do they hold a secret, a key or an envelope.

use tracing_subscriber::EnvFilter;

use super::global::Global;

/// `RUST_LOG` wins over `-v`.
pub(super) fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "strongroom=info,warn",
        (false, 2) => "strongroom=debug,info",
        (false, _) => "trace",
    };
    let mut filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    // Drivers log statements, and parameters of addresses that they do not know.
    for target in ["sqlx", "sqlx_core", "sqlx_postgres", "sqlx_sqlite", "sqlx_mysql", "sea_orm"] {
        if let Ok(off) = format!("{target}=off").parse() {
            filter = filter.add_directive(off);
        }
    }
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
}
