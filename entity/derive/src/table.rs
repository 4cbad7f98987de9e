//! The table as the reseal engine sees it, and the names of its sealed columns.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{LitStr, Path};

use crate::cell::Cell;
use crate::column::Column;
use crate::declaration::Declaration;
use crate::marker;

/// Markers, `SealedEntity`, and `Searchable` for what has an index.
pub(crate) fn emit(declaration: &Declaration<'_>, name: &LitStr) -> TokenStream {
    let Declaration { krate, cells, .. } = declaration;
    let markers = cells.iter().map(|cell| marker::emit(declaration, cell));
    let searchable = cells.iter().filter_map(|cell| Some(searchable(krate, cell, cell.index?)));
    let (id, owners, scope) = binding(declaration);
    let columns = cells.iter().map(|cell| column(krate, cell));
    quote! {
        #(#markers)*

        #[automatically_derived]
        impl #krate::SealedEntity for Entity {
            const TABLE: &'static #krate::SealedTable = &#krate::SealedTable {
                name: #name, id: #id, owners: #owners, scope: #scope, columns: &[#(#columns),*],
            };
        }

        #(#searchable)*
    }
}

/// The id, the owners and the scope, as a `SealedTable` describes them.
pub(crate) fn binding(declaration: &Declaration<'_>) -> (TokenStream, TokenStream, TokenStream) {
    let Declaration { krate, id, owners, .. } = declaration;
    let (name, ty) = (&id.name, id.ty);
    let id = quote!(#krate::IdColumn { name: #name, kind: <#ty as #krate::RowId>::KIND });
    let scope = owners.iter().find(|owner| owner.is_scope).map(|owner| &owner.column.name);
    let owners = owners.iter().map(|owner| {
        let (name, label, ty) = (&owner.column.name, &owner.label, owner.column.ty);
        quote!(#krate::OwnerColumn { name: #name, label: #label, kind: <#ty as #krate::OwnerValue>::KIND })
    });
    (id, quote!(&[#(#owners),*]), option(scope))
}

fn column(krate: &Path, cell: &Cell<'_>) -> TokenStream {
    let (label, sealed, nullable) = (&cell.label, &cell.column.name, cell.is_nullable);
    let (plain, index) = (option(cell.plain), option(cell.index.map(|index| &index.name)));
    quote!(#krate::SealedColumn { label: #label, plain: #plain, sealed: #sealed, index: #index, nullable: #nullable })
}

fn searchable(krate: &Path, cell: &Cell<'_>, index: &Column<'_>) -> TokenStream {
    let (name, variant) = (cell.name, &index.variant);
    quote! {
        #[automatically_derived]
        impl #krate::Searchable for #name {
            type Entity = Entity;

            fn index() -> Column {
                Column::#variant
            }
        }
    }
}

fn option(name: Option<&LitStr>) -> TokenStream {
    name.map_or_else(
        || quote!(::core::option::Option::None),
        |name| quote!(::core::option::Option::Some(#name)),
    )
}
