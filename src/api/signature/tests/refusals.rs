//! What is refused whatever the secret, by the code of the reason.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::mac::mac;
use super::super::{Mismatch, SignedRequest};
use super::{check_with, replace, request, vector};

const TWO: &str = "version 2 get";
const FOUR: &str = "version 4 get";
const PRESIGNED: &str = "version 4 presigned";

/// The code under which `name`, changed so, is refused.
fn code(name: &str, change: impl FnOnce(&mut Value)) -> &'static str {
    check_with(name, change).unwrap_err()
}

fn param(name: &str, param: &str, value: impl Into<Value>) -> &'static str {
    code(name, |request| request["params"][param] = value.into())
}

fn without(name: &str, map: &str, key: &str) -> &'static str {
    code(name, |request| drop(request[map].as_object_mut().unwrap().remove(key).unwrap()))
}

fn authorization(from: &str, to: &str) -> &'static str {
    code(FOUR, |request| replace(&mut request["headers"]["Authorization"], from, to))
}

fn field(name: &str, field: &str, value: impl Into<Value>) -> &'static str {
    code(name, |request| request[field] = value.into())
}

#[test]
fn versions() {
    assert_eq!(param(TWO, "SignatureVersion", "0"), "signature_version_old");
    assert_eq!(param(TWO, "SignatureVersion", "1"), "signature_version_old");
    assert_eq!(param(FOUR, "SignatureVersion", "1"), "signature_version_old");
    for version in ["3", "4", "02", ""] {
        assert_eq!(param(TWO, "SignatureVersion", version), "signature_version");
    }
    assert_eq!(without(TWO, "params", "SignatureVersion"), "signature_version");
    assert_eq!(without(FOUR, "headers", "Authorization"), "signature_version");
    assert_eq!(authorization("AWS4-HMAC-SHA256 ", "AWS "), "signature_version");
    assert_eq!(authorization("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "algorithm");
    assert_eq!(param(PRESIGNED, "X-Amz-Algorithm", "AWS4-HMAC-SHA1"), "algorithm");
    // Signed, and so wrong under this signature, but a version that is accepted.
    assert_eq!(param(FOUR, "SignatureVersion", "4"), "mismatch");
}

#[test]
fn two_ways_at_once() {
    assert_eq!(param(FOUR, "SignatureVersion", "2"), "signature_ambiguous");
    assert_eq!(param(FOUR, "X-Amz-Algorithm", "AWS4-HMAC-SHA256"), "signature_ambiguous");
    assert_eq!(param(TWO, "X-Amz-Algorithm", "AWS4-HMAC-SHA256"), "signature_ambiguous");
}

#[test]
fn methods() {
    assert_eq!(param(TWO, "SignatureMethod", "HmacSHA1"), "signature_method");
    assert_eq!(without(TWO, "params", "SignatureMethod"), "signature_method");
}

#[test]
fn timestamps() {
    assert_eq!(without(TWO, "params", "Timestamp"), "timestamp_missing");
    assert_eq!(without(FOUR, "headers", "X-Amz-Date"), "timestamp_missing");
    assert_eq!(without(PRESIGNED, "params", "X-Amz-Date"), "timestamp_missing");
    for date in [
        "2026-03-04T05:06:07Z",
        "20260304T050607",
        "20260304T056007Z",
        "20261304T050607Z",
        "20260304T05060éZ",
    ] {
        assert_eq!(
            code(FOUR, |request| request["headers"]["X-Amz-Date"] = date.into()),
            "timestamp",
            "{date}"
        );
    }
    for expires in ["0", "-1", "+1", "01", "604801", "99999999999999999999", "", "1.5"] {
        assert_eq!(param(PRESIGNED, "X-Amz-Expires", expires), "expires", "{expires}");
    }
    assert_eq!(without(PRESIGNED, "params", "X-Amz-Expires"), "expires");
    assert_eq!(param(PRESIGNED, "X-Amz-Expires", "604800"), "mismatch");
}

#[test]
fn scopes() {
    assert_eq!(authorization("20260304/", "20260305/"), "date_differs");
    assert_eq!(authorization("AKIDEXAMPLE/", "AKIDEXAMPLF/"), "access_differs");
    assert_eq!(authorization("AKIDEXAMPLE/", "x/AKIDEXAMPLE/"), "access_differs");
    for (from, to) in [
        ("aws4_request", "aws4"),
        ("/ec2", ""),
        ("/ec2", "/"),
        ("20260304", "2026030x"),
        ("20260304", "2026"),
    ] {
        assert_eq!(authorization(from, to), "scope", "{to}");
    }
    assert_eq!(param(TWO, "AWSAccessKeyId", "other"), "access_differs");
    assert_eq!(
        param(PRESIGNED, "X-Amz-Credential", "other/20260304/eu-west-1/ec2/aws4_request"),
        "access_differs"
    );
}

#[test]
fn signatures() {
    for name in [TWO, FOUR] {
        assert_eq!(
            field(name, "signature", ""),
            if name == TWO { "signature" } else { "signature_differs" }
        );
    }
    assert_eq!(field(TWO, "signature", Value::Null), "signature_missing");
    assert_eq!(param(TWO, "Signature", "AAAA"), "signature_differs");
    let spoilt = code(TWO, |request| replace(&mut request["signature"], "=", ""));
    assert_eq!(spoilt, "signature");
    let upper = code(PRESIGNED, |request| {
        let signature = request["signature"].as_str().unwrap().to_uppercase();
        request["params"]["X-Amz-Signature"] = signature.clone().into();
        request["signature"] = signature.into();
    });
    assert_eq!(upper, "signature");
}

#[test]
fn authorizations() {
    assert_eq!(authorization("Credential=", "Credentials="), "authorization");
    assert_eq!(authorization("SignedHeaders=", "Signed="), "authorization");
    assert_eq!(authorization(", SignedHeaders", ", Credential=x, SignedHeaders"), "authorization");
    assert_eq!(authorization("SignedHeaders=", ""), "authorization");
    assert_eq!(without(PRESIGNED, "params", "X-Amz-Credential"), "authorization");
    assert_eq!(without(PRESIGNED, "params", "X-Amz-SignedHeaders"), "authorization");
    assert_eq!(
        param(PRESIGNED, "X-Amz-Date", json!(["20260304T050607Z", "20260304T050608Z"])),
        "param_repeated"
    );
}

#[test]
fn headers() {
    assert_eq!(authorization("host;x-amz-date", "x-amz-date"), "host_unsigned");
    assert_eq!(authorization("host;x-amz-date", "host"), "header_unsigned");
    assert_eq!(authorization("host;x-amz-date", "accept;host;x-amz-date"), "header_missing");
    for names in [
        "x-amz-date;host",
        "host;host;x-amz-date",
        "Host;x-amz-date",
        "host;x-amz-date;",
        "host;x amz",
    ] {
        assert_eq!(authorization("host;x-amz-date", names), "signed_headers", "{names}");
    }
    assert_eq!(code(FOUR, |request| request["headers"]["Host"] = "other".into()), "host_differs");
    assert_eq!(
        code(FOUR, |request| request["headers"]["Host"] = "ec2.example.com:443".into()),
        "host_differs"
    );
}

#[test]
fn spelling_and_limits() {
    let long = "a".repeat(300);
    for access in ["", "line\nbreak", "é", &long] {
        assert_eq!(field(TWO, "access", access), "access");
    }
    for host in ["", "a/b", "a\nb", "user@host", &long] {
        assert_eq!(field(TWO, "host", host), "host");
    }
    for verb in ["", "G3T", "GET ", "GET\n", "AAAAAAAAAAAAAAAAA"] {
        assert_eq!(field(TWO, "verb", verb), "verb");
    }
    for path in
        ["", "x", "/?a", "/#", "/\n", "/\u{7f}", "/\u{85}", &format!("/{}", "a".repeat(8192))]
    {
        assert_eq!(field(TWO, "path", path), "path");
    }
    for hash in [
        "",
        "e3b0",
        "UNSIGNED",
        &"A".repeat(64),
        "STREAMING-\n",
        &format!("STREAMING-{}", "A".repeat(64)),
    ] {
        assert_eq!(field(FOUR, "body_hash", hash), "body_hash");
    }
    assert_eq!(param(TWO, "Long", "a".repeat(256 << 10)), "params_too_large");
    assert_eq!(param(TWO, "Many", vec![""; 1024]), "params_too_large");
    assert_eq!(
        code(TWO, |request| request["headers"]["Long"] = "a".repeat(64 << 10).into()),
        "headers_too_large"
    );
    let many: serde_json::Map<_, _> =
        (0..129).map(|number| (number.to_string(), "".into())).collect();
    assert_eq!(field(TWO, "headers", many), "headers_too_large");
}

#[test]
fn an_empty_secret_verifies_nothing() {
    let mut value = vector(TWO);
    let signature = mac(b"", &request(&value).claim().unwrap().texts[0]);
    value["signature"] = STANDARD.encode(signature).into();
    assert_eq!(
        request(&value).claim().unwrap().verify("").map_err(Mismatch::code),
        Err("mismatch")
    );
}

#[test]
fn other_types_are_refused_without_showing_them() {
    for (member, value, message) in [
        (
            "params",
            json!({ "token": { "a": "4711" } }),
            "expected a string, a number or a list of them",
        ),
        ("params", json!({ "token": ["4711", ["4711"]] }), "expected a string or a number"),
        ("params", json!({ "token": [] }), "expected at least one value"),
        ("headers", json!({ "token": ["4711"] }), "expected a string or a number"),
        ("headers", json!({ "Token": "4711", "token": "4711" }), "expected each header once"),
    ] {
        let mut request = vector(FOUR);
        request[member] = value;
        let error = serde_json::from_value::<SignedRequest>(request).unwrap_err().to_string();
        assert!(error.contains(message) && !error.contains("4711"), "{error}");
    }
    let twice = r#"{"access":"a","host":"h","verb":"GET","path":"/","params":{"a":"1","a":"2"}}"#;
    assert!(
        serde_json::from_str::<SignedRequest>(twice)
            .unwrap_err()
            .to_string()
            .contains("expected each param once")
    );
}
