//! Standard output is data: one place that writes it, and knows whether a person or a program reads it.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;

/// How a command speaks.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    /// Data as JSON.
    pub json: bool,
}

impl Out {
    /// Writes data.
    #[expect(
        clippy::unused_self,
        reason = "a method says what is data and what is not, whatever it needs for that"
    )]
    pub fn text(self, text: impl AsRef<str>) -> Result<(), Failure> {
        write(text.as_ref().as_bytes())
    }

    /// Writes a line of data.
    pub fn line(self, text: impl AsRef<str>) -> Result<(), Failure> {
        self.text(format!("{}\n", text.as_ref()))
    }

    /// Writes one JSON value.
    pub fn value(self, value: &impl Serialize) -> Result<(), Failure> {
        // Maps keyed by strings and plain values: nothing that is printed can fail to serialise.
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.line(text)
    }

    /// Says something to whoever watches; silent where a program reads.
    pub fn note(self, text: impl AsRef<str>) {
        if !self.json {
            eprintln!("{}", text.as_ref());
        }
    }
}

/// Whether standard output may be coloured and drawn on: a terminal, and nobody asked for plain text.
pub fn is_fancy() -> bool {
    io::stdout().is_terminal() && is_coloured()
}

/// Whether nobody asked for plain text (<https://no-color.org>).
pub fn is_coloured() -> bool {
    let asked = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !asked && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) => Err(failed(&error)),
    }
}

/// What a failed write means. A reader that has seen enough (`head`) is no reason for words.
pub fn failed(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::unreachable("output-closed", ""),
        _ => Failure::unreachable(
            "output",
            format!("the output could not be written: {error}"),
        ),
    }
}
