//! Programs that a command starts beside itself: a port for one, and its end.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::time::timeout;

use crate::failure::Failure;

/// A port of 127.0.0.1 that is free at this moment.
pub fn free_port() -> Result<u16, Failure> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|probe| probe.local_addr());
    probe
        .map(|address| address.port())
        .map_err(|error| Failure::unreachable("port", format!("no port is free: {error}")))
}

/// Tells it to stop (SIGTERM), and ends it where it does not within `patience`; whether it stopped by itself.
pub async fn stop(mut child: Child, patience: Duration) -> bool {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // One that has ended in this moment is what is wanted.
        let _ = kill_process(pid, Signal::TERM);
    }
    let stopped = timeout(patience, child.wait()).await.is_ok();
    if !stopped {
        let _ = child.kill().await;
    }
    stopped
}
