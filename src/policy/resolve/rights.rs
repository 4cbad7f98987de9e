//! What the lines of a component allow together, with the line of each right.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_entity::credential::TABLE;

use super::{Merged, columns_of};
use crate::policy::entry::{Columns, Name};
use crate::policy::model::Catalog;
use crate::policy::source::Given;
use crate::policy::suggest::nearest;
use crate::policy::{Place, PolicyError, TableRights, Verb};

/// What is allowed, by table.
pub(super) type Tables = BTreeMap<String, Granted>;

/// What is allowed on one table, each with the first line that says so.
#[derive(Default)]
pub(super) struct Granted {
    columns: BTreeMap<Verb, BTreeMap<String, Place>>,
    delete: Option<Place>,
}

/// The rights of a component, refused where they could not work.
pub(super) fn granted(
    component: &str,
    merged: &Merged<'_>,
    catalog: &Catalog,
) -> Result<Tables, PolicyError> {
    let mut tables = Tables::new();
    for allow in &merged.allows {
        let Name { text: table, place } = &allow.table;
        let columns = columns_of(catalog, table, place)?;
        let granted = tables.entry(table.clone()).or_default();
        for (verb, written) in &allow.columns {
            granted.add(*verb, expanded(written, table, columns)?);
        }
        granted.delete = granted.delete.take().or_else(|| allow.delete.clone());
    }
    for Given { place, value } in merged.keys.values() {
        for (table, brought) in value.rights() {
            let columns = columns_of(catalog, &table, place)?;
            tables.entry(table.clone()).or_default().bring(&brought, place, (&table, columns))?;
        }
    }
    if tables.is_empty() {
        return Err(PolicyError::AllowsNothing {
            place: merged.place.clone(),
            component: component.to_owned(),
        });
    }
    tables.iter().try_for_each(|(table, granted)| granted.check(component, table))?;
    Ok(tables)
}

impl Granted {
    /// Where a column is allowed.
    pub(super) fn place(&self, verb: Verb, column: &str) -> Option<&Place> {
        self.columns.get(&verb)?.get(column)
    }

    fn add(&mut self, verb: Verb, columns: Vec<Name>) {
        let there = self.columns.entry(verb).or_default();
        for Name { text, place } in columns {
            there.entry(text).or_insert(place);
        }
    }

    /// Adds the rights that a registered key brings.
    fn bring(
        &mut self,
        brought: &TableRights,
        place: &Place,
        (table, columns): (&str, &[String]),
    ) -> Result<(), PolicyError> {
        for verb in Verb::OF_COLUMNS {
            let names = brought.columns(verb).into_iter().flatten();
            let names =
                names.map(|text| Name { text: text.clone(), place: place.clone() }).collect();
            self.add(verb, expanded(&Columns::These(names), table, columns)?);
        }
        if brought.delete {
            self.delete.get_or_insert_with(|| place.clone());
        }
        Ok(())
    }

    fn check(&self, component: &str, table: &str) -> Result<(), PolicyError> {
        self.check_sight(component, table)?;
        if table == TABLE.name { self.check_cells(component) } else { Ok(()) }
    }

    /// A WHERE clause reads what it names.
    fn check_sight(&self, component: &str, table: &str) -> Result<(), PolicyError> {
        let update = self.columns.get(&Verb::Update).and_then(|columns| columns.values().min());
        let blind = update
            .map(|place| (Verb::Update, place))
            .or(self.delete.as_ref().map(|place| (Verb::Delete, place)));
        match blind {
            Some((verb, place)) if !self.columns.contains_key(&Verb::Select) => {
                let (component, table) = (component.to_owned(), table.to_owned());
                Err(PolicyError::Blind { place: place.clone(), component, verb, table })
            }
            _ => Ok(()),
        }
    }

    /// A cell opens only with the row's id and owner columns, so whoever reads the one reads the others.
    fn check_cells(&self, component: &str) -> Result<(), PolicyError> {
        let unread = |column: &&str| self.place(Verb::Select, column).is_none();
        let missing: Vec<_> =
            bound_columns().filter(unread).map(|column| format!("`{column}`")).collect();
        let mut cells = TABLE
            .columns
            .iter()
            .filter_map(|cell| Some((cell.sealed, self.place(Verb::Select, cell.sealed)?)));
        match cells.next() {
            Some((cell, place)) if !missing.is_empty() => Err(PolicyError::Unbound {
                place: place.clone(),
                component: component.to_owned(),
                cell: cell.to_owned(),
                missing: missing.join(", "),
            }),
            _ => Ok(()),
        }
    }
}

impl From<Granted> for TableRights {
    fn from(mut granted: Granted) -> Self {
        let mut columns = |verb| -> BTreeSet<String> {
            granted.columns.remove(&verb).unwrap_or_default().into_keys().collect()
        };
        let (select, insert, update) =
            (columns(Verb::Select), columns(Verb::Insert), columns(Verb::Update));
        Self { select, insert, update, delete: granted.delete.is_some() }
    }
}

/// What a cell is bound to.
fn bound_columns() -> impl Iterator<Item = &'static str> {
    std::iter::once(TABLE.id.name).chain(TABLE.owners.iter().map(|owner| owner.name))
}

fn expanded(written: &Columns, table: &str, columns: &[String]) -> Result<Vec<Name>, PolicyError> {
    match written {
        Columns::All(place) => Ok(columns
            .iter()
            .map(|column| Name { text: column.clone(), place: place.clone() })
            .collect()),
        Columns::These(names) => {
            names.iter().map(|name| known_column(name, table, columns)).collect()
        }
    }
}

fn known_column(name: &Name, table: &str, columns: &[String]) -> Result<Name, PolicyError> {
    if columns.contains(&name.text) {
        return Ok(name.clone());
    }
    let near = nearest(&name.text, columns.iter().map(String::as_str));
    Err(PolicyError::UnknownColumn {
        place: name.place.clone(),
        column: name.text.clone(),
        table: table.to_owned(),
        near,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{message, over};

    fn allowing(lines: &str) -> String {
        format!("[component.x]\n[[component.x.allow]]\n{lines}")
    }

    #[test]
    fn what_could_not_work_is_refused_with_its_line() {
        for (lines, wanted) in [
            (
                "table = \"credentials\"\nselect = \"*\"",
                "own.toml:3: unknown table `credentials`: did you mean `credential`?",
            ),
            ("table = \"weather\"\nselect = \"*\"", "own.toml:3: unknown table `weather`"),
            (
                "table = \"credential\"\nselect = [\"id\",\n\"secret_kye\"]",
                "own.toml:5: unknown column `secret_kye` of table `credential`: did you mean `secret_key_sealed`?",
            ),
            (
                "table = \"credential\"\ninsert = [\"*\"]",
                "own.toml:4: unknown column `*` of table `credential`",
            ),
            (
                "table = \"credential\"\nselect = [\"id\", \"user_id\", \"project_id\", \"secret_key_sealed\"]",
                "own.toml:4: component `x` may read the cell `secret_key_sealed` but not what it is bound to: add `type`, `extra`",
            ),
            (
                "table = \"credential\"\nselect = [\"access_key_sealed\", \"user_id\", \"project_id\", \"type\", \"extra\"]",
                "own.toml:4: component `x` may read the cell `access_key_sealed` but not what it is bound to: add `id`",
            ),
            (
                "table = \"credential\"\nupdate = [\"extra\"]\ndelete = true",
                "own.toml:4: component `x` may UPDATE `credential` and select nothing of it: \
                 a statement could not say which rows",
            ),
            (
                "table = \"strongroom_lock\"\ninsert = \"*\"\ndelete = true",
                "own.toml:5: component `x` may DELETE `strongroom_lock` and select nothing of it: \
                 a statement could not say which rows",
            ),
        ] {
            assert_eq!(message(&allowing(lines)), wanted, "{lines}");
        }
        assert_eq!(
            message("\n[component.x]\nconnections = 1"),
            "own.toml:2: component `x` is allowed nothing here"
        );
        assert_eq!(
            message("[component.api]\nreplace = true"),
            "own.toml:1: component `api` is allowed nothing here"
        );
    }

    #[test]
    fn lines_count_together() {
        let table = "[[component.x.allow]]\ntable = \"credential\"";
        let lines = format!(
            "table = \"credential\"\nselect = [\"id\", \"secret_key_sealed\"]\n{table}\ndelete = true\n\
             {table}\nselect = [\"user_id\", \"project_id\", \"type\", \"extra\"]"
        );
        assert_eq!(
            over(&allowing(&lines)).unwrap().components["x"].tables["credential"].select.len(),
            6
        );
        assert!(over(&allowing("table = \"strongroom_lock\"\ninsert = \"*\"")).is_ok());
    }
}
