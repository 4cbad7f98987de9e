//! Holds the two paths to each other, on random inputs and on the frozen cells. See [`super::fast`].

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{AeadInOut, KeyInit, Nonce, Tag};
use proptest::collection::vec;
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::cell::CELL;
use super::expanded::{Expanded, LONGEST_INFO};
use super::key::extract;
use super::{
    Context, DataKey, Envelope, KeyId, Purpose, RingId, RootKey, WrappedKeyLabel, fast, pad, stock,
    unwrap_key,
};

proptest! {
    #[test]
    fn digests_are_the_same_on_both_paths(message in vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(fast::digest(&message), stock::digest(&message));
    }

    #[test]
    fn codes_are_the_same_on_both_paths(key in any::<[u8; 32]>(), message in vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(*fast::HmacKey::new(&key).mac(&message), *stock::HmacKey::new(&key).mac(&message));
    }

    #[test]
    fn expanded_keys_are_the_same_on_both_paths(
        key in any::<[u8; 32]>(),
        info in vec(any::<u8>(), 0..=LONGEST_INFO),
        cut in any::<prop::sample::Index>(),
    ) {
        let (one, other) = info.split_at(cut.index(info.len() + 1));
        let whole = |Expanded { first, second }| [*first, *second].concat();
        let by_stock = stock::ExpandKey::new(&key).expand(&[one, other]);
        prop_assert_eq!(whole(fast::ExpandKey::new(&key).expand(&[one, other])), whole(by_stock));
    }

    #[test]
    fn ciphertexts_are_the_same_on_both_paths_and_open_on_the_other(
        key in any::<[u8; 32]>(),
        header in vec(any::<u8>(), 0..80),
        plaintext in vec(any::<u8>(), 0..700),
        flipped in any::<prop::sample::Index>(),
    ) {
        let (fast, stock) = (fast::CellCipher::new(&key.into()), stock::CellCipher::new(&key.into()));
        let nonce = chacha20poly1305::Nonce::default();
        let (mut by_fast, mut by_stock) = (plaintext.clone(), plaintext.clone());
        let tag = fast.encrypt_inout_detached(&nonce, &header, by_fast.as_mut_slice().into()).unwrap();
        let stock_tag = stock.encrypt_inout_detached(&nonce, &header, by_stock.as_mut_slice().into()).unwrap();
        prop_assert_eq!((&by_fast, tag), (&by_stock, stock_tag));

        let mut bad_tag = tag;
        bad_tag[flipped.index(tag.len())] ^= 1;
        prop_assert!(fast.decrypt_inout_detached(&nonce, &header, by_fast.clone().as_mut_slice().into(), &bad_tag).is_err());
        prop_assert!(stock.decrypt_inout_detached(&nonce, &header, by_fast.clone().as_mut_slice().into(), &bad_tag).is_err());

        fast.decrypt_inout_detached(&nonce, &header, by_stock.as_mut_slice().into(), &tag).unwrap();
        stock.decrypt_inout_detached(&nonce, &header, by_fast.as_mut_slice().into(), &tag).unwrap();
        prop_assert_eq!((&by_stock, &by_fast), (&plaintext, &plaintext));
    }
}

#[test]
fn frozen_cells_open_on_both_paths() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/version-1.json");
    let vectors: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let ring = RingId::try_from(bytes(&vectors["ring_id"]).as_slice()).unwrap();
    let key = data_key(&vectors, &ring);
    let cells = vectors["cells"].as_array().unwrap();
    assert!(!cells.is_empty());
    for vector in cells {
        let label = vector["label"].as_str().unwrap();
        let prk = extract("strongroom/data-key/1", &ring, label, &key.0);
        let (prk, context) = (prk.expose_secret(), context(vector));
        let (cell, plaintext) = (bytes(&vector["cell"]), bytes(&vector["plaintext"]));
        let expand = |info: &[&[u8]]| fast::ExpandKey::new(prk).expand(info);
        assert_eq!(open_frozen::<fast::CellCipher>(expand, &context, &cell), plaintext);
        let expand = |info: &[&[u8]]| stock::ExpandKey::new(prk).expand(info);
        assert_eq!(open_frozen::<stock::CellCipher>(expand, &context, &cell), plaintext);
    }
}

/// Opens a cell by the primitives of one path, as `cell.rs` does.
fn open_frozen<C: AeadInOut + KeyInit>(
    expand: impl Fn(&[&[u8]]) -> Expanded,
    context: &Context,
    cell: &[u8],
) -> Vec<u8> {
    let envelope = Envelope::parse(cell).unwrap();
    let info = [CELL.bytes(), envelope.prefix(), envelope.salt(), context.as_bytes()];
    let Expanded { first: key, second: commitment } = expand(&info);
    assert_eq!(commitment.as_slice(), envelope.commitment());
    let (ciphertext, tag) = envelope.body();
    let mut opened = ciphertext.to_vec();
    C::new_from_slice(key.as_slice())
        .unwrap()
        .decrypt_inout_detached(
            &Nonce::<C>::default(),
            envelope.header(),
            opened.as_mut_slice().into(),
            &Tag::<C>::try_from(tag).unwrap(),
        )
        .unwrap();
    opened.truncate(pad::unpadded_length(&opened).unwrap());
    opened
}

fn data_key(vectors: &Value, ring: &RingId) -> DataKey {
    let root = STANDARD.decode(vectors["root"].as_str().unwrap()).unwrap().try_into().unwrap();
    let key = &vectors["data_key"];
    let number = |name: &str| u32::try_from(key[name].as_u64().unwrap()).unwrap();
    let label = WrappedKeyLabel {
        ring,
        id: KeyId::new(number("id")),
        purpose: Purpose::Data,
        scope: key["scope"].as_str().unwrap(),
        generation: number("generation"),
    };
    unwrap_key(&RootKey::from_bytes(&root).unwrap(), &label, &bytes(&key["wrapped"])).unwrap()
}

fn context(vector: &Value) -> Context {
    let owners = vector["owners"].as_object().unwrap();
    let owners: Vec<_> =
        owners.iter().map(|(name, value)| (name.as_str(), value.as_str().into())).collect();
    Context::cell(vector["id"].as_str().unwrap(), &owners)
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}
