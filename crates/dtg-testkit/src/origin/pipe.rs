//! The bytes of a connection, as they are or encrypted.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use super::Ending;

/// What encrypts a connection. It reads from and writes to the socket that it is handed.
pub(super) trait Layer {
    fn read(&mut self, socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize>;
    /// Takes some of the bytes, and hands all that it took to the system.
    fn write(&mut self, socket: &TcpStream, bytes: &[u8]) -> io::Result<usize>;
    /// Tells the peer that nothing more comes.
    fn finish(&mut self, socket: &TcpStream) -> io::Result<()>;
    /// Whether the peer's end is still open; the socket does not block meanwhile.
    fn peer_is_there(&mut self, socket: &TcpStream) -> bool;
}

/// Makes the layer of a new connection: returns once both sides have agreed on it.
pub(super) type Agree = dyn Fn(&TcpStream) -> io::Result<Box<dyn Layer>> + Send + Sync;

/// One connection's two ends of bytes, for the thread that serves it.
pub(super) struct Pipe<'a> {
    socket: &'a TcpStream,
    layer: Option<RefCell<Box<dyn Layer>>>,
}

impl<'a> Pipe<'a> {
    /// A socket without a layer, until [`Pipe::agree`].
    pub(super) const fn plain(socket: &'a TcpStream) -> Self {
        Self { socket, layer: None }
    }

    /// Puts a layer over the socket.
    pub(super) fn agree(&mut self, agree: &Agree) -> io::Result<()> {
        self.layer = Some(RefCell::new(agree(self.socket)?));
        Ok(())
    }

    /// Whether the peer's end is still open. One that has only closed its sending half counts as gone.
    pub(super) fn client_is_there(&self) -> bool {
        if self.socket.set_nonblocking(true).is_err() {
            return false;
        }
        let there = match &self.layer {
            Some(layer) => layer.borrow_mut().peer_is_there(self.socket),
            None => match self.socket.peek(&mut [0]) {
                Ok(bytes) => bytes > 0,
                Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            },
        };
        let blocking = self.socket.set_nonblocking(false);
        there && blocking.is_ok()
    }

    /// Sends the next bytes of a file; an error when it has fewer.
    pub(super) fn send_file(&self, file: &File, bytes: u64) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if self.layer.is_none() {
            return send_pages(file, self.socket, bytes);
        }
        let (mut pipe, mut read) = (self, Vec::with_capacity(usize::try_from(bytes).unwrap_or_default()));
        file.take(bytes).read_to_end(&mut read)?;
        match read.len() as u64 == bytes {
            true => pipe.write_all(&read),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Ends the connection, as soon as its last owner lets go of it.
    pub(super) fn end(&self, ending: Ending) {
        match ending {
            // What lingers for no time is reset by its close.
            Ending::Reset => drop(set_socket_linger(self.socket, Some(Duration::ZERO))),
            Ending::Fin => {
                if let Some(layer) = &self.layer {
                    drop(layer.borrow_mut().finish(self.socket));
                }
                self.fin();
            }
            Ending::BareFin => self.fin(),
        }
    }

    fn fin(&self) {
        drop(self.socket.shutdown(Shutdown::Write));
        self.drain();
    }

    /// Reads what the client still sends, for a while: to close a socket with unread bytes resets it, and the
    /// client might lose the end of the response.
    fn drain(&self) {
        drop(self.socket.set_read_timeout(Some(Duration::from_millis(500))));
        drop(io::copy(&mut self.socket.take(1024 * 1024), &mut io::sink()));
    }
}

/// From the kernel's cache to the socket without a copy, which `io::copy` does not do between these two.
#[cfg(target_os = "linux")]
fn send_pages(file: &File, socket: &TcpStream, bytes: u64) -> io::Result<()> {
    let mut left = usize::try_from(bytes).map_err(io::Error::other)?;
    while left > 0 {
        match rustix::fs::sendfile(socket, file, None, left) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(sent) => left -= sent,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

impl Read for &Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut socket = self.socket;
        match &self.layer {
            Some(layer) => layer.borrow_mut().read(socket, buffer),
            None => socket.read(buffer),
        }
    }
}

impl Write for &Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut socket = self.socket;
        match &self.layer {
            Some(layer) => layer.borrow_mut().write(socket, bytes),
            None => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // nothing is kept back
    }
}
