//! One row, before it has a place in the chain.

use strongroom_entity::audit::Model;

use super::{Action, Barrier};

/// What is written down. Never a secret, and never an access key: `object` is a row's id.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The request's id.
    pub request: String,
    /// Who asked; empty for a caller that is no component.
    pub component: String,
    /// The name in the caller's certificate.
    pub identity: String,
    /// What was asked for.
    pub action: Action,
    /// Of which row; empty where there is none.
    pub object: String,
    /// What refused it; `None` when it was done.
    pub barrier: Option<Barrier>,
}

impl Entry {
    /// With a place in the chain, and no code yet.
    pub(super) fn at(&self, number: i64, at_ms: i64, replica: &str) -> Model {
        Model {
            number,
            at_ms,
            replica: cut(replica, 64),
            request: cut(&self.request, 64),
            component: cut(&self.component, 18),
            identity: cut(&self.identity, 512),
            action: self.action.as_str().to_owned(),
            object: cut(&self.object, 255),
            result: if self.barrier.is_some() { "refused" } else { "done" }.to_owned(),
            barrier: self.barrier.map_or("", Barrier::as_str).to_owned(),
            mac: Vec::new(),
        }
    }
}

/// A column holds so many characters, and no NUL on PostgreSQL: a caller's odd name must not keep its row from being written.
/// Nor may it do anything to the terminal of who lists the rows.
fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

/// The bytes that a row's code is over: numbers big-endian, texts behind their length.
pub(super) fn bytes(row: &Model) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend(row.number.to_be_bytes());
    bytes.extend(row.at_ms.to_be_bytes());
    let Model { replica, request, component, identity, action, object, result, barrier, .. } = row;
    for text in [replica, request, component, identity, action, object, result, barrier] {
        bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(component: &str, identity: &str) -> Entry {
        let (component, identity) = (component.to_owned(), identity.to_owned());
        Entry {
            request: "r".into(),
            component,
            identity,
            action: Action::REVEAL,
            object: "o".into(),
            barrier: None,
        }
    }

    #[test]
    fn no_two_rows_have_the_same_bytes() {
        let of = |component, identity| bytes(&entry(component, identity).at(1, 2, "replica"));
        assert_ne!(of("ab", "c"), of("a", "bc"));
        assert_eq!(of("ab", "c"), of("ab", "c"));
    }

    #[test]
    fn what_a_column_cannot_hold_is_left_out() {
        let row = entry("c", &"ä\0".repeat(600)).at(1, 2, "replica");
        assert_eq!(row.identity, "ä".repeat(512));
    }
}
