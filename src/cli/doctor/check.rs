//! What was looked at, and how it is.

use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Ok,
    Warn,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    name: &'static str,
    state: State,
    message: String,
    /// What to do about it.
    hint: Option<String>,
    /// A word that programs can rely on, where something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What it alone would end the program with.
    #[serde(skip)]
    exit: Exit,
}

impl Check {
    /// As it should be.
    pub(super) fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self {
            name,
            state: State::Ok,
            message: message.into(),
            hint: None,
            code: None,
            exit: Exit::Done,
        }
    }

    /// Worth a thought; nothing is refused and nothing left to do.
    pub(super) fn advice(
        name: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let code = Some(name.replace(' ', "_"));
        Self {
            name,
            state: State::Warn,
            message: message.into(),
            hint: Some(hint.into()),
            code,
            exit: Exit::Done,
        }
    }

    /// Something is left to do, or differs.
    pub(super) fn left(
        name: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { exit: Exit::Left, ..Self::advice(name, message, hint) }
    }

    /// A command would fail, in these words.
    pub(super) fn failed(name: &'static str, failure: impl Into<Failure>) -> Self {
        let Failure { exit, message, help, code } = failure.into();
        Self { name, state: State::Bad, message, hint: help, code: Some(code.to_owned()), exit }
    }

    /// Could not be looked at; no verdict.
    pub(super) fn unknown(name: &'static str, failure: impl Into<Failure>) -> Self {
        let Failure { message, help, .. } = failure.into();
        let hint = help.unwrap_or_else(|| "look again with a login that may see it".into());
        Self::advice(name, format!("cannot be told: {message}"), hint)
    }

    /// Names what is wrong, where the name of the check does not.
    pub(super) fn code(mut self, code: &str) -> Self {
        self.code = self.code.map(|_| code.to_owned());
        self
    }

    pub(crate) fn is_bad(&self) -> bool {
        self.state == State::Bad
    }

    /// Whether it leaves something to do.
    pub(super) fn is_left(&self) -> bool {
        self.exit == Exit::Left
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What is wrong, unless it is as it should be.
    pub(crate) fn finding(&self) -> Option<Finding<'_>> {
        let Self { state, message, hint, code, exit, .. } = self;
        let code = code.as_deref().filter(|_| *state != State::Ok)?;
        Some(Finding { code, state: *state, message, hint: hint.as_deref(), exit: *exit })
    }

    fn lines(&self) -> Vec<String> {
        let state = match self.state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Bad => "bad",
        };
        let mut lines = vec![format!("{state:<5} {:<15} {}", self.name, self.message)];
        lines.extend(self.hint.as_ref().map(|hint| format!("                      help: {hint}")));
        lines
    }
}

/// A check that is not as it should be, as `status` presents it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Finding<'a> {
    pub(crate) code: &'a str,
    pub(crate) state: State,
    pub(crate) message: &'a str,
    pub(crate) hint: Option<&'a str>,
    #[serde(skip)]
    pub(crate) exit: Exit,
}

/// Everything that was looked at, in order.
#[derive(Default)]
pub(crate) struct Checks(Vec<Check>);

impl Checks {
    pub(super) fn push(&mut self, check: Check) {
        self.0.push(check);
    }

    pub(super) fn extend(&mut self, checks: impl IntoIterator<Item = Check>) {
        self.0.extend(checks);
    }

    pub(crate) fn all(&self) -> &[Check] {
        &self.0
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Check> {
        self.0.iter().find(|check| check.name == name)
    }

    /// Every hint with commands that can be typed as they stand.
    pub(super) fn typed(mut self, output: &Output) -> Self {
        for check in &mut self.0 {
            check.hint = check.hint.as_ref().map(|hint| output.typed(hint).into_owned());
        }
        self
    }

    pub(super) fn text(&self) -> Text {
        Text::of(self.0.iter().flat_map(Check::lines).collect())
    }

    /// The worst wins.
    pub(super) fn exit(&self) -> Exit {
        self.0.iter().map(|check| check.exit).max_by_key(|exit| weight(*exit)).unwrap_or(Exit::Done)
    }
}

fn weight(exit: Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::Left => 1,
        Exit::Locked | Exit::Interrupted => 2,
        Exit::Failed => 3,
        Exit::Usage => 4,
        Exit::Refused => 5,
        Exit::Unreachable => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_wins() {
        let failed = |exit| Check::failed("x", Failure::new(exit, "x", "x"));
        let mut checks = Checks::default();
        assert_eq!(checks.exit(), Exit::Done);
        for (check, worst) in [
            (Check::advice("x", "", ""), Exit::Done),
            (Check::left("x", "", ""), Exit::Left),
            (failed(Exit::Failed), Exit::Failed),
            (failed(Exit::Refused), Exit::Refused),
            (failed(Exit::Unreachable), Exit::Unreachable),
            (failed(Exit::Refused), Exit::Unreachable),
        ] {
            checks.push(check);
            assert_eq!(checks.exit(), worst);
        }
    }
}
