//! An open-loop load: requests go out when they are due, whether or not the ones before were answered, and an answer's time
//! counts from when its request was due. A slow server so shows as slow, not as fewer requests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::Error;
use crate::bench::process::loopback;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is sent, how fast, and to whom.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Ports on 127.0.0.1, taken in turn by the connections.
    pub ports: Vec<u16>,
    /// Whole HTTP/1.1 requests, up to where the idempotency key begins; taken in turn.
    pub heads: Arc<[String]>,
    /// What the keys of this run begin with.
    pub mark: String,
    /// Requests a second.
    pub per_second: u32,
    /// For how long.
    pub span: Duration,
    /// From how many connections.
    pub connections: u32,
}

/// What came back.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Paced {
    /// How many answers had each status; 0 for none.
    pub statuses: BTreeMap<u16, u64>,
    /// How long each answer took, in milliseconds, sorted.
    #[serde(skip)]
    pub took_ms: Vec<f64>,
}

impl Paced {
    /// The time within which `share` (0 to 1) of the answers came, in milliseconds; 0 if there were none.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let last = self.took_ms.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.took_ms.get(at).copied().unwrap_or(0.0)
    }

    /// Answers that are not 2xx.
    pub fn bad(&self) -> u64 {
        let bad = |status: &u16| !(200..300).contains(status);
        let statuses = self.statuses.iter();
        statuses
            .filter(|(status, _)| bad(status))
            .map(|(_, many)| many)
            .sum()
    }
}

/// Sends at this pace, and waits for the last answer.
pub async fn run(pace: Pace) -> Result<Paced, Error> {
    let began = Instant::now() + Duration::from_millis(50);
    let mut connections = JoinSet::new();
    for number in 0..pace.connections {
        connections.spawn(connection(pace.clone(), number, began));
    }
    let mut all = Paced::default();
    while let Some(ended) = connections.join_next().await {
        let one = ended.map_err(|error| {
            Error::io("a connection's task failed")(std::io::Error::other(error))
        })??;
        all.took_ms.extend(one.took_ms);
        for (status, many) in one.statuses {
            *all.statuses.entry(status).or_default() += many;
        }
    }
    all.took_ms.sort_by(f64::total_cmp);
    Ok(all)
}

/// Sends every request whose number is this connection's, one after another.
async fn connection(pace: Pace, number: u32, began: Instant) -> Result<Paced, Error> {
    let port = pace.ports[number as usize % pace.ports.len()];
    let each = Duration::from_secs(1) / pace.per_second.max(1);
    let mut done = Paced::default();
    let mut socket = connect(port).await?;
    let mut buffer = Vec::with_capacity(4096);
    let mut n = number;
    loop {
        let due = began + each * n;
        if due >= began + pace.span {
            return Ok(done);
        }
        // A timer that wakes late is the generator's fault; a connection that is still busy is the server's.
        let from = if Instant::now() < due {
            sleep_until(due).await;
            Instant::now()
        } else {
            due
        };
        let head = &pace.heads[n as usize % pace.heads.len()];
        let request = format!("{head}{}-{n}\r\n\r\n", pace.mark);
        let status = timeout(PATIENCE, call(&mut socket, &request, &mut buffer)).await;
        let status = if let Ok(Ok(status)) = status {
            status
        } else {
            socket = connect(port).await?;
            0
        };
        *done.statuses.entry(status).or_default() += 1;
        done.took_ms.push(from.elapsed().as_secs_f64() * 1000.0);
        n += pace.connections;
    }
}

async fn connect(port: u16) -> Result<TcpStream, Error> {
    let socket = TcpStream::connect(loopback(port)).await;
    let socket = socket.map_err(Error::io(format!("127.0.0.1:{port} takes no connection")))?;
    let _ = socket.set_nodelay(true);
    Ok(socket)
}

/// One request and its answer, whose length its head must say; the status.
async fn call(socket: &mut TcpStream, request: &str, buffer: &mut Vec<u8>) -> std::io::Result<u16> {
    socket.write_all(request.as_bytes()).await?;
    buffer.clear();
    loop {
        if socket.read_buf(buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some((status, whole)) = parse(buffer)
            && buffer.len() >= whole
        {
            return Ok(status);
        }
    }
}

/// The status of an answer and its length, once its head is there.
fn parse(bytes: &[u8]) -> Option<(u16, usize)> {
    const END: &[u8] = b"\r\n\r\n";
    let end = bytes.windows(END.len()).position(|part| part == END)?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let named = name.eq_ignore_ascii_case("content-length");
        named.then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    Some((status, end + END.len() + length.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_end() {
        let answer = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(parse(answer), Some((429, answer.len())));
        assert_eq!(parse(&answer[..20]), None);
        assert_eq!(parse(b"HTTP/1.1 204 No Content\r\n\r\n"), Some((204, 27)));
    }

    #[test]
    fn quantiles_and_errors() {
        let paced = Paced {
            statuses: [(200, 7), (429, 2), (0, 1)].into(),
            took_ms: (1..=100).map(f64::from).collect(),
        };
        assert!((paced.quantile_ms(0.99) - 99.0).abs() < 1e-9);
        assert_eq!(paced.bad(), 3);
        assert!(Paced::default().quantile_ms(0.5).abs() < 1e-9);
    }
}
