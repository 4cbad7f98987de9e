//! The screen.

use super::document::{Audit, Document, Ring};
use crate::counted::counted;
use crate::doctor::State;
use strongroom::internal::reseal::Census;
use strongroom::key::Rolling;

/// Where the second column begins.
const INDENT: usize = 13;

/// Marks findings by their state; nothing where there is no colour.
pub(super) type Paint = fn(&str, State) -> String;

/// The screen, in lines of at most `width` characters if one is given.
pub(super) fn screen(document: &Document, width: Option<usize>) -> String {
    painted(document, width, |text, _| text.to_owned())
}

pub(super) fn painted(document: &Document, width: Option<usize>, paint: Paint) -> String {
    let mut lines = Vec::new();
    for (name, text) in facts(document) {
        lines.extend(row(name, &text, width, str::to_owned));
    }
    lines.push(String::new());
    lines.push(match document.findings.len() {
        0 => "nothing is left to do".to_owned(),
        some => counted(some as u64, "finding", "findings") + ":",
    });
    for finding in &document.findings {
        lines
            .extend(row(&finding.code, &finding.message, width, |code| paint(code, finding.state)));
        lines.extend(finding.hint.iter().flat_map(|hint| row("", hint, width, str::to_owned)));
    }
    lines.join("\n")
}

fn facts(document: &Document) -> Vec<(&'static str, String)> {
    let database = &document.database;
    let server = [&database.engine, &database.version]
        .map(|part| part.as_deref().unwrap_or_default())
        .join(" ");
    let mut facts = vec![("database", format!("{}, {}", database.address, server.trim()))];
    facts.extend(version(document).map(|text| ("version", text)));
    facts.push(("cells", cells(document)));
    facts.extend(document.ring.as_ref().map(|ring| ("key ring", ring_text(ring))));
    facts.extend(document.policy.clone().map(|text| ("policy", text)));
    facts.extend(document.audit.as_ref().map(|audit| ("audit", audit_text(audit))));
    facts.extend(document.service.clone().map(|text| ("service", text)));
    facts
}

fn version(document: &Document) -> Option<String> {
    let (version, newest, pending) = (document.version?, document.newest?, document.pending?);
    let pending = if pending == 0 { String::new() } else { format!(", {pending} pending") };
    let phase = document.phase.map_or_else(String::new, |phase| format!("; phase {phase}"));
    Some(format!("{version} of {newest}{pending}{phase}"))
}

fn cells(document: &Document) -> String {
    let Census { total, sealed, plaintext, .. } = document.cells;
    if document.phase.is_none() {
        return "there is no table yet".to_owned();
    }
    let quarantined =
        document.quarantined.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    format!(
        "{}: {sealed} sealed, {plaintext} in the clear, {quarantined} in quarantine",
        counted(total, "value", "values")
    )
}

fn ring_text(ring: &Ring) -> String {
    let active = ring.active;
    let Some(to_move) = ring.to_move else {
        return format!("generation {active} is active, by a manifest that was not verified");
    };
    let left = counted(to_move, "cell", "cells");
    match ring.rolling {
        Some(Rolling::Forward) => format!("a roll to generation {active} has {left} to move"),
        Some(Rolling::Back) => format!("a roll back to generation {active} has {left} to move"),
        None if to_move == 0 => format!("generation {active} is active, every cell is on it"),
        None => format!("generation {active} is active, {left} on another"),
    }
}

fn audit_text(audit: &Audit) -> String {
    match &audit.last {
        None => "no rows".to_owned(),
        Some(last) => format!(
            "{}; the last code is {last}",
            counted(audit.rows.unsigned_abs(), "row", "rows")
        ),
    }
}

/// A name, and text beside it, broken at blanks. A name that is too long has a line of its own.
fn row(
    name: &str,
    text: &str,
    width: Option<usize>,
    paint: impl Fn(&str) -> String,
) -> Vec<String> {
    let blank = " ".repeat(INDENT);
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(INDENT).max(20));
    let mut lines: Vec<_> =
        broken(text, room).iter().map(|line| format!("{blank}{line}")).collect();
    let length = name.chars().count();
    if name.is_empty() {
        return lines;
    }
    if length + 1 > INDENT {
        lines.insert(0, paint(name));
    } else if let Some(first) = lines.first_mut() {
        *first = format!("{}{}{}", paint(name), " ".repeat(INDENT - length), first.trim_start());
    }
    lines
}

fn broken(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_broken_at_blanks_and_keep_their_column() {
        let rows =
            row("pending", "at version 7; four are pending", Some(INDENT + 20), str::to_owned);
        assert_eq!(rows, ["pending      at version 7; four", "             are pending"]);
        assert_eq!(
            row("a_long_name_of_a_code", "text", None, str::to_owned),
            ["a_long_name_of_a_code", "             text"]
        );
        assert_eq!(row("", "hint", None, str::to_owned), ["             hint"]);
    }
}
