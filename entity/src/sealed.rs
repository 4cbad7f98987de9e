//! A column that carries an envelope.

use std::fmt;
use std::marker::PhantomData;

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, StringLen, ValueType, ValueTypeErr};
use sea_orm::{ActiveValue, ColIdx, IntoActiveValue, QueryResult, TryGetError, TryGetable, Value};

/// Names a sealed column for ever: renaming the table, the column or the field changes nothing.
///
/// The derive makes one unit struct a sealed column; its value stands for the column where one is named, as in
/// `open(Token, &row)`.
pub trait Label: Copy + Send + Sync + 'static {
    /// Such as `credential.secret_key`. Authenticated in every cell; unique in a database.
    const LABEL: &'static str;
}

/// What a field with a cell can be: [`Sealed`], or an `Option` of it where the value may be NULL.
pub trait Cell: private::Sealed {
    /// A value for each cell that is there: `T`, or `Option<T>`.
    type Each<T>;
    /// The bytes of the cell; `None` for NULL.
    fn bytes(&self) -> Option<&[u8]>;
    /// Does something with the bytes that are there.
    fn try_map<T, E>(&self, f: impl FnOnce(&[u8]) -> Result<T, E>) -> Result<Self::Each<T>, E>;
}

mod private {
    /// A cell has these two shapes and no others.
    pub trait Sealed {}
    impl<L> Sealed for super::Sealed<L> {}
    impl<L> Sealed for Option<super::Sealed<L>> {}
}

impl<L> Cell for Sealed<L> {
    type Each<T> = T;

    fn bytes(&self) -> Option<&[u8]> {
        Some(self.as_bytes())
    }

    fn try_map<T, E>(&self, f: impl FnOnce(&[u8]) -> Result<T, E>) -> Result<T, E> {
        f(self.as_bytes())
    }
}

impl<L> Cell for Option<Sealed<L>> {
    type Each<T> = Option<T>;

    fn bytes(&self) -> Option<&[u8]> {
        self.as_ref().map(Sealed::as_bytes)
    }

    fn try_map<T, E>(&self, f: impl FnOnce(&[u8]) -> Result<T, E>) -> Result<Option<T>, E> {
        self.as_ref().map(|cell| f(cell.as_bytes())).transpose()
    }
}

/// The bytes of a cell. There is no way from plaintext to a `Sealed` but through a key ring, so no
/// model, `insert_many` or `update_many` can carry plaintext into this column.
///
/// Reading accepts any bytes: a cell that is no envelope must reach whoever opens it and reports it,
/// and must not make its row, or a list with that row in it, unreadable.
pub struct Sealed<L>(Vec<u8>, PhantomData<fn() -> L>);

/// The bytes of a blind index: what the sealed column `L` is found by. Like [`Sealed`] it comes from a key ring only.
pub struct BlindIndex<L>(Vec<u8>, PhantomData<fn() -> L>);

impl<L> Sealed<L> {
    /// Takes an envelope as it is. Nothing is checked here.
    pub fn from_envelope(bytes: Vec<u8>) -> Self {
        Self(bytes, PhantomData)
    }

    fn from_database(bytes: Vec<u8>) -> Self {
        Self::from_envelope(bytes)
    }

    /// The envelope.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<L> BlindIndex<L> {
    /// Takes what a key ring made.
    pub fn from_digest(digest: [u8; 16]) -> Self {
        Self(digest.into(), PhantomData)
    }

    fn from_database(bytes: Vec<u8>) -> Self {
        Self(bytes, PhantomData)
    }

    /// The index: 16 bytes, unless somebody wrote something else.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<L> fmt::Debug for Sealed<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl<L> fmt::Debug for BlindIndex<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlindIndex({} bytes)", self.0.len())
    }
}

/// By hand and not derived: a derive would ask the same of `L`.
macro_rules! column_of_bytes {
    ($column:ident, $name:literal, $type:expr) => {
        impl<L> Clone for $column<L> {
            fn clone(&self) -> Self {
                Self::from_database(self.0.clone())
            }
        }

        impl<L> PartialEq for $column<L> {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0
            }
        }

        impl<L> Eq for $column<L> {}

        impl<L> From<$column<L>> for Value {
            fn from(column: $column<L>) -> Self {
                Self::Bytes(Some(column.0))
            }
        }

        impl<L> Nullable for $column<L> {
            fn null() -> Value {
                Value::Bytes(None)
            }
        }

        impl<L> ValueType for $column<L> {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                <Vec<u8> as ValueType>::try_from(value).map(Self::from_database)
            }

            fn type_name() -> String {
                $name.into()
            }

            fn array_type() -> ArrayType {
                ArrayType::Bytes
            }

            fn column_type() -> ColumnType {
                $type
            }
        }

        impl<L> TryGetable for $column<L> {
            fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
                Vec::<u8>::try_get_by(row, index).map(Self::from_database)
            }
        }

        impl<L> IntoActiveValue<Self> for $column<L> {
            fn into_active_value(self) -> ActiveValue<Self> {
                ActiveValue::Set(self)
            }
        }
    };
}

column_of_bytes!(Sealed, "Sealed", ColumnType::Blob);
column_of_bytes!(BlindIndex, "BlindIndex", ColumnType::VarBinary(StringLen::N(16)));
