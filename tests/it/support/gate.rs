//! A gate in front of a MySQL or MariaDB server that lets so many schema statements through, and no more.
//!
//! It reads the client's packets (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html>),
//! so what it stops is what the program sent, whenever that is.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Gate {
    port: u16,
    state: Arc<State>,
}

struct State {
    left: AtomicIsize,
    reached: AtomicBool,
    stopped: Mutex<String>,
}

/// `COM_QUERY`: text that is run as it is. Schema statements have no other way.
const QUERY: u8 = 3;

impl Gate {
    pub fn new(server: u16, schema_statements: isize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            left: AtomicIsize::new(schema_statements),
            reached: AtomicBool::new(false),
            stopped: Mutex::default(),
        });
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                let (mut answers, mut asker) =
                    (server.try_clone().unwrap(), client.try_clone().unwrap());
                let state = shared.clone();
                thread::spawn(move || {
                    let _ = state.pass_on(client, &server);
                    // The server learns of the client's death at once, as it would without a gate.
                    let _ = server.shutdown(Shutdown::Both);
                });
                thread::spawn(move || {
                    let _ = io::copy(&mut answers, &mut asker);
                    let _ = asker.shutdown(Shutdown::Both);
                });
            }
        });
        Self { port, state }
    }

    /// The address with this gate in place of the server's port. Encrypted packets cannot be read.
    pub fn in_front_of(&self, address: &str) -> String {
        let (before, after) = address.rsplit_once(':').unwrap();
        let database = after.split_once('/').unwrap().1;
        format!("{before}:{}/{database}?ssl-mode=disabled", self.port)
    }

    /// Whether a schema statement stands before the gate and was not let through.
    pub fn is_reached(&self) -> bool {
        self.state.reached.load(Ordering::Acquire)
    }
}

impl Gate {
    /// The schema statement that was not let through.
    pub fn stopped(&self) -> String {
        self.state.stopped.lock().unwrap().clone()
    }
}

impl State {
    fn pass_on(&self, mut client: TcpStream, mut server: &TcpStream) -> io::Result<()> {
        loop {
            let mut header = [0; 4];
            client.read_exact(&mut header)?;
            let mut packet =
                vec![0; u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize];
            client.read_exact(&mut packet)?;
            if packet.first() == Some(&QUERY)
                && changes_schema(&packet[1..])
                && self.left.fetch_sub(1, Ordering::AcqRel) <= 0
            {
                *self.stopped.lock().unwrap() = String::from_utf8_lossy(&packet[1..]).into_owned();
                self.reached.store(true, Ordering::Release);
                return client.read(&mut header).map(drop);
            }
            server.write_all(&[&header[..], &packet].concat())?;
        }
    }
}

fn changes_schema(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let statement = text.lines().find(|line| !line.starts_with("--")).unwrap_or_default();
    ["CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "SET DEFAULT"]
        .iter()
        .any(|verb| statement.starts_with(verb))
}
