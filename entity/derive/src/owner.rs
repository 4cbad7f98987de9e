//! The columns that every cell of a row is bound to.

use syn::{Error, LitStr, Result};

use crate::attribute::{OfTable, OwnerWord};
use crate::cell::distinct;
use crate::column::Column;
use crate::shape::Shape;

/// An owner column.
pub(crate) struct Owner<'a> {
    pub(crate) column: &'a Column<'a>,
    pub(crate) label: LitStr,
    pub(crate) is_scope: bool,
}

/// The scope and the owners, in the order of the fields.
pub(crate) fn owners<'a>(columns: &'a [Column<'a>], words: &OfTable) -> Result<Vec<Owner<'a>>> {
    let scope = words.scope.iter().map(|word| (word, true));
    let named = scope.chain(words.owners.iter().map(|word| (word, false)));
    distinct(
        named.clone().map(|(word, _)| (word.field.to_string(), word.field.span())),
        "an owner twice: a scope is one already",
    )?;
    let mut owners =
        named.map(|(word, is_scope)| owner(columns, word, is_scope)).collect::<Result<Vec<_>>>()?;
    distinct(
        owners.iter().map(|(_, owner)| (owner.label.value(), owner.label.span())),
        "two owners: each has a label of its own",
    )?;
    owners.sort_by_key(|(place, _)| *place);
    Ok(owners.into_iter().map(|(_, owner)| owner).collect())
}

fn owner<'a>(
    columns: &'a [Column<'a>],
    word: &OwnerWord,
    is_scope: bool,
) -> Result<(usize, Owner<'a>)> {
    let found = columns.iter().enumerate().find(|(_, column)| word.field == column.bare);
    let (place, column) = found.ok_or_else(|| unknown(columns, word))?;
    if Shape::of(column.ty).is_some() {
        return Err(Error::new(
            word.field.span(),
            "a sealed column owns nothing: its bytes change whenever the row is resealed",
        ));
    }
    let label =
        word.label.clone().unwrap_or_else(|| LitStr::new(&column.name.value(), word.field.span()));
    Ok((place, Owner { column: column.in_sql()?, label, is_scope }))
}

fn unknown(columns: &[Column<'_>], word: &OwnerWord) -> Error {
    let can_own = columns.iter().filter(|column| Shape::of(column.ty).is_none());
    let names = can_own.map(|column| format!("`{}`", column.bare)).collect::<Vec<_>>().join(", ");
    Error::new(
        word.field.span(),
        format!("no column `{}` in this row: its fields that can own are {names}", word.field),
    )
}
