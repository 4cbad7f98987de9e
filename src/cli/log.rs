//! Logs go to standard error. At no level do they hold a secret, a key or an envelope.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;

use super::global::{Global, Log};
use super::text::{Text, json};

/// `RUST_LOG` wins over `-v`. A service says what it does without being asked.
pub(super) fn start(global: &Global, is_service: bool) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) if is_service => "strongroom=info,warn",
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
    let is_json = global.log == Log::Json;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || Lines { is_json })
        .with_ansi(false);
    let _ = match global.log {
        Log::Text => subscriber.try_init(),
        Log::Json => subscriber.json().flatten_event(true).try_init(),
    };
}

/// Standard error, a line for each event: what is logged may come from a caller or a database.
struct Lines {
    is_json: bool,
}

impl Write for Lines {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text).to_owned();
        let shown = if self.is_json { json(&line) } else { Text::of(vec![line]).shown() };
        io::stderr().lock().write_all((shown + "\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
