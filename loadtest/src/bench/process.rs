//! Programs under load: started, watched, stopped by their own handle. None outlives the bench.

use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Error;

/// A running program. Dropped, it is killed.
#[derive(Debug)]
pub struct Child {
    name: String,
    process: std::process::Child,
    log: Option<PathBuf>,
}

impl Child {
    /// Starts a program.
    pub fn start(name: &str, command: &mut Command) -> Result<Self, Error> {
        let process = command
            .spawn()
            .map_err(Error::io(format!("{name} can't be started")))?;
        Ok(Self {
            name: name.to_owned(),
            process,
            log: None,
        })
    }

    /// Starts a server whose words go to `log`, and waits until its port takes connections.
    pub fn serve(
        name: &str,
        command: &mut Command,
        port: u16,
        log: PathBuf,
    ) -> Result<Self, Error> {
        let open = |error| Error::io(format!("{} can't be written", log.display()))(error);
        let out = File::create(&log).map_err(open)?;
        let err = out.try_clone().map_err(open)?;
        let mut child = Self::start(name, command.stdin(Stdio::null()).stdout(out).stderr(err))?;
        child.log = Some(log);
        child.wait_for(port)?;
        Ok(child)
    }

    fn wait_for(&mut self, port: u16) -> Result<(), Error> {
        const SECS: u64 = 20;
        let until = Instant::now() + Duration::from_secs(SECS);
        loop {
            if TcpStream::connect_timeout(&loopback(port), Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
            let gone = self.process.try_wait().is_ok_and(|status| status.is_some());
            if gone || Instant::now() > until {
                return Err(Error::NotReady {
                    name: self.name.clone(),
                    secs: SECS,
                    said: self.said(),
                });
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// The end of what it wrote.
    fn said(&self) -> String {
        let said = self
            .log
            .as_ref()
            .and_then(|log| fs::read_to_string(log).ok())
            .unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its output, once it has ended by itself, which it must within `limit`.
    pub fn output(self, limit: Duration) -> Result<String, Error> {
        self.watched(limit, |_| {})
    }

    /// The same, looked at by its id again and again while it runs.
    pub fn watched(mut self, limit: Duration, mut look: impl FnMut(u32)) -> Result<String, Error> {
        let failed = |why: String| Error::Command {
            command: self.name.clone(),
            why,
        };
        let mut output = String::new();
        // What these programs print fits into a pipe: they do not wait for us to read it.
        let until = Instant::now() + limit;
        let status = loop {
            look(self.id());
            match self.process.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < until => sleep(Duration::from_millis(10)),
                Ok(None) => return Err(failed(format!("not over after {} s", limit.as_secs()))),
                Err(error) => return Err(failed(error.to_string())),
            }
        };
        if let Some(mut stdout) = self.process.stdout.take() {
            stdout
                .read_to_string(&mut output)
                .map_err(|error| failed(error.to_string()))?;
        }
        if status.success() {
            Ok(output)
        } else {
            Err(failed(format!("{status}: {output}")))
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Already gone, maybe: then there is nothing to stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Nanoseconds of CPU time that the threads of a process have used. A thread that has ended is not counted any more; the
/// servers here keep theirs.
pub fn cpu_nanos(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    let used = |task: PathBuf| -> Option<u64> {
        fs::read_to_string(task.join("schedstat"))
            .ok()?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    };
    tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| used(task.path()))
        .sum()
}

/// The memory that a process holds, in MB.
pub fn resident_mb(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kb = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .split_whitespace()
            .next()?
            .parse::<f64>()
            .ok()
    });
    kb.unwrap_or(0.0) / 1024.0
}

/// A port of this machine's that nobody uses.
pub fn free_port() -> Result<u16, Error> {
    let address = TcpListener::bind(loopback(0)).and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(Error::io("no free port on 127.0.0.1"))
}

/// An address that only this machine reaches.
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Whether a program is on the path.
pub fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder: PathBuf| is_file(&folder.join(program)))
}

fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file())
}
