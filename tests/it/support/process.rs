//! Running the program and looking at what it said.

use std::io::{Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a finished run said.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The one JSON document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Only what stands beside the result.
    pub fn without_result(self) -> Self {
        Self { out: String::new(), ..self }
    }

    /// Everything that was printed.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// A run that goes on.
pub struct Running(pub Child);

impl Running {
    /// SIGKILL: no destructor, no handler, nothing is said good-bye to.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub fn interrupt(&self) {
        Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap();
    }

    pub fn is_over(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Waits for its end. After so long, or when something else is no longer as it must be, it looks at what hangs, and kills the run:
    /// then what it saw is the error.
    pub fn finish_within(
        mut self,
        most: Duration,
        mut is_well: impl FnMut() -> bool,
        look: impl FnOnce() -> String,
    ) -> Result<Ran, String> {
        let begun = Instant::now();
        let [out, err] =
            [reader(self.0.stdout.take().unwrap()), reader(self.0.stderr.take().unwrap())];
        while !self.is_over() {
            if begun.elapsed() > most || !is_well() {
                let seen = format!("not ended after {:?}\n{}", begun.elapsed(), look());
                self.kill();
                return Err(seen);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let status = self.0.wait().unwrap();
        Ok(Ran {
            code: status.code().unwrap_or(-1),
            out: out.join().unwrap(),
            err: err.join().unwrap(),
        })
    }

    pub fn finish(self) -> Ran {
        Ran::of(self.0.wait_with_output().unwrap())
    }
}

/// Reads all that comes, so that a full pipe holds nobody up.
fn reader(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

/// Runs a command with nothing on standard input.
pub fn ran(command: &mut Command) -> Ran {
    Ran::of(command.stdin(Stdio::null()).output().unwrap())
}

pub fn run(mut command: Command, stdin: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

/// Waits until something is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
