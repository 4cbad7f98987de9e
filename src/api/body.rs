//! JSON from callers, with problem documents for what is wrong with it.

use std::fmt;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};

use super::member;
use super::problem::Problem;

/// A JSON body. A refusal names the wrong member and omits its value, which may be a secret.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "the body must be application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", detail));
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|_| Problem::malformed("the body could not be read"))?;
        read(&bytes)
    }
}

/// Reads all bytes as one value.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<Body<T>, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize::<_, Object<T>>(&mut deserializer);
    let Object(body) = read.map_err(|error| wrong(&error))?;
    deserializer.end().map_err(|_| Problem::malformed("the body is not JSON"))?;
    Ok(Body(body))
}

fn wrong(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    if !error.inner().is_data() {
        return Problem::malformed("the body is not JSON");
    }
    let wrong = member::of_body(&error.path().to_string(), &error.inner().to_string());
    Problem::malformed(format!("{wrong}; /openapi.json says what this route takes"))
}

/// `application/json`, or a type of its kind such as `application/problem+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let given =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// A value that stands in JSON as an object. A list of its members in their order, which serde takes for one too, is not.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer).map(Self)
    }
}

/// Reads a member that must be an object: `#[serde(deserialize_with = "object")]`.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_map(OfMap(PhantomData))
}

struct OfMap<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfMap<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "is read, and that is all")]
    struct Outer {
        name: String,
        #[serde(default)]
        list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "is read, and that is all")]
    struct Inner {
        flag: bool,
    }

    fn told(text: &str) -> String {
        match read::<Outer>(text.as_bytes()) {
            Ok(_) => "read".to_owned(),
            Err(problem) => {
                serde_json::to_value(&problem).unwrap()["detail"].as_str().unwrap().to_owned()
            }
        }
    }

    #[test]
    fn the_wrong_member_is_named_and_its_value_is_not() {
        for (text, wanted) in [
            (r#"{"name":"a","list":[{"flag":true}]}"#, "read"),
            ("{}", "`name` is missing"),
            (r#"{"name":4711}"#, "`name` must be a string"),
            (
                r#"{"name":"a","list":[{"flag":true},{"flag":"4711"}]}"#,
                "`list[1].flag` must be a boolean",
            ),
            (r#"{"name":"a","list":[{}]}"#, "`list[0].flag` is missing"),
            (r#"{"name":"a","nome":"4711"}"#, "`nome` is no member of what this route takes"),
            (r#"{"name":"a","name":"4711"}"#, "`name` is given twice"),
            (r#"["a"]"#, "the body must be an object"),
            (r#"{"name":"a"} 4711"#, "the body is not JSON"),
            (r#"{"name":"#, "the body is not JSON"),
            ("", "the body is not JSON"),
        ] {
            let told = told(text);
            assert!(told.starts_with(wanted) && !told.contains("4711"), "{text}: {told}");
        }
    }
}
