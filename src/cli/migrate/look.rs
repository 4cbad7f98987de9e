//! Status, history, and taking the lock away.

use serde::Serialize;
use serde_json::json;

use super::known_steps;
use crate::confirm::confirm;
use crate::counted::counted;
use crate::epoch;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use crate::text::Text;
use crate::typed::quoted;
use strongroom::db::{self, Access, Holder, history};
use strongroom::internal::schema::{self, ProgramTable, State, Status};

#[derive(Serialize)]
struct StatusDocument<'a> {
    #[serde(flatten)]
    status: &'a Status,
    lock: Option<LockLine>,
    findings: Vec<Finding>,
    adoption: Option<AdoptionLine>,
    /// Tables of programs, where the ring serves them alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    programs: Vec<ProgramTable>,
}

#[derive(Serialize)]
struct Finding {
    code: &'static str,
    message: String,
    hint: String,
}

#[derive(Serialize)]
struct AdoptionLine {
    table: String,
    half_way: bool,
    hint: Option<&'static str>,
}

impl AdoptionLine {
    fn new(table: String, status: &Status) -> Self {
        let hint = status.migrations.first().and_then(|step| match step.state {
            State::HalfWayUp => {
                Some("`strongroom migrate adopt --yes` continues, and `strongroom migrate down --to 0 --yes` gives it back")
            }
            State::HalfWayDown => Some("`strongroom migrate down --to 0 --yes` continues"),
            State::Applied | State::Pending => None,
        });
        Self { table, half_way: hint.is_some(), hint }
    }
}

#[derive(Serialize)]
struct LockLine {
    holder: String,
    is_gone: bool,
    expires_in_seconds: u64,
}

pub(super) async fn status(
    check: bool,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let db = session.connect(Access::Read).await?;
    let status = schema::status(&db, &known_steps()).await?;
    let programs = schema::programs_alone(&db, &status).await?;
    let wanted = programs.is_empty();
    let holder = db::lock_holder(&db).await?;
    let lock = holder.as_ref().map(|holder| LockLine {
        holder: holder.id.clone(),
        is_gone: holder.is_gone,
        expires_in_seconds: holder.expires_in.as_secs(),
    });
    let (refusals, _): (Vec<_>, Vec<_>) =
        epoch::findings(session, &db).await.into_iter().partition(|found| found.is_refusal);
    let findings: Vec<_> = refusals
        .into_iter()
        .map(|found| Finding { code: found.code, message: found.message, hint: found.hint })
        .collect();
    let went_back = !findings.is_empty();
    let adoption =
        schema::adopted(&db).await?.map(|adoption| AdoptionLine::new(adoption.table, &status));
    let document = StatusDocument { status: &status, lock, findings, adoption, programs };
    output.result(&document, || status_text(&document, holder.as_ref()));
    Ok(if went_back || (check && wanted && status.pending > 0) { Exit::Left } else { Exit::Done })
}

fn status_text(document: &StatusDocument<'_>, holder: Option<&Holder>) -> Text {
    let (status, programs) = (document.status, &document.programs);
    let mut lines: Vec<String> = status
        .migrations
        .iter()
        .map(|step| {
            let state = match step.state {
                State::Applied => "applied".to_owned(),
                State::Pending => "pending".to_owned(),
                State::HalfWayUp => {
                    "half-way up: `strongroom migrate up --yes` continues".to_owned()
                }
                State::HalfWayDown => {
                    format!(
                        "half-way down: `strongroom migrate down --to {} --yes` continues",
                        step.number.saturating_sub(1)
                    )
                }
            };
            format!("{:>3}  {:<20} {state}", step.number, step.name)
        })
        .collect();
    lines.push(match status.pending {
        _ if !programs.is_empty() => {
            format!(
                "none of these is needed: the ring serves the tables of programs, {}",
                schema::programs_named(programs)
            )
        }
        0 => "nothing is pending".to_owned(),
        pending => {
            counted(pending, "migration is pending", "migrations are pending")
                + ": `strongroom migrate up --yes`"
        }
    });
    let halves = document.adoption.iter().filter_map(|it| Some((&it.table, it.hint?)));
    lines.extend(
        halves.map(|(table, hint)| format!("the adoption of table {table} is half-way: {hint}")),
    );
    for found in &document.findings {
        lines.extend([found.message.clone(), format!("  help: {}", found.hint)]);
    }
    if let Some(holder) = holder {
        let gone =
            if holder.is_gone { ", which is gone: the next run takes it at once" } else { "" };
        let take = format!(
            "`strongroom migrate unlock --holder {} --yes` takes it away",
            quoted(&holder.id)
        );
        lines.extend([
            format!("the run lock is held by {}{gone}", holder.shown),
            format!("  if it hangs: {take}"),
        ]);
    }
    Text::of(lines)
}

pub(super) async fn show_history(session: &Session, output: &Output) -> Result<Exit, Failure> {
    let db = session.connect(Access::Read).await?;
    let rows = history::read(&db).await?;
    let documents: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "number": row.number, "name": row.name, "kind": row.kind, "direction": row.direction,
                "started_at": row.started_at, "finished_at": row.finished_at, "holder": row.holder, "token": row.token,
            })
        })
        .collect();
    output.result(&json!({ "history": documents }), || {
        let mut lines: Vec<_> = rows
            .iter()
            .map(|row| {
                // A host's numbers are not what `--to` means.
                let number = row
                    .number
                    .filter(|_| row.kind != "host")
                    .map_or_else(String::new, |number| number.to_string());
                let finished = row
                    .finished_at
                    .map_or_else(|| "unfinished".to_owned(), |at| at.format("%F %T").to_string());
                format!(
                    "{}  {finished:<19}  {:<7}  {number:>3}  {}",
                    row.started_at.format("%F %T"),
                    row.direction,
                    row.name
                )
            })
            .collect();
        if lines.is_empty() {
            lines.push("nothing was done to this database yet".to_owned());
        }
        Text::of(lines)
    });
    Ok(Exit::Done)
}

/// For a holder that cannot go on and cannot be seen to be gone. One that is alive loses its run.
pub(super) async fn unlock(id: &str, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let db = session.connect(Access::Write).await?;
    session.refuse_older(&db).await?;
    let holder =
        db::lock_holder(&db).await?.filter(|holder| holder.id == id).ok_or_else(not_the_holder)?;
    if !holder.is_gone {
        confirm(
            session,
            &[format!(
                "takes the run lock from {}, which may be alive and then loses its run",
                holder.shown
            )],
        )?;
    }
    if !db::take_lock_away(&db, id).await? {
        return Err(not_the_holder());
    }
    output.result(&json!({ "unlocked": true }), || "the run lock is free".to_owned());
    Ok(Exit::Done)
}

fn not_the_holder() -> Failure {
    let failure =
        Failure::new(Exit::Failed, "not_the_holder", "the run lock is not held under that id");
    failure.help("`strongroom migrate status` shows by whom it is held, if at all")
}
