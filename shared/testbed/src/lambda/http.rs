//! HTTP/1.1 as a server of tests needs it, read strictly and written plainly.

use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;

/// A request that was read whole. Names of headers and trailers are in lower case.
pub(super) struct Asked {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub chunks: Vec<Vec<u8>>,
    pub trailers: Vec<(String, String)>,
}

pub(super) fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let found = headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

pub(super) fn answer(
    mut stream: &TcpStream,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {status} Played\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("Content-Type: application/json\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat())
}

/// Reads a request: its body by its length, or in chunks with trailers.
pub(super) fn read(reader: &mut impl BufRead) -> io::Result<Asked> {
    let first = line(reader)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let headers = fields(reader)?;
    let chunked = header(&headers, "transfer-encoding").is_some_and(|coding| coding == "chunked");
    let (mut chunks, mut trailers) = (Vec::new(), Vec::new());
    if chunked {
        loop {
            let size = usize::from_str_radix(&line(reader)?, 16).map_err(io::Error::other)?;
            if size == 0 {
                trailers = fields(reader)?;
                break;
            }
            chunks.push(exactly(reader, size)?);
            line(reader)?;
        }
    } else if let Some(size) = header(&headers, "content-length") {
        chunks.push(exactly(reader, size.parse().map_err(io::Error::other)?)?);
    }
    Ok(Asked {
        method,
        path,
        headers,
        chunks,
        trailers,
    })
}

fn exactly(reader: &mut impl Read, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn fields(reader: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = line(reader)?;
        let Some((name, value)) = line.split_once(':') else {
            return Ok(fields);
        };
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
