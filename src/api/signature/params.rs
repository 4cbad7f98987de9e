//! The parameters of a request, decoded, from its query or its form.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::Malformed;
use super::text::Texts;

/// Names in the order of their bytes, each with at least one value, in the order of their bytes.
#[derive(Default)]
pub(super) struct Params(BTreeMap<String, Vec<String>>);

impl Params {
    /// The value of a parameter that must not occur twice, for the signer and the reader might take different ones.
    pub(super) fn one(&self, name: &'static str) -> Result<Option<&str>, Malformed> {
        match self.0.get(name).map(Vec::as_slice) {
            None => Ok(None),
            Some([value]) => Ok(Some(value)),
            Some(_) => Err(Malformed::ParamRepeated(name)),
        }
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(name, values)| {
            values.iter().map(move |value| (name.as_str(), value.as_str()))
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParamsVisitor)
    }
}

struct ParamsVisitor;

impl<'de> Visitor<'de> for ParamsVisitor {
    type Value = Params;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("params by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Params, A::Error> {
        let mut params = BTreeMap::new();
        while let Some((name, Texts(mut values))) = map.next_entry::<String, Texts>()? {
            values.sort_unstable();
            if params.insert(name, values).is_some() {
                return Err(Error::invalid_value(
                    Unexpected::Other("a repeated param"),
                    &"each param once, with a list of its values",
                ));
            }
        }
        Ok(Params(params))
    }
}
