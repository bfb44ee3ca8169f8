//! Runs a script by its hash, and sends its text once where the server does not know it.

use redis::{Cmd, Value};

use super::link::{LinkError, Links};
use crate::Error;

/// Runs `script` on `keys` (the first of them says where) with `args`.
pub(super) async fn eval(
    links: &Links,
    script: &redis::Script,
    text: &str,
    keys: &[&str],
    args: &[&str],
) -> Result<Value, LinkError> {
    let command = |name: &str, script: &str| -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(keys.len()).arg(keys).arg(args);
        command
    };
    match links.send(&command("EVALSHA", script.get_hash())).await {
        Err(LinkError::Refused { code, .. }) if code == "NOSCRIPT" => {
            links.send(&command("EVAL", text)).await
        }
        other => other,
    }
}

/// What a caller may conclude when a script that writes gave no answer.
pub(super) fn written(error: &LinkError) -> Error {
    match error {
        LinkError::Lost(_) => Error::Unknown(error.to_string()),
        LinkError::Away(_) | LinkError::Refused { .. } => Error::NotWritten(error.to_string()),
    }
}

/// An answer that no script of ours gives.
pub(super) fn strange(answer: &Value) -> Error {
    Error::Unknown(format!("a script answered {answer:?}"))
}
