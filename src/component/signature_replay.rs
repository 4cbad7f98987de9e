//! `signature_replay` under `[component.NAME]`.

use serde::{Deserialize, Serialize};

use crate::policy::{ComponentKey, Entry, PolicyError};

/// How often a verified request signature counts, for callers of a component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureReplay {
    /// Once; the second time it is refused.
    #[default]
    Refuse,
    /// As often as it comes, until it expires.
    UntilExpiry,
}

impl ComponentKey for SignatureReplay {
    const NAME: &'static str = "signature_replay";

    fn parse(entry: &Entry<'_>) -> Result<Self, PolicyError> {
        match entry.text() {
            Some("refuse") => Ok(Self::Refuse),
            Some("until_expiry") => Ok(Self::UntilExpiry),
            _ => Err(entry.invalid("\"refuse\" or \"until_expiry\"")),
        }
    }

    fn describe(&self, component: &str) -> Vec<String> {
        let repeated = format!(
            "{component} verifies a request signature as often as it comes, until it expires"
        );
        match self {
            Self::Refuse => Vec::new(),
            Self::UntilExpiry => vec![repeated],
        }
    }

    fn allows(&self, word: &str) -> Option<bool> {
        (word == "until_expiry").then_some(*self == Self::UntilExpiry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Catalog, ComponentKeys, Policy, PolicyOptions};

    fn over(own: &str) -> Result<Policy, String> {
        let options = PolicyOptions {
            own: Some(("own.toml".to_owned(), own.to_owned())),
            keys: ComponentKeys::default().with::<SignatureReplay>(),
            ..PolicyOptions::default()
        };
        let catalog = Catalog::from([("t".to_owned(), vec!["id".to_owned()])]);
        options.policy(0, &catalog).map_err(|error| error.to_string())
    }

    fn section(lines: &str) -> String {
        format!("[component.x]\n{lines}\n[[component.x.allow]]\ntable = \"t\"\nselect = \"*\"\n")
    }

    #[test]
    fn replay_is_refused_unless_the_component_allows_it() {
        let policy = over(&section("signature_replay = \"until_expiry\"")).unwrap();
        assert_eq!(policy.components["x"].key(), Ok(SignatureReplay::UntilExpiry));
        // The text of a policy without the setting stays the same, and with it the code over the text.
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(text.matches("\"signature_replay\":\"until_expiry\"").count(), 1);
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
        let refuse = over(&section("signature_replay = \"refuse\"")).unwrap();
        assert_eq!(refuse.components["x"].key(), Ok(SignatureReplay::Refuse));
        assert_eq!(refuse.components, over(&section("")).unwrap().components);
        assert!(!serde_json::to_string(&refuse).unwrap().contains("refuse"));
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_line() {
        for value in ["true", "\"hunter2\""] {
            assert_eq!(
                over(&section(&format!("signature_replay = {value}"))).unwrap_err(),
                "own.toml:2: `signature_replay` must be \"refuse\" or \"until_expiry\""
            );
        }
    }

    #[test]
    fn a_value_of_a_newer_program_is_an_error() {
        let mut policy = over(&section("signature_replay = \"until_expiry\"")).unwrap();
        let mut text = serde_json::to_value(&policy).unwrap();
        text["components"]["x"]["signature_replay"] = "twice".into();
        policy = serde_json::from_value(text).unwrap();
        let error = policy.components["x"].key::<SignatureReplay>().unwrap_err();
        assert_eq!(error.key, "signature_replay");
    }
}
