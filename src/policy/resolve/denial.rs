//! What must not be possible, looked up, and held against what the lines allow.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_entity::credential::TABLE;

use super::rights::Tables;
use super::{Merged, columns_of};
use crate::policy::entry::Name;
use crate::policy::model::Catalog;
use crate::policy::source::{Deny, DenyKey, Source};
use crate::policy::suggest::nearest;
use crate::policy::{Denial, KeyDenial, Place, PolicyError};

/// The denials of both files, each once and in order, none of which is allowed.
pub(super) fn resolved(
    builtin: Option<&Source>,
    own: Option<&Source>,
    rights: &BTreeMap<&str, Tables>,
    catalog: &Catalog,
) -> Result<Vec<Denial>, PolicyError> {
    let mut denials = BTreeSet::new();
    for source in builtin.into_iter().chain(own) {
        for deny in &source.denials {
            let (table, columns) = target(&deny.key, catalog)?;
            for component in counted(&deny.components, source, rights) {
                denials.extend(denied(deny, component, (table, &columns), rights)?);
            }
        }
    }
    Ok(denials.into_iter().collect())
}

/// The denials of registered keys of both files, each once and in order, none of which is allowed.
pub(super) fn of_keys(
    builtin: Option<&Source>,
    own: Option<&Source>,
    merged: &BTreeMap<&str, Merged<'_>>,
) -> Result<Vec<KeyDenial>, PolicyError> {
    let mut denials = BTreeSet::new();
    for source in builtin.into_iter().chain(own) {
        for deny in &source.key_denials {
            for component in counted(&deny.components, source, merged) {
                denials.insert(denied_word(deny, component, merged)?);
            }
        }
    }
    Ok(denials.into_iter().collect())
}

/// A component that the file declares and the result does not have was left out by `without`.
fn counted<'a, T>(
    components: &'a [Name],
    source: &'a Source,
    there: &'a BTreeMap<&str, T>,
) -> impl Iterator<Item = &'a Name> {
    components.iter().filter(|name| {
        there.contains_key(name.text.as_str()) || !source.components.contains_key(&name.text)
    })
}

fn denied_word(
    deny: &DenyKey,
    component: &Name,
    merged: &BTreeMap<&str, Merged<'_>>,
) -> Result<KeyDenial, PolicyError> {
    let (key, word) = (deny.key.name(), deny.word.clone());
    let of =
        merged.get(component.text.as_str()).ok_or_else(|| unknown_component(component, merged))?;
    let (allowed, place) = match of.keys.get(key) {
        Some(given) => (given.value.allows(&word), &given.place),
        None => (deny.key.default_allows(&word), of.place),
    };
    let (name, denied) = (component.text.clone(), component.place.clone());
    if allowed == Some(false) {
        return Ok(KeyDenial { component: name, key: key.to_owned(), word });
    }
    let allowed = place.clone();
    Err(PolicyError::KeyContradiction {
        place: denied,
        allowed,
        component: name,
        key,
        word: word.into(),
    })
}

/// The table and the columns that a key stands for: of a label, those of its two forms that the table has.
fn target<'a>(key: &'a Name, catalog: &'a Catalog) -> Result<(&'a str, Vec<&'a str>), PolicyError> {
    let Some((table, column)) =
        key.text.split_once('.').filter(|(table, column)| !table.is_empty() && is_name(column))
    else {
        return Err(PolicyError::NotAColumn { place: key.place.clone(), key: key.text.clone() });
    };
    let there = columns_of(catalog, table, &key.place)?;
    let cell = TABLE.columns.iter().find(|cell| cell.label == key.text);
    let forms = cell
        .map_or_else(|| vec![column], |cell| cell.plain.into_iter().chain([cell.sealed]).collect());
    let columns: Vec<_> =
        forms.into_iter().filter(|form| there.iter().any(|column| column == form)).collect();
    if columns.is_empty() {
        Err(unknown_column(key, table, column, there))
    } else {
        Ok((table, columns))
    }
}

fn is_name(column: &str) -> bool {
    !column.is_empty() && !column.contains('.')
}

fn denied(
    deny: &Deny,
    component: &Name,
    (table, columns): (&str, &[&str]),
    rights: &BTreeMap<&str, Tables>,
) -> Result<Vec<Denial>, PolicyError> {
    let tables =
        rights.get(component.text.as_str()).ok_or_else(|| unknown_component(component, rights))?;
    let (component, place) = (&component.text, &component.place);
    let denial = |column: &&str| {
        let (component, table, column) =
            (component.clone(), table.to_owned(), (*column).to_owned());
        Denial { component, verb: deny.verb, table, column }
    };
    columns.iter().map(|column| held(denial(column), place, tables)).collect()
}

fn held(denial: Denial, place: &Place, tables: &Tables) -> Result<Denial, PolicyError> {
    let Some(allowed) =
        tables.get(&denial.table).and_then(|granted| granted.place(denial.verb, &denial.column))
    else {
        return Ok(denial);
    };
    let (place, allowed) = (place.clone(), allowed.clone());
    let column = format!("{}.{}", denial.table, denial.column);
    Err(PolicyError::Contradiction {
        place,
        allowed,
        component: denial.component,
        verb: denial.verb,
        column,
    })
}

fn unknown_component<T>(name: &Name, there: &BTreeMap<&str, T>) -> PolicyError {
    let near = nearest(&name.text, there.keys().copied());
    PolicyError::UnknownComponent { place: name.place.clone(), component: name.text.clone(), near }
}

fn unknown_column(key: &Name, table: &str, column: &str, there: &[String]) -> PolicyError {
    let labels =
        TABLE.columns.iter().filter_map(|cell| cell.label.strip_prefix(table)?.strip_prefix('.'));
    let near = nearest(column, there.iter().map(String::as_str).chain(labels));
    PolicyError::UnknownColumn {
        place: key.place.clone(),
        column: column.to_owned(),
        table: table.to_owned(),
        near,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{catalog, line_of, message, over, parse};
    use crate::policy::Verb;
    use crate::policy::model::Catalog;
    use crate::policy::resolve::resolve;

    const READER: &str = "replace = true\n[component.x]\n[[component.x.allow]]\ntable = \"credential\"\nselect = [\"id\"]\n[deny]\n";

    #[test]
    fn what_is_not_there_is_refused_with_its_line() {
        for (line, wanted) in [
            (
                "'credential.secret_kye'",
                "unknown column `secret_kye` of table `credential`: did you mean `secret_key`?",
            ),
            ("'credential.weather'", "unknown column `weather` of table `credential`"),
            ("'credentials.secret_key'", "unknown table `credentials`: did you mean `credential`?"),
            (
                "'.id'",
                "`.id` is neither a sealed column's label nor a column as in \"table.column\", with its quotes",
            ),
            (
                "'public.credential.id'",
                "`public.credential.id` is neither a sealed column's label nor a column as in \"table.column\", with its quotes",
            ),
        ] {
            assert_eq!(
                message(&format!("{READER}{line} = {{ select = [\"x\"] }}")),
                format!("own.toml:7: {wanted}")
            );
        }
        let text = format!("{READER}'credential.type' = {{ select = [\n\"y\"] }}");
        assert_eq!(message(&text), "own.toml:8: unknown component `y`");
    }

    #[test]
    fn a_component_that_was_left_out_is_known_to_the_file_that_declares_it_only() {
        assert!(over("without = [\"console\"]").is_ok());
        let text =
            "without = [\"console\"]\n[deny]\n'credential.type' = { insert = [\"console\"] }";
        assert_eq!(message(text), "own.toml:3: unknown component `console`");
    }

    #[test]
    fn nothing_is_denied_and_allowed() {
        let denied =
            format!("{READER}'credential.id' = {{ insert = [\"x\"], select = [\n\"x\"] }}");
        assert_eq!(
            message(&denied),
            "own.toml:8: component `x` must not SELECT `credential.id`, but own.toml:5 allows it"
        );
        let widened = "[[component.compute.allow]]\ntable = \"credential\"\nselect = \"*\"";
        let built = line_of("\"credential.secret_key\" =");
        let wanted = "component `compute` must not SELECT `credential.secret_key_sealed`, but own.toml:3 allows it";
        assert_eq!(message(widened), format!("builtin.toml:{built}: {wanted}"));
    }

    #[test]
    fn a_label_is_every_form_that_the_table_has() {
        let text = format!(
            "{READER}'credential.access_key' = {{ select = [\"x\"] }}\n'credential.type' = {{ select = [\"x\"] }}"
        );
        let own = parse("own.toml", &text).unwrap();
        let mut catalog = catalog();
        let columns = |catalog: &Catalog| -> Vec<String> {
            let denials = resolve(None, Some(&own), catalog).unwrap().denials;
            assert!(
                denials.iter().all(|denial| denial.verb == Verb::Select && denial.component == "x")
            );
            denials.into_iter().map(|denial| denial.column).collect()
        };
        assert_eq!(columns(&catalog), ["access_key_sealed", "type"]);
        catalog.get_mut("credential").unwrap().push("access_key".into());
        assert_eq!(columns(&catalog), ["access_key", "access_key_sealed", "type"]);
    }
}
