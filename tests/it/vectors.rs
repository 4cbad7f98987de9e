//! The format is frozen. These vectors are never made anew; a change of format is another version.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use strongroom::crypto::{
    Context, DataKey, IndexKey, KeyId, ManifestKey, OpenError, ParseError, Purpose, RingId,
    RootKey, Value as Bound, WrappedKeyLabel, blind_index, manifest_mac, open_cell, seal_cell,
    unwrap_key, verify_manifest_mac, wrap_key,
};

use crate::support::repository;

fn path() -> PathBuf {
    repository().join("tests/vectors/version-1.json")
}

fn vectors() -> Value {
    serde_json::from_str(&fs::read_to_string(path()).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

struct Ring {
    id: RingId,
    root: RootKey,
}

impl Ring {
    fn of(vectors: &Value) -> Self {
        let root = STANDARD.decode(vectors["root"].as_str().unwrap()).unwrap();
        Self {
            id: RingId::try_from(bytes(&vectors["ring_id"]).as_slice()).unwrap(),
            root: RootKey::from_bytes(&root.try_into().unwrap()).unwrap(),
        }
    }

    fn label<'a>(&'a self, key: &'a Value, purpose: Purpose) -> WrappedKeyLabel<'a> {
        let number = |name: &str| u32::try_from(key[name].as_u64().unwrap()).unwrap();
        WrappedKeyLabel {
            ring: &self.id,
            id: KeyId::new(number("id")),
            purpose,
            scope: key["scope"].as_str().unwrap(),
            generation: number("generation"),
        }
    }

    fn data_key(&self, key: &Value) -> DataKey {
        unwrap_key(&self.root, &self.label(key, Purpose::Data), &bytes(&key["wrapped"])).unwrap()
    }

    fn index_key(&self, key: &Value) -> IndexKey {
        unwrap_key(&self.root, &self.label(key, Purpose::Index), &bytes(&key["wrapped"])).unwrap()
    }

    fn manifest_key(&self, key: &Value) -> ManifestKey {
        unwrap_key(&self.root, &self.label(key, Purpose::Manifest), &bytes(&key["wrapped"]))
            .unwrap()
    }
}

fn context(cell: &Value) -> Context {
    let owners: Vec<(String, Bound<'_>)> = cell["owners"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), bound(value)))
        .collect();
    let owners: Vec<(&str, Bound<'_>)> =
        owners.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    Context::cell(cell["id"].as_str().unwrap(), &owners)
}

fn bound(value: &Value) -> Bound<'_> {
    match value {
        Value::Null => Bound::Null,
        Value::Number(number) => Bound::Integer(number.as_i64().unwrap()),
        other => other.as_str().unwrap().into(),
    }
}

#[test]
fn what_was_sealed_once_opens_for_ever() {
    let vectors = vectors();
    let ring = Ring::of(&vectors);
    assert_eq!(hex::encode(ring.root.id()), vectors["root_id"].as_str().unwrap());
    let key = ring.data_key(&vectors["data_key"]);
    for cell in vectors["cells"].as_array().unwrap() {
        let column = key.column(&ring.id, cell["label"].as_str().unwrap());
        let opened = open_cell(&column, &context(cell), &bytes(&cell["cell"])).unwrap();
        assert_eq!(opened.as_bytes(), bytes(&cell["plaintext"]));
    }
    let index = ring.index_key(&vectors["index_key"]);
    for entry in vectors["blind_indexes"].as_array().unwrap() {
        let label = entry["label"].as_str().unwrap();
        assert_eq!(
            blind_index(&index.column(&ring.id, label), label, &bytes(&entry["value"])).to_vec(),
            bytes(&entry["index"])
        );
    }
    let manifest = ring.manifest_key(&vectors["manifest_key"]);
    let body = vectors["manifest"]["body"].as_str().unwrap();
    assert_eq!(
        manifest_mac(&manifest, &ring.id, body.as_bytes()).to_vec(),
        bytes(&vectors["manifest"]["mac"])
    );
    assert!(!verify_manifest_mac(&manifest, &ring.id, b"{}", &bytes(&vectors["manifest"]["mac"])));
}

#[test]
fn no_byte_can_be_changed() {
    let vectors = vectors();
    let ring = Ring::of(&vectors);
    let key = ring.data_key(&vectors["data_key"]);
    let cell = &vectors["cells"][0];
    let column = key.column(&ring.id, cell["label"].as_str().unwrap());
    let sealed = bytes(&cell["cell"]);
    for position in 0..sealed.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered[position] ^= 1 << bit;
            let error = open_cell(&column, &context(cell), &altered)
                .err()
                .unwrap_or_else(|| panic!("byte {position} bit {bit}"));
            let expected = match position {
                0 => OpenError::Parse(ParseError::Version),
                1 => OpenError::Parse(ParseError::Suite),
                2 | 3 => OpenError::Parse(ParseError::Header),
                4..64 => OpenError::Commitment,
                _ => OpenError::Corrupt,
            };
            let key_id_zero = OpenError::Parse(ParseError::Header);
            assert!(
                error == expected || (position < 8 && error == key_id_zero),
                "byte {position} bit {bit}: {error:?}"
            );
        }
    }
    for length in [0, 1, 64, 80, 111, sealed.len() - 1, sealed.len() + 1] {
        let mut cut = sealed.clone();
        cut.resize(length, 0);
        assert!(open_cell(&column, &context(cell), &cut).is_err(), "length {length}");
    }
}

#[test]
fn no_part_of_the_context_can_be_changed() {
    let vectors = vectors();
    let ring = Ring::of(&vectors);
    let key = ring.data_key(&vectors["data_key"]);
    let cell = &vectors["cells"][0];
    let sealed = bytes(&cell["cell"]);
    let column = key.column(&ring.id, cell["label"].as_str().unwrap());
    let refused = |altered: &Value| {
        open_cell(&column, &context(altered), &sealed).err() == Some(OpenError::Commitment)
    };
    let mut altered = cell.clone();
    altered["id"] = json!("another row");
    assert!(refused(&altered));
    for owner in cell["owners"].as_object().unwrap().keys() {
        for value in [json!("another"), json!(""), json!(7), Value::Null] {
            let mut altered = cell.clone();
            let same = altered["owners"][owner] == value;
            altered["owners"][owner] = value;
            assert!(same || refused(&altered), "{owner}");
        }
        let mut altered = cell.clone();
        altered["owners"].as_object_mut().unwrap().remove(owner);
        assert!(refused(&altered), "{owner} left out");
    }
    let other_column = key.column(&ring.id, "credential.access_key");
    assert_eq!(
        open_cell(&other_column, &context(cell), &sealed).err(),
        Some(OpenError::Commitment)
    );
    let other_ring = key.column(&RingId::from([9; 16]), cell["label"].as_str().unwrap());
    assert_eq!(open_cell(&other_ring, &context(cell), &sealed).err(), Some(OpenError::Commitment));
}

#[test]
fn no_part_of_a_wrapped_keys_label_can_be_changed() {
    let vectors = vectors();
    let ring = Ring::of(&vectors);
    let key = &vectors["data_key"];
    let wrapped = bytes(&key["wrapped"]);
    let label = ring.label(key, Purpose::Data);
    let other = RingId::from([7; 16]);
    let altered = [
        WrappedKeyLabel { ring: &other, ..label },
        WrappedKeyLabel { id: KeyId::new(4_000_000_000), ..label },
        WrappedKeyLabel { purpose: Purpose::Index, ..label },
        WrappedKeyLabel { scope: "project:another", ..label },
        WrappedKeyLabel { generation: label.generation + 1, ..label },
    ];
    for label in altered {
        assert!(unwrap_key::<DataKey>(&ring.root, &label, &wrapped).is_err(), "{label:?}");
    }
    let stranger = RootKey::make().unwrap();
    assert!(unwrap_key::<DataKey>(&stranger, &label, &wrapped).is_err());
}

/// How the vectors were made, once. Refuses to make them again.
#[test]
#[ignore = "the vectors are frozen; this shows how they came to be"]
fn make_vectors() {
    assert!(!path().exists(), "the vectors are frozen");
    let ring = RingId::from(*b"ring id 16 bytes");
    let root_bytes: [u8; 32] = *b"root key of the vectors, 32 byte";
    let root = RootKey::from_bytes(&root_bytes).unwrap();
    let label =
        |id, purpose, scope| WrappedKeyLabel { ring: &ring, id, purpose, scope, generation: 1 };
    let (data, index, manifest) =
        (DataKey::make().unwrap(), IndexKey::make().unwrap(), ManifestKey::make().unwrap());
    let wrapped = |label: WrappedKeyLabel<'_>, wrapped: Vec<u8>| json!({ "id": i64::from(label.id), "scope": label.scope, "generation": label.generation, "wrapped": hex::encode(wrapped) });
    let (of_data, of_index, of_manifest) = (
        label(KeyId::new(3), Purpose::Data, "project:p1"),
        label(KeyId::new(2), Purpose::Index, "-"),
        label(KeyId::new(1), Purpose::Manifest, "-"),
    );
    let owners = json!({ "user_id": "u1", "project_id": "p1", "type": "ec2", "extra": null });
    let long = "0123456789abcdef".repeat(1024);
    let cells: Vec<Value> = [
        "a secret",
        "",
        "exactly thirty-one bytes long..",
        "exactly thirty-two bytes long...",
        "żółć 🔐",
        &long,
    ]
    .iter()
    .enumerate()
    .map(|(n, plaintext)| {
        let mut cell =
            json!({ "label": "credential.secret_key", "id": format!("row-{n}"), "owners": owners });
        let column = data.column(&ring, "credential.secret_key");
        let sealed =
            seal_cell(&column, KeyId::new(3), &context(&cell), plaintext.as_bytes()).unwrap();
        cell["plaintext"] = json!(hex::encode(plaintext));
        cell["cell"] = json!(hex::encode(sealed));
        cell
    })
    .collect();
    let indexes: Vec<Value> = [
        ("credential.access_key", "AKIA0000"),
        ("credential.access_key", ""),
        ("other.column", "AKIA0000"),
    ]
    .iter()
    .map(|(label, value)| {
        let made = blind_index(&index.column(&ring, label), label, value.as_bytes());
        json!({ "label": label, "value": hex::encode(value), "index": hex::encode(made) })
    })
    .collect();
    let body = r#"{"epoch":1,"any":"text"}"#;
    let all = json!({
        "root": STANDARD.encode(root_bytes),
        "root_id": hex::encode(root.id()),
        "ring_id": hex::encode(ring),
        "data_key": wrapped(of_data, wrap_key(&root, &of_data, &data).unwrap()),
        "index_key": wrapped(of_index, wrap_key(&root, &of_index, &index).unwrap()),
        "manifest_key": wrapped(of_manifest, wrap_key(&root, &of_manifest, &manifest).unwrap()),
        "manifest": { "body": body, "mac": hex::encode(manifest_mac(&manifest, &ring, body.as_bytes())) },
        "cells": cells,
        "blind_indexes": indexes,
    });
    fs::create_dir_all(path().parent().unwrap()).unwrap();
    fs::write(path(), serde_json::to_string_pretty(&all).unwrap() + "\n").unwrap();
}
