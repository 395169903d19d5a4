//! The handle, and the thread behind it.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::serve::ListenerExt as _;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::access::{Access, is_web_origin};
use crate::address::path_of;
use crate::answer::Desk;
use crate::library::Library;
use crate::token::Token;
use crate::{Error, ErrorKind};

/// Threads that wait for the disk and the library.
const WAITING_THREADS: usize = 16;
const END_LIMIT: Duration = Duration::from_secs(5);

/// Plays a [`Library`] on 127.0.0.1, to those who know the token in its URLs.
///
/// It lives on one thread of its own (and a few that wait for the disk); dropping it ends that.
pub struct PlaybackServer {
    desk: Arc<Desk>,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl PlaybackServer {
    /// Starts on a free port, with a new token.
    ///
    /// # Errors
    /// [`ErrorKind::Bind`] when no port is free.
    pub fn start(library: Arc<dyn Library>) -> Result<Self, Error> {
        Self::builder(library).start()
    }

    /// A server to be set up.
    #[must_use]
    pub fn builder(library: Arc<dyn Library>) -> Builder {
        Builder { library, port: 0, origins: Vec::new() }
    }

    /// The URL of a file in an item's folder: `http://127.0.0.1:PORT/TOKEN/ID/PATH`.
    ///
    /// `relative` has `/` between its names. Nothing is looked up: an unknown id has a URL that answers 404. The
    /// URL is a secret, good until this server ends; do not store it.
    #[must_use]
    pub fn url_for(&self, id: &str, relative: &str) -> String {
        format!("http://127.0.0.1:{}{}", self.port(), path_of(self.desk.token.as_str(), id, relative))
    }

    /// The ids of everything in the library, each with the URL that a player opens.
    #[must_use]
    pub fn urls(&self) -> Vec<(String, String)> {
        let ids = self.desk.library.ids().into_iter();
        let urls = ids.filter_map(|id| {
            let presentation = self.desk.library.open(&id)?;
            let url = self.url_for(&id, presentation.master.as_str());
            Some((id, url))
        });
        urls.collect()
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.desk.access.port
    }

    /// Ends all connections and waits for the thread; what is being sent is broken off.
    ///
    /// Waits at most 5 s for a library that does not return.
    pub fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { stop, thread }) = running else { return };
        let _ = stop.send(()); // the thread may have ended by itself
        drop(thread.join());
    }
}

impl Drop for PlaybackServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for PlaybackServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaybackServer").field("access", &self.desk.access).finish_non_exhaustive()
    }
}

/// What a [`PlaybackServer`] is started with.
pub struct Builder {
    library: Arc<dyn Library>,
    port: u16,
    origins: Vec<String>,
}

impl Builder {
    /// Listens on this port; 0, the default, is any free one.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Lets pages of this web origin (`https://player.example`) read the answers; by default no page of another
    /// origin can. May be called for several.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    /// [`ErrorKind::Bind`] when the port is taken, [`ErrorKind::Origin`] for an origin that no browser would send.
    pub fn start(self) -> Result<PlaybackServer, Error> {
        let Self { library, port, origins } = self;
        if let Some(wrong) = origins.iter().find(|origin| !is_web_origin(origin)) {
            return Err(ErrorKind::Origin(wrong.clone()).into());
        }
        let token = Token::random().map_err(ErrorKind::Random)?;
        let (listener, port) = listen(port).map_err(|source| ErrorKind::Bind { port, source })?;
        let desk = Arc::new(Desk { library, token, access: Access { port, origins } });
        let running = run(listener, Arc::clone(&desk)).map_err(ErrorKind::Thread)?;
        Ok(PlaybackServer { desk, running: Mutex::new(Some(running)) })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { port, origins, .. } = self;
        f.debug_struct("Builder").field("port", port).field("origins", origins).finish_non_exhaustive()
    }
}

fn listen(port: u16) -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// A runtime on a thread of its own: callers never see that there is one.
fn run(listener: TcpListener, desk: Arc<Desk>) -> io::Result<Running> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(WAITING_THREADS).build()?;
    let listener = {
        let _entered = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let (stop, stopped) = oneshot::channel();
    let thread = thread::Builder::new().name("playback-server".to_owned());
    let thread = thread.spawn(move || serve(runtime, listener, desk, stopped))?;
    Ok(Running { stop, thread })
}

fn serve(
    runtime: Runtime,
    listener: tokio::net::TcpListener,
    desk: Arc<Desk>,
    stopped: oneshot::Receiver<()>,
) {
    let router = Router::new().fallback(move |request: Request| Arc::clone(&desk).answer(request));
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true); // only slower without
    });
    runtime.block_on(async {
        tokio::spawn(async { axum::serve(listener, router).await });
        let _ = stopped.await; // an error means that the handle is gone, which is the same
    });
    runtime.shutdown_timeout(END_LIMIT);
}

#[cfg(test)]
mod tests;
