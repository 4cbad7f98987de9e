//! Labels are unique in a database: two columns with one label could take each other's cells.

use crate::text::{Message, is_same};
use crate::{SealedColumn, SealedTable};

/// Stops the compiler where two tables of a program have one name, or two of their sealed columns one label.
///
/// ```
/// use strongroom_entity::{SealedEntity as _, credential, require_distinct_labels};
///
/// const _: () = require_distinct_labels(&[credential::Entity::TABLE]); // and those of the program
/// ```
///
/// # Panics
/// Then; asked of a constant, as above, that is while compiling.
#[track_caller]
pub const fn require_distinct_labels(mut tables: &[&SealedTable]) {
    while let [table, others @ ..] = tables {
        require_distinct_columns(table.columns);
        require_distinct(table, others);
        tables = others;
    }
}

#[track_caller]
const fn require_distinct(table: &SealedTable, mut others: &[&SealedTable]) {
    while let [other, rest @ ..] = others {
        assert!(
            !is_same(table.name, other.name),
            "{}",
            shared("two entities have the table `", table.name).as_str()
        );
        let mut columns = table.columns;
        while let [column, more @ ..] = columns {
            require_free(column.label, other.columns);
            columns = more;
        }
        others = rest;
    }
}

#[track_caller]
const fn require_distinct_columns(mut columns: &[SealedColumn]) {
    while let [column, rest @ ..] = columns {
        require_free(column.label, rest);
        columns = rest;
    }
}

#[track_caller]
const fn require_free(label: &str, mut columns: &[SealedColumn]) {
    while let [column, rest @ ..] = columns {
        assert!(
            !is_same(label, column.label),
            "{}",
            shared("two sealed columns have the label `", label).as_str()
        );
        columns = rest;
    }
}

const fn shared(what: &str, name: &str) -> Message {
    Message::new().and(what).and(name).and("`")
}
