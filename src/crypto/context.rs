//! What a cell is bound to: an unambiguous list of labelled values, of which the digest is kept.
//!
//! Guards against a cell copied to another row or owner, and against two different owners whose
//! concatenation is the same string: every label and every value carries its length.

use std::borrow::Cow;

use super::primitive::digest;

/// A value that a cell is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// SQL NULL; differs from the empty text.
    Null,
    /// Bytes, or UTF-8 text.
    Bytes(Cow<'a, [u8]>),
    /// A 64-bit integer.
    Integer(i64),
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        text.as_bytes().into()
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

/// What a cell or a wrapped key is bound to, as 32 bytes.
///
/// ```text
/// context = SHA-256(TLV(domain, null), TLV("id", row id), then owners as TLV sorted by label)
/// TLV     = u16 label length, label, u8 type (0 null, 1 bytes, 2 i64 BE), u32 length, value
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Context([u8; 32]);

impl Context {
    /// The context of a cell: the row's id, and its owner columns under their labels, in any order.
    pub fn cell(row_id: &str, owners: &[(&str, Value<'_>)]) -> Self {
        let mut sorted: Vec<_> = owners.iter().collect();
        sorted.sort_by_key(|(label, _)| *label);
        let list = List::new("strongroom/context/1").with("id", &row_id.into());
        sorted.into_iter().fold(list, |list, (label, value)| list.with(label, value)).context()
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The list, as it grows.
pub(super) struct List(Vec<u8>);

impl List {
    pub(super) fn new(domain: &str) -> Self {
        Self(Vec::with_capacity(256)).with(domain, &Value::Null)
    }

    pub(super) fn with(mut self, label: &str, value: &Value<'_>) -> Self {
        let integer;
        let (kind, bytes) = match value {
            Value::Null => (0_u8, [].as_slice()),
            Value::Bytes(bytes) => (1, &**bytes),
            Value::Integer(number) => {
                integer = number.to_be_bytes();
                (2, integer.as_slice())
            }
        };
        self.0.extend_from_slice(&label_length(label));
        self.0.extend_from_slice(label.as_bytes());
        self.0.push(kind);
        self.0.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn context(self) -> Context {
        Context(digest(&self.0))
    }
}

/// A label's length as it stands before the label: two bytes. Labels are short constants.
pub(super) fn label_length(label: &str) -> [u8; 2] {
    u16::try_from(label.len()).unwrap_or(u16::MAX).to_be_bytes()
}
