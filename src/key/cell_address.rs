//! Where a cell belongs: its column, its scope and its context.

use strongroom_entity::{Binding, Owner};

use crate::crypto::{Context, Value};

/// The place of one cell. A cell opens in the place that it was sealed for, and in no other.
pub struct CellAddress {
    pub(super) label: &'static str,
    pub(super) scope: String,
    pub(super) context: Context,
}

impl CellAddress {
    /// From what a row says of itself.
    pub fn of(label: &'static str, binding: &Binding) -> Self {
        let owners: Vec<_> =
            binding.owners.iter().map(|(column, owner)| (*column, value(owner))).collect();
        Self {
            label,
            scope: scope_of(binding.scope.as_deref()),
            context: Context::cell(&binding.id, &owners),
        }
    }

    /// From columns read as bytes, as the reseal engine reads them: owners under their labels.
    pub(crate) fn raw(
        label: &'static str,
        scope: &str,
        row_id: &str,
        owners: &[(&'static str, Value<'_>)],
    ) -> Self {
        Self { label, scope: scope.to_owned(), context: Context::cell(row_id, owners) }
    }
}

/// A project's scope, in the words of the key ring; `-` for rows without a project.
pub(crate) fn scope_of(project: Option<&str>) -> String {
    project.map_or_else(|| "-".to_owned(), |id| format!("project:{id}"))
}

fn value(owner: &Owner) -> Value<'_> {
    match owner {
        Owner::Null => Value::Null,
        Owner::Text(text) => text.as_str().into(),
        Owner::Integer(number) => Value::Integer(*number),
    }
}
