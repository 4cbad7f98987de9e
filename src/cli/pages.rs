//! What the program writes about itself: completions for shells, and manual pages.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use serde_json::json;

use super::arguments::Arguments;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;

/// Writes a page for each command.
pub(super) fn manual(out: &Path, output: &Output) -> Result<Exit, Failure> {
    let written = std::fs::create_dir_all(out)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), out));
    written.map_err(|error| {
        Failure::new(Exit::Failed, "man", format!("{} cannot be written: {error}", out.display()))
    })?;
    let folder = out.display();
    output.result(&json!({ "folder": folder.to_string() }), || {
        format!("manual pages are in {folder}")
    });
    output.note(&format!(
        "Read one with `man -l {folder}/strongroom.1`. For `man strongroom`, move them to ~/.local/share/man/man1,\n\
         or for everyone to /usr/local/share/man/man1."
    ));
    Ok(Exit::Done)
}

/// Prints the completions; says beside them where they go.
pub(super) fn completions(shell: Shell, output: &Output) -> Exit {
    clap_complete::generate(shell, &mut Arguments::command(), "strongroom", &mut std::io::stdout());
    output.note(place(shell));
    Exit::Done
}

fn place(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => {
            "Put them where bash-completion looks, then open a new shell:\n  \
             mkdir -p ~/.local/share/bash-completion/completions\n  \
             strongroom completions bash --quiet > ~/.local/share/bash-completion/completions/strongroom"
        }
        Shell::Zsh => {
            "Put them into a folder of $fpath, then open a new shell:\n  \
             strongroom completions zsh --quiet > \"${fpath[1]}/_strongroom\""
        }
        Shell::Fish => {
            "Put them where fish looks:\n  \
             strongroom completions fish --quiet > ~/.config/fish/completions/strongroom.fish"
        }
        Shell::PowerShell => {
            "Add them to your profile, then open a new shell:\n  \
             strongroom completions powershell --quiet >> $PROFILE"
        }
        Shell::Elvish => {
            "Add them to what elvish reads first, then open a new shell:\n  \
             strongroom completions elvish --quiet >> ~/.config/elvish/rc.elv"
        }
        _ => "Your shell's manual says where completions go.",
    }
}
