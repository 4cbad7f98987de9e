//! `strongroom status`: where everything stands, on one screen, with the next command for each problem.
//!
//! The judgement is `doctor`'s; this is another presentation of it.

mod document;
mod text;
mod watch;

use std::path::Path;

use clap::Args;

use self::document::Document;
use super::doctor::{self, Checked};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::session::Session;
use strongroom::db::{Access, Address, DatabaseConnection};

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Status {
    /// Look again every two seconds and redraw, until Ctrl-C; on a terminal
    #[arg(long)]
    watch: bool,
}

const HELP: &str = "\
It writes nothing, and needs neither keys nor rights to change the schema. `strongroom doctor` shows every check that was made.

Exit codes:
  0 nothing is left to do   3 something is left to do, or a guard would refuse it; each finding has the next command
  6 the database cannot be reached   130 --watch was interrupted";

pub(super) async fn run(
    wanted: &Status,
    config: Option<&Path>,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let (address, db) = (session.address()?, session.connect(Access::Read).await?);
    if wanted.watch {
        return watch::run(config, session, &address, &db, output).await;
    }
    let looked = look(config, session, &address, &db).await;
    let document = Document::new(&looked, &address, &db, output).await;
    output.result(&document, || text::screen(&document, None));
    Ok(document.exit())
}

async fn look(
    config: Option<&Path>,
    session: &Session,
    address: &Address,
    db: &DatabaseConnection,
) -> Checked {
    let mut looked = doctor::look_around(config, session).await;
    doctor::look_at_database(session, address, db, &mut looked).await;
    looked
}
