//! Which body hash counts, in which way of signing.

use serde_json::Value;

use super::check;
use super::signing::{BODY, Wanted, signed};

const EMPTY: &str = super::super::payload::EMPTY_HASH;
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

fn given(wanted: &Wanted<'_>, hash: Option<&str>) -> Result<(), &'static str> {
    let mut request = signed(wanted);
    request["body_hash"] = hash.map_or(Value::Null, Into::into);
    check(&request).map(drop)
}

#[test]
fn a_signed_word_stands_for_itself_whatever_hash_is_handed_over() {
    for word in
        [UNSIGNED, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]
    {
        for verb in ["PUT", "POST", "GET"] {
            for hash in [None, Some(word), Some(BODY), Some(EMPTY)] {
                assert_eq!(
                    given(&Wanted { verb, hash: word, ..Default::default() }, hash),
                    Ok(()),
                    "{word} {hash:?}"
                );
            }
        }
    }
    for hash in [Some(EMPTY), Some(UNSIGNED)] {
        let refused = given(&Wanted { hash: BODY, ..Default::default() }, hash);
        assert_eq!(
            refused,
            Err("mismatch"),
            "a body that was signed is the one that came: {hash:?}"
        );
    }
    assert_eq!(given(&Wanted { hash: BODY, ..Default::default() }, None), Ok(()));
}

#[test]
fn a_presigned_request_of_s3_has_an_unsigned_payload_unless_it_says_otherwise() {
    let presigned = |hash: &'static str| Wanted { hash, presigned: true, ..Default::default() };
    for hash in [None, Some(UNSIGNED), Some(BODY), Some(EMPTY)] {
        assert_eq!(given(&presigned(UNSIGNED), hash), Ok(()), "{hash:?}");
    }
    assert_eq!(given(&presigned(BODY), Some(BODY)), Ok(()));
    assert_eq!(given(&presigned(BODY), None), Err("mismatch"));
    assert_eq!(given(&presigned(BODY), Some(EMPTY)), Err("mismatch"));
    let in_query = |hash: &'static str| Wanted { param: Some(hash), ..presigned(hash) };
    assert_eq!(given(&in_query(BODY), None), Ok(()));
    assert_eq!(given(&in_query(BODY), Some(EMPTY)), Err("mismatch"));
    assert_eq!(given(&in_query(UNSIGNED), Some(BODY)), Ok(()));
}

#[test]
fn other_services_sign_the_hash_of_the_body() {
    let of_ec2 = |hash: &'static str| Wanted {
        service: "ec2",
        path: "/",
        hash,
        presigned: true,
        ..Default::default()
    };
    assert_eq!(given(&of_ec2(EMPTY), None), Ok(()));
    assert_eq!(given(&of_ec2(UNSIGNED), Some(UNSIGNED)), Ok(()));
    assert_eq!(given(&of_ec2(UNSIGNED), None), Err("mismatch"));
    assert_eq!(given(&of_ec2(UNSIGNED), Some(BODY)), Err("mismatch"));
}

#[test]
fn an_unsigned_hash_header_says_nothing_in_a_presigned_request_and_is_refused_elsewhere() {
    let mut request = signed(&Wanted { presigned: true, ..Default::default() });
    request["headers"]["X-Amz-Content-SHA256"] = BODY.into();
    assert!(check(&request).is_ok());
    request["headers"]["X-Amz-Acl"] = "public-read".into();
    assert_eq!(check(&request), Err("header_unsigned"));
    let name = "version 4 get";
    assert_eq!(
        super::check_with(name, |value| value["headers"]["X-Amz-Content-SHA256"] = BODY.into()),
        Err("header_unsigned")
    );
}

#[test]
fn numbers_count_as_their_digits() {
    let request = super::vector("version 4 get");
    let names: Vec<_> = request["params"].as_object().unwrap().keys().cloned().collect();
    assert!(!names.is_empty());
    let text = r#"{"access":"a","host":"h","verb":"get","path":"/","params":{"a":5,"b":[-1,"x"],"c":true,"d":null,"e":1.5},"headers":{"Content-Length":12}}"#;
    let request: super::SignedRequest = serde_json::from_str(text).unwrap();
    let pairs: Vec<_> =
        request.params.pairs().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(pairs, ["a=5", "b=-1", "b=x", "c=True", "d=", "e=1.5"]);
    assert_eq!(request.headers.get("content-length"), Some("12"));
}
