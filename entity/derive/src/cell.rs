//! The sealed columns of a row, each with its index.

use heck::ToSnakeCase as _;
use quote::ToTokens as _;
use syn::{Error, Ident, LitStr, Path, Result};

use crate::column::{Column, plain_name};
use crate::shape::Shape;

/// A sealed column.
pub(crate) struct Cell<'a> {
    pub(crate) column: &'a Column<'a>,
    pub(crate) marker: &'a Path,
    pub(crate) name: &'a Ident,
    pub(crate) is_nullable: bool,
    pub(crate) label: LitStr,
    pub(crate) plain: Option<&'a LitStr>,
    pub(crate) index: Option<&'a Column<'a>>,
}

/// Every sealed column; `table` is the label before the column's. Says nothing about how they go together.
pub(crate) fn cells<'a>(columns: &'a [Column<'a>], table: &str) -> Result<Vec<Cell<'a>>> {
    let shaped = columns.iter().filter_map(|column| Some((column, Shape::of(column.ty)?)));
    let (indexes, sealed): (Vec<_>, Vec<_>) = shaped.partition(|(_, shape)| shape.is_index);
    let mut cells = sealed
        .into_iter()
        .filter_map(|(column, shape)| Cell::new(column, &shape, table))
        .collect::<Vec<_>>();
    indexes.into_iter().try_for_each(|(column, shape)| attach(&mut cells, column, &shape))?;
    Ok(cells)
}

impl<'a> Cell<'a> {
    fn new(column: &'a Column<'a>, shape: &Shape<'a>, table: &str) -> Option<Self> {
        let name = shape.name()?;
        let words = &column.words;
        let own =
            || LitStr::new(&format!("{table}.{}", name.to_string().to_snake_case()), name.span());
        let label = words.label.clone().unwrap_or_else(own);
        let is_nullable = shape.is_nullable;
        Some(Self {
            column,
            marker: shape.marker,
            name,
            is_nullable,
            label,
            plain: words.plain.as_ref(),
            index: None,
        })
    }
}

/// Gives the index to its column. It is NULL exactly when the value is, so both are an `Option` or neither.
fn attach<'a>(cells: &mut [Cell<'a>], index: &'a Column<'a>, shape: &Shape<'_>) -> Result<()> {
    let marker = shape.marker.to_token_stream().to_string();
    let error = |what: String| Err(Error::new_spanned(index.ty, what));
    let Some(cell) =
        cells.iter_mut().find(|cell| cell.marker.to_token_stream().to_string() == marker)
    else {
        return error(format!("an index of nothing: no field of this row is `Sealed<{marker}>`"));
    };
    match (cell.is_nullable, shape.is_nullable) {
        (true, false) => error(format!(
            "`{}` may be NULL, then so is its index: write `Option<BlindIndex<{marker}>>`",
            cell.column.bare
        )),
        (false, true) => error(format!(
            "`{}` is never NULL, nor is its index: write `BlindIndex<{marker}>`",
            cell.column.bare
        )),
        _ if cell.index.replace(index).is_some() => {
            error(format!("a second index of `{}`: one finds it", cell.column.bare))
        }
        _ => Ok(()),
    }
}

/// What must hold between the sealed columns of an entity.
pub(crate) fn check(cells: &[Cell<'_>]) -> Result<()> {
    cells.iter().try_for_each(is_own_marker)?;
    distinct(
        cells.iter().map(|cell| (cell.name.to_string(), cell.name.span())),
        "two columns: each has a marker of its own",
    )?;
    distinct(
        cells.iter().map(|cell| (cell.label.value(), cell.label.span())),
        "two sealed columns: each has a label of its own",
    )?;
    check_plain(cells)?;
    cells
        .iter()
        .flat_map(|cell| [Some(cell.column), cell.index])
        .flatten()
        .try_for_each(|column| column.in_sql().map(drop))
}

/// The derive makes the marker, so its name must be one that can be made here.
fn is_own_marker(cell: &Cell<'_>) -> Result<()> {
    if cell.marker.get_ident().is_some() {
        return Ok(());
    }
    let what = format!(
        "the derive makes the marker of a sealed column: write a name of its own, as `Sealed<{}>`",
        cell.name
    );
    Err(Error::new_spanned(cell.marker, what))
}

/// A table is resealed as a whole, so its columns come from plaintext together or not at all.
fn check_plain(cells: &[Cell<'_>]) -> Result<()> {
    let plain = || cells.iter().filter_map(|cell| cell.plain);
    if plain().next().is_some()
        && let Some(without) = cells.iter().find(|cell| cell.plain.is_none())
    {
        let what = "either every sealed column says where its plaintext was, or none: write `#[sealed(plain = \"column\")]` here too";
        return Err(Error::new(without.column.field.span(), what));
    }
    plain().try_for_each(plain_name)?;
    let kept = cells
        .iter()
        .flat_map(|cell| [Some(cell.column), cell.index])
        .flatten()
        .map(|column| &column.name);
    distinct(
        kept.chain(plain()).map(|name| (name.value(), name.span())),
        "two columns: plaintext, cell and index each have their own",
    )
}

/// Refuses the second of two that are the same.
pub(crate) fn distinct(
    names: impl Iterator<Item = (String, proc_macro2::Span)>,
    what: &str,
) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for (name, span) in names {
        if !seen.insert(name.clone()) {
            return Err(Error::new(span, format!("`{name}` names {what}")));
        }
    }
    Ok(())
}
