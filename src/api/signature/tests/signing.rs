//! Signs requests as clients do, for cases that no vector has.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::SECRET;

/// The hash of a body.
pub(super) const BODY: &str = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7";
const DATE: &str = "20260304T050607Z";

/// What is signed.
pub(super) struct Wanted<'a> {
    pub(super) verb: &'a str,
    pub(super) service: &'a str,
    pub(super) path: &'a str,
    /// What the last line says; it is also the header `x-amz-content-sha256`, unless the request is presigned.
    pub(super) hash: &'a str,
    pub(super) presigned: bool,
    /// Added to the query of a presigned request.
    pub(super) param: Option<&'a str>,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self {
            verb: "GET",
            service: "s3",
            path: "/b/k",
            hash: "UNSIGNED-PAYLOAD",
            presigned: false,
            param: None,
        }
    }
}

/// The request, without a `body_hash`.
pub(super) fn signed(wanted: &Wanted<'_>) -> Value {
    let Wanted { verb, service, path, hash, presigned, param } = *wanted;
    let scope = format!("20260304/eu-west-1/{service}/aws4_request");
    let (mut headers, mut params) = (Map::new(), Map::new());
    headers.insert("host".into(), "h".into());
    let names = if presigned { "host" } else { "host;x-amz-content-sha256;x-amz-date" };
    params.insert("Action".into(), "x".into());
    if presigned {
        let credential = format!("AKIDEXAMPLE/{scope}");
        params.extend(
            [
                ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
                ("X-Amz-Credential", &credential),
                ("X-Amz-Date", DATE),
            ]
            .map(own),
        );
        params.extend([("X-Amz-Expires", "900"), ("X-Amz-SignedHeaders", names)].map(own));
        params.extend(param.map(|param| own(("X-Amz-Content-Sha256", param))));
    } else {
        headers.extend([("x-amz-content-sha256", hash), ("x-amz-date", DATE)].map(own));
    }
    let lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.as_str().unwrap()))
        .collect();
    let lines = lines.concat();
    let mut query = super::super::canonical::encoded(
        params.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())),
    );
    query.sort_unstable();
    let query = super::super::canonical::joined(&query);
    let canonical = Sha256::digest(format!("{verb}\n{path}\n{query}\n{lines}\n{names}\n{hash}"));
    let text = format!("AWS4-HMAC-SHA256\n{DATE}\n{scope}\n{}", hex::encode(canonical));
    let signature = hex::encode(mac(
        &scope.split('/').fold(format!("AWS4{SECRET}").into_bytes(), |key, part| mac(&key, part)),
        &text,
    ));
    if !presigned {
        let header = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        headers.insert("authorization".into(), header.into());
    }
    json!({
        "access": "AKIDEXAMPLE", "signature": signature, "host": "h", "verb": verb, "path": path, "headers": headers,
        "params": params,
    })
}

fn own((name, value): (&str, &str)) -> (String, Value) {
    (name.to_owned(), value.into())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
