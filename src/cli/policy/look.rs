//! `strongroom policy show` and `check`.

use serde_json::json;

use super::{PolicyContext, matrix};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;
use strongroom::internal::policy::Drift;

pub(super) async fn show(context: &PolicyContext, output: &Output) -> Result<Exit, Failure> {
    let policy = context.in_force().await?;
    let plan = context.plan(&policy).await?;
    let drift = plan.drift(&context.site);
    let rows = matrix::rows(&policy, &plan.found.state, &context.site);
    let document = json!({
        "version": policy.version, "components": policy.components, "denials": policy.denials,
        "key_denials": policy.key_denials, "baseline": plan.found.baseline, "drift": drift,
    });
    output.result(&document, || {
        let mut text = matrix::text(&policy, &rows);
        text.extend(context.site.options.keys.show(&policy));
        text.extend(plan.found.baseline.iter().map(|line| format!("everybody   {line}")));
        text.extend(if drift.is_empty() { Vec::new() } else { list(&drift) });
        Text::of(text)
    });
    Ok(Exit::Done)
}

pub(super) async fn check(context: &PolicyContext, output: &Output) -> Result<Exit, Failure> {
    let in_force = context.in_force().await?;
    let (mut policy, mut drift) = (in_force, Vec::new());
    if context.site.options.own.is_some() {
        let wanted = context.wanted()?;
        drift.extend((wanted != policy).then(another_policy));
        policy = wanted;
    }
    drift.extend(context.plan(&policy).await?.drift(&context.site));
    output.result(&json!({ "drift": drift }), || match drift.len() {
        0 => Text::from("the server follows the policy".to_owned()),
        _ => Text::of(list(&drift)),
    });
    Ok(if drift.is_empty() { Exit::Done } else { Exit::Left })
}

fn another_policy() -> Drift {
    Drift {
        kind: "policy".to_owned(),
        grantee: String::new(),
        object: "the policy in force".to_owned(),
        privilege: "is not the one of the file: `strongroom policy plan`".to_owned(),
        cure: None,
    }
}

fn list(drift: &[Drift]) -> Vec<String> {
    let places =
        if drift.len() == 1 { "1 place".to_owned() } else { format!("{} places", drift.len()) };
    let mut lines = vec![format!("the server differs from the policy in {places}:")];
    for drift in drift {
        lines.push(format!("  {drift}").trim_end().to_owned());
        lines.extend(drift.cure.iter().map(|sql| format!("             hint: {sql};")));
    }
    lines
}
