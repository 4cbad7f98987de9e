//! Which types make a field a sealed column or a blind index: the last names of their paths, for a derive sees no more.

use syn::{AngleBracketedGenericArguments, GenericArgument, Ident, Path, PathArguments, Type};

/// `Sealed<X>`, `BlindIndex<X>`, or an `Option` of one.
pub(crate) struct Shape<'a> {
    pub(crate) is_index: bool,
    pub(crate) is_nullable: bool,
    pub(crate) marker: &'a Path,
}

impl<'a> Shape<'a> {
    /// `None` for every other type.
    pub(crate) fn of(ty: &'a Type) -> Option<Self> {
        let (name, inner) = generic(ty)?;
        if name == "Option" {
            return Some(Self {
                is_nullable: true,
                ..Self::of(inner).filter(|shape| !shape.is_nullable)?
            });
        }
        let Type::Path(marker) = inner else { return None };
        let is_index = name == "BlindIndex";
        (is_index || name == "Sealed").then_some(Self {
            is_index,
            is_nullable: false,
            marker: &marker.path,
        })
    }

    /// What it is called, without the way there.
    pub(crate) fn name(&self) -> Option<&'a Ident> {
        self.marker.segments.last().map(|segment| &segment.ident)
    }
}

/// `Name` and `T` of `any::path::Name<T>`.
fn generic(ty: &Type) -> Option<(&Ident, &Type)> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    let PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. }) =
        &segment.arguments
    else {
        return None;
    };
    match args.first()? {
        GenericArgument::Type(inner) if args.len() == 1 => Some((&segment.ident, inner)),
        _ => None,
    }
}
