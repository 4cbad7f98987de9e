//! One field changed at a time, in every vector.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{check, replace, vectors};

/// Its params came in the body: the signature covers the hash of it, not the params.
const FORM: &str = "version 4 post form";

fn refused(name: &str, what: &str, value: &Value, change: impl FnOnce(&mut Value)) {
    let mut changed = value.clone();
    change(&mut changed);
    assert_ne!(&changed, value, "{name}: {what}: nothing changed");
    assert!(check(&changed).is_err(), "{name}: {what}");
}

fn same(name: &str, what: &str, value: &Value, change: impl FnOnce(&mut Value)) {
    let mut changed = value.clone();
    change(&mut changed);
    assert_ne!(&changed, value, "{name}: {what}: nothing changed");
    assert_eq!(check(&changed), check(value), "{name}: {what}");
}

fn is_version_2(name: &str) -> bool {
    name.starts_with("version 2")
}

fn names(map: &Value) -> Vec<String> {
    map.as_object().unwrap().keys().cloned().collect()
}

fn append(value: &mut Value, more: &str) {
    *value = format!("{}{more}", value.as_str().unwrap()).into();
}

/// Everywhere in the request, as a forwarder would repeat it.
fn replace_everywhere(value: &mut Value, from: &str, to: &str) {
    let text = value.to_string();
    assert!(text.contains(from), "{text} has no {from}");
    *value = serde_json::from_str(&text.replace(from, to)).unwrap();
}

#[test]
fn access() {
    for (name, value) in vectors() {
        refused(&name, "beside", &value, |value| value["access"] = "AKIDEXAMPLF".into());
        let everywhere =
            |value: &mut Value| replace_everywhere(value, "AKIDEXAMPLE", "AKIDEXAMPLF");
        if value["headers"]["Authorization"].is_null() {
            refused(&name, "everywhere", &value, everywhere);
            continue;
        }
        // Signed by the secret alone: another access key with this very secret is another signer.
        let mut changed = value.clone();
        everywhere(&mut changed);
        assert_ne!(check(&changed).unwrap(), check(&value).unwrap(), "{name}");
    }
}

#[test]
fn every_bit_of_the_signature() {
    for (name, value) in vectors() {
        let signature = value["signature"].as_str().unwrap();
        let bytes = if is_version_2(&name) {
            STANDARD.decode(signature).unwrap()
        } else {
            hex::decode(signature).unwrap()
        };
        for bit in 0..256 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let flipped =
                if is_version_2(&name) { STANDARD.encode(bytes) } else { hex::encode(bytes) };
            refused(&name, "bit", &value, |value| replace_everywhere(value, signature, &flipped));
        }
        refused(&name, "missing a digit", &value, |value| {
            replace_everywhere(value, signature, &signature[1..]);
        });
    }
}

#[test]
fn host() {
    for (name, value) in vectors() {
        refused(&name, "field", &value, |value| value["host"] = "other.example.com".into());
        refused(&name, "everywhere", &value, |value| {
            replace_everywhere(value, "example.com", "example.org");
        });
        same(&name, "case", &value, |value| {
            let upper = value["host"].as_str().unwrap().to_uppercase();
            value["host"] = upper.into();
        });
    }
}

/// Version 2 alone, as in Keystone: the client may not have signed the port.
#[test]
fn port() {
    for (name, value) in
        vectors().into_iter().filter(|(_, value)| !value["host"].as_str().unwrap().contains(':'))
    {
        if is_version_2(&name) {
            same(&name, "port", &value, |value| append(&mut value["host"], ":8773"));
        } else {
            refused(&name, "port", &value, |value| append(&mut value["host"], ":8773"));
        }
    }
    for (name, value) in
        vectors().into_iter().filter(|(_, value)| value["host"].as_str().unwrap().contains(':'))
    {
        refused(&name, "another port", &value, |value| append(&mut value["host"], "1"));
        refused(&name, "no port", &value, |value| value["host"] = "ec2.example.com".into());
    }
}

#[test]
fn verb_and_path() {
    for (name, value) in vectors() {
        for verb in
            ["GET", "PUT", "POST", "DELETE"].into_iter().filter(|verb| value["verb"] != *verb)
        {
            refused(&name, verb, &value, |value| value["verb"] = verb.into());
        }
        refused(&name, "longer path", &value, |value| append(&mut value["path"], "x"));
        // A slash at the end of the root's path is no other path, except for S3.
        if value["path"] == "/" && !is_version_2(&name) && !name.contains("s3") {
            same(&name, "slash", &value, |value| append(&mut value["path"], "/"));
        } else {
            refused(&name, "slash", &value, |value| append(&mut value["path"], "/"));
        }
        refused(&name, "query", &value, |value| append(&mut value["path"], "?"));
    }
}

#[test]
fn params() {
    for (name, value) in vectors().into_iter().filter(|(name, _)| name != FORM) {
        refused(&name, "added", &value, |value| value["params"]["Extra"] = "".into());
        for param in names(&value["params"]) {
            refused(&name, &param, &value, |value| match &mut value["params"][&param] {
                Value::Array(values) => append(&mut values[0], "x"),
                value => append(value, "x"),
            });
            refused(&name, &param, &value, |value| match &mut value["params"][&param] {
                Value::Array(values) => drop(values.pop()),
                value => *value = json!([*value, "x"]),
            });
            // Without its own signature the request still has the forwarder's.
            let removable = param == "X-Amz-Signature";
            let remove =
                |value: &mut Value| drop(value["params"].as_object_mut().unwrap().remove(&param));
            if removable {
                same(&name, &param, &value, remove);
            } else {
                refused(&name, &param, &value, remove);
                refused(&name, &param, &value, |value| {
                    let text = value["params"].as_object_mut().unwrap().remove(&param).unwrap();
                    value["params"][format!("{param}x")] = text;
                });
            }
        }
    }
}

#[test]
fn params_of_a_form_are_covered_by_the_body_hash_alone() {
    let value = super::vector(FORM);
    same(FORM, "added", &value, |value| value["params"]["Extra"] = "".into());
    refused(FORM, "no hash", &value, |value| {
        drop(value.as_object_mut().unwrap().remove("body_hash"));
    });
    refused(FORM, "no digest", &value, |value| value["body_hash"] = "UNSIGNED-PAYLOAD".into());
    // The word stands for itself, and so the hash of a body with other params must not make the query an empty one.
    for word in ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"] {
        let signed = signed_form(word);
        assert!(check(&signed).is_ok(), "{word}");
        let names = names(&signed["params"]);
        refused(FORM, word, &signed, |value| value["params"][&names[0]] = "other".into());
        refused(FORM, word, &signed, |value| value["params"]["Extra"] = "".into());
    }
}

/// A POST whose params were signed in its query, while its signed header says that the body was not.
fn signed_form(word: &str) -> Value {
    let mut value = super::signing::signed(&super::signing::Wanted {
        verb: "POST",
        hash: word,
        ..Default::default()
    });
    value["body_hash"] = super::signing::BODY.into();
    value
}

#[test]
fn headers() {
    for (name, value) in vectors() {
        let signed = if is_version_2(&name) { String::new() } else { signed_headers(&value) };
        for header in
            names(&value["headers"]).into_iter().filter(|header| header != "Authorization")
        {
            let lower = header.to_lowercase();
            let change = |value: &mut Value| append(&mut value["headers"][&header], "x");
            let remove =
                |value: &mut Value| drop(value["headers"].as_object_mut().unwrap().remove(&header));
            if !signed.split(';').any(|name| name == lower) {
                same(&name, &header, &value, change);
                same(&name, &header, &value, remove);
                continue;
            }
            refused(&name, &header, &value, change);
            if lower == "host" {
                same(&name, "the field stands for the header", &value, remove);
            } else {
                refused(&name, &header, &value, remove);
            }
        }
        same(&name, "unsigned", &value, |value| {
            value["headers"]["X-Forwarded-For"] = "192.0.2.1".into();
        });
        if !is_version_2(&name) {
            refused(&name, "unsigned", &value, |value| {
                value["headers"]["X-Amz-Copy-Source"] = "/b/k".into();
            });
            if signed != "host" {
                refused(&name, "fewer", &value, |value| respell(value, &signed, "host"));
            }
            refused(&name, "more", &value, |value| {
                value["headers"]["Zeta"] = "".into();
                respell(value, &signed, &format!("{signed};zeta"));
            });
        }
    }
}

/// Names other headers as signed.
fn respell(value: &mut Value, from: &str, to: &str) {
    let place = if value["headers"]["Authorization"].is_null() {
        &mut value["params"]["X-Amz-SignedHeaders"]
    } else {
        &mut value["headers"]["Authorization"]
    };
    replace(place, from, to);
}

fn signed_headers(value: &Value) -> String {
    let in_params = value["params"]["X-Amz-SignedHeaders"].as_str().map(str::to_owned);
    in_params.unwrap_or_else(|| {
        let header = value["headers"]["Authorization"].as_str().unwrap();
        header.split_once("SignedHeaders=").unwrap().1.split_once(',').unwrap().0.to_owned()
    })
}

#[test]
fn body_hash() {
    let other = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9825"; // of "hello", one bit of it flipped
    for (name, value) in vectors() {
        let change = |value: &mut Value| value["body_hash"] = other.into();
        if is_version_2(&name) {
            same(&name, "version 2 signs no body", &value, change);
        } else if value["body_hash"] == "UNSIGNED-PAYLOAD" {
            same(&name, "the signature does not cover the body", &value, change);
        } else {
            refused(&name, "body hash", &value, change);
        }
    }
}

#[test]
fn date_and_scope() {
    for (name, value) in vectors() {
        if is_version_2(&name) {
            refused(&name, "time", &value, |value| {
                replace(&mut value["params"]["Timestamp"], "06:07", "06:08");
            });
            continue;
        }
        refused(&name, "time", &value, |value| replace_everywhere(value, "T050607Z", "T050608Z"));
        refused(&name, "day", &value, |value| replace_everywhere(value, "20260304", "20260305"));
        refused(&name, "day of the date", &value, |value| {
            replace_everywhere(value, "20260304T", "20260305T");
        });
        refused(&name, "day of the scope", &value, |value| {
            replace_everywhere(value, "20260304/", "20260305/");
        });
        refused(&name, "terminator", &value, |value| {
            replace_everywhere(value, "aws4_request", "aws4_reques");
        });
        refused(&name, "service", &value, |value| {
            replace_everywhere(value, "/aws4_request", "x/aws4_request");
        });
        refused(&name, "region", &value, |value| {
            replace_everywhere(value, "20260304/", "20260304/x");
        });
        refused(&name, "region and service", &value, |value| {
            replace_everywhere(value, "20260304/", "20260304/x/");
        });
    }
}
