//! Progress on standard error: a bar on a terminal, a JSON line every few seconds elsewhere.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use serde_json::json;

use super::output::{Output, write_err};
use strongroom::reseal::Event;

const EVERY: Duration = Duration::from_secs(5);
const STYLE: &str = "{msg:>10} {bar:32} {pos}/{len} rows  {rate}  {eta} left";

/// A listener for a run's events.
pub(super) fn listener(output: &Output) -> Arc<dyn Fn(Event) + Send + Sync> {
    if !output.progress() {
        return Arc::new(|_| ());
    }
    if std::io::stderr().is_terminal() {
        let bar = Mutex::new(ProgressBar::hidden());
        return Arc::new(move |event| {
            draw(&mut bar.lock().unwrap_or_else(PoisonError::into_inner), event);
        });
    }
    let state = Mutex::new(Lines::default());
    Arc::new(move |event| state.lock().unwrap_or_else(PoisonError::into_inner).tell(event))
}

fn draw(bar: &mut ProgressBar, event: Event) {
    match event {
        Event::Started { work, rows } => {
            *bar = ProgressBar::new(rows);
            bar.set_style(style());
            bar.set_message(work);
        }
        Event::Advanced { rows } => bar.inc(rows),
        Event::Finished => bar.finish_and_clear(),
        _ => {}
    }
}

fn style() -> ProgressStyle {
    let style =
        ProgressStyle::with_template(STYLE).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("rate", |state: &ProgressState, to: &mut dyn fmt::Write| {
        let _ = write!(to, "{:.0}/s", state.per_sec());
    })
}

#[derive(Default)]
struct Lines {
    work: &'static str,
    total: u64,
    done: u64,
    begun: Option<Instant>,
    told: Option<Instant>,
}

impl Lines {
    fn tell(&mut self, event: Event) {
        match event {
            Event::Started { work, rows } => {
                *self = Self { work, total: rows, done: 0, begun: Some(Instant::now()), told: None }
            }
            Event::Advanced { rows } => {
                self.done += rows;
                if self.told.or(self.begun).is_some_and(|last| last.elapsed() >= EVERY) {
                    self.write();
                }
            }
            Event::Finished if self.told.is_some() => self.write(),
            _ => {}
        }
    }

    fn write(&mut self) {
        self.told = Some(Instant::now());
        let seconds = self.begun.map_or(0, |begun| begun.elapsed().as_secs());
        write_err(&json!({ "progress": self.work, "rows": self.done, "of": self.total, "seconds": seconds }).to_string());
    }
}
