//! Logs go to standard error. At no level do they hold a secret, a key or an envelope.

use tracing_subscriber::EnvFilter;

use super::arguments::Global;

/// `RUST_LOG` wins over `-v`.
pub(super) fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "strongroom=info,warn",
        (false, 2) => "strongroom=debug,info",
        (false, _) => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
}
