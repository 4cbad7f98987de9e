//! `strongroom policy explain COMPONENT TABLE.COLUMN`.

use serde::Serialize;
use serde_json::json;
use strongroom::entity::credential;

use super::PolicyContext;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;
use strongroom::internal::policy::{GrantError, Object, Policy, Verb};

#[derive(Serialize)]
struct Answer {
    column: String,
    verb: Verb,
    /// By the policy in force.
    allowed: bool,
    /// Denied in so many words, and not only not allowed.
    denied: bool,
    /// On the server, by which grants.
    paths: Vec<String>,
}

pub(super) async fn run(
    context: &PolicyContext,
    component: &str,
    column: &str,
    output: &Output,
) -> Result<Exit, Failure> {
    let policy = context.in_force().await?;
    let Some(of) = policy.components.get(component) else {
        return Err(GrantError::UnknownComponent(component.to_owned()).into());
    };
    let plan = context.plan(&policy).await?;
    let mut answers = Vec::new();
    for (table, column) in columns(context, column)? {
        for verb in Verb::ALL {
            answers.push(answer(
                context,
                &policy,
                &plan.found.state,
                component,
                verb,
                (&table, &column),
            ));
        }
    }
    let keys = &context.site.options.keys;
    let mut document = keys.values(of);
    document.insert("component", json!(component));
    document.insert("answers", json!(answers));
    output.result(&document, || {
        let lines = lines(component, &answers).into_iter();
        Text::of(lines.chain(keys.explain(&policy, component)).collect())
    });
    Ok(Exit::Done)
}

/// A column as it is called, or the columns of a sealed value.
fn columns(context: &PolicyContext, name: &str) -> Result<Vec<(String, String)>, Failure> {
    let there = |table: &str, column: &str| {
        context.site.catalog.get(table).is_some_and(|columns| columns.iter().any(|it| it == column))
    };
    if let Some((table, column)) =
        name.split_once('.').filter(|(table, column)| there(table, column))
    {
        return Ok(vec![(table.to_owned(), column.to_owned())]);
    }
    let sealed = credential::TABLE.columns.iter().filter(|column| column.label == name);
    let cells: Vec<_> = sealed
        .filter(|column| there(credential::TABLE.name, column.sealed))
        .map(|column| (credential::TABLE.name.to_owned(), column.sealed.to_owned()))
        .collect();
    if cells.is_empty() {
        let failure =
            Failure::new(Exit::Failed, "unknown_column", format!("there is no column `{name}`"));
        return Err(failure.help("write TABLE.COLUMN; `strongroom policy show` lists them"));
    }
    Ok(cells)
}

fn answer(
    context: &PolicyContext,
    policy: &Policy,
    state: &strongroom::internal::policy::State,
    component: &str,
    verb: Verb,
    (table, column): (&str, &str),
) -> Answer {
    let role = context.site.target.names.role(component);
    let schema = context.site.target.schema_of(component);
    let object = match verb {
        Verb::Delete => Object::Table(schema, table.to_owned()),
        _ => Object::Column(schema, table.to_owned(), column.to_owned()),
    };
    let paths = state.paths(&role, verb.sql(), &object);
    let denied = policy.denials.iter().any(|denial| {
        denial.component == component
            && denial.verb == verb
            && denial.table == table
            && denial.column == column
    });
    Answer {
        column: format!("{table}.{column}"),
        verb,
        allowed: policy.components.get(component).is_some_and(|it| it.allows(verb, table, column)),
        denied,
        paths: paths
            .iter()
            .map(|grant| format!("{} holds {} on {}", grant.grantee, grant.privilege, grant.object))
            .collect(),
    }
}

fn lines(component: &str, answers: &[Answer]) -> Vec<String> {
    let line = |answer: &Answer| {
        let verdict = match (answer.allowed, answer.denied) {
            (true, _) => "allowed",
            (false, true) => "denied by the policy",
            (false, false) => "not allowed",
        };
        let how = if answer.paths.is_empty() {
            String::new()
        } else {
            format!(": {}", answer.paths.join("; "))
        };
        format!("{component} {:<6} {}: {verdict}{how}", answer.verb.sql(), answer.column)
    };
    answers.iter().map(line).collect()
}
