//! The terminal that a table is drawn on again and again. Whatever ends the command, the terminal is as it was before.

use std::io::{self, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::failure::Failure;
use crate::out;

/// Another screen, without a cursor, lines cut at the edge.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
/// All of it undone.
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// How long a look that is under way may take after somebody asked to stop.
const MANNERS: Duration = Duration::from_millis(500);

/// A screen of our own, until it is dropped.
#[derive(Debug)]
pub struct Screen {
    stop: Receiver<()>,
}

impl Screen {
    /// Takes the terminal.
    pub fn enter() -> Result<Self, Failure> {
        let (tell, stop) = channel();
        let failed = |error: io::Error| Failure::unreachable("output", error.to_string());
        // First whoever gives it back, signals and all, then the taking: a Ctrl-C in between would leave it taken.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let asked = {
            let _within = runtime.enter();
            stop_signals().map_err(failed)?
        };
        std::thread::Builder::new()
            .name("stop".to_owned())
            .spawn(move || {
                runtime.block_on(asked);
                end_soon(&tell);
            })
            .map_err(failed)?;
        put(ENTER)?;
        Ok(Self { stop })
    }

    /// Draws lines in place of what was there.
    #[expect(
        clippy::unused_self,
        reason = "only who has taken the terminal may draw on it"
    )]
    pub fn draw(&self, lines: &[String]) -> Result<(), Failure> {
        let mut text = String::from("\x1b[H");
        for line in lines {
            text.push_str(line);
            text.push_str("\x1b[K\r\n");
        }
        put(&(text + "\x1b[J"))
    }

    /// Waits; whether somebody asked to stop meanwhile.
    pub fn asked_to_stop_within(&self, time: Duration) -> bool {
        !matches!(self.stop.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = put(LEAVE);
    }
}

/// Tells the command; where it does not end by itself soon, since it waits for a server, it is ended here.
fn end_soon(tell: &Sender<()>) {
    if tell.send(()).is_ok() {
        std::thread::sleep(MANNERS);
        let _ = put(LEAVE);
        std::process::exit(0);
    }
}

/// Ctrl-C and SIGTERM: heeded from now on, to be waited for.
#[cfg(unix)]
fn stop_signals() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ctrl-C, to be waited for.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as elsewhere")]
fn stop_signals() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn put(text: &str) -> Result<(), Failure> {
    let mut to = io::stdout().lock();
    to.write_all(text.as_bytes())
        .and_then(|()| to.flush())
        .map_err(|error| out::failed(&error))
}
