//! The id that cells are bound to. It is known before the insert, so the database does not make it.

use syn::{DeriveInput, Error, Lit, Meta, Result};

use crate::column::Column;

/// The primary key: one, and made by the program.
pub(crate) fn of_entity<'a>(
    input: &DeriveInput,
    columns: &'a [Column<'a>],
) -> Result<&'a Column<'a>> {
    let keys =
        columns.iter().filter(|column| column.sea_orm.has("primary_key")).collect::<Vec<_>>();
    match keys.as_slice() {
        [key] => made_by_the_program(key),
        [] => Err(Error::new(
            input.ident.span(),
            "no id: write `#[sea_orm(primary_key, auto_increment = false)]` above a `String` or `Uuid`",
        )),
        [_, second, ..] => {
            let what = "a second primary key: cells are bound to one id, so make it the key and the others `unique_key`";
            Err(Error::new(second.field.span(), what))
        }
    }
}

fn made_by_the_program<'a>(key: &'a Column<'a>) -> Result<&'a Column<'a>> {
    match key.sea_orm.find("auto_increment") {
        Some(Meta::NameValue(word)) if is_true(key) => {
            let what = "cells are bound to the id before the insert, so the program makes it: write `auto_increment = false`";
            Err(Error::new_spanned(&word.value, what))
        }
        _ => Ok(key),
    }
}

fn is_true(key: &Column<'_>) -> bool {
    matches!(key.sea_orm.literal("auto_increment"), Some(Lit::Bool(value)) if value.value)
}

/// The field marked `#[sealed(id)]`, else the field `id`.
pub(crate) fn of_part<'a>(
    input: &DeriveInput,
    columns: &'a [Column<'a>],
) -> Result<&'a Column<'a>> {
    let marked = columns.iter().find(|column| column.words.id.is_some());
    let what = "no id, which the cells are bound to: add the entity's id column as a field `id`, or write `#[sealed(id)]` above it";
    marked
        .or_else(|| columns.iter().find(|column| column.bare == "id"))
        .ok_or_else(|| Error::new(input.ident.span(), what))
}
