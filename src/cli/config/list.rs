//! A setting with several values: a list, or one text with commas between them, as an environment variable has it.

use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    Many(Vec<String>),
    One(String),
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(match List::deserialize(from)? {
        List::Many(values) => values,
        List::One(text) => {
            let values = text.split(',').map(str::trim).filter(|value| !value.is_empty());
            values.map(str::to_owned).collect()
        }
    })
}
