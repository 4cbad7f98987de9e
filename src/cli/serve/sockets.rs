//! Sockets that systemd opened for the service (`sd_listen_fds(3)`): it listens before the service runs, and while it restarts.

use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;

use crate::exit::Exit;
use crate::failure::Failure;

/// The sockets that were passed to this process, and the address of the first.
pub(super) struct Opened {
    pub(super) sockets: Vec<TcpListener>,
    pub(super) address: Option<SocketAddr>,
}

impl Opened {
    pub(super) fn none() -> Self {
        Self { sockets: Vec::new(), address: None }
    }

    /// Takes all passed sockets. Refuses one that is not a listening TCP socket.
    pub(super) fn take() -> Result<Self, Failure> {
        let mut passed = ListenFd::from_env();
        let mut opened = Self::none();
        for number in 0..passed.len() {
            let socket = passed
                .take_tcp_listener(number)
                .ok()
                .flatten()
                .ok_or_else(|| no_listener(number))?;
            let address = socket.local_addr().map_err(|_| no_listener(number))?;
            opened.address.get_or_insert(address);
            opened.sockets.push(socket);
        }
        Ok(opened)
    }
}

fn no_listener(number: usize) -> Failure {
    let message = format!("socket {} of LISTEN_FDS is not a listening TCP socket", number + 1);
    Failure::new(Exit::Usage, "sockets", message)
        .help("set `ListenStream=` in the .socket unit to ADDRESS:PORT")
}
