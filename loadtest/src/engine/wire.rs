//! An answer of HTTP/1.1, read as it comes in pieces. Heads are parsed by `httparse`; what frames a body is RFC 9112, 6.3.

/// The largest head that is read.
const MOST_HEAD: usize = 64 << 10;
/// The largest body that is read: no answer of a campaign comes near it.
const MOST_BODY: usize = 64 << 20;
/// The longest line that says how long a chunk is.
const MOST_CHUNK_LINE: usize = 4 << 10;
/// More headers than any server sends.
const MOST_HEADERS: usize = 64;
/// What a reader keeps of its memory between two answers.
const KEEP: usize = 32 << 10;

/// What came is no HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what came is no HTTP/1.1 answer")]
pub struct Garbled;

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

/// What of a head matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Whether it said `Idempotency-Replayed: true`.
    pub replayed: bool,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// Whether the connection may be used again.
    pub keep: bool,
    framing: Framing,
    len: usize,
}

/// Where the reading of chunks is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    Size,
    Bytes(usize),
    Ending,
    Trailers,
    Done,
}

/// Reads one answer after another.
#[derive(Debug)]
pub struct Reader {
    /// All that came of this answer and is not taken out of its chunks.
    buffer: Vec<u8>,
    head: Option<Head>,
    /// The body so far, where it comes in chunks.
    body: Vec<u8>,
    chunk: Chunk,
    /// How much of the buffer the chunks have used up.
    at: usize,
    whole: bool,
    closed: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            head: None,
            body: Vec::new(),
            chunk: Chunk::Size,
            at: 0,
            whole: false,
            closed: false,
        }
    }
}

impl Reader {
    /// Takes what came; whether the answer is whole now.
    ///
    /// # Errors
    /// What came is no answer.
    pub fn take(&mut self, bytes: &[u8]) -> Result<bool, Garbled> {
        self.buffer.extend_from_slice(bytes);
        self.go_on()
    }

    /// The connection has ended; whether the answer is whole now.
    pub fn end(&mut self) -> bool {
        self.closed = true;
        let until_close = self
            .head
            .is_some_and(|head| head.framing == Framing::UntilClose);
        self.whole |= until_close;
        self.whole
    }

    /// Whether anything of this answer came.
    pub fn is_begun(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The head, once it is there.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// The body, whole once the answer is.
    pub fn body(&self) -> &[u8] {
        let Some(head) = &self.head else { return &[] };
        match head.framing {
            Framing::Chunked => &self.body,
            Framing::Length(len) => {
                let end = (head.len + len).min(self.buffer.len());
                self.buffer.get(head.len..end).unwrap_or(&[])
            }
            Framing::UntilClose => self.buffer.get(head.len..).unwrap_or(&[]),
        }
    }

    /// Bytes of the answer so far, as they came.
    pub fn bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Whether the connection may be used again: the answer is whole, says nothing else, and nothing came after it.
    pub fn may_go_on(&self) -> bool {
        let Some(head) = &self.head else { return false };
        let nothing_more = match head.framing {
            Framing::Length(len) => self.buffer.len() == head.len + len,
            Framing::Chunked => self.buffer.len() == self.at,
            Framing::UntilClose => false,
        };
        self.whole && !self.closed && head.keep && nothing_more
    }

    /// Makes ready for the next answer.
    pub fn next(&mut self) {
        self.buffer.clear();
        self.body.clear();
        self.buffer.shrink_to(KEEP);
        self.body.shrink_to(KEEP);
        self.head = None;
        self.chunk = Chunk::Size;
        self.at = 0;
        self.whole = false;
        self.closed = false;
    }

    fn go_on(&mut self) -> Result<bool, Garbled> {
        while self.head.is_none() {
            let Some(head) = parse(&self.buffer)? else {
                return if self.buffer.len() > MOST_HEAD {
                    Err(Garbled)
                } else {
                    Ok(false)
                };
            };
            if (100..200).contains(&head.status) {
                // Only news on the way: the answer is still to come. Nobody asked for another protocol.
                if head.status == 101 {
                    return Err(Garbled);
                }
                self.buffer.drain(..head.len);
                continue;
            }
            self.at = head.len;
            self.head = Some(head);
        }
        let Some(head) = self.head else {
            return Ok(false);
        };
        match head.framing {
            Framing::Length(len) => self.whole = self.buffer.len() >= head.len + len,
            Framing::Chunked => self.unchunk()?,
            Framing::UntilClose if self.buffer.len() > head.len + MOST_BODY => return Err(Garbled),
            Framing::UntilClose => {}
        }
        Ok(self.whole)
    }

    fn unchunk(&mut self) -> Result<(), Garbled> {
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or(&[]);
            match self.chunk {
                Chunk::Size => {
                    let Some(line) = line(rest)? else {
                        return Ok(());
                    };
                    let size = std::str::from_utf8(line).map_err(|_| Garbled)?;
                    let size = size.split(';').next().unwrap_or("").trim();
                    if size.is_empty() || !size.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                        return Err(Garbled);
                    }
                    let size = usize::from_str_radix(size, 16).map_err(|_| Garbled)?;
                    if size > MOST_BODY || self.body.len() + size > MOST_BODY {
                        return Err(Garbled);
                    }
                    self.at += line.len() + 2;
                    self.chunk = if size == 0 {
                        Chunk::Trailers
                    } else {
                        Chunk::Bytes(size)
                    };
                }
                Chunk::Bytes(left) => {
                    let here = left.min(rest.len());
                    self.body.extend_from_slice(rest.get(..here).unwrap_or(&[]));
                    self.at += here;
                    if here < left {
                        self.chunk = Chunk::Bytes(left - here);
                        return Ok(());
                    }
                    self.chunk = Chunk::Ending;
                }
                Chunk::Ending => match rest {
                    [b'\r', b'\n', ..] => {
                        self.at += 2;
                        self.chunk = Chunk::Size;
                    }
                    [] | [b'\r'] => return Ok(()),
                    _ => return Err(Garbled),
                },
                Chunk::Trailers => {
                    let Some(line) = line(rest)? else {
                        return Ok(());
                    };
                    self.at += line.len() + 2;
                    if line.is_empty() {
                        self.chunk = Chunk::Done;
                    }
                }
                Chunk::Done => {
                    self.whole = true;
                    return Ok(());
                }
            }
        }
    }
}

/// The line that the bytes begin with, without its CR LF; `None` if it is not whole.
fn line(bytes: &[u8]) -> Result<Option<&[u8]>, Garbled> {
    match memchr::memchr(b'\n', bytes) {
        Some(at) => match bytes.get(..at) {
            Some([line @ .., b'\r']) => Ok(Some(line)),
            _ => Err(Garbled),
        },
        None if bytes.len() > MOST_CHUNK_LINE => Err(Garbled),
        None => Ok(None),
    }
}

fn parse(bytes: &[u8]) -> Result<Option<Head>, Garbled> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let len = match response.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Garbled),
    };
    let status = response.code.ok_or(Garbled)?;
    let mut head = Head {
        status,
        replayed: false,
        retry_after: None,
        keep: response.version == Some(1),
        framing: Framing::UntilClose,
        len,
    };
    let (mut length, mut chunked, mut coded) = (None, false, false);
    for header in response.headers.iter() {
        let value = header.value.trim_ascii();
        // By length first: most headers are none of these.
        match header.name.len() {
            10 if header.name.eq_ignore_ascii_case("connection") => {
                if value.eq_ignore_ascii_case(b"close") {
                    head.keep = false;
                } else if value.eq_ignore_ascii_case(b"keep-alive") {
                    head.keep = true;
                }
            }
            11 if header.name.eq_ignore_ascii_case("retry-after") => {
                head.retry_after = number(value);
            }
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                let said = number(value).ok_or(Garbled)?;
                if length.is_some_and(|before| before != said) || said > MOST_BODY as u64 {
                    return Err(Garbled);
                }
                length = Some(said);
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                coded = true;
                let last = value.rsplit(|byte| *byte == b',').next().unwrap_or(value);
                chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
            }
            20 if header.name.eq_ignore_ascii_case("idempotency-replayed") => {
                head.replayed = value.eq_ignore_ascii_case(b"true");
            }
            _ => {}
        }
    }
    head.framing = if matches!(status, 100..200 | 204 | 304) {
        Framing::Length(0)
    } else if chunked {
        Framing::Chunked
    } else if let Some(length) = length.filter(|_| !coded) {
        Framing::Length(length as usize)
    } else {
        Framing::UntilClose
    };
    Ok(Some(head))
}

fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader makes of an answer that comes in these pieces and then ends.
    fn read(pieces: &[&[u8]]) -> Result<(Option<Head>, Vec<u8>, bool, bool), Garbled> {
        let mut reader = Reader::default();
        for piece in pieces {
            reader.take(piece)?;
        }
        let goes_on = reader.may_go_on();
        let whole = reader.end();
        Ok((
            reader.head().copied(),
            reader.body().to_vec(),
            whole,
            goes_on,
        ))
    }

    const ANSWERS: [&[u8]; 8] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nIdempotency-Replayed: true\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nTrailer: 1\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: \"x\"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\nContent-Length: 20\r\n\r\n{\"code\":\"sold-out\"}\n",
    ];

    #[test]
    fn answers_are_read_to_their_end() {
        let rows: [(u16, &str, bool); 8] = [
            (200, "hello", true),
            (200, "hello, world", true),
            (204, "", true),
            (304, "", true),
            (503, "{}", true),
            (200, "until the end", false),
            (200, "", false),
            (409, "{\"code\":\"sold-out\"}\n", true),
        ];
        for (answer, (status, body, goes_on)) in ANSWERS.iter().zip(rows) {
            let (head, got, whole, may) = read(&[answer]).unwrap();
            let head = head.unwrap();
            assert_eq!(
                (head.status, String::from_utf8(got).unwrap().as_str()),
                (status, body)
            );
            assert_eq!((whole, may), (true, goes_on), "{status} {body}");
        }
        assert_eq!(read(&[ANSWERS[4]]).unwrap().0.unwrap().retry_after, Some(2));
        assert!(read(&[ANSWERS[0]]).unwrap().0.unwrap().replayed);
    }

    #[test]
    fn what_is_garbled_is_told() {
        for garbled in [
            &b"SSH-2.0-OpenSSH\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloworld\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        ] {
            assert_eq!(
                read(&[garbled]).unwrap_err(),
                Garbled,
                "{}",
                String::from_utf8_lossy(garbled)
            );
        }
    }

    #[test]
    fn what_is_cut_off_is_not_whole() {
        for cut in [
            &b"HTTP/1.1 200 OK\r\nContent-Le"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        ] {
            assert!(!read(&[cut]).unwrap().2);
        }
    }

    #[test]
    fn bytes_after_an_answer_end_the_connection() {
        let twice = [ANSWERS[0], ANSWERS[0]].concat();
        let (_, body, whole, goes_on) = read(&[&twice]).unwrap();
        assert_eq!(
            (body.as_slice(), whole, goes_on),
            (&b"hello"[..], true, false)
        );
    }

    proptest! {
        /// Wherever an answer is cut into pieces, the same is read.
        #[test]
        fn pieces_make_no_difference(which in 0..ANSWERS.len(), cuts in prop::collection::vec(0_usize..200, 0..8)) {
            let answer = ANSWERS[which];
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (answer.len() + 1)).collect();
            cuts.sort_unstable();
            cuts.insert(0, 0);
            cuts.push(answer.len());
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &answer[cut[0]..cut[1]]).collect();
            prop_assert_eq!(read(&pieces), read(&[answer]));
        }

        /// Whatever comes, in whatever pieces: the same verdict, and no panic.
        #[test]
        fn garbage_is_told_alike_in_pieces(tail in prop::collection::vec(any::<u8>(), 0..60), cut in 0_usize..60, chunked: bool) {
            let head: &[u8] = if chunked { b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" } else { b"HTTP/1.1 200 OK\r\n" };
            let all = [head, &tail].concat();
            let cut = cut.min(all.len());
            let (one, two) = (read(&[&all]), read(&[&all[..cut], &all[cut..]]));
            match (one, two) {
                (Ok(one), Ok(two)) => prop_assert_eq!(one, two),
                (one, two) => prop_assert_eq!(one.is_err(), two.is_err()),
            }
        }
    }
}
