//! What a struct says about its sealed columns, checked as far as it can be without types.

use syn::{Data, DeriveInput, Error, Fields, LitStr, Path, Result, Type, parse_quote};

use crate::attribute::{OfTable, SeaOrm};
use crate::cell::{self, Cell};
use crate::column::{Column, plain_name};
use crate::id;
use crate::owner::{Owner, owners};

/// A row and what is bound to what in it.
pub(crate) struct Declaration<'a> {
    pub(crate) input: &'a DeriveInput,
    pub(crate) krate: Path,
    pub(crate) role: Role,
    pub(crate) id: &'a Column<'a>,
    /// In the order of the struct's fields.
    pub(crate) owners: Vec<Owner<'a>>,
    pub(crate) cells: Vec<Cell<'a>>,
}

/// Which row it is.
pub(crate) enum Role {
    /// `Model`, which declares the table of this name.
    Entity(LitStr),
    /// `ModelEx`, which `#[sea_orm::model]` makes beside it.
    Extended,
    /// A partial model of this entity.
    Part(Box<Type>),
}

impl Role {
    pub(crate) fn of(input: &DeriveInput) -> Result<Self> {
        let sea_orm = SeaOrm::read(&input.attrs);
        if let Some(entity) = sea_orm.text("entity") {
            return Ok(Self::Part(entity.parse()?));
        }
        if input.ident == "ModelEx" {
            return Ok(Self::Extended);
        }
        table_name(input, &sea_orm).map(Self::Entity)
    }

    fn is_part(&self) -> bool {
        matches!(self, Self::Part(_))
    }
}

fn table_name(input: &DeriveInput, sea_orm: &SeaOrm) -> Result<LitStr> {
    let instead = [
        ("rename_all", "write `column_name` above the fields"),
        ("schema_name", "leave the schema to the connection"),
    ];
    for (key, instead) in instead {
        if let Some(word) = sea_orm.find(key) {
            return Err(Error::new_spanned(
                word,
                format!("`{key}` does not go with sealed columns: {instead}"),
            ));
        }
    }
    let what = "no table: write `#[sea_orm(table_name = \"…\")]`, or, for a partial model, `#[sea_orm(entity = \"Entity\")]`";
    let name = sea_orm.text("table_name").ok_or_else(|| Error::new(input.ident.span(), what))?;
    plain_name(&name).map(|()| name)
}

/// The fields of a struct that can be a row.
pub(crate) fn fields(input: &DeriveInput) -> Result<&Fields> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a row has no parameters: its cells are bound to one table",
        ));
    }
    match &input.data {
        Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => Ok(&data.fields),
        _ => Err(Error::new(
            input.ident.span(),
            "a row with sealed columns is a struct with named fields",
        )),
    }
}

impl<'a> Declaration<'a> {
    pub(crate) fn read(input: &'a DeriveInput, columns: &'a [Column<'a>]) -> Result<Self> {
        let words = OfTable::read(&input.attrs)?;
        let role = Role::of(input)?;
        let label = label(&role, input, &words)?;
        let id = if role.is_part() {
            id::of_part(input, columns)
        } else {
            id::of_entity(input, columns)
        }?;
        let owners = owners(columns, &words)?;
        let cells = cell::cells(columns, &label)?;
        if cells.is_empty() {
            return Err(Error::new(
                input.ident.span(),
                "no sealed column: give a field the type `Sealed<Name>`, with a name of your own",
            ));
        }
        let krate = words.krate.unwrap_or_else(|| parse_quote!(::strongroom::entity));
        let declaration = Self { input, krate, role, id: id.in_sql()?, owners, cells };
        declaration.check(columns)?;
        Ok(declaration)
    }

    fn check(&self, columns: &[Column<'_>]) -> Result<()> {
        let sealed =
            |column: &Column<'_>| self.cells.iter().any(|cell| cell.column.field == column.field);
        let mut stray = columns.iter().filter(|column| self.role.is_part() || !sealed(column));
        if let Some(word) =
            stray.find_map(|column| column.words.label.as_ref().or(column.words.plain.as_ref()))
        {
            return Err(Error::new(word.span(), "only the sealed column of an entity says this"));
        }
        if self.role.is_part() {
            return Ok(());
        }
        match columns.iter().find_map(|column| column.words.id.as_ref()) {
            Some(word) => Err(Error::new_spanned(
                word,
                "only a partial model says this: the id of an entity is its primary key",
            )),
            None => cell::check(&self.cells),
        }
    }
}

/// The table's label, which its columns' labels begin with. A partial model has its entity's.
fn label(role: &Role, input: &DeriveInput, words: &OfTable) -> Result<String> {
    match (role.is_part(), &words.label) {
        (false, Some(label)) => Ok(label.value()),
        (true, None) => Ok(String::new()),
        (true, Some(label)) => Err(Error::new(
            label.span(),
            "a partial model has the label of its entity: leave it out",
        )),
        (false, None) => {
            let why = "a name that every cell of the table carries and that stays when the table is renamed";
            Err(Error::new(
                input.ident.span(),
                format!("no label: write `#[sealed(label = \"…\")]`, {why}"),
            ))
        }
    }
}
