//! Tables that programs brought along, as the manifest describes them.
//!
//! A program that has never heard of such a table can roll, verify and count its cells: which columns those are, and what
//! they are bound to, is authenticated with the manifest.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use strongroom_entity::{IdColumn, IdKind, OwnerColumn, OwnerKind, SealedColumn, SealedTable};

/// A [`SealedTable`] that can be written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Described {
    id: Id,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    owners: Vec<Owner>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    columns: Vec<Column>,
    /// What the plaintext columns were like, for the way back; see [`Manifest::originals`](super::Manifest::originals).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) originals: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Id {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Owner {
    name: String,
    label: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plain: Option<String>,
    sealed: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<String>,
    nullable: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Text,
    Integer,
    Uuid,
}

impl Described {
    pub(super) fn new(table: &SealedTable) -> Self {
        let owned = |text: Option<&'static str>| text.map(ToOwned::to_owned);
        Self {
            id: Id { name: table.id.name.to_owned(), kind: table.id.kind.into() },
            owners: table.owners.iter().map(Owner::new).collect(),
            scope: owned(table.scope),
            columns: table
                .columns
                .iter()
                .map(|column| Column {
                    label: column.label.to_owned(),
                    plain: owned(column.plain),
                    sealed: column.sealed.to_owned(),
                    index: owned(column.index),
                    nullable: column.nullable,
                })
                .collect(),
            originals: BTreeMap::new(),
        }
    }

    pub(super) fn has_label(&self, label: &str) -> bool {
        self.columns.iter().any(|column| column.label == label)
    }

    /// What cells are bound to, which never changes while there are any.
    pub(super) fn binds_like(&self, other: &Self) -> bool {
        let labels = |described: &Self| -> BTreeMap<String, Kind> {
            described.owners.iter().map(|owner| (owner.label.clone(), owner.kind)).collect()
        };
        let scope = |described: &Self| {
            let scope = described.scope.clone()?;
            described
                .owners
                .iter()
                .find(|owner| owner.name == scope)
                .map(|owner| owner.label.clone())
        };
        let relabelled = self.columns.iter().any(|column| {
            other
                .columns
                .iter()
                .any(|other| other.sealed == column.sealed && other.label != column.label)
        });
        self.id.kind == other.id.kind
            && labels(self) == labels(other)
            && scope(self) == scope(other)
            && !relabelled
    }

    /// What keeps a program with this other description from using the cells, for a person.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let known = |column: &&Column| !self.knows(column);
        let mut differs: Vec<_> = other
            .columns
            .iter()
            .filter(known)
            .map(|column| format!("column `{}`", column.sealed))
            .collect();
        if !self.binds_like(other) && differs.is_empty() {
            differs.push("what its cells are bound to".to_owned());
        }
        differs
    }

    /// Whether every sealed column of a program is here: one that is not would be left behind by rolls, and its keys wiped.
    pub(super) fn knows_columns_of(&self, other: &Self) -> bool {
        other.columns.iter().all(|column| self.knows(column))
    }

    fn knows(&self, column: &Column) -> bool {
        self.columns.iter().any(|it| {
            (&it.label, &it.sealed, &it.index) == (&column.label, &column.sealed, &column.index)
        })
    }

    /// The description as the rest of the program takes it: for as long as the program runs, like those in its source.
    /// The same one each time, so that reading the manifest again and again takes no more memory.
    pub(super) fn table(&self, name: &str) -> &'static SealedTable {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, table)) =
            known.iter().find(|(described, table)| table.name == name && described == self)
        {
            return table;
        }
        let table: &'static SealedTable = Box::leak(Box::new(self.kept(name)));
        known.push((self.clone(), table));
        table
    }

    fn kept(&self, name: &str) -> SealedTable {
        let owners = self.owners.iter().map(|owner| OwnerColumn {
            name: keep(&owner.name),
            label: keep(&owner.label),
            kind: match owner.kind {
                Kind::Text => OwnerKind::Text,
                Kind::Integer => OwnerKind::Integer,
                Kind::Uuid => OwnerKind::Uuid,
            },
        });
        let columns = self.columns.iter().map(|column| SealedColumn {
            label: keep(&column.label),
            plain: column.plain.as_deref().map(keep),
            sealed: keep(&column.sealed),
            index: column.index.as_deref().map(keep),
            nullable: column.nullable,
        });
        SealedTable {
            name: keep(name),
            id: IdColumn {
                name: keep(&self.id.name),
                kind: if self.id.kind == Kind::Uuid { IdKind::Uuid } else { IdKind::Text },
            },
            owners: owners.collect::<Vec<_>>().leak(),
            scope: self.scope.as_deref().map(keep),
            columns: columns.collect::<Vec<_>>().leak(),
        }
    }
}

fn keep(text: &str) -> &'static str {
    Box::leak(text.into())
}

static KNOWN: Mutex<Vec<(Described, &'static SealedTable)>> = Mutex::new(Vec::new());

impl Owner {
    fn new(owner: &OwnerColumn) -> Self {
        let kind = match owner.kind {
            OwnerKind::Text => Kind::Text,
            OwnerKind::Integer => Kind::Integer,
            OwnerKind::Uuid => Kind::Uuid,
        };
        Self { name: owner.name.to_owned(), label: owner.label.to_owned(), kind }
    }
}

impl From<IdKind> for Kind {
    fn from(kind: IdKind) -> Self {
        match kind {
            IdKind::Text => Self::Text,
            IdKind::Uuid => Self::Uuid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: SealedTable = SealedTable {
        name: "api_token",
        id: IdColumn { name: "id", kind: IdKind::Uuid },
        owners: &[OwnerColumn { name: "tenant_id", label: "tenant", kind: OwnerKind::Integer }],
        scope: Some("tenant_id"),
        columns: &[SealedColumn {
            label: "api_token.token",
            plain: None,
            sealed: "token",
            index: Some("token_index"),
            nullable: true,
        }],
    };

    #[test]
    fn a_description_says_what_the_source_says() {
        let text = serde_json::to_string(&Described::new(&TABLE)).unwrap();
        let read: Described = serde_json::from_str(&text).unwrap();
        assert_eq!(read.table("api_token"), &TABLE);
        assert!(std::ptr::eq(read.table("api_token"), read.table("api_token")), "kept once");
    }

    #[test]
    fn what_cells_are_bound_to_may_be_renamed_and_not_changed() {
        const RENAMED: SealedTable = SealedTable {
            owners: &[OwnerColumn { name: "customer", label: "tenant", kind: OwnerKind::Integer }],
            scope: Some("customer"),
            ..TABLE
        };
        const OTHER: SealedTable = SealedTable { scope: None, ..TABLE };
        let binds_like =
            |other: &SealedTable| Described::new(&TABLE).binds_like(&Described::new(other));
        assert!(binds_like(&RENAMED));
        assert!(!binds_like(&OTHER));
    }
}
