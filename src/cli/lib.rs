//! The command line: one file per command group.

mod arguments;
mod audit;
mod config;
mod confirm;
mod counted;
mod credential;
mod dev;
mod dev_certs;
mod doctor;
mod epoch;
mod exit;
mod export;
mod failure;
mod global;
#[cfg(test)]
mod hints;
mod import;
mod init;
mod keys;
mod keystone;
mod log;
mod migrate;
mod output;
mod packages;
mod pages;
mod policy;
mod progress;
mod secret_argument;
mod serve;
mod session;
mod signals;
mod status;
mod text;
mod typed;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use exit::Exit;
use failure::Failure;
use output::Output;
use session::Session;

pub use packages::packages;
use strongroom::reseal::Stop;

/// Runs the program on its arguments; the code is the contract's.
pub async fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return output::usage(&error).into(),
    };
    let output = Output::new(&arguments.global);
    log::start(&arguments.global, arguments.command.is_service());
    let exit = match dispatch(arguments, &output).await {
        Ok(exit) => exit,
        Err(failure) => output.failure(&failure),
    };
    exit.into()
}

async fn dispatch(arguments: Arguments, output: &Output) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Man { out } => return pages::manual(out, output),
        Command::Completions { shell } => return Ok(pages::completions(*shell, output)),
        _ => {}
    }
    if let Command::Serve(wanted) = &arguments.command
        && wanted.dev
    {
        return dev::run(wanted, &arguments.global, output).await;
    }
    let stop = if arguments.command.hears_signals_itself() {
        Stop::default()
    } else {
        signals::stop_on_signals()
    };
    let session = Session::new(&arguments.global, stop)?;
    if session.config.allows_insecure() {
        output
            .warning("`database.allow_insecure` is set: databases off loopback are reached without verified TLS, or without any");
    }
    let done = match arguments.command {
        Command::Init => init::run(&session, output).await,
        Command::Migrate(command) => migrate::run(command, &session, output).await,
        Command::Keys(command) => keys::run(command, &session, output).await,
        Command::Credential(command) => credential::run(command, &session, output).await,
        Command::Import(command) => import::run(command, &session, output).await,
        Command::Export(command) => export::run(command, &session, output).await,
        Command::Policy(command) => policy::run(command, &session, output).await,
        Command::Audit(command) => audit::run(command, &session, output).await,
        Command::DevCerts(wanted) => dev_certs::run(wanted, &session, output),
        Command::Serve(wanted) => serve::run(&wanted, &session, output).await,
        Command::Status(wanted) => {
            status::run(&wanted, arguments.global.config.as_deref(), &session, output).await
        }
        Command::Doctor => doctor::run(arguments.global.config.as_deref(), &session, output).await,
        // Both went before, and need no configuration.
        Command::Man { .. } | Command::Completions { .. } => Ok(Exit::Done),
    };
    session.close().await;
    done
}
