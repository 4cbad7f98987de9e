//! One signed request, however a forwarder spells it, has one fingerprint.

use serde_json::json;

use super::{check, check_with, replace, request, vector, vectors};

#[test]
fn names_of_headers_count_without_case() {
    for (name, value) in vectors() {
        let mut changed = value.clone();
        let headers = value["headers"].as_object().unwrap();
        let lower: serde_json::Map<_, _> =
            headers.iter().map(|(name, text)| (name.to_lowercase(), text.clone())).collect();
        changed["headers"] = lower.into();
        assert_eq!(check(&changed), check(&value), "{name}");
    }
}

#[test]
fn the_signature_may_be_in_the_request_alone() {
    for (name, value) in vectors().into_iter().filter(|(name, _)| name.starts_with("version 4")) {
        let mut changed = value.clone();
        changed.as_object_mut().unwrap().remove("signature");
        assert_eq!(check(&changed), check(&value), "{name}");
    }
    let changed = check_with("version 2 get", |value| {
        value["params"]["Signature"] = value["signature"].take();
    });
    assert_eq!(changed, check(&vector("version 2 get")));
}

#[test]
fn one_value_may_be_a_list() {
    let changed = check_with("version 4 get", |value| {
        value["params"]["Action"] = json!(["DescribeInstances"]);
    });
    assert_eq!(changed, check(&vector("version 4 get")));
}

#[test]
fn spaces_in_headers_are_folded_as_aws_does() {
    let folded = |text: &str| {
        check_with("version 4 headers", |value| value["headers"]["X-Amz-Meta"] = text.into())
    };
    assert_eq!(folded("two words"), check(&vector("version 4 headers")));
    assert_eq!(folded("\ttwo \t words"), check(&vector("version 4 headers")));
    assert_eq!(folded("twowords"), Err("mismatch"));
    assert_eq!(folded("two\nwords"), Err("header_value"));
}

#[test]
fn authorization_may_have_any_order_and_spacing() {
    let changed = check_with("version 4 get", |value| {
        let header = value["headers"]["Authorization"].as_str().unwrap();
        let parts = header.split_once(' ').unwrap().1.rsplit(", ");
        value["headers"]["Authorization"] =
            format!("AWS4-HMAC-SHA256 {}", parts.collect::<Vec<_>>().join(",")).into();
    });
    assert_eq!(changed, check(&vector("version 4 get")));
}

#[test]
fn a_missing_body_hash_is_the_signed_header_or_that_of_nothing() {
    assert_eq!(check(&vector("version 4 no body hash")), check(&vector("version 4 get")));
    let with_hash = check_with("version 4 s3 header hash", |value| {
        value["body_hash"] = value["headers"]["X-Amz-Content-SHA256"].clone();
    });
    assert_eq!(with_hash, check(&vector("version 4 s3 header hash")));
}

/// The name's bytes order a query before encoding in Version 2 and after it in Version 4.
#[test]
fn repeated_params_are_sorted_by_name_and_value() {
    let pairs = [("a[]", "1"), ("a", "b"), ("a", "B"), ("aZ", "2")];
    let mut encoded = super::super::canonical::encoded(pairs.into_iter());
    encoded.sort_unstable();
    assert_eq!(super::super::canonical::joined(&encoded), "a=B&a=b&a%5B%5D=1&aZ=2");
    let value = json!({
        "access": "a", "host": "h", "verb": "GET", "path": "/",
        "params": { "z": "1", "a[]": "1", "aZ": "2", "a": ["b", "B"] }
    });
    let pairs: Vec<_> =
        request(&value).params.pairs().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(pairs, ["a=B", "a=b", "aZ=2", "a[]=1", "z=1"]);
}

#[test]
fn version_2_reads_iso_8601() {
    let at = |text: &str| {
        let mut value = vector("version 2 get");
        value["params"]["Timestamp"] = text.into();
        request(&value).claim().map(|claim| claim.signed_at())
    };
    for text in [
        "2026-03-04T05:06:07Z",
        "2026-03-04T05:06:07.999Z",
        "2026-03-04T05:06:07",
        "2026-03-04T07:06:07+02:00",
        "2026-03-04T05:06:07.000000",
    ] {
        assert_eq!(at(text), Ok(1_772_600_767), "{text}");
    }
    for text in [
        "",
        "1772600767",
        "2026-03-04",
        "20260304T050607Z",
        "+2026-03-04T05:06:07Z",
        " 2026-03-04T05:06:07Z",
    ] {
        assert_eq!(at(text).unwrap_err().code(), "timestamp", "{text}");
    }
}

#[test]
fn version_2_may_expire() {
    let mut value = vector("version 2 get");
    value["params"]["Expires"] = "2026-03-04T05:07:07Z".into();
    assert_eq!(request(&value).claim().unwrap().expires_at(), Some(1_772_600_767 + 60));
    replace(&mut value["params"]["Expires"], "T", "x");
    assert_eq!(check(&value), Err("expires"));
}

#[test]
fn debug_shows_neither_access_key_nor_signature_nor_params() {
    for (name, value) in vectors() {
        let request = request(&value);
        let shown = format!("{request:?} {:?}", request.claim().unwrap());
        assert!(
            !shown.contains("AKIDEXAMPLE") && !shown.contains(value["signature"].as_str().unwrap()),
            "{name}: {shown}"
        );
        let params = value["params"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "AWSAccessKeyId");
        // Shorter ones occur by chance.
        for text in params.filter_map(|(_, text)| text.as_str()).filter(|text| text.len() > 5) {
            assert!(!shown.contains(text), "{name}: {shown}");
        }
    }
}
