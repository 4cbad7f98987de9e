//! Sealing and opening by the keys that are loaded.

use std::sync::Arc;

use super::Ring;
use crate::crypto::{
    ColumnIndexKey, ColumnKey, Envelope, KeyId, OpenError, Opened, open_cell, seal_cell,
};
use crate::key::{CellAddress, OpenFailure, RingError};

impl Ring {
    /// Seals a value for its place under the active generation. The scope must be [prepared](Ring::prepare).
    pub(crate) fn seal_at(
        &self,
        place: &CellAddress,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, RingError> {
        let id = {
            let state = self.read();
            state.key_of(&place.scope, state.manifest.active).ok_or(RingError::NoKey)?
        };
        let column = self.column(id, place.label).ok_or(RingError::NoKey)?;
        Ok(seal_cell(&column, id, &place.context, plaintext)?)
    }

    /// See [`Ring::open_at`].
    pub(super) fn open_known(
        &self,
        place: &CellAddress,
        cell: &[u8],
    ) -> Result<Opened, OpenFailure> {
        let id = Envelope::parse(cell)
            .map_err(|error| OpenFailure::from(OpenError::Parse(error)))?
            .key_id();
        let entry = {
            let state = self.read();
            let entry = state.data.get(&id).cloned().ok_or(OpenFailure::UnknownKey)?;
            if !state.manifest.opens(entry.generation) {
                return Err(OpenFailure::RetiredKey);
            }
            entry
        };
        if entry.scope != place.scope {
            return Err(OpenFailure::ForeignScope);
        }
        let column = self.column(id, place.label).ok_or(OpenFailure::UnknownKey)?;
        Ok(open_cell(&column, &place.context, cell)?)
    }

    /// The key of a column's blind index.
    pub(super) fn index_column(&self, label: &'static str) -> Arc<ColumnIndexKey> {
        let known = self.read().index_columns.get(label).cloned();
        known.unwrap_or_else(|| {
            let mut state = self.write();
            let key = Arc::new(state.index.column(&state.id, label));
            state.index_columns.insert(label, key.clone());
            key
        })
    }

    fn column(&self, id: KeyId, label: &'static str) -> Option<Arc<ColumnKey>> {
        if let Some(column) = self.read().columns.get(&(id, label)) {
            return Some(column.clone());
        }
        let mut state = self.write();
        let column = Arc::new(state.data.get(&id)?.key.column(&state.id, label));
        state.columns.insert((id, label), column.clone());
        Some(column)
    }
}
