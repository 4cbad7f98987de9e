//! Who may do what, as a table a person can read.

use strongroom::internal::policy::{Object, Policy, Site, State, Verb};

/// One column, or the rows of a table, with what each component may do.
pub(super) struct Row {
    table: String,
    /// None for the table's rows as such.
    column: Option<String>,
    cells: Vec<String>,
}

pub(super) fn rows(policy: &Policy, state: &State, site: &Site) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in policy.tables() {
        let row = |column: Option<&str>| Row {
            table: table.to_owned(),
            column: column.map(str::to_owned),
            cells: policy
                .components
                .keys()
                .map(|component| cell(policy, state, site, component, table, column))
                .collect(),
        };
        rows.push(row(None));
        rows.extend(site.catalog.get(table).into_iter().flatten().map(|column| row(Some(column))));
    }
    rows
}

/// `R` reads, `W` gives in a new row, `U` changes, `D` removes rows. `+` before a letter: the server allows it and the policy
/// does not. `-`: the policy allows it and the server does not.
fn cell(
    policy: &Policy,
    state: &State,
    site: &Site,
    component: &str,
    table: &str,
    column: Option<&str>,
) -> String {
    let verbs: &[(Verb, char)] = match column {
        None => &[(Verb::Delete, 'D')],
        Some(_) => &[(Verb::Select, 'R'), (Verb::Insert, 'W'), (Verb::Update, 'U')],
    };
    let mark = |(verb, letter): &(Verb, char)| {
        let may = policy
            .components
            .get(component)
            .is_some_and(|it| it.allows(*verb, table, column.unwrap_or_default()));
        let can = if site.has_accounts() {
            can(state, site, component, *verb, table, column)
        } else {
            may
        };
        match (may, can) {
            (true, true) => letter.to_string(),
            (true, false) => format!("-{letter}"),
            (false, true) => format!("+{letter}"),
            (false, false) => String::new(),
        }
    };
    let text: String = verbs.iter().map(mark).collect();
    if text.is_empty() { "·".to_owned() } else { text }
}

fn can(
    state: &State,
    site: &Site,
    component: &str,
    verb: Verb,
    table: &str,
    column: Option<&str>,
) -> bool {
    let role = site.target.names.role(component);
    let schema = site.target.schema_of(component);
    let object = match column {
        None => Object::Table(schema, table.to_owned()),
        Some(column) => Object::Column(schema, table.to_owned(), column.to_owned()),
    };
    !state.paths(&role, verb.sql(), &object).is_empty()
}

pub(super) fn text(policy: &Policy, rows: &[Row]) -> Vec<String> {
    let first = rows
        .iter()
        .map(|row| row.column.as_ref().map_or(row.table.len(), |column| column.len() + 2))
        .max()
        .unwrap_or(0);
    let widths: Vec<usize> = policy
        .components
        .keys()
        .enumerate()
        .map(|(place, name)| {
            let cells =
                rows.iter().filter_map(|row| row.cells.get(place)).map(|cell| cell.chars().count());
            cells.max().unwrap_or(0).max(name.len())
        })
        .collect();
    let line = |name: &str, cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{name:<first$}  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
    };
    let mut lines = vec![line("", &mut policy.components.keys().map(String::as_str))];
    for row in rows {
        let name =
            row.column.as_ref().map_or_else(|| row.table.clone(), |column| format!("  {column}"));
        lines.push(line(&name, &mut row.cells.iter().map(String::as_str)));
    }
    lines.push(String::new());
    lines.push(
        "R reads   W gives in new rows   U changes   D removes rows   + on the server, against the policy   - missing there"
            .to_owned(),
    );
    lines
}
