//! An address that stays while the server behind it changes, as a proxy in front of a cluster gives.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Relay {
    port: u16,
    behind: Arc<AtomicU16>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    /// A relay to a port of this machine.
    pub fn to(behind: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let relay = Self { port, behind: Arc::new(behind.into()), open: Arc::default() };
        let (behind, open) = (relay.behind.clone(), relay.open.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // Without a server the client's connection ends, as at a proxy that has none.
                let to = ("127.0.0.1", behind.load(Ordering::Acquire));
                let Ok(server) = TcpStream::connect(to) else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                open.lock().unwrap().push(server.try_clone().unwrap());
                pass_on(client.try_clone().unwrap(), server.try_clone().unwrap());
                pass_on(server, client);
            }
        });
        relay
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same address with this relay's port.
    pub fn in_front_of(&self, address: &str) -> String {
        let (before, after) = address.rsplit_once(':').unwrap();
        let database = after.split_once('/').unwrap().1;
        format!("{before}:{}/{database}", self.port)
    }

    /// Ends every connection; new ones go to another port.
    pub fn turn_to(&self, behind: u16) {
        self.behind.store(behind, Ordering::Release);
        for server in self.open.lock().unwrap().drain(..) {
            let _ = server.shutdown(Shutdown::Both);
        }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}
