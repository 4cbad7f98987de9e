//! `strongroom keys retire`: a generation that seals nothing any more.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::confirm::confirm;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::{Session, release};
use strongroom::db::Access;
use strongroom::key::Generation;
use strongroom::reseal::{self, ResealError, Retired};

#[derive(Debug, Args)]
pub(crate) struct Retire {
    /// The generation
    generation: u32,
    /// How long its keys stay in the database, closed, before a further run wipes them: 7d, 12h, 30m or 45s
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = duration)]
    grace: Duration,
}

pub(super) async fn run(
    retire: &Retire,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let generation = Generation::from(retire.generation);
    let db = session.connect_to_ours(Access::Write).await?;
    let ring = session.ring(&db).await?.ok_or(ResealError::NoRing)?;
    confirm(
        session,
        &[format!(
            "generation {generation} opens nothing any more, and its keys are wiped after the time of grace"
        )],
    )?;
    let lock = session.lock(&db).await?;
    let done = match ring.reload(&db).await {
        Ok(()) => reseal::retire(&db, &ring, &lock, generation, retire.grace).await,
        Err(error) => Err(error.into()),
    };
    release(lock).await;
    let done = done?;
    let document = json!({
        "generation": generation, "state": "retired", "wiped": done.wiped, "wiped_in_seconds": done.wiped_in.as_secs(),
    });
    output.result(&document, || text(done));
    Ok(Exit::Done)
}

fn text(done: Retired) -> String {
    let generation = done.generation;
    if done.wiped {
        return format!("generation {generation} is retired, and its keys are wiped");
    }
    let hours = done.wiped_in.as_secs().div_ceil(3600);
    format!(
        "generation {generation} is retired; after {hours} h `strongroom keys retire {generation} --yes` wipes its keys"
    )
}

/// A number and a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and a unit, such as 7d, 12h, 30m or 45s".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let seconds = match text.strip_prefix(digits) {
        Some("d") => 86_400,
        Some("h") => 3_600,
        Some("m") => 60,
        Some("s") => 1,
        Some("") if number == 0 => 1,
        _ => return Err(wrong()),
    };
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}
