//! A column that carries an envelope.

use std::fmt;
use std::marker::PhantomData;

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, StringLen, ValueType, ValueTypeErr};
use sea_orm::{ActiveValue, ColIdx, IntoActiveValue, QueryResult, TryGetError, TryGetable, Value};

/// Names a sealed column for ever: renaming the table, the column or the field changes nothing.
pub trait Label: Send + Sync + 'static {
    /// Such as `credential.secret_key`. Authenticated in every cell; unique in a database.
    const LABEL: &'static str;
}

/// The bytes of a cell. There is no way from plaintext to a `Sealed` but through a key ring, so no
/// model, `insert_many` or `update_many` can carry plaintext into this column.
///
/// Reading accepts any bytes: a cell that is no envelope must reach whoever opens it and reports it,
/// and must not make its row, or a list with that row in it, unreadable.
pub struct Sealed<L>(Vec<u8>, PhantomData<fn() -> L>);

impl<L> Sealed<L> {
    /// Takes an envelope as it is. Nothing is checked here.
    pub fn from_envelope(bytes: Vec<u8>) -> Self {
        Self(bytes, PhantomData)
    }

    /// The envelope.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<L> fmt::Debug for Sealed<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl<L> Clone for Sealed<L> {
    fn clone(&self) -> Self {
        Self::from_envelope(self.0.clone())
    }
}

impl<L> PartialEq for Sealed<L> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<L> Eq for Sealed<L> {}

impl<L> From<Sealed<L>> for Value {
    fn from(cell: Sealed<L>) -> Self {
        Self::Bytes(Some(cell.0))
    }
}

impl<L> Nullable for Sealed<L> {
    fn null() -> Value {
        Value::Bytes(None)
    }
}

impl<L> ValueType for Sealed<L> {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <Vec<u8> as ValueType>::try_from(value).map(Self::from_envelope)
    }

    fn type_name() -> String {
        "Sealed".into()
    }

    fn array_type() -> ArrayType {
        ArrayType::Bytes
    }

    fn column_type() -> ColumnType {
        ColumnType::VarBinary(StringLen::Max)
    }
}

impl<L> TryGetable for Sealed<L> {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        Vec::<u8>::try_get_by(row, index).map(Self::from_envelope)
    }
}

impl<L> IntoActiveValue<Self> for Sealed<L> {
    fn into_active_value(self) -> ActiveValue<Self> {
        ActiveValue::Set(self)
    }
}
