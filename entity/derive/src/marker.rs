//! The type that is a sealed column's name in Rust.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Ident};

use crate::cell::Cell;
use crate::declaration::Declaration;
use crate::shape::Shape;

/// The marker with its label. It is documented as its field is.
pub(crate) fn emit(declaration: &Declaration<'_>, cell: &Cell<'_>) -> TokenStream {
    let Declaration { input, krate, .. } = declaration;
    let (vis, name, label) = (&input.vis, cell.name, &cell.label);
    let doc = documentation(cell);
    quote! {
        #doc
        #[derive(Clone, Copy, Debug)]
        #vis struct #name;

        #[automatically_derived]
        impl #krate::Label for #name {
            const LABEL: &'static str = #label;
        }
    }
}

fn documentation(cell: &Cell<'_>) -> TokenStream {
    let own = cell
        .column
        .source
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .collect::<Vec<_>>();
    if own.is_empty() {
        let sentence = format!("The sealed column `{}`.", cell.column.name.value());
        return quote!(#[doc = #sentence]);
    }
    quote!(#(#own)*)
}

/// The markers alone, of a declaration that is refused.
pub(crate) fn bare(input: &DeriveInput) -> TokenStream {
    let Data::Struct(data) = &input.data else { return TokenStream::new() };
    let mut names: Vec<&Ident> =
        data.fields.iter().filter_map(|field| Shape::of(&field.ty)?.marker.get_ident()).collect();
    names.sort();
    names.dedup();
    let vis = &input.vis;
    quote!(#(#[doc = "A sealed column."] #[derive(Clone, Copy, Debug)] #vis struct #names;)*)
}
