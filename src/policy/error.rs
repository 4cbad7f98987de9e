//! Why a policy cannot be used, and where that stands in its file.

use std::fmt;

use super::Verb;

/// A line of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as its reader named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Why a policy cannot be used. The messages quote names, and no other value of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file is not TOML.
    #[error("{place}: not TOML: {reason}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says, which is one of its own texts and nothing of the file.
        reason: String,
    },
    /// A key that the language does not have.
    #[error("{place}: unknown key `{key}`{}{}", did_you_mean(.near.as_deref()), listed(.registered))]
    UnknownKey {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// A key that is much like it.
        near: Option<String>,
        /// The keys that packages registered for this place.
        registered: Vec<&'static str>,
    },
    /// A value that a registered key refuses.
    #[error("{place}: `{key}`: {reason}")]
    Refused {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// A key that must be there.
    #[error("{place}: `{key}` is missing")]
    Missing {
        /// Where it would stand.
        place: Place,
        /// The key.
        key: &'static str,
    },
    /// A value of another type, or out of bounds.
    #[error("{place}: `{key}` must be {wanted}")]
    Invalid {
        /// Where.
        place: Place,
        /// Its key.
        key: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// A key of operators' files in a compiled-in policy.
    #[error("{place}: `{key}` is for an operator's own file")]
    OnlyOwn {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
    },
    /// `version` in an operator's file.
    #[error("{place}: `version` is for the compiled-in policies, not for a file of one's own")]
    OnlyBuiltin {
        /// Where.
        place: Place,
    },
    /// `without` beside `replace`.
    #[error(
        "{place}: `without` has no meaning here: with `replace` the compiled-in policy does not count"
    )]
    StandsAlone {
        /// Where.
        place: Place,
    },
    /// A component that is replaced where there is none.
    #[error("{place}: `replace` finds no component `{component}` in the compiled-in policy{}", did_you_mean(.near.as_deref()))]
    NothingToReplace {
        /// Where.
        place: Place,
        /// The component.
        component: String,
        /// A component that is named much like it.
        near: Option<String>,
    },
    /// A name that cannot be part of an account's name.
    #[error(
        "{place}: `{name}` cannot name a component: a lowercase letter, then at most 17 lowercase letters, digits and `_`, the end neither `_a` nor `_b`"
    )]
    ComponentName {
        /// Where.
        place: Place,
        /// The name.
        name: String,
    },
    /// A list that allows or denies nothing.
    #[error("{place}: `{key}` is an empty list")]
    Empty {
        /// Where.
        place: Place,
        /// Its key.
        key: String,
    },
    /// A name that stands twice in one list.
    #[error("{place}: `{name}` stands twice in `{key}`")]
    Twice {
        /// Where the second one is.
        place: Place,
        /// The list's key.
        key: String,
        /// The name.
        name: String,
    },
    /// A table that the database does not have.
    #[error("{place}: unknown table `{table}`{}", did_you_mean(.near.as_deref()))]
    UnknownTable {
        /// Where.
        place: Place,
        /// The table.
        table: String,
        /// A table that is named much like it.
        near: Option<String>,
    },
    /// A column that the table does not have.
    #[error("{place}: unknown column `{column}` of table `{table}`{}", did_you_mean(.near.as_deref()))]
    UnknownColumn {
        /// Where.
        place: Place,
        /// The column.
        column: String,
        /// The table.
        table: String,
        /// A column that is named much like it.
        near: Option<String>,
    },
    /// A component that is declared nowhere.
    #[error("{place}: unknown component `{component}`{}", did_you_mean(.near.as_deref()))]
    UnknownComponent {
        /// Where.
        place: Place,
        /// The component.
        component: String,
        /// A component that is named much like it.
        near: Option<String>,
    },
    /// A key of `[deny]` that is neither a label nor a column.
    #[error(
        "{place}: `{key}` is neither a sealed column's label nor a column as in \"table.column\", with its quotes"
    )]
    NotAColumn {
        /// Where.
        place: Place,
        /// The key.
        key: String,
    },
    /// `delete` in a denial.
    #[error(
        "{place}: rows are deleted, not columns: of `{key}` only select, insert and update can be denied"
    )]
    DeleteOfColumn {
        /// Where.
        place: Place,
        /// The denial's key.
        key: String,
    },
    /// A component or one of its lines that allows nothing.
    #[error("{place}: component `{component}` is allowed nothing here")]
    AllowsNothing {
        /// Where.
        place: Place,
        /// The component.
        component: String,
    },
    /// A cell that would be read and could not be opened.
    #[error(
        "{place}: component `{component}` may read the cell `{cell}` but not what it is bound to: add {missing}"
    )]
    Unbound {
        /// Where the cell is allowed.
        place: Place,
        /// The component.
        component: String,
        /// The cell's column.
        cell: String,
        /// The columns that are not there, each in backticks.
        missing: String,
    },
    /// Rows that would be changed or removed by a component that reads no column of them.
    #[error(
        "{place}: component `{component}` may {verb} `{table}` and select nothing of it: a statement could not say which rows"
    )]
    Blind {
        /// Where it is allowed.
        place: Place,
        /// The component.
        component: String,
        /// The verb.
        verb: Verb,
        /// The table.
        table: String,
    },
    /// Something that is denied and allowed.
    #[error("{place}: component `{component}` must not {verb} `{column}`, but {allowed} allows it")]
    Contradiction {
        /// Where it is denied.
        place: Place,
        /// Where it is allowed.
        allowed: Place,
        /// The component.
        component: String,
        /// The verb.
        verb: Verb,
        /// The table and the column.
        column: String,
    },
    /// A word of a registered key that is denied and allowed.
    #[error(
        "{place}: component `{component}` must not `{word}` by `{key}`, but {allowed} allows it"
    )]
    KeyContradiction {
        /// Where it is denied.
        place: Place,
        /// Where it is allowed.
        allowed: Place,
        /// The component.
        component: String,
        /// The key.
        key: &'static str,
        /// The word.
        word: Box<str>,
    },
}

fn listed(registered: &[&str]) -> String {
    let names: Vec<_> = registered.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("; registered keys: {}", names.join(", "))
    }
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default()
}
