//! What is printed, and where: results on standard output, everything else on standard error.

use std::borrow::Cow;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::global::{Format, Global};
use super::text::{Text, has_control};
use super::typed;

/// Where results go.
pub(super) struct Output {
    json: bool,
    quiet: bool,
    progress: bool,
    config: Option<PathBuf>,
}

impl Output {
    pub(super) fn new(global: &Global) -> Self {
        Self {
            json: global.format == Format::Json,
            quiet: global.quiet,
            progress: !global.no_progress && !global.quiet,
            config: global.config.clone(),
        }
    }

    /// Makes every command in a message one that can be typed as it stands.
    pub(super) fn typed<'a>(&self, text: &'a str) -> Cow<'a, str> {
        typed::with_config(text, self.config.as_deref())
    }

    /// The result: one document, or text made from it.
    pub(super) fn result<T: Serialize, S: Into<Text>>(
        &self,
        document: &T,
        text: impl FnOnce() -> S,
    ) {
        if self.json {
            write_out(&Text::json(&serde_json::to_string(document).unwrap_or_default()));
        } else {
            write_out(&text().into().map(|line| self.typed(line).into_owned()));
        }
    }

    /// Whether the result is one JSON document.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// A word beside the result.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            write_err(&self.typed(text));
        }
    }

    /// The same of values from a database: each is one line, whatever is in it.
    pub(super) fn note_lines(&self, lines: &Text) {
        if !self.quiet {
            write(&mut std::io::stderr().lock(), &lines.shown());
        }
    }

    /// What a person should not get used to.
    pub(super) fn warning(&self, text: &str) {
        if !self.quiet {
            write_marked("", "warning:", "1;33", text);
        }
    }

    /// Whether progress is wanted at all.
    pub(super) fn progress(&self) -> bool {
        self.progress
    }

    /// The error, in the form that was asked for.
    pub(super) fn failure(&self, failure: &Failure) -> Exit {
        let help = failure.help.as_ref().map(|help| self.typed(help));
        if self.json {
            print_json_error(failure.code, &self.typed(&failure.message), help.as_deref());
        } else {
            write_marked("", "error:", "1;31", &self.typed(&failure.message));
            if let Some(help) = help {
                write_marked("  ", "help:", "1;36", &help);
            }
        }
        failure.exit
    }
}

/// Help and version are results; a usage error is an error, in JSON too when JSON was asked for.
pub(super) fn usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Done;
    }
    let arguments: Vec<_> = std::env::args_os().collect();
    let json = arguments.iter().any(|argument| argument == "--format=json")
        || arguments
            .windows(2)
            .any(|pair| matches!(pair, [option, value] if option == "--format" && value == "json"));
    if json {
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        print_json_error("usage", message, Some("see `strongroom --help`"));
    } else if has_control(&error.to_string()) {
        // Styles are control characters, too, and arguments are quoted.
        write_err(error.to_string().trim_end());
    } else {
        let _ = error.print();
    }
    Exit::Usage
}

fn print_json_error(code: &str, message: &str, help: Option<&str>) {
    write_out(&Text::json(
        &json!({ "error": { "code": code, "message": message, "help": help } }).to_string(),
    ));
}

fn write_out(text: &Text) {
    write(&mut std::io::stdout().lock(), &text.shown());
}

pub(super) fn write_err(text: &str) {
    write(&mut std::io::stderr().lock(), &Text::from(text.to_owned()).shown());
}

/// A word in colour before the text.
fn write_marked(indent: &str, mark: &str, code: &str, text: &str) {
    let text = Text::message(text).shown();
    write(&mut std::io::stderr().lock(), &format!("{indent}{} {text}", colour(mark, code)));
}

/// A reader that went away (`… | head`) is no error of ours.
fn write(to: &mut impl std::io::Write, shown: &str) {
    let _ =
        to.write_all(shown.as_bytes()).and_then(|()| to.write_all(b"\n")).and_then(|()| to.flush());
}

/// Colour on a terminal only, and never against `NO_COLOR`.
#[expect(
    clippy::disallowed_methods,
    reason = "NO_COLOR is a convention of terminals, no setting of ours"
)]
fn colour(text: &str, code: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || !std::io::stderr().is_terminal();
    if plain { text.to_owned() } else { format!("\u{1b}[{code}m{text}\u{1b}[0m") }
}
