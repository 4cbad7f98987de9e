//! What can be given with every command.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

/// Given before or after the command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The configuration [default: strongroom.toml, when it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How results are printed; with json, exactly one document on standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Agree to steps that destroy something
    #[arg(long, global = true)]
    pub(super) yes: bool,
    /// Say more on standard error; twice for even more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// Say nothing but results and errors
    #[arg(long, global = true)]
    pub(super) quiet: bool,
    /// How log lines are written to standard error
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = Log::Text)]
    pub(super) log: Log,
    /// No progress on standard error
    #[arg(long, global = true)]
    pub(super) no_progress: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Log {
    Text,
    Json,
}
