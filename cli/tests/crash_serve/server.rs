//! A `gala serve` process: started on free ports, told from what it prints, ended in several ways.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::world::{STAFF, USERS};

/// How long a start, or an end, may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where configs and data are.
#[derive(Debug, Clone)]
pub struct Home {
    pub configs: PathBuf,
    pub data: PathBuf,
    /// A store that several servers share; none: the embedded one in `data`.
    pub store: Option<String>,
    /// By how many seconds the process's clock is ahead.
    pub clock_ahead_secs: i64,
}

impl Home {
    /// Configs and an empty data folder of this name.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self {
            configs: crate::world::configs(folder),
            data: folder.join(name),
            store: None,
            clock_ahead_secs: 0,
        }
    }
}

/// Where a server listens.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    pub public: u16,
    pub admin: u16,
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    ready: Receiver<Ports>,
}

impl Server {
    /// Starts one, and waits for nothing.
    pub fn spawn(home: &Home) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gala"));
        if home.clock_ahead_secs != 0 {
            command.envs(another_clock(home.clock_ahead_secs));
        }
        Self::spawn_as(command, home)
    }

    /// As [`Server::spawn`], where no file may grow beyond `bytes`: a disk that is full there.
    pub fn spawn_with_files_up_to(home: &Home, bytes: u64) -> Self {
        // POSIX counts in blocks of 512 bytes. The signal is ignored, so that a write fails as on a full disk.
        let limit = format!(
            "trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"",
            bytes.div_ceil(512)
        );
        let mut command = Command::new("sh");
        command.args(["-c", &limit, env!("CARGO_BIN_EXE_gala")]);
        Self::spawn_as(command, home)
    }

    fn spawn_as(mut command: Command, home: &Home) -> Self {
        command
            .arg("serve")
            .arg("--configs")
            .arg(&home.configs)
            .arg("--data")
            .arg(&home.data);
        if let Some(store) = &home.store {
            command.args(["--store", store]);
        }
        command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        command
            .env(USERS.0, USERS.2)
            .env(STAFF.0, STAFF.2)
            .env_remove("GALA_LOG");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("gala starts");
        let stderr = BufReader::new(child.stderr.take().expect("its words"));
        let said = Arc::new(Mutex::new(Vec::new()));
        let (tell, ready) = channel();
        let kept = said.clone();
        // Ends with the process; until then it keeps the pipe from filling up.
        std::thread::spawn(move || {
            let (mut public, mut told) = (None, false);
            for line in stderr.lines().map_while(Result::ok) {
                public = public.or_else(|| port_before(&line, "/v1/"));
                if let (false, Some(public), Some(admin)) =
                    (told, public, port_before(&line, "/admin/"))
                {
                    told = tell.send(Ports { public, admin }).is_ok();
                }
                kept.lock().expect("no panic").push(line);
            }
        });
        Self { child, said, ready }
    }

    /// Starts one and waits until it listens.
    pub fn start(home: &Home) -> (Self, Ports) {
        let mut server = Self::spawn(home);
        let ports = server.ports();
        (server, ports)
    }

    /// Where it listens, as soon as it does.
    pub fn ports(&mut self) -> Ports {
        match self.ready.recv_timeout(PATIENCE) {
            Ok(ports) => ports,
            Err(error) => panic!("gala is not ready ({error}); it said:\n{}", self.said()),
        }
    }

    /// Everything that it wrote so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("no panic").join("\n")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        let ended = self.child.try_wait().expect("a state");
        assert!(
            ended.is_none(),
            "gala ended by itself ({ended:?}); it said:\n{}",
            self.said()
        );
        self.child.kill().expect("a kill");
        self.child.wait().expect("its end");
    }

    /// SIGTERM.
    pub fn ask_to_stop(&self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status()
            .expect("kill");
        assert!(asked.success(), "{asked}");
    }

    /// How it ended by itself, and all that it said.
    pub fn end(mut self) -> (ExitStatus, String) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a state") {
                // The reader of its words has the rest in a moment.
                sleep(Duration::from_millis(50));
                return (status, self.said());
            }
            assert!(
                Instant::now() < until,
                "gala does not end; it said:\n{}",
                self.said()
            );
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What gives a program another clock: the variables by which faketime does it. Its own process in between would be killed in
/// the program's place.
fn another_clock(ahead_secs: i64) -> Vec<(String, String)> {
    let ahead = format!("{ahead_secs:+}s");
    // The clock that time-outs are measured by stays.
    let said = Command::new("faketime")
        .args(["--exclude-monotonic", "-f", &ahead, "env"])
        .output();
    let said = match said {
        Ok(said) => String::from_utf8_lossy(&said.stdout).into_owned(),
        Err(error) => panic!("faketime is missing ({error}): apt-get install faketime"),
    };
    let names = [
        "LD_PRELOAD",
        "DYLD_INSERT_LIBRARIES",
        "FAKETIME",
        "DONT_FAKE_MONOTONIC",
        "FAKETIME_DONT_FAKE_MONOTONIC",
    ];
    said.lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| names.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The port of an address on this machine that is followed by `path`.
fn port_before(line: &str, path: &str) -> Option<u16> {
    let (_, address) = line.split_once("http://127.0.0.1:")?;
    let (port, rest) = address.split_once('/')?;
    rest.starts_with(path.trim_start_matches('/'))
        .then(|| port.parse().ok())
        .flatten()
}
