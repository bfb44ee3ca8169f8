//! Ports that nobody listens on.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Below the range from which systems take the near ends of connections: a port of that range may be taken by anyone's
/// connection while its server is down, and a connection to a port without a server may find itself there.
const FIRST: u32 = 10_240;
const COUNT: u32 = 22_000;

static TAKEN: AtomicU32 = AtomicU32::new(0);

/// A port of 127.0.0.1 that nobody listened on a moment ago. Another process may be quicker: whoever binds it tries again.
///
/// # Panics
///
/// If a thousand ports in a row are taken.
pub fn free_port() -> u16 {
    // Test processes that run side by side begin at different places.
    let begin = std::process::id().wrapping_mul(7919).wrapping_add(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.subsec_micros()),
    );
    for _ in 0..1000 {
        let next = TAKEN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + begin.wrapping_add(next.wrapping_mul(61)) % COUNT;
        let port = port as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port of 127.0.0.1 among a thousand");
}
