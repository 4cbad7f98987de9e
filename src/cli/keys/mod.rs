//! `strongroom keys …`.

mod accept_epoch;
mod discard_key;
mod escrow;
mod quarantine;
mod retire;
mod rewrap;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;
use strongroom::entity::{OWN_TABLES, SealedTable, own_table};
use strongroom::migration::Engine;

use crate::counted::counted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::migrate::Pace;
use crate::output::Output;
use crate::progress;
use crate::session::{Session, release};
use crate::text::Text;
use strongroom::credential::StoreError;
use strongroom::db::{Access, DatabaseConnection};
use strongroom::internal::reseal::{self, Bad, Census, GenerationCount, Options, ResealError};
use strongroom::internal::schema;
use strongroom::key::{Epoch, Generation, KeyState, Rolling};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the generations and count the cells
    Status {
        /// Exit with 3 when cells are not on the active generation, or do not open
        #[arg(long)]
        check: bool,
    },
    /// Move every cell to a new key generation, while programs read and write
    #[command(
        after_help = "An unfinished roll is continued, never doubled: after a crash, run the same command again."
    )]
    Rotate(Rotate),
    /// Open every cell and unwrap every key, and list those that do not; writes nothing
    Verify,
    /// Wrap every key under another root; no cell is touched
    #[command(after_help = REWRAP_EXAMPLES)]
    Rewrap(rewrap::Rewrap),
    /// Encrypt the root for an offline recipient, so that a lost key source is not a lost database
    Escrow(escrow::Escrow),
    /// Close a generation that seals nothing any more, and after a time of grace wipe its keys
    Retire(retire::Retire),
    /// Accept an older copy of the database that was put back on purpose, on this host
    #[command(after_help = ACCEPT_HELP)]
    AcceptEpoch(accept_epoch::AcceptEpoch),
    /// Remove a row of keys that does not unwrap and that no cell names
    DiscardKey(discard_key::DiscardKey),
    /// What a roll or an import could not open
    #[command(subcommand)]
    Quarantine(quarantine::Command),
}

const REWRAP_EXAMPLES: &str = "\
Examples:
  strongroom keys rewrap --to file:new.key                    a new key file, made if it is not there
  strongroom keys rewrap --to passphrase-file:passphrase      a root sealed under a passphrase
  strongroom keys rewrap --to env:STRONGROOM_NEXT_ROOT

Name the same source under [keys.next] beforehand, and running programs go on through the change.";

const ACCEPT_HELP: &str = "\
Each host remembers the highest manifest epoch that it has seen, in `keys.epoch_file`, and refuses an older copy of the
database. Restore the newest copy instead wherever you can: what was sealed since the older one cannot be opened any more,
generations that were retired since count again, and plaintext that was dropped since may be back.

Run it on each host whose programs use the database. It changes this host's epoch file and nothing else.";

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Go back to the generation that was active before
    #[arg(long)]
    back: bool,
    /// Count what would move, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pace: Pace,
}

pub(super) async fn run(
    command: Command,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Status { check } => status(check, session, output).await,
        Command::Rotate(rotate) if rotate.dry_run => show_roll(&rotate, session, output).await,
        Command::Rotate(rotate) => roll(&rotate, session, output).await,
        Command::Verify => verify(session, output).await,
        Command::Rewrap(rewrap) => rewrap::run(&rewrap, session, output).await,
        Command::Escrow(escrow) => escrow::run(&escrow, session, output).await,
        Command::Retire(retire) => retire::run(&retire, session, output).await,
        Command::AcceptEpoch(wanted) => accept_epoch::run(&wanted, session, output).await,
        Command::DiscardKey(discard) => discard_key::run(&discard, session, output).await,
        Command::Quarantine(command) => quarantine::run(command, session, output).await,
    }
}

#[derive(Serialize)]
struct StatusDocument {
    generations: Vec<GenerationLine>,
    cells: Census,
    /// Cells whose header names no key of the ring.
    unknown: u64,
    /// A roll that is not finished.
    rolling: Option<Rolling>,
    epoch: Option<Epoch>,
    phase: &'static str,
}

#[derive(Serialize)]
struct GenerationLine {
    generation: Generation,
    state: KeyState,
    cells: u64,
}

async fn status(check: bool, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let db = session.connect_to_ours(Access::Read).await?;
    let ring = session.ring(&db).await?;
    let manifest = ring.as_ref().map(|ring| ring.manifest());
    let tables = reseal::counted_tables(&db, manifest.as_ref()).await?;
    let (_, phase) = tables.first().copied().ok_or(StoreError::NoTable)?;
    let (cells, counts) = reseal::census(&db, &tables, ring.as_deref()).await?;
    // The count may have met keys of a newer generation.
    let manifest = ring.as_ref().map(|ring| ring.manifest());
    let count_of = |generation| {
        counts
            .iter()
            .find(|count: &&GenerationCount| count.generation == generation)
            .map_or(0, |count| count.cells)
    };
    let generations = manifest.iter().flat_map(|manifest| &manifest.generations);
    let generations = generations.map(|known| GenerationLine {
        generation: known.generation,
        state: known.state,
        cells: count_of(Some(known.generation)),
    });
    let document = StatusDocument {
        generations: generations.collect(),
        cells,
        unknown: count_of(None),
        rolling: manifest.as_ref().and_then(|manifest| manifest.rolling),
        epoch: manifest.as_ref().map(|manifest| manifest.epoch),
        phase: phase.as_str(),
    };
    output.result(&document, || status_text(&document));
    Ok(if check && document.has_work_left() { Exit::Left } else { Exit::Done })
}

impl StatusDocument {
    fn has_work_left(&self) -> bool {
        let elsewhere: u64 = self
            .generations
            .iter()
            .filter(|line| line.state != KeyState::Active)
            .map(|line| line.cells)
            .sum();
        elsewhere + self.unknown + self.cells.quarantined + self.cells.plaintext > 0
            || self.rolling.is_some()
    }
}

fn status_text(document: &StatusDocument) -> String {
    let mut lines: Vec<String> = document
        .generations
        .iter()
        .map(|line| {
            let state = match line.state {
                KeyState::Active => "active",
                KeyState::DecryptOnly => "decrypt only",
                KeyState::Closed => "closed",
                KeyState::Retired => "retired",
            };
            format!(
                "generation {:<4} {state:<13} {}",
                line.generation,
                counted(line.cells, "cell", "cells")
            )
        })
        .collect();
    if document.unknown > 0 {
        lines.push(format!(
            "unknown keys                  {}",
            counted(document.unknown, "cell", "cells")
        ));
    }
    let Census { total, sealed, plaintext, quarantined } = document.cells;
    lines.push(format!(
        "{}: {sealed} sealed, {plaintext} in the clear, {quarantined} in quarantine",
        counted(total, "value", "values")
    ));
    if let Some(rolling) = document.rolling {
        let next = match rolling {
            Rolling::Forward => "`strongroom keys rotate`",
            Rolling::Back => "`strongroom keys rotate --back`",
        };
        lines.push(format!("a roll is unfinished: {next} continues"));
    }
    lines.join("\n")
}

async fn show_roll(rotate: &Rotate, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let db = session.connect_to_ours(Access::Read).await?;
    let ring = session.ring(&db).await?.ok_or(ResealError::NoRing)?;
    let plan =
        reseal::plan_roll(&db, &ring, if rotate.back { Rolling::Back } else { Rolling::Forward })
            .await?;
    output.result(
        &json!({ "dry_run": true, "generation": plan.generation, "cells": plan.cells }),
        || {
            let cells = counted(plan.cells, "cell", "cells");
            format!("would move {cells} to generation {}; nothing was done", plan.generation)
        },
    );
    Ok(Exit::Done)
}

async fn roll(rotate: &Rotate, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let db = session.connect_to_ours(Access::Write).await?;
    let ring = session.ring(&db).await?.ok_or(ResealError::NoRing)?;
    refuse_foreign_triggers(&db).await?;
    let direction = if rotate.back { Rolling::Back } else { Rolling::Forward };
    let lock = session.lock(&db).await?;
    let done = match ring.reload(&db).await {
        Ok(()) => {
            reseal::roll(&db, &ring, &lock, direction, &rotate.pace.options(session, output)).await
        }
        Err(error) => Err(error.into()),
    };
    release(lock).await;
    let done = done?;
    let document =
        json!({ "generation": done.generation, "rows": done.moved, "quarantined": done.bad });
    output.result(&document, || {
        let rest = match done.bad {
            0 => String::new(),
            bad => {
                let cells = counted(
                    bad,
                    "cell does not open and stayed where it was",
                    "cells do not open and stayed where they were",
                );
                format!("\n{cells}: see `strongroom keys verify`")
            }
        };
        let moved = counted(done.moved, "row moved", "rows moved");
        format!("{moved}; generation {} is active{rest}", done.generation)
    });
    Ok(if done.bad > 0 { Exit::Left } else { Exit::Done })
}

/// They would run for each cell that is rolled.
async fn refuse_foreign_triggers(db: &DatabaseConnection) -> Result<(), Failure> {
    let (engine, mut found) = (Engine::of(db).await?, Vec::new());
    for table in OWN_TABLES {
        found.extend(schema::foreign_triggers(db, engine, table.name).await?);
    }
    if found.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} would run for each row that is rolled, and nothing was changed",
        found.join(", ")
    );
    Err(Failure::refused("foreign_triggers", message)
        .help("drop them, and make them again after the roll"))
}

async fn verify(session: &Session, output: &Output) -> Result<Exit, Failure> {
    let db = session.connect_to_ours(Access::Read).await?;
    let ring = session.ring(&db).await?.ok_or(ResealError::NoRing)?;
    let tables = reseal::sealed_tables(&ring.manifest())?;
    if tables.is_empty() {
        return Err(ResealError::NoRing.into());
    }
    let options = Options {
        stop: session.stop.clone(),
        on_event: progress::listener(output),
        ..Options::default()
    };
    let (mut checked, mut failed, mut lines) = (0, Vec::new(), Vec::new());
    for (table, phase) in tables {
        let found = reseal::verify(&db, &ring, table, phase, &options).await?;
        checked += found.checked;
        lines.extend(found.failed.iter().map(|bad| failed_line(table, bad)));
        failed.extend(found.failed.iter().map(|bad| failed_document(table, bad)));
    }
    let cells = lines.len();
    let keys = ring.bad_keys(&db).await?;
    lines.extend(keys.iter().map(discard_key::line));
    failed.extend(keys.iter().map(discard_key::document));
    output.result(&json!({ "checked": checked, "failed": failed }), || {
        verify_text(checked, cells, lines)
    });
    if let Some(key) = keys.first() {
        output.note(&discard_key::note(key));
    }
    Ok(if failed.is_empty() { Exit::Done } else { Exit::Left })
}

fn failed_document(table: &SealedTable, bad: &Bad) -> serde_json::Value {
    json!({ "table": table.name, "id": bad.row, "column": bad.column, "reason": bad.reason.to_string() })
}

/// Names the table where it is a program's.
fn failed_line(table: &SealedTable, bad: &Bad) -> String {
    let of =
        if own_table(table.name).is_some() { String::new() } else { format!("{}  ", table.name) };
    format!("{of}{}  {}  {}", bad.row, bad.column, bad.reason)
}

fn verify_text(checked: u64, bad: usize, mut lines: Vec<String>) -> Text {
    lines.push(match bad {
        0 => counted(checked, "cell opens", "cells open"),
        1 => format!("1 of {checked} cells does not open"),
        bad => format!("{bad} of {checked} cells do not open"),
    });
    Text::of(lines)
}
