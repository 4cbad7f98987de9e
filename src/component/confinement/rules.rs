//! What the authorizer answers. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use libsqlite3_sys::{
    SQLITE_DELETE, SQLITE_FUNCTION, SQLITE_INSERT, SQLITE_READ, SQLITE_RECURSIVE, SQLITE_SAVEPOINT,
    SQLITE_SELECT, SQLITE_TRANSACTION, SQLITE_UPDATE,
};

use crate::policy::{Component, TableRights, Verb};
use crate::schema::GUARDS_THAT_READ;

/// Functions that load code, reach files or hand out pointers. Few are in the SQLite that is built in; one
/// of a system may have them.
const BARRED: [&str; 6] =
    ["load_extension", "readfile", "writefile", "edit", "lsdir", "fts3_tokenizer"];

/// What `db::has_table` reads, of every confined connection too. It tells no more than SQLite's own "no such
/// table"; the other columns hold the schema's SQL, and stay closed.
const OF_SCHEMA: [&str; 2] = ["type", "name"];

/// How the names of [`super::guards`] begin. SQLite gives the authorizer the name of the trigger that a part
/// of a statement belongs to, but for a common table expression the name of that, which its writer chooses.
/// This byte is in no UTF-8, and sqlx takes a statement as a `&str`: such a name cannot be written there.
pub(super) const GUARD: &[u8] = b"\xffstrongroom ";

static LEAKED: Mutex<BTreeSet<&'static Rules>> = Mutex::new(BTreeSet::new());

/// A component's rights as SQLite compares names: in lower case, ASCII only.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::component) struct Rules(BTreeMap<String, Rights>);

#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rights {
    select: BTreeSet<String>,
    pub(super) insert: BTreeSet<String>,
    update: BTreeSet<String>,
    delete: bool,
}

/// One question of the authorizer.
pub(super) struct Question<'a> {
    pub(super) action: i32,
    pub(super) first: &'a str,
    pub(super) second: &'a str,
    /// The trigger, view or common table expression that asks.
    pub(super) by: &'a [u8],
}

impl Rules {
    /// The rules of a component. They are never freed, as SQLite holds a bare pointer to them for as long as
    /// the connection lives. The same rights are kept once: memory grows with the different rights that a
    /// process opens pools for, not with pools or connections.
    pub(in crate::component) fn of(component: &Component) -> &'static Self {
        let rules = Self::compile(component);
        let mut leaked = LEAKED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = leaked.get(&rules) {
            return known;
        }
        let rules: &'static Self = Box::leak(Box::new(rules));
        leaked.insert(rules);
        rules
    }

    fn compile(component: &Component) -> Self {
        let mut tables = BTreeMap::<_, Rights>::new();
        for (table, rights) in &component.tables {
            tables.entry(table.to_ascii_lowercase()).or_default().add(rights);
        }
        tables.retain(|table, _| !table.starts_with("sqlite_"));
        Self(tables)
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = (&str, &Rights)> {
        self.0.iter().map(|(table, rights)| (table.as_str(), rights))
    }

    pub(super) fn allow(&self, question: &Question<'_>) -> bool {
        let (first, second) =
            (question.first.to_ascii_lowercase(), question.second.to_ascii_lowercase());
        let rights = self.0.get(&first);
        match question.action {
            SQLITE_SELECT | SQLITE_TRANSACTION | SQLITE_SAVEPOINT | SQLITE_RECURSIVE => true,
            SQLITE_FUNCTION => !BARRED.contains(&second.as_str()),
            SQLITE_READ if question.by.starts_with(GUARD) => true,
            SQLITE_READ if is_looked_up_by_a_guard(&first, question.by) => true,
            SQLITE_READ if first == "sqlite_master" => {
                second.is_empty() || OF_SCHEMA.contains(&second.as_str())
            }
            SQLITE_READ => rights.is_some_and(|rights| rights.may_read(&second)),
            SQLITE_UPDATE => rights.is_some_and(|rights| rights.update.contains(&second)),
            SQLITE_INSERT if is_noted(&first, question.by) => true,
            SQLITE_INSERT => rights.is_some_and(|rights| !rights.insert.is_empty()),
            SQLITE_DELETE => rights.is_some_and(|rights| rights.delete),
            _ => false,
        }
    }
}

/// Whether a trigger notes that a row changed, while a table is sealed or its plaintext is put back. A statement can give that
/// trigger's name to a part of its own: then a row is verified once more.
fn is_noted(table: &str, by: &[u8]) -> bool {
    table.starts_with("strongroom_changed_") && by.starts_with(b"strongroom_9_changed_")
}

/// Whether a guard of a sealed table reads what it needs for any writer. Anything may have its name, but no statement that
/// contains the name runs: see [`names_a_guard`].
fn is_looked_up_by_a_guard(table: &str, by: &[u8]) -> bool {
    let guard = GUARDS_THAT_READ.iter().find(|(name, _)| starts_with(by, name));
    guard.is_some_and(|(_, read)| *read == table)
}

/// Whether a statement contains the beginning of the name of such a guard, in a literal too.
pub(super) fn names_a_guard(sql: &[u8]) -> bool {
    let contains =
        |name: &[u8]| sql.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name));
    GUARDS_THAT_READ.iter().any(|(name, _)| contains(name.as_bytes()))
}

fn starts_with(text: &[u8], beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|part| part.eq_ignore_ascii_case(beginning.as_bytes()))
}

impl Rights {
    fn add(&mut self, rights: &TableRights) {
        let lower = |verb| {
            rights.columns(verb).into_iter().flatten().map(|column| column.to_ascii_lowercase())
        };
        self.select.extend(lower(Verb::Select));
        self.insert.extend(lower(Verb::Insert));
        self.update.extend(lower(Verb::Update));
        self.delete |= rights.delete;
    }

    /// Without a column for a table that is only counted, or asked whether it has rows.
    fn may_read(&self, column: &str) -> bool {
        if column.is_empty() { !self.select.is_empty() } else { self.select.contains(column) }
    }

    pub(super) fn may_insert(&self) -> bool {
        !self.insert.is_empty()
    }

    /// Whether `REPLACE` would remove rows that the component may not.
    pub(super) fn replaces_without_delete(&self) -> bool {
        !self.delete && (self.may_insert() || !self.update.is_empty())
    }
}
