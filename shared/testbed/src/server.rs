//! One redis-server: started on a free port, and all that can happen to it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use redis::{Client, Connection, FromRedisValue, RedisResult, Value};
use tempfile::TempDir;

use crate::port::free_port;
use crate::process::Process;
use crate::until::until;

/// How long a start may take on a busy machine, and how long a reply.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often another port is tried when one was taken.
const PORTS: usize = 20;

/// What a test's server has unless options say otherwise: nothing is kept on disk, and nothing is waited for.
const USUAL: [(&str, &str); 4] = [
    ("save", ""),
    ("appendonly", "no"),
    ("enable-debug-command", "yes"),
    // A replica's first copy begins at once.
    ("repl-diskless-sync-delay", "0"),
];

/// A redis-server of its own on 127.0.0.1; killed, and its folder removed, when dropped.
#[derive(Debug)]
pub struct Server {
    process: Option<Process>,
    port: u16,
    folder: TempDir,
    file: Option<PathBuf>,
    options: Vec<(String, String)>,
}

impl Server {
    /// Starts one that keeps nothing on disk.
    ///
    /// # Panics
    ///
    /// If redis-server is missing or does not answer, as all of this crate does.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// As [`Server::start`], with options as redis.conf has them: `("appendonly", "yes")`.
    pub fn with(options: &[(&str, &str)]) -> Self {
        Self::run(None, &[&USUAL, options].concat())
    }

    /// Starts one with these options; whatever they don't say is as Redis has it by itself.
    pub fn as_it_comes(options: &[(&str, &str)]) -> Self {
        Self::run(None, options)
    }

    /// Starts one with a configuration file, and options that go before what the file says; so do its port, its address, and
    /// where its files are.
    pub fn configured(file: &Path, options: &[(&str, &str)]) -> Self {
        Self::run(Some(file.to_owned()), options)
    }

    fn run(file: Option<PathBuf>, options: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self {
            process: None,
            port: 0,
            folder,
            file,
            options: options
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        for _ in 0..PORTS {
            server.port = free_port();
            if server.try_start() {
                return server;
            }
        }
        panic!(
            "{PORTS} ports were taken, or redis-server does not start:\n{}",
            server.log()
        );
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its process id.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn pid(&self) -> u32 {
        self.running().pid()
    }

    /// Whether it was started and not killed.
    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it wrote into its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// `kill -9`; nothing happens if it does not run.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it again on the same port with the same folder, after a `kill -9` if it still runs; waits until it answers.
    pub fn restart(&mut self) {
        self.kill();
        until("the server's own port", PATIENCE, || {
            self.try_start().then_some(())
        });
    }

    /// As [`Server::restart`], with an empty folder: the server that comes back has forgotten everything.
    pub fn wipe_and_restart(&mut self) {
        self.kill();
        for entry in fs::read_dir(self.folder.path()).expect("its folder") {
            let path = entry.expect("an entry").path();
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.expect("a file of ours");
        }
        self.restart();
    }

    /// Cuts a torn tail off the append-only file while the server is down, as whoever runs it must after a loss of power
    /// (`redis-check-aof --fix`). Redis 7.0 itself leaves the beginning of a transaction that was torn in its file, and at the
    /// *next* start takes it for a part of the transaction after it, which had been acknowledged.
    pub fn repair(&self) {
        assert!(!self.runs(), "a file that is in use");
        let manifest = self
            .folder
            .path()
            .join("appendonlydir/appendonly.aof.manifest");
        let mut repairing = Command::new("redis-check-aof")
            .arg("--fix")
            .arg(manifest)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-check-aof, which comes with redis-server");
        // It asks before it cuts; where there is nothing to cut, it may end before it reads the answer.
        let _ = repairing.stdin.take().expect("its input").write_all(b"y\n");
        let repaired = repairing.wait().expect("its end");
        assert!(repaired.success(), "redis-check-aof: {repaired}");
    }

    /// SIGSTOP: connections stay, and nothing answers.
    pub fn stop_signal(&self) {
        self.running().stop_signal();
    }

    /// SIGCONT.
    pub fn continue_signal(&self) {
        self.running().continue_signal();
    }

    /// Sends one command over a connection of its own: `server.command(&["SET", "k", "v"])`.
    ///
    /// # Panics
    ///
    /// If the server does not answer, or refuses.
    pub fn command(&self, words: &[&str]) -> Value {
        self.ask(words)
    }

    /// As [`Server::command`], with the answer as what is asked for.
    pub fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        match self.try_ask(words) {
            Ok(answer) => answer,
            Err(error) => panic!("{words:?} on port {}: {error}", self.port),
        }
    }

    /// As [`Server::ask`], with what went wrong.
    pub fn try_ask<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let mut connection = self.connect(Duration::from_secs(10))?;
        let (name, arguments) = words.split_first().expect("a command's name");
        redis::cmd(name).arg(arguments).query(&mut connection)
    }

    /// A connection of its own, where no reply may take longer than `patience`.
    pub fn connect(&self, patience: Duration) -> RedisResult<Connection> {
        let client = Client::open(self.address())?;
        let connection = client.get_connection_with_timeout(patience)?;
        connection.set_read_timeout(Some(patience))?;
        connection.set_write_timeout(Some(patience))?;
        Ok(connection)
    }

    /// A field of `INFO`, for example `used_memory`.
    pub fn info(&self, field: &str) -> Option<String> {
        self.try_ask::<String>(&["INFO", "everything"])
            .ok()
            .and_then(|info| field_of(&info, field))
    }

    /// How many connections it has closed whose other end, on this machine, has not noticed yet: what is in CLOSE_WAIT.
    pub fn unnoticed_ends(&self) -> usize {
        let sockets = fs::read_to_string("/proc/net/tcp").expect("the kernel's list of sockets");
        let there = format!(":{:04X}", self.port);
        let is_one = |line: &&str| {
            let mut fields = line.split_whitespace();
            fields.nth(2).is_some_and(|to| to.ends_with(&there)) && fields.next() == Some("08")
        };
        sockets.lines().filter(is_one).count()
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("a server that runs")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("redis.log")
    }

    /// Starts it and waits until it answers; false if its port is taken.
    fn try_start(&mut self) -> bool {
        let mut process = start(self.command_line());
        // Another program may have the port, and answer there: only this process will do.
        let answers = until("a redis-server that answers", PATIENCE, || {
            if process.ended().is_some() {
                return Some(false);
            }
            let info: String = match self.try_ask(&["INFO", "everything"]) {
                Ok(info) => info,
                // Nobody comes in without a name: then its own log must do.
                Err(error) if error.code() == Some("NOAUTH") => {
                    return self.log().contains("Ready to accept").then_some(true);
                }
                Err(_) => return None,
            };
            let its_own = field_of(&info, "process_id")? == process.pid().to_string();
            let loaded = field_of(&info, "loading").is_none_or(|loading| loading == "0");
            (its_own && loaded).then_some(true)
        });
        if answers {
            self.process = Some(process);
            return true;
        }
        let log = self.log();
        assert!(
            log.contains("Address already in use") || log.contains("Failed listening"),
            "redis-server ended by itself:\n{log}"
        );
        let _ = fs::remove_file(self.log_file());
        false
    }

    fn command_line(&self) -> Command {
        let mut command = Command::new("redis-server");
        command.args(&self.file);
        let mut option = |name: &str, value: &str| {
            command.arg(format!("--{name}"));
            // `save 3600 1` is three words; an empty value is one.
            if value.is_empty() {
                command.arg("");
            }
            command.args(value.split_whitespace());
        };
        let port = self.port.to_string();
        let folder = self.folder.path().display().to_string();
        let log = self.log_file().display().to_string();
        for (name, value) in [
            ("port", port.as_str()),
            ("bind", "127.0.0.1"),
            ("dir", &folder),
            ("logfile", &log),
            ("daemonize", "no"),
        ] {
            option(name, value);
        }
        for (name, value) in &self.options {
            option(name, value);
        }
        command
    }
}

/// Starts a redis program.
pub(crate) fn start(command: Command) -> Process {
    let program = command.get_program().to_string_lossy().into_owned();
    match Process::start(command) {
        Ok(process) => process,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let package = if program == "redis-sentinel" {
                "redis-sentinel"
            } else {
                "redis-server"
            };
            panic!("{program} is missing: apt-get install {package}")
        }
        Err(error) => panic!("{program} does not start: {error}"),
    }
}

/// A field of an INFO-like text.
pub(crate) fn field_of(text: &str, field: &str) -> Option<String> {
    text.lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .map(|value| value.trim().to_owned())
}

#[cfg(test)]
mod tests;
