//! Commands in messages, as a person types them.

use std::borrow::Cow;
use std::path::Path;

/// Quotes an argument for a POSIX shell, if it needs quotes. Control characters become escapes of bash and zsh.
pub(super) fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    if !argument.chars().any(char::is_control) {
        return format!("'{}'", argument.replace('\'', r"'\''"));
    }
    let mut escaped = String::from("$'");
    for c in argument.chars() {
        match c {
            '\'' | '\\' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.extend(c.to_string().bytes().map(hex_escape)),
            c => escaped.push(c),
        }
    }
    escaped + "'"
}

fn hex_escape(byte: u8) -> String {
    format!("\\x{byte:02x}")
}

/// Returns this run's own command with one more flag, unless an argument is an address, which may hold a password.
pub(super) fn this_command_with(flag: &str) -> Option<String> {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.into_string().ok())
        .collect::<Option<_>>()?;
    if arguments.iter().any(|argument| argument.contains("://")) {
        return None;
    }
    let typed: Vec<_> = arguments.iter().map(|argument| quoted(argument)).collect();
    Some(format!("strongroom {} {flag}", typed.join(" ")))
}

/// Makes every command in a message one for the configuration that this run was given.
pub(super) fn with_config<'a>(text: &'a str, config: Option<&Path>) -> Cow<'a, str> {
    let Some(config) = config else { return text.into() };
    let ours = format!("`strongroom --config {} ", quoted(&config.to_string_lossy()));
    let parts: Vec<_> = text.split("`strongroom ").collect();
    let has_own = |rest: &str| {
        rest.split('`')
            .next()
            .is_some_and(|command| command.contains("--config") || command.contains("--dev"))
    };
    let mut out = String::new();
    for (place, part) in parts.into_iter().enumerate() {
        match place {
            0 => {}
            _ if has_own(part) => out.push_str("`strongroom "),
            _ => out.push_str(&ours),
        }
        out.push_str(part);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_where_a_shell_would_read_them_otherwise() {
        for (argument, typed) in [
            ("a/b.toml", "a/b.toml"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$x", "'$x'"),
            ("a:b", "a:b"),
        ] {
            assert_eq!(quoted(argument), typed);
        }
    }

    #[test]
    fn argument_with_anything_in_it_is_one_word_to_bash() {
        for value in [
            "plain-1.key",
            "",
            "two words",
            "it's",
            "$(id)",
            "a\u{1b}[31mb",
            "tab\tand\nline",
            "back\\slash\r",
            "\u{9b}ü",
        ] {
            let script = format!("printf %s {}", quoted(value));
            let printed =
                std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(printed.stdout).unwrap(), value, "{script:?}");
            assert!(!quoted(value).chars().any(char::is_control));
        }
    }

    #[test]
    fn commands_keep_the_configuration() {
        let text = "run `strongroom init`, then `strongroom migrate up --yes`; not `ls`";
        assert_eq!(with_config(text, None), text);
        assert_eq!(
            with_config(text, Some(Path::new("my conf.toml"))),
            "run `strongroom --config 'my conf.toml' init`, then `strongroom --config 'my conf.toml' migrate up --yes`; not `ls`"
        );
        let own = "`strongroom --config dev/strongroom.toml status` or `strongroom serve --dev`";
        assert_eq!(with_config(own, Some(Path::new("x"))), own);
    }
}
