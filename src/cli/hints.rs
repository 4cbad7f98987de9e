//! Every command that a message or a document names can be typed as it stands.

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use regex::Regex;

use super::arguments::Arguments;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// What stands in backquotes in the strings of the sources. A value that is filled in later counts as `1`.
fn in_messages() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in ["src", "migration/src", "entity/src"] {
        rust_files(&root().join(folder), &mut files);
    }
    let (broken, quoted, filled) = (
        Regex::new(r"\\\n\s*").unwrap(),
        Regex::new(r"`(strongroom [^`\n]*)`").unwrap(),
        Regex::new(r"\{\w*\}").unwrap(),
    );
    let ours = ["hints.rs", "typed.rs"];
    let mut found = Vec::new();
    for file in
        files.iter().filter(|file| !ours.contains(&file.file_name().unwrap().to_str().unwrap()))
    {
        let code = fs::read_to_string(file).unwrap();
        let code: Vec<_> =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = broken.replace_all(&code.join("\n"), "").into_owned();
        let commands = quoted
            .captures_iter(&code)
            .map(|command| filled.replace_all(&command[1], "1").into_owned());
        found
            .extend(commands.map(|command| {
                (file.strip_prefix(root()).unwrap().display().to_string(), command)
            }));
    }
    found
}

/// The examples under the help of every command.
fn in_help() -> Vec<(String, String)> {
    fn walk(command: &clap::Command, found: &mut Vec<(String, String)>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().filter_map(|line| {
            line.find("strongroom ").filter(|_| line.starts_with("  ")).map(|at| &line[at..])
        });
        let commands = lines.map(|line| line.split("  ").next().unwrap().to_owned());
        found.extend(commands.map(|line| (format!("{} --help", command.get_name()), line)));
        command.get_subcommands().for_each(|below| walk(below, found));
    }
    let mut found = Vec::new();
    walk(&Arguments::command(), &mut found);
    found
}

/// What the README shows at a prompt.
fn in_the_readme() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let text = text.replace("\\\n", "");
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("$ ").filter(|line| line.starts_with("strongroom ")));
    let commands =
        lines.map(|line| line.split(" #").next().unwrap().trim_end_matches(['&', ' ']).to_owned());
    commands.map(|command| ("README.md".to_owned(), command)).collect()
}

fn error(command: &str) -> Option<String> {
    if command.contains('…') {
        return None;
    }
    let words =
        command.split(" | ").next().unwrap().split(" > ").next().unwrap().split_whitespace();
    let error =
        Arguments::try_parse_from(words.map(|word| word.trim_matches(['"', '\'']))).err()?;
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    (!is_help).then(|| error.to_string().lines().next().unwrap_or_default().to_owned())
}

#[test]
fn every_command_in_a_message_parses() {
    let all = [in_messages(), in_help(), in_the_readme()].concat();
    assert!(all.len() > 100, "only {} were found", all.len());
    let wrong: Vec<_> = all
        .iter()
        .filter_map(|(place, command)| Some(format!("{place}: {command}: {}", error(command)?)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether a command asks before it does anything, so that without a terminal it needs `--yes`.
fn asks(command: &str) -> bool {
    let is = |words: &str| command.contains(words);
    let goes_far = || {
        is("migrate up")
            && !["--to 1", "--to 2", "--to 3", "--to 4", "--to 5"]
                .iter()
                .any(|to| command.ends_with(to))
    };
    let groups = [
        "migrate down",
        "migrate adopt",
        "migrate unlock",
        "keys retire",
        "keys quarantine discard",
    ];
    !is("--dry-run") && (goes_far() || groups.into_iter().any(is))
}

#[test]
fn every_command_in_a_message_that_asks_is_given_its_answer() {
    let wrong: Vec<_> = in_messages()
        .into_iter()
        .filter(|(_, command)| asks(command) && !command.contains("--yes"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
