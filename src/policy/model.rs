//! What components may do, with every name resolved and every `*` expanded. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What can be done to a column, or, for [`Verb::Delete`], to a whole row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Reading, in any part of a statement.
    Select,
    /// Giving a value in a new row.
    Insert,
    /// Giving another value in a row.
    Update,
    /// Removing a row.
    Delete,
}

impl Verb {
    /// The verbs that are granted by column.
    pub const OF_COLUMNS: [Self; 3] = [Self::Select, Self::Insert, Self::Update];
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Select, Self::Insert, Self::Update, Self::Delete];

    /// As in SQL.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sql())
    }
}

/// What a component may do to one table. Columns by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRights {
    /// Columns that it reads.
    pub select: BTreeSet<String>,
    /// Columns that it gives in new rows.
    pub insert: BTreeSet<String>,
    /// Columns that it changes.
    pub update: BTreeSet<String>,
    /// Whether it removes rows.
    pub delete: bool,
}

impl TableRights {
    /// The columns of a verb; none for [`Verb::Delete`].
    pub fn columns(&self, verb: Verb) -> Option<&BTreeSet<String>> {
        match verb {
            Verb::Select => Some(&self.select),
            Verb::Insert => Some(&self.insert),
            Verb::Update => Some(&self.update),
            Verb::Delete => None,
        }
    }

    /// Whether a verb is allowed on a column. Removing rows touches every column.
    pub fn allows(&self, verb: Verb, column: &str) -> bool {
        self.columns(verb).map_or(self.delete, |columns| columns.contains(column))
    }

    /// Every column that is touched in some way.
    pub fn touched(&self) -> BTreeSet<&str> {
        self.select.iter().chain(&self.insert).chain(&self.update).map(String::as_str).collect()
    }
}

/// What a component may use of the server. Times are in milliseconds; none is the server's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Sessions of each of its two logins, and the size of its pool.
    pub connections: Option<u32>,
    /// The longest statement.
    pub statement_timeout_ms: Option<u64>,
    /// The longest wait for a lock.
    pub lock_timeout_ms: Option<u64>,
    /// The longest pause inside a transaction.
    pub idle_transaction_timeout_ms: Option<u64>,
}

impl Limits {
    /// The size of the component's pool, in each program.
    pub fn connections(&self) -> u32 {
        self.connections.unwrap_or(8)
    }
}

/// A kind of program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// What it may use of the server.
    pub limits: Limits,
    /// Whether its logins need a TLS client certificate, where the server can ask for one.
    pub certificate: bool,
    /// Values of registered keys; [`Component::key`] reads them.
    #[serde(flatten)]
    pub keys: KeyValues,
    /// What it may do, by table.
    pub tables: BTreeMap<String, TableRights>,
}

impl Component {
    /// Whether it may do this to a column.
    pub fn allows(&self, verb: Verb, table: &str, column: &str) -> bool {
        self.tables.get(table).is_some_and(|rights| rights.allows(verb, column))
    }
}

/// Something that must not be possible, whatever else the policy says. Asserted, never granted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Denial {
    /// The component.
    pub component: String,
    /// The verb.
    pub verb: Verb,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

/// The values of registered keys that are not the default, as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyValues(pub(super) BTreeMap<String, Value>);

/// A word of a registered key that a component must not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyDenial {
    /// The component.
    pub component: String,
    /// The key.
    pub key: String,
    /// The word.
    pub word: String,
}

/// A whole policy, as it is stored when it is applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The version of the compiled-in policy that it is built on; 0 for one that stands alone.
    pub version: u32,
    /// Components by name.
    pub components: BTreeMap<String, Component>,
    /// What must not be possible.
    pub denials: Vec<Denial>,
    /// What registered keys must not allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_denials: Vec<KeyDenial>,
    /// Accounts of others that may have rights on the policy's tables; `policy check` leaves them alone.
    pub known: BTreeSet<String>,
}

impl Policy {
    /// Every table that some component may touch.
    pub fn tables(&self) -> BTreeSet<&str> {
        self.components
            .values()
            .flat_map(|component| component.tables.keys())
            .map(String::as_str)
            .collect()
    }
}

/// The tables of a database with their columns, in order.
pub type Catalog = BTreeMap<String, Vec<String>>;
