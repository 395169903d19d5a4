//! A server that says exactly what it is told to, byte for byte: what no sound server would say.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::segments;

/// One request that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Which request of its connection it is, from 1.
    pub(crate) nth: u64,
    pub(crate) head: String,
}

impl Asked {
    pub(crate) fn path(&self) -> &str {
        let target = self.head.split(' ').nth(1).unwrap_or_default();
        target.split('?').next().unwrap_or_default()
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }
}

/// What is said, and what becomes of the connection then.
#[derive(Debug, Clone)]
pub(crate) struct Say {
    pub(crate) bytes: Vec<u8>,
    pub(crate) then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next request may come.
    Keep,
    /// It ends in order.
    Close,
    /// Nothing more is said, until the client goes.
    Hang,
}

impl Say {
    /// `head` is written with `\n` for line ends, and ends with an empty line.
    pub(crate) fn new(head: &str, body: &[u8]) -> Self {
        let bytes = [head.replace('\n', "\r\n").as_bytes(), body].concat();
        Self { bytes, then: Then::Keep }
    }

    pub(crate) fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }

    /// A sound answer with this body.
    pub(crate) fn ok(body: &[u8]) -> Self {
        Self::new(&format!("HTTP/1.1 200 OK\nContent-Length: {}\n\n", body.len()), body)
    }
}

/// The server; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Raw {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    ending: Arc<AtomicBool>,
}

impl Raw {
    /// Serves [`segments`], except what `answer` says something about.
    pub(crate) fn start(answer: impl Fn(&Asked) -> Option<Say> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (asked, ending) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::<AtomicBool>::default());
        let (list, is_over, answer) = (Arc::clone(&asked), Arc::clone(&ending), Arc::new(answer));
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), false) = (client, is_over.load(Ordering::SeqCst)) else { return };
                let (list, answer) = (Arc::clone(&list), Arc::clone(&answer));
                thread::spawn(move || serve(&client, &list, &*answer));
            }
        });
        Self { port, asked, ending }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The requests for a path so far.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        let all = self.asked.lock().expect("no test panics while it holds it");
        all.iter().filter(|asked| asked.path() == path).cloned().collect()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // Wakes the thread out of accept.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

type Answer = dyn Fn(&Asked) -> Option<Say> + Send + Sync;

fn serve(mut client: &TcpStream, list: &Mutex<Vec<Asked>>, answer: &Answer) {
    let files = segments();
    for nth in 1.. {
        let Some(head) = head_of(client) else { return };
        let asked = Asked { nth, head };
        list.lock().expect("no test panics while it holds it").push(asked.clone());
        let sound = || files.get(asked.path()).map(|body| Say::ok(body));
        let say = answer(&asked).or_else(sound);
        let say = say.unwrap_or_else(|| Say::new("HTTP/1.1 404 Not Found\nContent-Length: 0\n\n", b""));
        // The client may go whenever it likes.
        let sent = client.write_all(&say.bytes);
        match say.then {
            Then::Keep if sent.is_ok() => {}
            Then::Keep | Then::Close => {
                let _ = client.shutdown(Shutdown::Write);
                return;
            }
            Then::Hang => {
                let _ = client.read(&mut [0; 1]);
                return;
            }
        }
    }
}

fn head_of(mut client: &TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0; 1]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}
