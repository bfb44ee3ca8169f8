//! The scripts, each known by the hash of its text. The server's memory of them is volatile (a restart, a promoted replica,
//! `SCRIPT FLUSH`), so a call that finds its script unknown sends the text once and goes on.

use std::time::Duration;

use redis::{Cmd, Value};

use super::keys::Key;
use super::link::{LinkError, Links};

/// A script of ours.
#[derive(Debug)]
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    pub fn new(text: &'static str) -> Self {
        let hash = redis::Script::new(text).get_hash().to_owned();
        Self { text, hash }
    }

    /// A call of it, to be filled.
    pub fn call(&self) -> Call<'_> {
        Call {
            script: self,
            keys: Vec::new(),
            args: Vec::new(),
        }
    }
}

/// A call under way: keys and arguments.
#[derive(Debug)]
pub(super) struct Call<'a> {
    script: &'a Script,
    pub keys: Vec<Key>,
    pub args: Vec<Vec<u8>>,
}

impl Call<'_> {
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    pub fn arg(mut self, arg: impl Into<Vec<u8>>) -> Self {
        self.args.push(arg.into());
        self
    }

    fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    fn by_text(&self) -> Cmd {
        self.command("EVAL", self.script.text)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let bytes = self.args.iter().map(|arg| arg.len() + 16).sum::<usize>()
            + self.keys.len() * 96
            + script.len();
        let mut command = Cmd::with_capacity(3 + self.keys.len() + self.args.len(), bytes);
        command.arg(name).arg(script).arg(self.keys.len());
        for key in &self.keys {
            command.arg(key);
        }
        for arg in &self.args {
            command.arg(arg.as_slice());
        }
        command
    }

    /// Runs it over a shared connection.
    pub async fn run(&self, links: &Links) -> Result<Value, LinkError> {
        match links.send(&self.by_hash()).await {
            Err(LinkError::Refused { code, .. }) if code == "NOSCRIPT" => {
                links.send(&self.by_text()).await
            }
            other => other,
        }
    }

    /// Runs it over a connection of its own and waits until `replicas` have what it wrote; how many had it in time.
    pub async fn run_and_wait(
        &self,
        links: &Links,
        replicas: u32,
        wait: Duration,
    ) -> Result<(Value, u32), LinkError> {
        let key = self.keys.first().map(Key::as_bytes).unwrap_or_default();
        let first = links
            .send_and_wait(key, &self.by_hash(), replicas, wait)
            .await;
        match first {
            Err(LinkError::Refused { code, .. }) if code == "NOSCRIPT" => {
                links
                    .send_and_wait(key, &self.by_text(), replicas, wait)
                    .await
            }
            other => other,
        }
    }
}
