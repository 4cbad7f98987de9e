//! What a server said of an error, without the values of rows.
//!
//! PostgreSQL's DETAIL is shown for the classes whose details name objects and sessions alone. MySQL and MariaDB quote
//! values in the message itself.

use sea_orm::DbErr;

use super::cause::{ServerMessage, said};

/// Returns the message for a person: one line, with the object, the detail and the hint where they hold no values.
pub fn said_by_server(error: &DbErr) -> String {
    let Some(said) = said(error) else { return without_prefixes(error) };
    let detail = said
        .detail
        .filter(|_| names_objects_only(&said))
        .map(|detail| format!("detail: {}", one_line(detail)));
    let hint = said
        .hint
        .filter(|_| names_objects_only(&said))
        .map(|hint| format!("the server's hint: {}", one_line(hint)));
    let object =
        said.object.as_ref().filter(|object| !said.message.contains(object.as_str())).cloned();
    let more: Vec<String> = object.into_iter().chain(detail).chain(hint).collect();
    let message = message(&said);
    if more.is_empty() { message } else { format!("{message} ({})", more.join("; ")) }
}

fn message(said: &ServerMessage<'_>) -> String {
    let text = one_line(said.message);
    match (said.number, said.code.as_deref()) {
        (Some(number), _) if QUOTE_VALUES.contains(&number) => {
            format!("{number}: {}", without_quoted(&text, '\''))
        }
        (Some(number), _) => format!("{number}: {text}"),
        (None, Some(code)) if code.starts_with("22") || code == "42601" => {
            without_quoted(&text, '"')
        }
        _ => text,
    }
}

/// PostgreSQL's classes: not supported, dependent objects, connections, logins, catalogs, schemas, conflicts of
/// transactions, names and rights, resources, limits, states of objects, operators' doing.
const OBJECTS_ONLY: [&str; 12] =
    ["0A", "2B", "08", "28", "3D", "3F", "40", "42", "53", "54", "55", "57"];

fn names_objects_only(said: &ServerMessage<'_>) -> bool {
    said.code
        .as_deref()
        .and_then(|code| code.get(..2))
        .is_some_and(|class| OBJECTS_ONLY.contains(&class))
}

/// Duplicate keys, values that do not fit a type, text near a syntax error, JSON, and expressions with literals.
const QUOTE_VALUES: [u16; 13] =
    [1062, 1064, 1149, 1292, 1366, 1367, 1411, 1525, 1586, 1690, 3140, 3141, 4038];

/// Replaces everything from the first quotation mark to the last, except the name of a key, a column or a line after it.
fn without_quoted(text: &str, mark: char) -> String {
    let tail =
        [" for key ", " for column ", " at line "].iter().filter_map(|word| text.rfind(word)).max();
    let (text, tail) = text.split_at(tail.unwrap_or(text.len()));
    let Some((before, rest)) = text.split_once(mark) else { return format!("{text}{tail}") };
    // A message that was cut ends within the value.
    let after = rest.rsplit_once(mark).map_or("", |(_, after)| after);
    format!("{before}{mark}…{mark}{after}{tail}")
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Drivers put their own cause behind several prefixes; the last one says it.
fn without_prefixes(error: &DbErr) -> String {
    let text = error.to_string();
    let mut line = text.lines().next().unwrap_or_default();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| line.strip_prefix(prefix)) {
        line = rest;
    }
    line.to_owned()
}

const PREFIXES: [&str; 6] = [
    "Connection Error: ",
    "Execution Error: ",
    "Query Error: ",
    "error communicating with database: ",
    "error with configuration: ",
    "error occurred while attempting to establish a TLS connection: ",
];

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn mysql(number: u16, message: &str) -> String {
        self::message(&ServerMessage {
            code: None,
            number: Some(number),
            message,
            detail: None,
            hint: None,
            object: None,
        })
    }

    fn postgres(code: &str, message: &str) -> String {
        self::message(&ServerMessage {
            code: Some(Cow::Borrowed(code)),
            number: None,
            message,
            detail: None,
            hint: None,
            object: None,
        })
    }

    #[test]
    fn no_message_holds_a_value_of_a_row() {
        for said in [
            mysql(1062, "Duplicate entry 'canary' for key 'credential.access_key'"),
            mysql(1062, "Duplicate entry 'ca'n for key 'canary' for key 'credential.access_key'"),
            mysql(1366, "Incorrect string value: 'canary' for column 'type' at row 1"),
            mysql(1064, "You have an error near 'canary' at line 1"),
            mysql(3140, "Invalid JSON text: 'canary' in value for column 't.c'."),
            mysql(1292, "Truncated incorrect INTEGER value: 'canary"),
            postgres("22P02", "invalid input syntax for type uuid: \"ca\"canary\""),
            postgres("22003", "value \"canary\" is out of range for type integer"),
            postgres("42601", "syntax error at or near \"canary\""),
        ] {
            assert!(!said.contains("canary"), "{said}");
        }
        let duplicate = mysql(1062, "Duplicate entry 'canary' for key 'credential.access_key'");
        assert_eq!(duplicate, "1062: Duplicate entry '…' for key 'credential.access_key'");
    }

    #[test]
    fn a_message_without_values_stays_whole() {
        let denied = "SELECT command denied to user 'app'@'%' for table 'user'";
        assert_eq!(mysql(1142, denied), format!("1142: {denied}"));
        let dependent =
            "cannot drop column access_key of table t because other objects depend on it";
        assert_eq!(postgres("2BP01", dependent), dependent);
    }
}
