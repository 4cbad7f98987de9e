//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::global::Global;
use super::{audit, credential, export, import, keys, migrate, policy, status};
use super::{dev_certs, serve};

/// Keeps the secrets in a control plane's database sealed.
#[derive(Debug, Parser)]
#[command(name = "strongroom", version, propagate_version = true, arg_required_else_help = true, after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  strongroom init                     make a key file and a database
  strongroom migrate up --yes         seal what is in the clear
  strongroom keys rotate              move every cell to a new key, while programs run
  strongroom keys rotate --back       and back
  strongroom migrate down --to 1 --yes    back to plaintext, byte for byte

Exit codes:
  0 done   1 failed   2 usage   3 something is left to do   4 refused by a guard
  5 another run holds the lock   6 database or key source unreachable   130 interrupted";

const DOCTOR: &str = "\
Each line is ok, warn or bad, and says what to type next when it is not ok. The exit code is that of the worst:
6 when the database cannot be reached, 4 when a guard would refuse, 3 when something is left to do, else 0.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key file and a database where they are missing
    Init,
    /// Move the schema forward and back
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Look at the key ring and roll it
    #[command(subcommand)]
    Keys(keys::Command),
    /// Store, find and remove credentials, in the database or through a service
    Credential(credential::Arguments),
    /// Take credentials over from another system
    #[command(subcommand)]
    Import(import::Command),
    /// Hand credentials over to another system
    #[command(subcommand)]
    Export(export::Command),
    /// What each component may do, and the database logins that hold it to that
    Policy(policy::Arguments),
    /// Look at what the service handed out, and whether that record is whole
    #[command(subcommand)]
    Audit(audit::Command),
    /// Make a local authority and certificates, for development
    DevCerts(dev_certs::DevCerts),
    /// Answer components over HTTPS, each by its own database login
    Serve(serve::Serve),
    /// Show where everything stands on one screen, with the next command for each problem; writes nothing
    Status(status::Status),
    /// Look at everything that can be wrong, and say what to do about it; writes nothing
    #[command(after_help = DOCTOR)]
    Doctor,
    /// Write a manual page for each command into a folder
    Man {
        /// The folder; made if it is not there
        #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        out: PathBuf,
    },
    /// Print completions for a shell; standard error says where they go
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Whether a signal ends it at once, or by its own rules; a run ends at the end of a page.
    pub(super) fn hears_signals_itself(&self) -> bool {
        self.is_service() || matches!(self, Self::Status(_))
    }

    /// Whether it runs until it is told to stop, and what it does is for a log.
    pub(super) fn is_service(&self) -> bool {
        matches!(self, Self::Serve(_))
    }
}
