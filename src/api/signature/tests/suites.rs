//! AWS's own test vectors (`tests/vectors/aws4`), with the path as it was signed and as on the wire, and each one altered.
//!
//! Left out: one botocore vector whose signed request has another signature than its authorization; and the cases that add a
//! session token after signing, which this module refuses (the last test).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::check;

struct Case {
    name: String,
    suite: String,
    /// With the path as on the wire.
    wire: Value,
    signed_path: String,
    /// Added after signing.
    token_after: bool,
}

impl Case {
    fn as_signed(&self) -> Value {
        let mut request = self.wire.clone();
        request["path"] = self.signed_path.clone().into();
        request
    }
}

fn lines() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/aws4/vectors.jsonl");
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for line in lines() {
        let text = |name: &str| line[name].as_str().unwrap();
        let case = |suite: &str, form: &str, signed: &str, canonical: &str| Case {
            name: format!("{suite} {} {form}", text("name")),
            suite: format!("{suite} {form}"),
            wire: parsed(signed),
            signed_path: canonical.split('\n').nth(1).unwrap().to_owned(),
            token_after: text("name") == "post-sts-header-after",
        };
        if line["suite"] == "botocore" {
            let consistent = text("signed_request").contains(text("authorization"));
            cases.extend(consistent.then(|| {
                case("botocore", "header", text("signed_request"), text("canonical_request"))
            }));
        } else {
            cases.push(case(
                "awslabs",
                "header",
                text("header_signed_request"),
                text("header_canonical_request"),
            ));
            cases.push(case(
                "awslabs",
                "query",
                text("query_signed_request"),
                text("query_canonical_request"),
            ));
        }
    }
    cases
}

/// What a forwarder makes of the text of a request.
fn parsed(text: &str) -> Value {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (verb, target) = lines.next().unwrap().split_once(' ').unwrap();
    let target = target.strip_suffix(" HTTP/1.1").unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for line in lines {
        let (name, value) = match line.split_once(':').filter(|_| !line.starts_with(' ')) {
            Some((name, value)) => (name.to_lowercase(), value.trim().to_owned()),
            None => (last.clone(), line.trim().to_owned()),
        };
        // A line that is folded goes on with a blank, a repeated header with a comma.
        let between = if line.starts_with(' ') { " " } else { "," };
        headers
            .entry(name.clone())
            .and_modify(|before| *before = format!("{before}{between}{value}"))
            .or_insert(value);
        last = name;
    }
    let host = headers["host"].clone();
    let hash = hex::encode(Sha256::digest(body));
    json!({ "access": "AKIDEXAMPLE", "verb": verb, "path": path, "host": host, "params": params(query), "headers": headers, "body_hash": hash })
}

fn params(query: &str) -> Map<String, Value> {
    let mut params = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
        };
        match params.entry(decoded(name)).or_insert_with(|| json!([])) {
            Value::Array(values) => values.push(decoded(value).into()),
            _ => unreachable!(),
        }
    }
    params
}

#[test]
fn every_consistent_vector_verifies_as_signed_and_as_on_the_wire() {
    let (mut right, mut paths) = (BTreeMap::<String, usize>::new(), 0);
    for case in cases().iter().filter(|case| !case.token_after) {
        let as_signed = check(&case.as_signed())
            .unwrap_or_else(|code| panic!("{}, as signed: {code}", case.name));
        let as_on_the_wire = check(&case.wire)
            .unwrap_or_else(|code| panic!("{}, as on the wire: {code}", case.name));
        assert_eq!(as_signed, as_on_the_wire, "{}: one request, one fingerprint", case.name);
        *right.entry(case.suite.clone()).or_default() += 1;
        paths += usize::from(case.wire["path"] != *case.signed_path);
    }
    let expected = [("awslabs header", 37), ("awslabs query", 37), ("botocore header", 32)];
    assert_eq!(
        right.into_iter().collect::<Vec<_>>(),
        expected.map(|(suite, count)| (suite.to_owned(), count))
    );
    assert_eq!(paths, 27, "vectors whose path on the wire differs from the signed one");
}

#[test]
fn a_session_token_that_was_added_after_signing_is_refused() {
    let refused: Vec<_> = cases()
        .iter()
        .filter(|case| case.token_after)
        .map(|case| check(&case.wire).unwrap_err())
        .collect();
    assert_eq!(refused, ["header_unsigned", "header_unsigned", "mismatch"]);
}

/// Every altered vector is refused. The counts say how much was tried.
#[test]
fn no_altered_vector_verifies() {
    let mut tried = BTreeMap::<&str, usize>::new();
    for case in cases().iter().filter(|case| !case.token_after) {
        for request in [case.wire.clone(), case.as_signed()] {
            for (kind, altered) in altered(&request, &case.signed_path) {
                assert_ne!(altered, request, "{}: {kind}", case.name);
                assert!(check(&altered).is_err(), "{}: {kind}: {altered}", case.name);
                *tried.entry(kind).or_default() += 1;
            }
        }
    }
    println!("{tried:?}");
    assert_eq!(tried.len(), 9, "{tried:?}");
    assert!(tried.values().sum::<usize>() > 30_000, "{tried:?}");
}

type Altered = Vec<(&'static str, Value)>;

fn altered(request: &Value, signed_path: &str) -> Altered {
    let mut all =
        vec![("header added", with(request, &["headers", "x-amz-acl"], "public-read".into()))];
    for letter in ["access", "host", "body_hash"] {
        all.extend(
            letters(request[letter].as_str().unwrap())
                .map(|text| (letter, with(request, &[letter], text.into()))),
        );
    }
    for verb in ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "get", "post"] {
        let same = request["verb"].as_str().unwrap().eq_ignore_ascii_case(verb);
        all.extend((!same).then(|| ("verb", with(request, &["verb"], verb.into()))));
    }
    all.extend(
        paths(request["path"].as_str().unwrap(), signed_path)
            .map(|path| ("path", with(request, &["path"], path.into()))),
    );
    for (name, value) in request["headers"].as_object().unwrap() {
        // What is outside of the signed headers is nobody's word, and the hash that was not signed says nothing.
        let signed =
            name == "authorization" || names(request).split(';').any(|signed| signed == name);
        let texts = letters(value.as_str().unwrap()).filter(|_| signed);
        let kind = if name == "authorization" { "authorization" } else { "header" };
        all.extend(texts.map(|text| (kind, with(request, &["headers", name], text.into()))));
    }
    // The params of a POST with a body may have come in the body: its hash covers them.
    let empty = super::super::payload::EMPTY_HASH;
    if request["verb"] == "POST"
        && request["body_hash"] != empty
        && request["params"]["X-Amz-Algorithm"].is_null()
    {
        return all;
    }
    for (name, values) in request["params"].as_object().unwrap() {
        let first = values[0].as_str().unwrap();
        all.extend(letters(first).map(|text| ("param", with_first(request, name, text))));
        let mut without = request.clone();
        without["params"].as_object_mut().unwrap().remove(name);
        all.push(("param", without));
        all.push(("param", with(request, &["params", name], json!([first, "more"]))));
    }
    all.push(("param", with(request, &["params", "more"], json!(["x"]))));
    all
}

/// The text with each of its letters replaced, one at a time, with one more and with one fewer.
fn letters(text: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = text.chars().collect();
    let replaced = |place: usize| {
        let mut letters = letters.clone();
        letters[place] = if letters[place] == '1' { '2' } else { '1' };
        letters.into_iter().collect()
    };
    let mut all: Vec<String> = (0..letters.len()).map(replaced).collect();
    all.push(format!("{text}1"));
    all.extend(letters.split_last().map(|(_, rest)| rest.iter().collect()));
    // A blank at the end of a header, for instance, is no other value.
    all.into_iter().filter({
        let text = text.to_owned();
        move |other: &String| other.trim() != text.trim()
    })
}

/// Paths of other resources, by what servers make of them: those that mean the same are no alterations.
fn paths(path: &str, signed: &str) -> impl Iterator<Item = String> {
    let mut all: Vec<String> = letters(path).chain(letters(signed)).collect();
    for more in ["x", "/x", "%2F", "%00", "%2e%2e", "/x/../y", "%", "?", "?a=b", "\n"] {
        all.push(format!("{path}{more}"));
    }
    let meaning = |path: &str| {
        super::super::path::candidates(path, "service")
            .into_iter()
            .map(String::from)
            .collect::<Vec<_>>()
    };
    let right = meaning(path);
    let other = move |path: &String| {
        let normal: Vec<_> = meaning(path);
        !normal.iter().any(|spelling| right.contains(spelling))
    };
    all.into_iter().filter(other)
}

fn names(request: &Value) -> String {
    let param = request["params"]["X-Amz-SignedHeaders"][0].as_str().map(str::to_owned);
    param.unwrap_or_else(|| {
        let header = request["headers"]["authorization"].as_str().unwrap();
        header.split_once("SignedHeaders=").unwrap().1.split_once(',').unwrap().0.to_owned()
    })
}

fn with(request: &Value, place: &[&str], value: Value) -> Value {
    let mut request = request.clone();
    let mut at = &mut request;
    for part in place {
        at = &mut at[*part];
    }
    *at = value;
    request
}

fn with_first(request: &Value, name: &str, text: String) -> Value {
    let mut request = request.clone();
    request["params"][name][0] = text.into();
    request
}
