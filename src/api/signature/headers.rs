//! The headers of a request, by lowercase name.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::text::Text;

/// A name in two spellings is refused: the signer and the reader might take different ones.
#[derive(Default)]
pub(super) struct Headers(BTreeMap<String, String>);

impl Headers {
    /// The value under a lowercase name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadersVisitor)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("headers by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut headers = BTreeMap::new();
        while let Some((name, Text(value))) = map.next_entry::<String, Text>()? {
            if headers.insert(name.to_ascii_lowercase(), value).is_some() {
                return Err(Error::invalid_value(
                    Unexpected::Other("a repeated header"),
                    &"each header once, whatever its case",
                ));
            }
        }
        Ok(Headers(headers))
    }
}
