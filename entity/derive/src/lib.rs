//! `#[derive(SealedModel)]`: says of a sea-orm row what its cells are bound to. No cryptography is emitted, and no key
//! is known here.

mod attribute;
mod cell;
mod column;
mod declaration;
mod id;
mod marker;
mod owner;
mod part;
mod row;
mod shape;
mod table;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Result, parse_macro_input};

use declaration::{Declaration, Role};

/// Declares the sealed columns of a sea-orm entity, and what their cells are bound to. The front page of the crate `strongroom`
/// has one that runs.
///
/// ```ignore
/// #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
/// #[sea_orm(table_name = "api_token")]
/// #[sealed(label = "api_token", scope(tenant_id), owners(user_id, account = "customer_id"))]
/// pub struct Model {
///     #[sea_orm(primary_key, auto_increment = false)]
///     pub id: Uuid,                                   // or String: made by the program, before the insert
///     pub tenant_id: String,
///     pub user_id: Option<i64>,
///     pub account: String,                            // renamed; bound under the label it always had
///     /// The token.
///     pub token: Sealed<Token>,                       // makes `pub struct Token`
///     #[sea_orm(unique)]
///     pub token_index: BlindIndex<Token>,             // `token` can be searched for
///     pub note: Option<Sealed<Note>>,
/// }
/// ```
///
/// # On the struct
///
/// - `label = "…"`: the table's name in every cell. It stays when the table is renamed.
/// - `scope(field)`: the owner whose data key seals the row. Without it the rows have no scope.
/// - `owners(field, field = "label")`: columns that cells are bound to beside the id. A cell does not open
///   after one of them has changed. The label is what the cell calls the column, its name unless another is given;
///   to rename a column or a field, give the label it had. A scope takes a label in the same way.
/// - `crate = "path"`: where the items of this crate are, if not in `::strongroom::entity`.
///
/// # On a sealed column
///
/// A sealed column is a field of type `Sealed<Name>`, or `Option<Sealed<Name>>` where the value may be NULL; an alias of
/// `Sealed` is not seen. The derive makes the type `Name`, documented as the field is. `BlindIndex<Name>`, an `Option`
/// exactly if the cell is one, is the column's blind index.
///
/// - `#[sealed(label = "…")]`: what the column is called for ever, if not the table's label, a dot, and `Name` in snake case.
/// - `#[sealed(plain = "column")]`: the column that held the plaintext before. Every sealed column says it, or none.
///
/// # Under `#[sea_orm::model]`
///
/// The derive stands in the same place. Both `Model` and `ModelEx` open, both `ActiveModel` and `ActiveModelEx` are sealed.
///
/// # On a partial model
///
/// A struct with `#[sea_orm(entity = "Entity")]` opens its cells if it has everything that they are bound to. It repeats the
/// `scope(…)` and `owners(…)` of its entity, and does not compile if they differ; its id is the field `id`, or the one
/// with `#[sealed(id)]`. A field whose column has another name says so here too, with `column_name` or `from_col`.
#[proc_macro_derive(SealedModel, attributes(sealed, sea_orm))]
pub fn sealed_model(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(|error| refusal(&input, &error)).into()
}

fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let columns = column::columns(declaration::fields(input)?)?;
    let declaration = Declaration::read(input, &columns)?;
    Ok(match &declaration.role {
        Role::Entity(name) => {
            [table::emit(&declaration, name), row::read(&declaration), row::written(&declaration)]
                .into_iter()
                .collect()
        }
        Role::Extended => {
            [row::read(&declaration), row::written(&declaration)].into_iter().collect()
        }
        Role::Part(entity) => {
            [part::emit(&declaration, entity), row::read(&declaration)].into_iter().collect()
        }
    })
}

/// The mistake, and the markers all the same, lest each be reported missing.
/// `ModelEx` repeats the mistakes of `Model`, so nothing is said twice.
fn refusal(input: &DeriveInput, error: &Error) -> TokenStream {
    match Role::of(input) {
        Ok(Role::Extended) => TokenStream::new(),
        Ok(Role::Part(_)) => error.to_compile_error(),
        Ok(Role::Entity(_)) | Err(_) => {
            let (error, markers) = (error.to_compile_error(), marker::bare(input));
            quote!(#error #markers)
        }
    }
}
