//! A port that leads to a server, and can be closed with everything that goes through it.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Forwarder {
    pub port: u16,
    through: Arc<Through>,
}

#[derive(Default)]
struct Through {
    is_closed: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

impl Forwarder {
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let through = Arc::new(Through::default());
        let shared = through.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.is_closed.load(Ordering::Acquire) {
                    return;
                }
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                for (mut from, mut to) in [
                    (client.try_clone().unwrap(), server.try_clone().unwrap()),
                    (server.try_clone().unwrap(), client.try_clone().unwrap()),
                ] {
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                    });
                }
                shared.streams.lock().unwrap().push(client);
            }
        });
        Self { port, through }
    }

    /// Ends every connection; whoever connects from now on is refused.
    pub fn close(&self) {
        self.through.is_closed.store(true, Ordering::Release);
        // Wakes the listener, which then is dropped.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        for stream in self.through.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
