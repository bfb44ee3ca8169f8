//! The scripts, each known by the hash of its text. The server's memory of them is volatile (a restart, a promoted replica,
//! `SCRIPT FLUSH`), so a call that finds its script unknown sends the text once and goes on.

use std::borrow::Borrow;
use std::sync::OnceLock;
use std::time::Duration;

use redis::{Cmd, Value};

use super::keys::Key;
use super::link::{LinkError, Links};

/// A script of ours.
#[derive(Debug)]
pub(super) struct Script {
    text: &'static str,
    /// Worked out at the first call: a start only hands the text over.
    hash: OnceLock<String>,
}

impl Script {
    pub fn new(text: &'static str) -> Self {
        Self {
            text,
            hash: OnceLock::new(),
        }
    }

    fn hash(&self) -> &str {
        let of = || redis::Script::new(self.text).get_hash().to_owned();
        self.hash.get_or_init(of)
    }

    /// Hands its text to every primary, so that the first call finds it there.
    pub async fn load(&self, links: &Links) -> Result<(), LinkError> {
        let load = redis::cmd("SCRIPT").arg("LOAD").arg(self.text).to_owned();
        links.send_to_each(&load).await.map(drop)
    }

    /// A call of it, to be filled.
    pub fn call(&self) -> Call<'_> {
        Call {
            script: self,
            keys: Words::default(),
            args: Words::default(),
        }
    }
}

/// A call under way: keys and arguments.
#[derive(Debug)]
pub(super) struct Call<'a> {
    script: &'a Script,
    keys: Words,
    args: Words,
}

/// Words one after another in one buffer: a batch has hundreds.
#[derive(Debug, Default)]
struct Words {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Words {
    fn push(&mut self, fill: impl FnOnce(&mut Vec<u8>)) {
        fill(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins
            .zip(&self.ends)
            .map(|(begin, &end)| self.bytes.get(begin..end).unwrap_or_default())
    }
}

impl Call<'_> {
    pub fn key(mut self, key: impl Borrow<Key>) -> Self {
        self.keys
            .push(|bytes| bytes.extend_from_slice(key.borrow().as_bytes()));
        self
    }

    pub fn keys(self, keys: impl IntoIterator<Item = impl Borrow<Key>>) -> Self {
        keys.into_iter().fold(self, Self::key)
    }

    pub fn arg(self, arg: impl AsRef<[u8]>) -> Self {
        self.arg_with(|bytes| bytes.extend_from_slice(arg.as_ref()))
    }

    pub fn args(self, args: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// An argument that is appended to what it is given.
    pub fn arg_with(mut self, fill: impl FnOnce(&mut Vec<u8>)) -> Self {
        self.args.push(fill);
        self
    }

    fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", self.script.hash())
    }

    fn by_text(&self) -> Cmd {
        self.command("EVAL", self.script.text)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let words = self.keys.ends.len() + self.args.ends.len() + 3;
        let bytes = self.keys.bytes.len() + self.args.bytes.len() + script.len() + 32;
        let mut command = Cmd::with_capacity(words, bytes);
        command.arg(name).arg(script).arg(self.keys.ends.len());
        for word in self.keys.iter().chain(self.args.iter()) {
            command.arg(word);
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
        let key = self.keys.iter().next().unwrap_or_default();
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
