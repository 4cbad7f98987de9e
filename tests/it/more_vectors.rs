//! Vectors that the second implementation made: what opens, and what is refused and why, in every format.
//!
//! They are frozen. `tests/vectors/make_more_vectors.py` shows how they came to be.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use strongroom::crypto::{
    Context, DataKey, DatabasePassword, IndexKey, KeyId, ManifestKey, OpenError, PassphraseCost,
    PassphraseError, Purpose, RingId, RootKey, SealedRoot, Value as Bound, WrappedKeyLabel,
    audit_mac, blind_index, manifest_mac, open_cell, open_root, policy_mac, unwrap_key,
    verify_audit_mac, verify_manifest_mac, verify_policy_mac,
};

use crate::support::repository;

fn vectors() -> Value {
    let path = repository().join("tests/vectors/version-1-more.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn number(of: &Value, name: &str) -> u32 {
    u32::try_from(of[name].as_u64().unwrap()).unwrap()
}

fn ring_id(vectors: &Value) -> RingId {
    RingId::try_from(bytes(&vectors["ring_id"]).as_slice()).unwrap()
}

fn root(vectors: &Value) -> RootKey {
    let root = STANDARD.decode(vectors["root"].as_str().unwrap()).unwrap();
    RootKey::from_bytes(&root.try_into().unwrap()).unwrap()
}

fn reason(error: OpenError) -> &'static str {
    match error {
        OpenError::Parse(_) => "parse",
        OpenError::Commitment => "commitment",
        OpenError::Corrupt => "corrupt",
        OpenError::Padding => "padding",
        _ => "another",
    }
}

fn label<'a>(ring: &'a RingId, key: &'a Value) -> WrappedKeyLabel<'a> {
    let purpose = match key["purpose"].as_str().unwrap() {
        "login" => Purpose::Login,
        word => Purpose::parse(word).unwrap(),
    };
    let (id, generation) = (KeyId::new(number(key, "id")), number(key, "generation"));
    WrappedKeyLabel { ring, id, purpose, scope: key["scope"].as_str().unwrap(), generation }
}

fn named<'a>(vectors: &'a Value, name: &str) -> &'a Value {
    vectors["wrapped_keys"].as_array().unwrap().iter().find(|key| key["name"] == name).unwrap()
}

fn context(cell: &Value) -> Context {
    let bound = |value: &Value| match value {
        Value::Null => Bound::Null,
        Value::Number(number) => Bound::Integer(number.as_i64().unwrap()),
        other => Bound::Bytes(other.as_str().unwrap().as_bytes().to_vec().into()),
    };
    let owners: Vec<_> = cell["owners"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), bound(value)))
        .collect();
    Context::cell(cell["id"].as_str().unwrap(), &owners)
}

#[test]
fn cells_of_every_kind_of_owner_open_and_all_others_are_refused_with_their_reason() {
    let vectors = vectors();
    let (ring, root) = (ring_id(&vectors), root(&vectors));
    assert_eq!(hex::encode(root.id()), vectors["root_id"].as_str().unwrap());
    let key = named(&vectors, "data key");
    let data: DataKey = unwrap_key(&root, &label(&ring, key), &bytes(&key["wrapped"])).unwrap();
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for cell in vectors["cells"].as_array().unwrap() {
        let column = data.column(&ring, cell["label"].as_str().unwrap());
        let opened = open_cell(&column, &context(cell), &bytes(&cell["cell"]));
        match (opened, cell["refused"].as_str()) {
            (Ok(opened), None) => {
                assert_eq!(opened.as_bytes(), bytes(&cell["plaintext"]), "{}", cell["name"]);
            }
            (Err(error), Some(why)) => assert_eq!(reason(error), why, "{}", cell["name"]),
            (Ok(_), Some(why)) => panic!("{} opens: {why}", cell["name"]),
            (Err(error), None) => panic!("{} does not open: {error}", cell["name"]),
        }
        *seen.entry(cell["refused"].as_str().unwrap_or("opens").to_owned()).or_default() += 1;
    }
    assert_eq!(
        seen.keys().map(String::as_str).collect::<Vec<_>>(),
        ["commitment", "corrupt", "opens", "padding", "parse"]
    );
}

#[test]
fn wrapped_keys_and_logins_unwrap_only_as_what_they_were_wrapped() {
    let vectors = vectors();
    let (ring, root) = (ring_id(&vectors), root(&vectors));
    for key in vectors["wrapped_keys"].as_array().unwrap() {
        let (label, wrapped) = (label(&ring, key), bytes(&key["wrapped"]));
        let unwrapped = match label.purpose {
            Purpose::Login => {
                unwrap_key::<DatabasePassword>(&root, &label, &wrapped).map(|password| {
                    assert_eq!(
                        password.text().expose_secret(),
                        key["password"].as_str().unwrap_or_default()
                    );
                })
            }
            Purpose::Data => unwrap_key::<DataKey>(&root, &label, &wrapped).map(drop),
            Purpose::Index => unwrap_key::<IndexKey>(&root, &label, &wrapped).map(drop),
            Purpose::Manifest => unwrap_key::<ManifestKey>(&root, &label, &wrapped).map(drop),
        };
        let refused = unwrapped.err().map(reason);
        assert_eq!(refused, key["refused"].as_str(), "{}", key["name"]);
        assert!(
            unwrap_key::<DataKey>(&RootKey::make().unwrap(), &label, &wrapped).is_err(),
            "{}",
            key["name"]
        );
    }
}

#[test]
fn roots_under_a_passphrase_open_with_that_passphrase_and_cost_alone() {
    let vectors = vectors();
    for sealed in vectors["roots"].as_array().unwrap() {
        let root = SealedRoot {
            cost: PassphraseCost {
                memory: number(sealed, "memory"),
                passes: number(sealed, "passes"),
                lanes: number(sealed, "lanes"),
            },
            salt: bytes(&sealed["salt"]).try_into().unwrap(),
            envelope: bytes(&sealed["envelope"]),
        };
        let refused = match open_root(&root, sealed["passphrase"].as_str().unwrap().as_bytes()) {
            Ok(root) => {
                assert_eq!(
                    root.dangerous_expose().to_vec(),
                    bytes(&sealed["root"]),
                    "{}",
                    sealed["name"]
                );
                None
            }
            Err(PassphraseError::Wrong(_)) => Some("wrong"),
            Err(PassphraseError::Weak(_)) => Some("weak"),
            Err(PassphraseError::Cost) => Some("cost"),
            Err(error) => panic!("{}: {error}", sealed["name"]),
        };
        assert_eq!(refused, sealed["refused"].as_str(), "{}", sealed["name"]);
    }
}

#[test]
fn authentication_codes_hold_for_their_text_and_place_alone() {
    let vectors = vectors();
    let (ring, root) = (ring_id(&vectors), root(&vectors));
    let key = named(&vectors, "manifest key");
    let manifest: ManifestKey =
        unwrap_key(&root, &label(&ring, key), &bytes(&key["wrapped"])).unwrap();
    for code in vectors["codes"].as_array().unwrap() {
        let (body, mac) = (bytes(&code["body"]), bytes(&code["mac"]));
        let (made, verifies) = match code["kind"].as_str().unwrap() {
            "manifest" => (
                manifest_mac(&manifest, &ring, &body),
                verify_manifest_mac(&manifest, &ring, &body, &mac),
            ),
            "policy" => {
                let number = u64::from(number(code, "number"));
                (
                    policy_mac(&manifest, &ring, number, &body),
                    verify_policy_mac(&manifest, &ring, number, &body, &mac),
                )
            }
            _ => {
                let before = bytes(&code["before"]);
                (
                    audit_mac(&manifest, &ring, &before, &body),
                    verify_audit_mac(&manifest, &ring, &before, &body, &mac),
                )
            }
        };
        let holds = code["refused"].is_null();
        assert_eq!((verifies, made.as_slice() == mac), (holds, holds), "{code}");
    }
}

#[test]
fn blind_indexes_are_those_of_the_second_implementation() {
    let vectors = vectors();
    let (ring, root) = (ring_id(&vectors), root(&vectors));
    let key = named(&vectors, "index key");
    let index: IndexKey = unwrap_key(&root, &label(&ring, key), &bytes(&key["wrapped"])).unwrap();
    for entry in vectors["blind_indexes"].as_array().unwrap() {
        let label = entry["label"].as_str().unwrap();
        assert_eq!(
            blind_index(&index.column(&ring, label), label, &bytes(&entry["value"])).to_vec(),
            bytes(&entry["index"])
        );
    }
}
