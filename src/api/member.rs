//! Names the wrong member of a body or parameter of a query. Invariant: no value is repeated, because it may be a secret.

/// The longest name in a message.
const LONGEST: usize = 64;

/// Describes a fault in a JSON body, from the member's path and serde's message.
pub(super) fn of_body(path: &str, message: &str) -> String {
    let path = if path == "." { "" } else { path };
    match Fault::read(message) {
        Fault::Missing(name) => format!("`{}` is missing", joined(path, name)),
        Fault::Unknown(name) if ends_with(path, name) => {
            format!("`{}` is no member of what this route takes", shown(path))
        }
        Fault::Unknown(name) => {
            format!("`{}` is no member of what this route takes", joined(path, name))
        }
        Fault::Twice(name) if ends_with(path, name) => format!("`{}` is given twice", shown(path)),
        Fault::Twice(name) => format!("`{}` is given twice", joined(path, name)),
        Fault::Expected(wanted) if path.is_empty() => format!("the body must be {wanted}"),
        Fault::Expected(wanted) => format!("`{}` must be {wanted}", shown(path)),
        Fault::Other if path.is_empty() => "the body is not what this route takes".to_owned(),
        Fault::Other => format!("`{}` is not what this route takes", shown(path)),
    }
}

/// Describes a fault in a query.
pub(super) fn of_query(path: &str, message: &str) -> String {
    let name = if path == "." { "" } else { path };
    match Fault::read(message) {
        Fault::Missing(name) => format!("the query parameter `{}` is missing", shown(name)),
        Fault::Unknown(name) => format!("there is no query parameter `{}` here", shown(name)),
        Fault::Twice(name) => format!("the query parameter `{}` is given twice", shown(name)),
        _ if name.is_empty() => "a query parameter is wrong".to_owned(),
        _ => format!("the query parameter `{}` has a value that it cannot have", shown(name)),
    }
}

/// The parts of serde's messages that hold no value.
enum Fault<'a> {
    Missing(&'a str),
    Unknown(&'a str),
    Twice(&'a str),
    /// The end of the message is a text of this program.
    Expected(&'a str),
    Other,
}

impl<'a> Fault<'a> {
    fn read(message: &'a str) -> Self {
        let named = |prefix: &str| message.strip_prefix(prefix)?.split('`').next();
        if let Some(name) = named("missing field `") {
            return Self::Missing(name);
        }
        if let Some(name) = named("unknown field `") {
            return Self::Unknown(name);
        }
        if let Some(name) = named("duplicate field `") {
            return Self::Twice(name);
        }
        let invalid =
            message.starts_with("invalid type: ") || message.starts_with("invalid value: ");
        match message.rsplit_once(", expected ") {
            Some((_, wanted)) if invalid => {
                Self::Expected(wanted.rsplit_once(" at line ").map_or(wanted, |(wanted, _)| wanted))
            }
            _ => Self::Other,
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() || path == "?" { shown(name) } else { shown(&format!("{path}.{name}")) }
}

fn ends_with(path: &str, name: &str) -> bool {
    path == name || path.strip_suffix(name).is_some_and(|before| before.ends_with('.'))
}

/// Returns a printable, short form of a name.
fn shown(name: &str) -> String {
    let plain =
        |letter: char| if letter.is_ascii_graphic() && letter != '`' { letter } else { '?' };
    let cut: String = name.chars().take(LONGEST).map(plain).collect();
    if name.chars().nth(LONGEST).is_some() { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_named_by_its_path_and_without_its_value() {
        for (path, message, wanted) in [
            (".", "missing field `user_id` at line 1 column 2", "`user_id` is missing"),
            ("credentials", "missing field `host`", "`credentials.host` is missing"),
            (
                "user_id",
                "invalid type: integer `4711`, expected a string at line 1 column 9",
                "`user_id` must be a string",
            ),
            (
                "a",
                "invalid type: string \"x, expected y\", expected a boolean",
                "`a` must be a boolean",
            ),
            (
                "sekret",
                "unknown field `sekret`, expected one of `a`, `b`",
                "`sekret` is no member of what this route takes",
            ),
            ("a.b", "duplicate field `b`", "`a.b` is given twice"),
            (
                ".",
                "invalid type: sequence, expected an object at line 1 column 0",
                "the body must be an object",
            ),
            ("x", "4711 is odd", "`x` is not what this route takes"),
            (".", "4711 is odd", "the body is not what this route takes"),
        ] {
            assert_eq!(of_body(path, message), wanted);
        }
    }

    #[test]
    fn a_query_parameter_is_named() {
        for (path, message, wanted) in [
            (
                "limit",
                "invalid digit found in string",
                "the query parameter `limit` has a value that it cannot have",
            ),
            (
                ".",
                "unknown field `lim\u{1b}it`, expected `limit`",
                "there is no query parameter `lim?it` here",
            ),
            (".", "duplicate field `limit`", "the query parameter `limit` is given twice"),
        ] {
            assert_eq!(of_query(path, message), wanted);
        }
        assert_eq!(shown(&"a".repeat(100)), format!("{}…", "a".repeat(64)));
    }
}
