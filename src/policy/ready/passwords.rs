//! The rules of MySQL and MariaDB for passwords.

use sea_orm::{ConnectionTrait, DbErr};
use secrecy::ExposeSecret as _;

use crate::crypto::DatabasePassword;
use crate::db::statement;
use crate::policy::GrantError;
use crate::policy::missing::Missing;
use crate::policy::site::PolicyOptions;

/// How many of each a password must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Characters,
    CasedLetters,
    Digits,
    Others,
}

impl Kind {
    /// By the last words of a variable's name.
    fn of(variable: &str) -> Option<Self> {
        let ends = |ends: &[&str]| ends.iter().any(|end| variable.ends_with(end));
        match () {
            () if ends(&["minimal_length", ".length", "password_length"]) => Some(Self::Characters),
            () if ends(&["mixed_case_count", "letters_same_case"]) => Some(Self::CasedLetters),
            () if ends(&["number_count", "check_digits"]) => Some(Self::Digits),
            () if ends(&["special_char_count", "other_characters"]) => Some(Self::Others),
            () => None,
        }
    }

    fn count(self, text: &str) -> usize {
        let of = |is: fn(&char) -> bool| text.chars().filter(is).count();
        match self {
            Self::Characters => text.chars().count(),
            Self::CasedLetters => of(char::is_ascii_uppercase).min(of(char::is_ascii_lowercase)),
            Self::Digits => of(char::is_ascii_digit),
            Self::Others => of(|c| !c.is_ascii_alphanumeric()),
        }
    }
}

/// A variable of the server, and how many it wants.
struct Rule {
    variable: String,
    kind: Kind,
    wanted: usize,
}

/// The rules that the passwords of the accounts will not meet.
pub(super) async fn missing(
    db: &impl ConnectionTrait,
    options: &PolicyOptions,
) -> Result<Vec<Missing>, GrantError> {
    let rules = rules(db).await?;
    let mut missing = Vec::new();
    if rules.is_empty() {
        return Ok(missing);
    }
    let made = DatabasePassword::make().map_err(crate::key::RingError::from)?.text();
    for rule in rules.iter().filter(|rule| rule.kind.count(made.expose_secret()) < rule.wanted) {
        let most = rule.kind.count(made.expose_secret());
        let what = format!(
            "{} is {}, and the passwords made here have {most}",
            rule.variable, rule.wanted
        );
        missing.push(Missing::new(what, format!("SET GLOBAL {} = {most}", rule.variable)));
    }
    for (component, file) in &options.password_files {
        let text = options.password(component)?.text();
        let broken = rules.iter().find(|rule| rule.kind.count(text.expose_secret()) < rule.wanted);
        missing.extend(broken.map(|rule| {
            let what = format!(
                "the password in {} does not meet {} = {}",
                file.display(),
                rule.variable,
                rule.wanted
            );
            Missing::new(what, None)
        }));
    }
    Ok(missing)
}

/// MySQL's rules but that of the length hold from policy MEDIUM on.
async fn rules(db: &impl ConnectionTrait) -> Result<Vec<Rule>, DbErr> {
    let sql = "SHOW GLOBAL VARIABLES WHERE variable_name LIKE 'validate_password%' OR variable_name LIKE 'simple_password_check%'";
    let rows = db.query_all_raw(statement(db.get_database_backend(), sql, [])).await?;
    let mut rules = Vec::new();
    let mut is_low = false;
    for row in rows {
        let (variable, value): (String, String) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        is_low |= variable.ends_with("policy") && matches!(value.as_str(), "LOW" | "0");
        let rule = Kind::of(&variable).zip(value.parse().ok());
        rules.extend(rule.map(|(kind, wanted)| Rule { variable, kind, wanted }));
    }
    rules.retain(|rule| !is_low || rule.kind == Kind::Characters);
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_both_servers_are_known_by_their_names() {
        for (variable, kind) in [
            ("validate_password.length", Some(Kind::Characters)),
            ("validate_password_length", Some(Kind::Characters)),
            ("validate_password.mixed_case_count", Some(Kind::CasedLetters)),
            ("validate_password.number_count", Some(Kind::Digits)),
            ("validate_password.special_char_count", Some(Kind::Others)),
            ("validate_password.policy", None),
            ("validate_password.changed_characters_percentage", None),
            ("simple_password_check_minimal_length", Some(Kind::Characters)),
            ("simple_password_check_digits", Some(Kind::Digits)),
            ("simple_password_check_letters_same_case", Some(Kind::CasedLetters)),
            ("simple_password_check_other_characters", Some(Kind::Others)),
        ] {
            assert_eq!(Kind::of(variable), kind, "{variable}");
        }
    }

    #[test]
    fn passwords_are_counted_as_servers_count_them() {
        let text = "aB3-xY4";
        assert_eq!(
            [Kind::Characters, Kind::CasedLetters, Kind::Digits, Kind::Others]
                .map(|kind| kind.count(text)),
            [7, 2, 2, 1]
        );
    }
}
