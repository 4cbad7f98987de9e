//! `strongroom audit …`.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde_json::{Value, json};
use strongroom::entity::audit::{Column, Entity, Model};

use super::counted::counted;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::packages::actions;
use super::session::Session;
use super::text::Text;
use strongroom::audit::{AuditError, Report, verify};
use strongroom::internal::db::{Access, has_table};
use strongroom::key::AuditKey;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read the whole chain; exit code 3, and the places, when it does not hold
    #[command(after_help = VERIFY)]
    Verify {
        /// A last row that was noted before: the chain must still have it
        #[arg(long, value_name = "NUMBER:CODE", value_parser = kept)]
        expect: Option<(i64, String)>,
    },
    /// List rows, the oldest first
    List(List),
}

const VERIFY: &str = "\
Who holds no root key cannot alter, insert or remove a row unnoticed, but for rows cut off at the end together with the
chain's end row. Keep what this prints elsewhere, and give it to --expect the next time.";

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only those after this number: the `next` of the page before
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: i64,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    limit: u64,
    /// Only this component's
    #[arg(long, value_name = "C")]
    component: Option<String>,
    #[arg(long, value_name = "ACTION", value_parser = PossibleValuesParser::new(actions()), hide_possible_values = true, help = only_these())]
    action: Option<String>,
    /// Only about this credential
    #[arg(long, value_name = "ID")]
    object: Option<String>,
    /// Only what was refused
    #[arg(long)]
    refused: bool,
}

fn only_these() -> String {
    let actions = actions();
    let (last, others) = actions.split_last().unwrap_or((&"", &[]));
    format!("Only these: {} or {last}", others.join(", "))
}

fn kept(text: &str) -> Result<(i64, String), String> {
    let (number, code) =
        text.split_once(':').ok_or("a number, `:` and a code, as `audit verify` prints them")?;
    Ok((number.parse().map_err(|_| "not a number before the `:`")?, code.to_owned()))
}

pub(super) async fn run(
    command: Command,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let db = session.connect_to_ours(Access::Read).await?;
    if !has_table(&db, "strongroom_audit").await? {
        return Err(Failure::new(
            Exit::Left,
            "no_audit",
            "this database has no table of audit rows yet",
        )
        .help("run `strongroom migrate up --yes`"));
    }
    match command {
        Command::Verify { expect } => {
            let key = AuditKey::load(&db, session.ring_access().await?).await?;
            let report = verify(&db, &key, expect.as_ref()).await?;
            let last = report.last.as_ref().map(|(number, code)| format!("{number}:{code}"));
            let document =
                json!({ "checked": report.checked, "last": last, "problems": report.problems });
            output.result(&document, || verdict(&report, last.as_deref()));
            Ok(if report.problems.is_empty() { Exit::Done } else { Exit::Left })
        }
        Command::List(list) => {
            let limit = list.limit;
            let mut rows = list.wanted().limit(limit + 1).all(&db).await?;
            let more = rows.len() as u64 > limit;
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            let next = rows.last().filter(|_| more).map(|row| row.number);
            let documents: Vec<_> = rows.iter().map(document).collect();
            output.result(&json!({ "rows": documents, "next": next }), || lines(&rows, next));
            Ok(Exit::Done)
        }
    }
}

impl List {
    fn wanted(self) -> sea_orm::Select<Entity> {
        let mut wanted = Condition::all().add(Column::Number.gt(self.after));
        wanted = wanted.add_option(self.component.map(|component| Column::Component.eq(component)));
        wanted = wanted.add_option(self.action.map(|action| Column::Action.eq(action)));
        wanted = wanted.add_option(self.object.map(|object| Column::Object.eq(object)));
        wanted = wanted.add_option(self.refused.then(|| Column::Result.eq("refused")));
        Entity::find().filter(wanted).order_by_asc(Column::Number)
    }
}

fn verdict(report: &Report, last: Option<&str>) -> Text {
    let mut lines = vec![counted(report.checked, "row", "rows")];
    lines.extend(report.problems.iter().map(|problem| {
        let reason = serde_json::to_value(problem.reason).unwrap_or_default();
        format!("row {}  {}", problem.number, reason.as_str().unwrap_or_default())
    }));
    lines.push(if report.problems.is_empty() {
        "the chain holds".to_owned()
    } else {
        "the chain does not hold".to_owned()
    });
    lines.extend(last.filter(|_| report.problems.is_empty()).map(|last| format!("keep: {last}")));
    Text::of(lines)
}

fn document(row: &Model) -> Value {
    let Model {
        number,
        replica,
        request,
        component,
        identity,
        action,
        object,
        result,
        barrier,
        ..
    } = row;
    json!({
        "number": number, "at": at(row), "replica": replica, "request": request, "component": component,
        "identity": identity, "action": action, "object": object, "result": result,
        "barrier": Some(barrier).filter(|barrier| !barrier.is_empty()),
    })
}

fn at(row: &Model) -> Option<String> {
    let at = chrono::DateTime::from_timestamp_millis(row.at_ms)?;
    Some(at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

fn lines(rows: &[Model], next: Option<i64>) -> Text {
    let mut lines: Vec<_> = rows
        .iter()
        .map(|row| {
            let result = if row.barrier.is_empty() {
                row.result.clone()
            } else {
                format!("{} by {}", row.result, row.barrier)
            };
            let at = at(row).unwrap_or_default();
            format!(
                "{:>6}  {at}  {:<10} {:<7} {:<19} {}",
                row.number, row.component, row.action, result, row.object
            )
        })
        .collect();
    if lines.is_empty() {
        lines.push("no audit rows".to_owned());
    }
    lines.extend(next.map(|next| format!("more: --after {next}")));
    Text::of(lines)
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Database(error) => error.into(),
            AuditError::NoHead => Self::new(Exit::Left, "no_audit_head", error).help(
                "the row in strongroom_audit_head was removed: somebody with rights on it did that",
            ),
            error => Self::new(Exit::Failed, "audit", error),
        }
    }
}
