//! A field that is a column, and the names sea-orm gives it.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::{Error, Field, Fields, Ident, LitStr, Result, Type};

use crate::attribute::{OfField, SeaOrm};

/// A column of the table.
pub(crate) struct Column<'a> {
    pub(crate) field: &'a Ident,
    /// The field without `r#`.
    pub(crate) bare: String,
    pub(crate) ty: &'a Type,
    /// What the database calls it.
    pub(crate) name: LitStr,
    /// What `Column` calls it.
    pub(crate) variant: Ident,
    pub(crate) source: &'a Field,
    pub(crate) sea_orm: SeaOrm,
    pub(crate) words: OfField,
}

/// The fields that are columns: no relations, nothing ignored, no part nested in a part.
pub(crate) fn columns(fields: &Fields) -> Result<Vec<Column<'_>>> {
    let fields = fields
        .iter()
        .filter_map(|field| Some((field, field.ident.as_ref()?, SeaOrm::read(&field.attrs))));
    fields
        .filter(|(field, _, sea_orm)| is_column(&field.ty, sea_orm))
        .map(|(f, ident, words)| Column::new(f, ident, words))
        .collect()
}

fn is_column(ty: &Type, sea_orm: &SeaOrm) -> bool {
    let is_relation = last_name(ty)
        .is_some_and(|name| ["BelongsTo", "HasOne", "HasMany"].contains(&name.as_str()));
    !is_relation
        && !["ignore", "skip", "nested", "from_expr"].into_iter().any(|word| sea_orm.has(word))
}

fn last_name(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    Some(path.path.segments.last()?.ident.to_string())
}

impl<'a> Column<'a> {
    fn new(source: &'a Field, field: &'a Ident, sea_orm: SeaOrm) -> Result<Self> {
        let words = OfField::read(&source.attrs)?;
        let bare = field.unraw().to_string();
        let variant = sea_orm
            .text("enum_name")
            .map_or_else(|| bare.to_upper_camel_case(), |name| name.value());
        let name = column_name(&bare, &variant, &sea_orm, field.span());
        let variant = Ident::new(&variant, field.span());
        Ok(Self { field, bare, ty: &source.ty, name, variant, source, sea_orm, words })
    }

    /// This column, if its name can stand in SQL as it is.
    pub(crate) fn in_sql(&self) -> Result<&Self> {
        plain_name(&self.name).map(|()| self)
    }
}

/// As sea-orm: a name that is given; else the field's; and an `enum_name` alone names the column too.
fn column_name(bare: &str, variant: &str, sea_orm: &SeaOrm, span: Span) -> LitStr {
    let given = sea_orm
        .text("column_name")
        .or_else(|| Some(LitStr::new(&sea_orm.text("from_col")?.value().to_snake_case(), span)));
    given.unwrap_or_else(|| {
        let survives = bare == bare.to_upper_camel_case().to_snake_case();
        LitStr::new(&if survives { variant } else { bare }.to_snake_case(), span)
    })
}

/// SQL is composed of these names, so nothing that would need quoting may be in them.
pub(crate) fn plain_name(name: &LitStr) -> Result<()> {
    let text = name.value();
    let is_word = text.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    if is_word
        && text.len() <= 63
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
    {
        return Ok(());
    }
    let what = "of a table with sealed columns takes letters, digits and `_`, begins with no digit, and has at most 63 characters";
    Err(Error::new(name.span(), format!("`{text}` cannot stand in SQL as it is: a name {what}")))
}
