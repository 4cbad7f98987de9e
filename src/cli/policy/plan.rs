//! `strongroom policy plan`.

use std::path::Path;

use serde_json::json;

use super::PolicyContext;
use super::plan_file::PlanFile;
use crate::counted::counted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use strongroom::internal::policy::Plan;

pub(super) async fn run(
    context: &PolicyContext,
    out: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let policy = context.wanted()?;
    let plan = context.plan(&policy).await?;
    if let Some(file) = out {
        PlanFile::new(context, &policy, &plan).await?.write(file)?;
    }
    let drift = plan.drift(&context.site);
    output
        .result(&json!({ "statements": plan.statements, "drift": drift }), || text(&plan, context));
    if let Some(file) = out {
        output.note(&format!(
            "the plan is in {}: `strongroom policy apply {}` does exactly that",
            file.display(),
            file.display()
        ));
    }
    Ok(Exit::Done)
}

fn text(plan: &Plan, context: &PolicyContext) -> String {
    if !context.site.has_accounts() {
        return "SQLite has no accounts: each connection of a component is held to the policy by itself".to_owned();
    }
    let mut lines = vec![match plan.statements.len() {
        0 => "nothing to do: the server follows the policy".to_owned(),
        some => format!(
            "would run {}; nothing was done",
            counted(some as u64, "statement", "statements")
        ),
    }];
    let mark = |widens| if widens { '+' } else { '-' };
    lines.extend(
        plan.statements
            .iter()
            .map(|statement| format!("  {} {};", mark(statement.widens), statement.sql)),
    );
    lines.join("\n")
}
