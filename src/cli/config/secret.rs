//! Whether a configuration holds a secret: by what a setting is called, and by what it looks like.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use toml::{Table, Value};

/// Settings with such an end hold a secret. Their twins end with `_file` and hold a name.
const NAMES: [&str; 5] = ["passphrase", "password", "secret", "token", "private_key"];

/// Returns the name of the first setting that holds a secret. Text that is no TOML is refused elsewhere.
pub(super) fn secret_setting(text: &str) -> Option<String> {
    text.parse::<Table>().ok().and_then(|table| in_table("", &table))
}

fn in_table(path: &str, table: &Table) -> Option<String> {
    table.iter().find_map(|(name, value)| in_value(&format!("{path}{name}"), name, value))
}

fn in_value(path: &str, name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Table(table) => in_table(&format!("{path}."), table),
        Value::Array(values) => values.iter().find_map(|value| in_value(path, name, value)),
        Value::String(text) => is_secret(name, text).then(|| path.to_owned()),
        _ => None,
    }
}

fn is_secret(name: &str, text: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_named = NAMES.iter().any(|end| name.ends_with(end));
    !text.is_empty() && (is_named || is_key(text) || has_password(text))
}

/// 32 bytes in base64 or hexadecimal digits, or a private key in PEM.
fn is_key(text: &str) -> bool {
    let text = text.trim();
    let is_base64 = [STANDARD, URL_SAFE]
        .iter()
        .any(|form| form.decode(text).is_ok_and(|bytes| bytes.len() == 32));
    is_base64
        || hex::decode(text).is_ok_and(|bytes| bytes.len() == 32)
        || text.contains("PRIVATE KEY")
}

/// An address with a password, in whatever form a driver takes: between `:` and `@`, or as a parameter. Passwords that
/// are not encoded as an address demands count too, so the text is not parsed as one.
fn has_password(text: &str) -> bool {
    let in_authority = text.split_once("://").is_some_and(|(_, rest)| {
        let user = rest.rsplit_once('@').map(|(user, _)| user);
        user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
    });
    let text = text.to_ascii_lowercase();
    in_authority || ["password=", "passwd=", "pwd="].iter().any(|name| text.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_setting_in_any_form_is_named() {
        for (text, setting) in [
            ("[keys]\npassphrase = \"p\"", "keys.passphrase"),
            ("keys.next.passphrase = \"p\"", "keys.next.passphrase"),
            ("keys = { next = { passphrase = \"p\" } }", "keys.next.passphrase"),
            ("[database]\nurl = \"postgres://u:p@h/d\"", "database.url"),
            ("[database]\nurl = \"mysql://u:p/w@d@h/d\"", "database.url"),
            ("[database]\nurl = \"postgres://h/d?user=u&password=p\"", "database.url"),
            ("[database]\nurl = \"host=h PASSWORD=p\"", "database.url"),
            ("[service]\nurl = \"https://u:p@h\"", "service.url"),
            ("[keys]\nfile = \"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\"", "keys.file"),
            ("[x]\ny = [\"postgres://u:p@h/d\"]", "x.y"),
        ] {
            assert_eq!(secret_setting(text).as_deref(), Some(setting), "{text}");
        }
    }

    #[test]
    fn settings_that_name_files_and_addresses_without_passwords_are_no_secrets() {
        for text in [
            "[keys]\npassphrase_file = \"p\"\nfile = \"strongroom.key\"\nenv = \"STRONGROOM_ROOT_KEY\"",
            "[database]\nurl = \"postgres://u@h/d\"",
            "[database]\nurl = \"sqlite:///a:b/c.db?mode=rwc\"",
            "[database]\nurl = \"postgres://[::1]:5432/d\"",
            "[policy.password_files]\napi = \"api.password\"",
            "[server.identity]\ntrust_domain = \"a.b\"\n[server.identity.fallback]\n\"CN=api,O=x\" = \"api\"",
            "not toml",
        ] {
            assert_eq!(secret_setting(text), None, "{text}");
        }
        assert_eq!(secret_setting(include_str!("../../../strongroom.example.toml")), None);
    }
}
