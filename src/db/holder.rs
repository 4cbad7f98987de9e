//! Which process holds the run lock, and whether it can be seen to be dead.
//!
//! A killed run leaves its lease behind. On the same host and boot, and in the same process
//! namespace, the process table says for certain that it is gone, so the next run need not wait for
//! the lease to end. Anything uncertain counts as alive.

use std::fs;

/// `host:pid:start:boot:namespace`. Unique to a process for all practical purposes.
pub(super) fn this_process() -> String {
    let pid = std::process::id();
    let start = start_time(pid).unwrap_or_default();
    format!("{}:{pid}:{start}:{}", host(), whereabouts())
}

/// This process, for rows that others read: `host:pid`.
pub fn this_host_and_process() -> String {
    format!("{}:{}", host(), std::process::id())
}

/// What a person needs of a holder: `host`, process `pid`.
pub(super) fn shown(holder: &str) -> String {
    let mut parts = holder.split(':');
    match (parts.next(), parts.next()) {
        (Some(host), Some(pid)) => format!("process {pid} on {host}"),
        _ => holder.to_owned(),
    }
}

/// True only when the process was on this host and is certainly gone.
pub(super) fn is_dead(holder: &str) -> bool {
    let [host_then, pid, start, rest @ ..] = &*holder.split(':').collect::<Vec<_>>() else {
        return false;
    };
    let same_place =
        *host_then == host() && rest.join(":") == whereabouts() && !whereabouts().contains('?');
    match (same_place, pid.parse(), start.parse::<u64>()) {
        (true, Ok(pid), Ok(start)) => start_time(pid) != Some(start) && sees_every_process(),
        _ => false,
    }
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "unknown".into(), |name| name.trim().replace(':', "-"))
}

/// Boot and process namespace; `?` where the system does not tell.
fn whereabouts() -> String {
    let boot =
        fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_else(|_| "?".to_owned());
    let namespace: String = fs::read_link("/proc/self/ns/pid").map_or_else(
        |_| "?".to_owned(),
        |link| link.to_string_lossy().chars().filter(char::is_ascii_digit).collect(),
    );
    let boot = boot.trim();
    format!("{boot}:{namespace}")
}

/// Where other users' processes are hidden (`hidepid`), process 1 is hidden too.
fn sees_every_process() -> bool {
    start_time(1).is_some()
}

/// Field 22 of `/proc/PID/stat` (proc(5)): ticks since boot. The second field may hold blanks and
/// parentheses, so counting starts after the last `)`. A zombie is dead.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive() {
        assert!(!is_dead(&this_process()));
    }

    #[test]
    fn a_process_that_ended_here_is_dead() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let holder = format!(
            "{}:{}:{}:{}",
            host(),
            child.id(),
            start_time(child.id()).unwrap(),
            whereabouts()
        );
        assert!(!is_dead(&holder));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_dead(&holder));
    }

    #[test]
    fn a_process_elsewhere_may_be_alive() {
        assert!(!is_dead(&format!("elsewhere:1:2:{}", whereabouts())));
        assert!(!is_dead("nonsense"));
    }
}
