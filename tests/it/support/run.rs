//! This run of the tests: its containers end with it, however it ends.

use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Waits until the pipe closes, which the system does when this process ends, and removes the run's containers and networks.
const GUARD: &str = "cat > /dev/null; \
    docker ps --all --quiet --filter label=strongroom.test.run=$0 | xargs --no-run-if-empty docker rm --force --volumes; \
    docker network ls --quiet --filter label=strongroom.test.run=$0 | xargs --no-run-if-empty docker network rm";

/// The run's name, and the end of the pipe that keeps its guard waiting.
static RUN: LazyLock<(String, ChildStdin)> = LazyLock::new(|| {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let name = format!("{}-{}", std::process::id(), since_1970.as_millis());
    let mut guard = Command::new("sh");
    guard.args(["-c", GUARD, &name]).stdin(Stdio::piped());
    // In a process group of its own, because Ctrl-C is for the tests.
    guard.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let pipe = guard.spawn().unwrap().stdin.take().unwrap();
    (name, pipe)
});

/// Returns the run's name, which no other run has.
pub(super) fn name() -> &'static str {
    &RUN.0
}

/// Returns the labels of every container: one for `make clean-containers`, and one for the guard.
pub(super) fn labels() -> [(String, String); 2] {
    [("strongroom.test", "1"), ("strongroom.test.run", &RUN.0)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
}
