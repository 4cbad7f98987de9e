//! Bytes and words that are wiped when dropped.
//!
//! As `Zeroizing`, for arrays, but written over with wide stores: `zeroize` writes bytes one by one, which is felt in what is
//! as short as a cell. That the compiler leaves the stores in is `zeroize`'s promise (`optimization_barrier`), and not tested
//! here. What is moved leaves its bytes where it was, as with every value.

use std::ops::{Deref, DerefMut};

use zeroize::{DefaultIsZeroes, ZeroizeOnDrop, optimization_barrier};

/// An array that is wiped when dropped.
pub(super) struct Wiped<T: DefaultIsZeroes, const N: usize>([T; N]);

impl<T: DefaultIsZeroes, const N: usize> Wiped<T, N> {
    /// What is passed in is copied; of use for what is no secret yet.
    pub(super) fn new(array: [T; N]) -> Self {
        Self(array)
    }
}

impl<T: DefaultIsZeroes, const N: usize> Deref for Wiped<T, N> {
    type Target = [T; N];

    fn deref(&self) -> &[T; N] {
        &self.0
    }
}

impl<T: DefaultIsZeroes, const N: usize> DerefMut for Wiped<T, N> {
    fn deref_mut(&mut self) -> &mut [T; N] {
        &mut self.0
    }
}

impl<T: DefaultIsZeroes, const N: usize> Drop for Wiped<T, N> {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl<T: DefaultIsZeroes, const N: usize> ZeroizeOnDrop for Wiped<T, N> {}

/// Writes zeros over what nobody reads again; the compiler may not leave that out.
pub(super) fn wipe<T: DefaultIsZeroes>(slice: &mut [T]) {
    slice.fill(T::default());
    optimization_barrier(slice);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left() {
        let mut bytes = *b"a secret";
        wipe(&mut bytes);
        assert_eq!(bytes, [0; 8]);
    }

    #[test]
    fn dropping_does_something() {
        assert!(std::mem::needs_drop::<Wiped<u8, 1>>());
        assert!(std::mem::needs_drop::<crate::crypto::Opened>());
    }
}
