//! Padding that hides a value's length within a class.
//!
//! Plaintext, `0x80`, zeros up to the next of 32, 64, 128, 256, 512, 1024 bytes, then Padmé
//! (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs",
//! 2019, algorithm 1): at most 12 % of overhead, and a length leaks O(log log n) bits.
//! Exactly one padding is valid for each plaintext; anything else is refused.

/// The longest value a cell takes, in bytes: 1 MiB.
pub const MAXIMUM_PLAINTEXT: usize = 1 << 20;

const MARK: u8 = 0x80;
const SMALLEST: usize = 32;
const LARGEST_POWER: usize = 1024;

/// How long the plaintext gets. `None` when it is too long.
pub(super) fn padded_length(plaintext: &[u8]) -> Option<usize> {
    (plaintext.len() <= MAXIMUM_PLAINTEXT).then(|| class(plaintext.len()))
}

/// Appends the plaintext, padded to the length that [`padded_length`] gave.
pub(super) fn extend_padded(buffer: &mut Vec<u8>, plaintext: &[u8], length: usize) {
    let end = buffer.len() + length;
    buffer.extend_from_slice(plaintext);
    buffer.push(MARK);
    buffer.resize(end, 0);
}

/// The length of the plaintext within `padded`. `None` unless the padding is the one `pad` makes.
pub(super) fn unpadded_length(padded: &[u8]) -> Option<usize> {
    let mark = padded.iter().rposition(|byte| *byte != 0)?;
    let valid =
        padded.get(mark) == Some(&MARK) && mark <= MAXIMUM_PLAINTEXT && class(mark) == padded.len();
    valid.then_some(mark)
}

fn class(plaintext: usize) -> usize {
    let needed = plaintext + 1;
    if needed <= LARGEST_POWER {
        return needed.next_power_of_two().max(SMALLEST);
    }
    padme(needed)
}

fn padme(length: usize) -> usize {
    let exponent = length.ilog2();
    let kept_bits = exponent.ilog2() + 1;
    let mask = (1_usize << (exponent - kept_bits)) - 1;
    (length + mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pad(plaintext: &[u8]) -> Option<Vec<u8>> {
        let mut padded = b"header".to_vec();
        extend_padded(&mut padded, plaintext, padded_length(plaintext)?);
        Some(padded.split_off(6))
    }

    #[test]
    fn lengths_step_through_the_classes() {
        let lengths = [0, 31, 32, 63, 64, 1023, 1024, 16_384, MAXIMUM_PLAINTEXT].map(class);
        assert_eq!(lengths, [32, 32, 64, 64, 128, 1024, 1088, 17_408, 1_081_344]);
    }

    #[test]
    fn a_value_over_a_mebibyte_is_refused() {
        assert!(pad(&vec![b'x'; MAXIMUM_PLAINTEXT + 1]).is_none());
    }

    proptest! {
        #[test]
        fn what_was_padded_comes_back(plaintext in prop::collection::vec(any::<u8>(), 0..3000)) {
            let padded = pad(&plaintext).unwrap();
            prop_assert_eq!(unpadded_length(&padded), Some(plaintext.len()));
            prop_assert!(padded.len() <= 32.max(plaintext.len() * 2 + 2));
        }

        #[test]
        fn every_other_padding_is_refused(plaintext in prop::collection::vec(any::<u8>(), 0..300), zeros in 1_usize..100) {
            let mut padded = pad(&plaintext).unwrap();
            padded.extend(std::iter::repeat_n(0, zeros));
            let longer_class = unpadded_length(&padded);
            prop_assert_eq!(longer_class, None);
        }
    }
}
