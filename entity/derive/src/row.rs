//! What the cells of a row are bound to: in a row that was read, and in one to be written.
//!
//! The functions that say it stand in an anonymous constant, so that nothing is added to the names of the user's types.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Path;

use crate::cell::Cell;
use crate::column::Column;
use crate::declaration::{Declaration, Role};

/// `Bound` for every sealed column.
pub(crate) fn read(declaration: &Declaration<'_>) -> TokenStream {
    let (krate, row) = (&declaration.krate, &declaration.input.ident);
    let binding = binding(declaration, |column| {
        let field = column.field;
        quote!(&row.#field)
    });
    let bound = declaration.cells.iter().map(|cell| bound(declaration, cell));
    quote! {
        const _: () = {
            fn binding(row: &#row) -> #krate::Binding {
                #binding
            }
            #(#bound)*
        };
    }
}

/// `Sealable` for every sealed column, of the active model.
pub(crate) fn written(declaration: &Declaration<'_>) -> TokenStream {
    let (krate, row) = (&declaration.krate, format_ident!("Active{}", declaration.input.ident));
    let binding = binding(declaration, |column| {
        let (field, name) = (column.field, &column.name);
        quote!(row.#field.try_as_ref().ok_or(#krate::Unset(#name))?)
    });
    let sealable = declaration.cells.iter().map(|cell| sealable(krate, &row, cell));
    let emptied = declaration
        .cells
        .iter()
        .filter(|cell| cell.is_nullable)
        .map(|cell| emptied(krate, &row, cell));
    let whole = whole(declaration, &row);
    quote! {
        const _: () = {
            fn binding(row: &#row) -> ::core::result::Result<#krate::Binding, #krate::Unset> {
                ::core::result::Result::Ok(#binding)
            }
            #whole
            #(#sealable)*
            #(#emptied)*
        };
    }
}

/// `WrittenRow`: what concerns the row and no single column.
fn whole(declaration: &Declaration<'_>, row: &syn::Ident) -> TokenStream {
    let (krate, stored) = (&declaration.krate, &declaration.input.ident);
    let binding = binding(declaration, |column| {
        let field = column.field;
        quote!(&stored.#field)
    });
    let owners = declaration.owners.iter().map(|owner| owner.column.field);
    // A builder inserts the rows that belong to it too, and that is no trait's.
    let inserted = if matches!(declaration.role, Role::Extended) {
        quote!(#row::insert(self, db))
    } else {
        quote!(sea_orm::ActiveModelTrait::insert(self, db))
    };
    quote! {
        #[automatically_derived]
        impl #krate::WrittenRow for #row {
            type Stored = #stored;
            const TABLE: &'static #krate::SealedTable = <Entity as #krate::SealedEntity>::TABLE;

            fn bound_to(&self) -> ::core::result::Result<#krate::Binding, #krate::Unset> {
                binding(self)
            }

            fn sets_owner(&self) -> bool {
                false #(|| self.#owners.is_set())*
            }

            fn binding_of(stored: &#stored) -> #krate::Binding {
                #binding
            }

            async fn insert_into<C>(self, db: &C) -> ::core::result::Result<#stored, sea_orm::DbErr>
            where
                C: sea_orm::ConnectionTrait + sea_orm::TransactionTrait,
            {
                #inserted.await
            }
        }
    }
}

fn emptied(krate: &Path, row: &syn::Ident, cell: &Cell<'_>) -> TokenStream {
    let (marker, field) = (cell.marker, cell.column.field);
    let index = cell.index.map(|column| {
        let field = column.field;
        quote!(self.#field = sea_orm::ActiveValue::Set(::core::option::Option::None);)
    });
    quote! {
        #[automatically_derived]
        impl #krate::Emptied<#marker> for #row {
            fn empty(&mut self) {
                self.#field = sea_orm::ActiveValue::Set(::core::option::Option::None);
                #index
            }
        }
    }
}

/// The `Binding`, of a row whose values `value` gives.
fn binding(
    declaration: &Declaration<'_>,
    value: impl Fn(&Column<'_>) -> TokenStream,
) -> TokenStream {
    let Declaration { krate, id, owners, .. } = declaration;
    let owner = |column: &Column<'_>| {
        let (ty, value) = (column.ty, value(column));
        quote!(<#ty as #krate::OwnerValue>::owner(#value))
    };
    let (id, id_type) = (value(id), id.ty);
    let scope = owners.iter().find(|owner| owner.is_scope).map(|scope| owner(scope.column));
    let scope =
        scope.map_or_else(|| quote!(::core::option::Option::None), |owner| quote!(#owner.scope()));
    let owners = owners
        .iter()
        .map(|named| (&named.label, owner(named.column)))
        .map(|(label, owner)| quote!((#label, #owner)));
    quote! {
        #krate::Binding {
            id: <#id_type as #krate::RowId>::text(#id),
            owners: ::std::vec::Vec::from([#(#owners),*]),
            scope: #scope,
        }
    }
}

fn bound(declaration: &Declaration<'_>, cell: &Cell<'_>) -> TokenStream {
    let (krate, row) = (&declaration.krate, &declaration.input.ident);
    let (marker, ty, field) = (cell.marker, cell.column.ty, cell.column.field);
    quote! {
        #[automatically_derived]
        impl #krate::Bound<#marker> for #row {
            type Cell = #ty;

            fn binding(&self) -> #krate::Binding {
                binding(self)
            }

            fn cell(&self) -> &Self::Cell {
                &self.#field
            }
        }
    }
}

fn sealable(krate: &Path, row: &syn::Ident, cell: &Cell<'_>) -> TokenStream {
    let (marker, field, is_indexed) = (cell.marker, cell.column.field, cell.index.is_some());
    let value =
        if cell.is_nullable { quote!(::core::option::Option::Some(cell)) } else { quote!(cell) };
    let index = if is_indexed { quote!(index) } else { quote!(_) };
    let put_index = cell.index.map(|column| put_index(column, cell.is_nullable));
    quote! {
        #[automatically_derived]
        impl #krate::Sealable<#marker> for #row {
            const TABLE: &'static #krate::SealedTable = <Entity as #krate::SealedEntity>::TABLE;
            const IS_INDEXED: bool = #is_indexed;

            fn binding(&self) -> ::core::result::Result<#krate::Binding, #krate::Unset> {
                binding(self)
            }

            fn put(&mut self, cell: #krate::Sealed<#marker>, #index: ::core::option::Option<#krate::BlindIndex<#marker>>) {
                self.#field = sea_orm::ActiveValue::Set(#value);
                #put_index
            }
        }
    }
}

/// Without an index a column that must have one is left unset, which the database refuses: an old index would find a new value.
fn put_index(column: &Column<'_>, is_nullable: bool) -> TokenStream {
    let field = column.field;
    if is_nullable {
        quote!(self.#field = sea_orm::ActiveValue::Set(index);)
    } else {
        quote!(self.#field = index.map_or(sea_orm::ActiveValue::NotSet, sea_orm::ActiveValue::Set);)
    }
}
