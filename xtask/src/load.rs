//! `cargo xtask load`: the shortest scenario against a server of its own. It fails on truth and errors, never on speed: the machine that
//! CI runs on says nothing about the one that serves.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic, Result, WrapErr, bail};

use crate::step::Step;

const SCENARIO: &str = "loadtest/scenarios/smoke.yaml";
const GALA: &str = "target/debug/gala";
/// How `gala load` ends where promises were kept and calls answered, and only the figures are not as asked.
const SPEED: i32 = 4;

/// Builds `gala`, serves `configs/` on free ports with an empty store, and plays the scenario; the report is left in `target/load/smoke`.
pub fn smoke(root: &Path) -> Result<()> {
    // As the tests build it, so that nothing is compiled twice.
    Step::cargo(["test", "--workspace", "--no-run", "--locked"]).run()?;
    let folder = root.join("target/load");
    let (data, report) = (folder.join("data"), folder.join("smoke"));
    for old in [&data, &report] {
        if old.exists() {
            fs::remove_dir_all(old).into_diagnostic()?;
        }
    }
    fs::create_dir_all(&folder).into_diagnostic()?;
    let (target, admin) = (free()?, free()?);
    let log = folder.join("serve.log");
    let server = Server::start(target, admin, &data, &log)?;
    let played = server.ready(target, &log).and_then(|()| {
        let status = Command::new(GALA)
            .args(["load", SCENARIO, "--target", &format!("http://{target}")])
            .args(["--admin", &format!("http://{admin}"), "--report"])
            .arg(&report)
            .status()
            .into_diagnostic()?;
        match status.code() {
            Some(0) => Ok(()),
            Some(SPEED) => {
                eprintln!(
                    "  a limit was missed, or the generator fell behind: no reason to fail here"
                );
                Ok(())
            }
            _ => bail!("`gala load {SCENARIO}` ended with {status}"),
        }
    });
    drop(server);
    played.wrap_err_with(|| {
        format!(
            "the load test found something: {} says what, the server's words are in {}",
            report.join("report.html").display(),
            log.display()
        )
    })
}

/// A server, which ends with us.
struct Server(RefCell<Child>);

impl Server {
    fn start(target: SocketAddr, admin: SocketAddr, data: &Path, log: &Path) -> Result<Self> {
        let said = File::create(log).into_diagnostic()?;
        let child = Command::new(GALA)
            .args(["serve", "--configs", "configs", "--data"])
            .arg(data)
            .args(["--listen", &target.to_string()])
            .args(["--admin-listen", &admin.to_string()])
            .stdin(Stdio::null())
            .stdout(said.try_clone().into_diagnostic()?)
            .stderr(said)
            .spawn()
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot start {GALA}"))?;
        Ok(Self(child.into()))
    }

    fn ready(&self, at: SocketAddr, log: &Path) -> Result<()> {
        let until = Instant::now() + Duration::from_mins(1);
        while !answers(at) {
            let gone = self.0.borrow_mut().try_wait().into_diagnostic()?;
            if gone.is_some() || Instant::now() > until {
                let said = fs::read_to_string(log).unwrap_or_default();
                bail!("the server did not get ready; it said:\n{said}");
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.0.get_mut();
        // Already gone, maybe: then there is nothing to stop.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Whether `/readyz` is answered with 200.
fn answers(at: SocketAddr) -> bool {
    let asked = || -> std::io::Result<bool> {
        let mut socket = TcpStream::connect_timeout(&at, Duration::from_secs(1))?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            socket,
            "GET /readyz HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.1 200"))
    };
    asked().unwrap_or(false)
}

/// A port of this machine that nobody listens on.
fn free() -> Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .into_diagnostic()
}
