//! A partial model opens only if it has what its entity's cells are bound to: compared when it compiles, and not found
//! out when nothing opens.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

use crate::declaration::Declaration;
use crate::table;

/// Compares the binding with the entity's, and asks that every marker is a column of the entity.
pub(crate) fn emit(declaration: &Declaration<'_>, entity: &Type) -> TokenStream {
    let Declaration { krate, input, cells, .. } = declaration;
    let (id, owners, scope) = table::binding(declaration);
    let name = input.ident.to_string();
    let ours = quote!(#krate::Part { name: #name, id: #id, owners: #owners, scope: #scope });
    let compare = quote_spanned!(input.ident.span()=> require_same_binding(<#entity as #krate::SealedEntity>::TABLE, &#ours));
    let columns = cells.iter().map(|cell| {
        let marker = cell.marker;
        quote_spanned!(marker.span()=> has_column::<<#entity as sea_orm::EntityTrait>::ActiveModel, #marker>();)
    });
    quote! {
        const _: () = {
            use #krate::require_same_binding;
            #compare
        };
        const _: () = {
            const fn has_column<Row: #krate::Sealable<Label>, Label: #krate::Label>() {}
            #(#columns)*
        };
    }
}
