//! Ctrl-C and SIGTERM: the first finishes the page, the second ends at once. Nothing is lost either way. A service has its own.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Exit;
use super::output::write_err;
use strongroom::reseal::Stop;

/// A request to stop that signals set.
pub(super) fn stop_on_signals() -> Stop {
    let stop = Stop::default();
    let (Ok(interrupt), Ok(terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return stop;
    };
    tokio::spawn(listen(stop.clone(), interrupt, terminate));
    stop
}

async fn listen(stop: Stop, mut interrupt: Signal, mut terminate: Signal) {
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stop.is_requested() {
            std::process::exit(Exit::Interrupted as i32);
        }
        write_err("stopping at the end of this page; once more to stop at once");
        stop.request();
    }
}
