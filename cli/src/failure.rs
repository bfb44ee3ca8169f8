//! How a command ends when it does not end well: an exit code for scripts, a code and words for people.

use std::fmt;
use std::process::ExitCode;

use serde_json::json;

/// The exit codes, documented and stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was checked does not hold, or was refused.
    Check = 1,
    /// The command was not understood, or names something that is not there.
    Usage = 2,
    /// A server, a store or a file system could not be reached.
    Unreachable = 3,
    /// What was measured misses what was asked of it.
    Missed = 4,
}

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// A stable word for scripts.
    pub code: String,
    /// What is wrong and the way out; empty where everything has been said already.
    pub message: String,
}

impl Failure {
    /// The check is red, and what is wrong has been printed.
    pub fn red() -> Self {
        Self::new(Exit::Check, "red", "")
    }

    /// Something does not hold or was refused.
    pub fn check(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Exit::Check, code, message)
    }

    /// The command makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Something is not there.
    pub fn unreachable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Exit::Unreachable, code, message)
    }

    /// What was measured misses what was asked of it.
    pub fn missed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Exit::Missed, code, message)
    }

    fn new(exit: Exit, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.into(),
            message: message.into(),
        }
    }

    /// Says it on stderr and gives the exit code.
    pub fn report(&self, as_json: bool) -> ExitCode {
        if !self.message.is_empty() {
            if as_json {
                eprintln!("{}", json!({ "code": self.code, "message": self.message }));
            } else {
                eprintln!("error[{}]: {}", self.code, self.message);
            }
        }
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
