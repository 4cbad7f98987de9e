//! What a run would do, from what the database says now. Writes nothing, and needs no key.

use sea_orm::{DatabaseConnection, EntityTrait as _, PaginatorTrait as _, QuerySelect as _};
use serde::Serialize;
use serde_json::json;
use strongroom::entity::credential;
use strongroom::migration::{Engine, Phase, Phases, Step};

use super::steps_of;
use crate::counted::counted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use strongroom::internal::db::{self, Access};
use strongroom::internal::reseal;
use strongroom::internal::schema::{self, State, Status, Target};

/// Where somebody wants to go.
pub(super) enum Wanted {
    Up(Option<String>),
    DownTo(String),
    DownSteps(usize),
    /// Up or down, whichever way the version lies.
    Version(Option<String>),
}

/// The steps that lead there.
pub(super) struct Planned {
    pub(super) status: Status,
    pub(super) target: Target,
    pub(super) steps: Vec<(usize, Box<dyn Step>)>,
    /// The phase changes of the applied steps, in order.
    moved: Vec<Phases>,
}

impl Planned {
    pub(super) async fn read(wanted: &Wanted, session: &Session) -> Result<Self, Failure> {
        let db = session.connect(Access::Read).await?;
        let known = steps_of(&db).await?;
        let status = schema::status(&db, &known).await?;
        session.refuse_older(&db).await?;
        let target = target(wanted, &status)?;
        let numbers = schema::numbers(&status, target);
        let in_force = status.migrations.iter().zip(&known).filter(|(step, _)| step.applied);
        let moved = in_force.filter_map(|(_, step)| step.phases()).collect();
        let steps = (1..).zip(known).filter(|(number, _)| numbers.contains(number));
        let mut steps: Vec<_> = steps.collect();
        if matches!(target, Target::Down(_)) {
            steps.reverse();
        }
        db.close().await?;
        Ok(Self { status, target, steps, moved })
    }

    /// The phase of a table of Strongroom after the applied steps.
    pub(super) fn phase_of(&self, table: &str) -> Phase {
        let last = self.moved.iter().rev().find(|phases| phases.table == table);
        last.map_or(Phase::Plain, |phases| phases.above)
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.target, Target::Up(_))
    }

    /// What a person must agree to.
    pub(super) fn destroys(&self) -> Vec<String> {
        let what =
            |step: &dyn Step| if self.is_up() { step.up_destroys() } else { step.down_destroys() };
        self.steps
            .iter()
            .filter_map(|(_, step)| Some(format!("{}: {}", step.name(), what(step.as_ref())?)))
            .collect()
    }
}

fn target(wanted: &Wanted, status: &Status) -> Result<Target, Failure> {
    Ok(match wanted {
        Wanted::Up(None) | Wanted::Version(None) => Target::Up(status.migrations.len()),
        Wanted::Up(Some(to)) => Target::Up(status.number_of(to)?),
        Wanted::DownTo(to) => Target::Down(status.number_of(to)?),
        Wanted::DownSteps(steps) => Target::Down(status.version().saturating_sub(*steps)),
        Wanted::Version(Some(to)) => match status.number_of(to)? {
            number if number < status.version() => Target::Down(number),
            number => Target::Up(number),
        },
    })
}

#[derive(Serialize)]
struct Line {
    number: usize,
    name: String,
    direction: &'static str,
    sql: Vec<String>,
    data: Option<&'static str>,
    destroys: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stalls: Option<&'static str>,
}

/// On a cluster a change of the schema is made on every node in its place among all writes.
const STALLS: &str = "an ALTER TABLE over the whole table: writers of all tables wait on every node until it is done";

/// Prints the plan; `sql` says whether its SQL too.
pub(super) async fn show(
    planned: &Planned,
    sql: bool,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let db = session.connect(Access::Read).await?;
    let rows = count_rows(&db).await?;
    let engine = Engine::of(&db).await?;
    let is_cluster = reseal::is_cluster(&db).await?;
    let lines = planned.steps.iter().map(|(number, step)| {
        let state = planned.status.migrations.get(number - 1).map(|step| step.state);
        let is_up = planned.is_up();
        let statements = if sql { sql_of(step.as_ref(), is_up, state, engine) } else { Vec::new() };
        let stalls = (is_cluster && rewrites(step.as_ref(), is_up)).then_some(STALLS);
        Line { stalls, ..line(*number, step.as_ref(), is_up, statements) }
    });
    let lines: Vec<_> = lines.collect();
    output.result(&json!({ "would_run": lines, "rows": rows }), || text(&lines, rows));
    Ok(Exit::Done)
}

fn line(number: usize, step: &dyn Step, up: bool, sql: Vec<String>) -> Line {
    Line {
        number,
        name: step.name().to_owned(),
        direction: if up { "up" } else { "down" },
        sql,
        data: if up { step.up_work() } else { step.down_work() },
        destroys: if up { step.up_destroys() } else { step.down_destroys() },
        stalls: None,
    }
}

/// Whether a statement of the step reads or writes the whole table on MariaDB: where cells are required or no longer,
/// where plaintext is as it was, and where the table is written anew.
fn rewrites(step: &dyn Step, up: bool) -> bool {
    let moves = step.phases().is_some_and(|phases| {
        phases.above == Phase::Required || (phases.above == Phase::Sealed && !up)
    });
    moves || (up && step.scrubs().is_some())
}

fn sql_of(step: &dyn Step, up: bool, state: Option<State>, engine: Engine) -> Vec<String> {
    if step.phases().is_some() || step.scrubs().is_some() {
        return schema::plan_sql(step, up, state == Some(State::HalfWayDown), engine);
    }
    if let Some(instead) = step.sql_instead(engine, up) {
        return vec![instead];
    }
    let statements = if up { step.up_sql() } else { step.down_sql() };
    let statements = statements.iter().map(|sql| sql.of(engine).into_owned());
    statements.filter(|sql| !sql.is_empty()).collect()
}

fn text(lines: &[Line], rows: u64) -> String {
    let mut out = vec![match lines.len() {
        0 => "nothing to do".to_owned(),
        some => format!(
            "would run {} over {}; nothing was done",
            counted(some as u64, "migration", "migrations"),
            counted(rows, "credential", "credentials"),
        ),
    }];
    for line in lines {
        out.push(format!("{:>3}  {:<4} {}", line.number, line.direction, line.name));
        out.extend(
            line.data.map(|data| format!("       data: {data} ({})", counted(rows, "row", "rows"))),
        );
        out.extend(line.stalls.map(|what| format!("       stalls: {what}")));
        out.extend(line.destroys.map(|what| format!("       needs agreement: {what}")));
        out.extend(
            line.sql.iter().flat_map(|sql| sql.lines()).map(|sql| format!("       | {sql}")),
        );
    }
    out.join("\n")
}

async fn count_rows(db: &DatabaseConnection) -> Result<u64, Failure> {
    if !db::has_table(db, credential::TABLE.name).await? {
        return Ok(0);
    }
    Ok(credential::Entity::find().select_only().column(credential::Column::Id).count(db).await?)
}
