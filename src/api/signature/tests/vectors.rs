use serde_json::{Value, json};

use super::super::Version;
use super::{check, request, vectors};

#[test]
fn botocore_s_requests_are_right() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 17);
    for (name, value) in vectors {
        assert!(check(&value).is_ok(), "{name}: {:?}", check(&value));
    }
}

#[test]
fn every_request_has_its_own_fingerprint() {
    // The one without a body hash is the same request as the first of Version 4.
    let different = vectors().into_iter().filter(|(name, _)| name != "version 4 no body hash");
    let prints: Vec<_> = different.map(|(_, value)| check(&value).unwrap()).collect();
    for (place, print) in prints.iter().enumerate() {
        assert!(!prints[..place].contains(print), "{place}");
    }
}

#[test]
fn moments_are_read() {
    for (name, value) in vectors() {
        let request = request(&value);
        let claim = request.claim().unwrap();
        assert_eq!(claim.signed_at(), 1_772_600_767, "{name}"); // 2026-03-04 05:06:07 UTC
        assert_eq!(
            claim.expires_at(),
            name.contains("presigned").then_some(1_772_600_767 + 900),
            "{name}"
        );
        assert_eq!(claim.version() == Version::Two, name.starts_with("version 2"), "{name}");
    }
}

/// The request to IAM that AWS's documentation of Version 4 signs.
fn published() -> Value {
    json!({
        "access": "AKIDEXAMPLE",
        "host": "iam.amazonaws.com",
        "verb": "GET",
        "path": "/",
        "params": { "Action": "ListUsers", "Version": "2010-05-08" },
        "headers": {
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            "host": "iam.amazonaws.com",
            "x-amz-date": "20150830T123600Z",
            "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                SignedHeaders=content-type;host;x-amz-date, \
                Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        }
    })
}

#[test]
fn the_published_example_is_right() {
    assert!(check(&published()).is_ok());
    assert_eq!(request(&published()).claim().unwrap().signed_at(), 1_440_938_160);
}

/// Stored fingerprints outlive a release: a change of this value lets everything in the window be replayed once.
#[test]
fn the_fingerprint_is_frozen() {
    let text = "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n\
        f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
    let mut encoded = Vec::new();
    for field in ["strongroom/aws-signature/1", "4", "AKIDEXAMPLE", text] {
        encoded.extend_from_slice(&u32::try_from(field.len()).unwrap().to_be_bytes());
        encoded.extend_from_slice(field.as_bytes());
    }
    let expected: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(encoded).into();
    assert_eq!(check(&published()).unwrap().as_bytes(), &expected);
}
