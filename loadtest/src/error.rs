//! What can stop a bench, each with the way out.

use std::io;
use std::path::PathBuf;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program that is not ours is not installed.
    #[error("{program} is not installed: {install}")]
    Missing {
        /// The program.
        program: &'static str,
        /// How to get it.
        install: &'static str,
    },
    /// One of our own programs is not built.
    #[error("{} is not there: run `cargo build --release -p cli -p loadtest`", .0.display())]
    NotBuilt(PathBuf),
    /// A command did not end well.
    #[error("`{command}` failed: {why}")]
    Command {
        /// The command.
        command: String,
        /// How it ended, and what it said.
        why: String,
    },
    /// A server did not get ready.
    #[error("{name} was not ready after {secs} s; it said:\n{said}")]
    NotReady {
        /// The contender.
        name: String,
        /// How long it was waited for.
        secs: u64,
        /// The end of its log.
        said: String,
    },
    /// A call was answered otherwise than the contender should answer.
    #[error("{name} answered {status} instead of what it should: {body}")]
    WrongAnswer {
        /// The contender.
        name: String,
        /// The status.
        status: u16,
        /// The body.
        body: String,
    },
    /// Answers under load were not all good, so that the figure would be worth nothing.
    #[error(
        "{name}: {bad} answers under load were errors, {sockets} sockets failed; the run is void"
    )]
    BadAnswers {
        /// The contender.
        name: String,
        /// Answers other than 2xx and 3xx.
        bad: u64,
        /// Sockets that failed.
        sockets: u64,
    },
    /// Fewer claims are kept than were answered.
    #[error(
        "{name} answered {answered} claims and keeps {kept}: what was measured is not what it claims to do"
    )]
    NotKept {
        /// The contender.
        name: String,
        /// Requests answered.
        answered: u64,
        /// Claims found afterwards.
        kept: u64,
    },
    /// The output of wrk was not understood.
    #[error("wrk's output has no {0}")]
    Wrk(&'static str),
    /// A file or socket failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: names what was tried.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
