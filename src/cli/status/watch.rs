//! `--watch`: the screen, drawn again and again on a terminal of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use console::{Term, style, truncate_str};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::document::Document;
use super::{look, text};
use crate::counted::counted;
use crate::doctor::State;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use strongroom::db::{Address, DatabaseConnection};

const EVERY: Duration = Duration::from_secs(2);
/// A look at a large database takes a while; most of the time nothing is asked of it.
const SHARE: u32 = 4;

const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";
const HOME: &str = "\u{1b}[H";
const REST_OF_LINE: &str = "\u{1b}[K";
const REST_OF_SCREEN: &str = "\u{1b}[J";

pub(super) async fn run(
    config: Option<&Path>,
    session: &Session,
    address: &Address,
    db: &DatabaseConnection,
    output: &Output,
) -> Result<Exit, Failure> {
    let term = Term::stdout();
    if output.is_json() || !term.is_term() {
        let failure = Failure::new(
            Exit::Usage,
            "usage",
            "--watch draws on a terminal, and standard output is none",
        );
        return Err(failure.help("ask again and again with `strongroom status --format json`"));
    }
    let unheard = |error: std::io::Error| Failure::new(Exit::Failed, "signals", error);
    let interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
    let terminate = signal(SignalKind::terminate()).map_err(unheard)?;
    let screen = Screen::enter(term);
    let drawn = async {
        loop {
            let begun = Instant::now();
            let looked = look(config, session, address, db).await;
            let document = Document::new(&looked, address, db, output).await;
            screen.draw(&document);
            tokio::time::sleep(EVERY.max(begun.elapsed() * SHARE)).await;
        }
    };
    tokio::select! {
        () = drawn => {}
        () = told(interrupt) => {}
        () = told(terminate) => {}
    }
    Ok(Exit::Interrupted)
}

async fn told(mut signal: Signal) {
    signal.recv().await;
}

/// The terminal's second screen, until the value is dropped.
struct Screen(Term);

impl Screen {
    fn enter(term: Term) -> Self {
        let _ = term.write_str(ENTER);
        Self(term)
    }

    /// Writes over what is there in one piece, so that nothing flickers.
    fn draw(&self, document: &Document) {
        let (height, width) = self.0.size();
        let (height, width) = (usize::from(height), usize::from(width));
        let text = text::painted(document, Some(width), paint);
        let head = "strongroom status, every 2 s; Ctrl-C ends";
        let lines: Vec<_> = [head, ""].into_iter().chain(text.lines()).collect();
        let (shown, hidden) = lines.split_at(lines.len().min(if lines.len() > height {
            height.saturating_sub(1)
        } else {
            height
        }));
        let more = format!(
            "… {} more: make the window higher",
            counted(hidden.len() as u64, "line", "lines")
        );
        let shown = shown
            .iter()
            .copied()
            .chain((!hidden.is_empty()).then_some(more.as_str()))
            .map(|line| truncate_str(line, width, "…").into_owned() + REST_OF_LINE);
        let frame = shown.collect::<Vec<_>>().join("\r\n");
        let _ = self.0.write_str(&format!("{HOME}{frame}{REST_OF_SCREEN}"));
        let _ = self.0.flush();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.0.write_str(LEAVE);
    }
}

/// `console` knows `NO_COLOR`.
fn paint(text: &str, state: State) -> String {
    match state {
        State::Ok => text.to_owned(),
        State::Warn => style(text).yellow().bold().to_string(),
        State::Bad => style(text).red().bold().to_string(),
    }
}
