use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::super::SignedRequest;
use super::{SECRET, request, vectors};

/// Fragments that signatures are made of, and anything else.
fn text() -> impl Strategy<Value = String> {
    let known = select(vec![
        "2",
        "4",
        "HmacSHA256",
        "AWS4-HMAC-SHA256",
        "AKIDEXAMPLE/20260304/r/s/aws4_request",
        "host;x-amz-date",
        "host",
        "a:1",
        "GET",
        "20260304T050607Z",
        "2026-03-04T05:06:07Z",
        "9999-12-31T23:59:60.999999999-23:59",
        "604800",
        "/",
        "[::]:1",
        ":",
        "=",
        ",",
        "é",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/r/s/aws4_request,SignedHeaders=host,Signature=",
    ]);
    prop_oneof![
        known.prop_map(str::to_owned),
        any::<String>(),
        vec(any::<char>(), 0..4).prop_map(String::from_iter)
    ]
}

fn name() -> impl Strategy<Value = String> {
    let known = select(vec![
        "SignatureVersion",
        "SignatureMethod",
        "AWSAccessKeyId",
        "Timestamp",
        "Expires",
        "Signature",
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
        "Authorization",
        "Host",
    ]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

/// A vector with some of its members, params and headers set to something else.
fn changed() -> impl Strategy<Value = Value> {
    let members = btree_map(
        select(vec!["access", "signature", "host", "verb", "path", "body_hash"]),
        text(),
        0..2,
    );
    let vectors: Vec<Value> = vectors().into_iter().map(|(_, value)| value).collect();
    (select(vectors), members, btree_map(name(), text(), 0..3), btree_map(name(), text(), 0..3))
        .prop_map(|(mut value, members, params, headers)| {
            for (member, text) in members {
                value[member] = text.into();
            }
            for (name, text) in params {
                value["params"][name] = text.into();
            }
            for (name, text) in headers {
                value["headers"][name] = text.into();
            }
            value
        })
}

/// Nothing but what is drawn.
fn drawn() -> impl Strategy<Value = Value> {
    let map = || btree_map(name(), text(), 0..8);
    (text(), text(), text(), text(), map(), map()).prop_map(
        |(access, host, verb, signature, params, headers)| {
            serde_json::json!({
                "access": access, "host": host, "verb": verb, "path": "/", "signature": signature,
                "params": params,
                "headers": headers,
            })
        },
    )
}

proptest! {
    #[test]
    fn nothing_panics(value in prop_oneof![changed(), drawn()], secret in any::<String>()) {
        if let Ok(request) = serde_json::from_value::<SignedRequest>(value)
            && let Ok(claim) = request.claim()
        {
            prop_assert!(claim.verify(&secret).is_err());
        }
    }

    #[test]
    fn every_other_secret_mismatches(secret in any::<String>(), extra in "[ -~]") {
        for (_, value) in vectors() {
            let request = request(&value);
            let claim = request.claim().unwrap();
            prop_assert_eq!(claim.verify(&secret).is_ok(), secret == SECRET);
            let longer = format!("{SECRET}{extra}");
            prop_assert!(claim.verify(&longer).is_err());
        }
    }
}
