//! One HTTP call at a time over a socket of its own: for the probes beside the load.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::Error;
use crate::bench::process::loopback;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Sends `request` (a whole HTTP/1.1 request) and reads the answer.
pub fn call(port: u16, request: &str) -> Result<Answer, Error> {
    let failed = || Error::io(format!("the call to 127.0.0.1:{port} failed"));
    let limit = Some(Duration::from_secs(10));
    let mut socket = TcpStream::connect(loopback(port)).map_err(failed())?;
    socket.set_read_timeout(limit).map_err(failed())?;
    socket.set_write_timeout(limit).map_err(failed())?;
    socket.write_all(request.as_bytes()).map_err(failed())?;
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).map_err(failed())?;
    Ok(parse(&String::from_utf8_lossy(&bytes)))
}

/// A request; `headers` in lines that end in CR LF. The server is asked to close, so that the answer has an end.
pub fn request(method: &str, path: &str, headers: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}Content-Length: 0\r\n\r\n"
    )
}

fn parse(answer: &str) -> Answer {
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Answer {
        status,
        body: body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = parse("HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}");
        assert_eq!(
            answer,
            Answer {
                status: 409,
                body: "{}".to_owned()
            }
        );
        assert_eq!(parse("").status, 0);
    }
}
