//! What a cell is bound to, as bytes: an unambiguous list of labelled values.
//!
//! Guards against a cell copied to another row or owner, and against two different owners whose
//! concatenation is the same string: every label and every value carries its length.

/// A value that a cell is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL; differs from the empty text.
    Null,
    /// Bytes, or UTF-8 text.
    Bytes(Vec<u8>),
    /// A 64-bit integer.
    Integer(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

/// The encoded context of a cell or of a wrapped key.
///
/// ```text
/// context = TLV(domain, null), TLV("id", row id), then owners as TLV sorted by label
/// TLV     = u16 label length, label, u8 type (0 null, 1 bytes, 2 i64 BE), u32 length, value
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Context(Vec<u8>);

impl Context {
    /// The context of a cell: the row's id, and its owner columns under their labels, in any order.
    pub fn cell(row_id: &str, owners: &[(&str, Value)]) -> Self {
        let mut sorted: Vec<_> = owners.iter().collect();
        sorted.sort_by_key(|(label, _)| *label);
        let mut context = Self::domain("strongroom/context/1");
        context.push("id", &row_id.into());
        for (label, value) in sorted {
            context.push(label, value);
        }
        context
    }

    pub(super) fn domain(domain: &str) -> Self {
        let mut context = Self(Vec::with_capacity(256));
        context.push(domain, &Value::Null);
        context
    }

    pub(super) fn push(&mut self, label: &str, value: &Value) {
        let integer;
        let (kind, bytes) = match value {
            Value::Null => (0_u8, [].as_slice()),
            Value::Bytes(bytes) => (1, bytes.as_slice()),
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
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A label's length as it stands before the label: two bytes. Labels are short constants.
pub(super) fn label_length(label: &str) -> [u8; 2] {
    u16::try_from(label.len()).unwrap_or(u16::MAX).to_be_bytes()
}
