//! Requests signed by botocore (`tests/vectors/make_ec2_vectors.py`) and in AWS's documentation, as they came and tampered
//! with.

mod payloads;
mod properties;
mod refusals;
mod signing;
mod spellings;
mod suites;
mod tampering;
mod vectors;

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Fingerprint, SignedRequest};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// The names and requests of all vectors.
fn vectors() -> Vec<(String, Value)> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/ec2_signatures.json");
    let vectors: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    vectors
        .into_iter()
        .map(|vector| (vector["name"].as_str().unwrap().to_owned(), vector["request"].clone()))
        .collect()
}

fn vector(name: &str) -> Value {
    vectors().into_iter().find(|(found, _)| found == name).unwrap().1
}

fn request(value: &Value) -> SignedRequest {
    serde_json::from_value(value.clone()).unwrap()
}

/// The fingerprint, or the code of the refusal.
fn check(value: &Value) -> Result<Fingerprint, &'static str> {
    let request = request(value);
    let claim = request.claim().map_err(super::Malformed::code)?;
    claim.verify(SECRET).map_err(super::Mismatch::code)
}

fn check_with(name: &str, change: impl FnOnce(&mut Value)) -> Result<Fingerprint, &'static str> {
    let mut value = vector(name);
    change(&mut value);
    check(&value)
}

fn replace(value: &mut Value, from: &str, to: &str) {
    let text = value.as_str().unwrap();
    assert!(text.contains(from), "{text} has no {from}");
    *value = text.replace(from, to).into();
}
