//! What stands in `#[sealed(…)]`, and the words of `#[sea_orm(…)]` that say how a column is called.
//!
//! A word that is unknown, or said twice, is an error in `#[sealed]`. In `#[sea_orm]` it is sea-orm's to judge.

use syn::meta::ParseNestedMeta;
use syn::parse::Parse;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Result, Token};

/// `#[sealed(…)]` on the struct.
#[derive(Default)]
pub(crate) struct OfTable {
    pub(crate) label: Option<LitStr>,
    pub(crate) scope: Vec<OwnerWord>,
    pub(crate) owners: Vec<OwnerWord>,
    pub(crate) krate: Option<Path>,
}

/// `field` or `field = "label"`.
pub(crate) struct OwnerWord {
    pub(crate) field: Ident,
    pub(crate) label: Option<LitStr>,
}

/// `#[sealed(…)]` on a field.
#[derive(Default)]
pub(crate) struct OfField {
    pub(crate) label: Option<LitStr>,
    pub(crate) plain: Option<LitStr>,
    pub(crate) id: Option<Path>,
}

/// `#[sea_orm(…)]`, of a struct or a field.
pub(crate) struct SeaOrm(Vec<Meta>);

impl OfTable {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        words(attributes, Self::take)
    }

    fn take(&mut self, word: &ParseNestedMeta<'_>) -> Result<()> {
        if word.path.is_ident("label") {
            once(&mut self.label, word, text(word)?)
        } else if word.path.is_ident("crate") {
            once(&mut self.krate, word, text(word)?.parse()?)
        } else if word.path.is_ident("scope") {
            self.scope.extend(owners(word)?);
            at_most_one(&self.scope)
        } else if word.path.is_ident("owners") {
            self.owners.extend(owners(word)?);
            Ok(())
        } else {
            let known = "`label = \"…\"`, `scope(field)`, `owners(field, field = \"label\")`, `crate = \"path\"`";
            Err(word.error(format!("unknown here: a table says {known}")))
        }
    }
}

impl OfField {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        words(attributes, Self::take)
    }

    fn take(&mut self, word: &ParseNestedMeta<'_>) -> Result<()> {
        if word.path.is_ident("label") {
            once(&mut self.label, word, text(word)?)
        } else if word.path.is_ident("plain") {
            once(&mut self.plain, word, text(word)?)
        } else if word.path.is_ident("id") {
            once(&mut self.id, word, word.path.clone())
        } else {
            Err(word.error(
                "unknown here: a sealed column says `label = \"…\"` or `plain = \"column\"`, the id of a partial model `id`",
            ))
        }
    }
}

impl SeaOrm {
    pub(crate) fn read(attributes: &[Attribute]) -> Self {
        let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("sea_orm"));
        let words = lists.filter_map(|list| {
            list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()
        });
        Self(words.flatten().collect())
    }

    pub(crate) fn find(&self, key: &str) -> Option<&Meta> {
        self.0.iter().find(|word| word.path().is_ident(key))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    pub(crate) fn text(&self, key: &str) -> Option<LitStr> {
        match self.literal(key)? {
            Lit::Str(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub(crate) fn literal(&self, key: &str) -> Option<&Lit> {
        match &self.find(key)?.require_name_value().ok()?.value {
            Expr::Lit(ExprLit { lit, .. }) => Some(lit),
            _ => None,
        }
    }
}

fn words<W: Default>(
    attributes: &[Attribute],
    take: impl Fn(&mut W, &ParseNestedMeta<'_>) -> Result<()>,
) -> Result<W> {
    let mut words = W::default();
    for list in attributes.iter().filter(|attribute| attribute.path().is_ident("sealed")) {
        list.parse_nested_meta(|word| take(&mut words, &word))?;
    }
    Ok(words)
}

fn once<T>(slot: &mut Option<T>, word: &ParseNestedMeta<'_>, value: T) -> Result<()> {
    if slot.replace(value).is_some() { Err(word.error("said twice")) } else { Ok(()) }
}

/// A label or a name. An empty one says nothing.
fn text(word: &ParseNestedMeta<'_>) -> Result<LitStr> {
    let text: LitStr = word.value()?.parse()?;
    if text.value().is_empty() { Err(Error::new(text.span(), "is empty")) } else { Ok(text) }
}

fn owners(word: &ParseNestedMeta<'_>) -> Result<Punctuated<OwnerWord, Token![,]>> {
    let list;
    syn::parenthesized!(list in word.input);
    list.parse_terminated(OwnerWord::parse, Token![,])
}

fn at_most_one(scope: &[OwnerWord]) -> Result<()> {
    match scope {
        [] | [_] => Ok(()),
        [_, second, ..] => Err(Error::new(
            second.field.span(),
            "one data key seals a row, so it has one scope: name the other column in `owners(…)`",
        )),
    }
}

impl Parse for OwnerWord {
    /// Takes keywords too: the field `r#type` is written `type` or `r#type`.
    fn parse(input: syn::parse::ParseStream<'_>) -> Result<Self> {
        let field =
            syn::ext::IdentExt::unraw(&input.call(<Ident as syn::ext::IdentExt>::parse_any)?);
        let label =
            if input.parse::<Option<Token![=]>>()?.is_some() { Some(input.parse()?) } else { None };
        Ok(Self { field, label })
    }
}
