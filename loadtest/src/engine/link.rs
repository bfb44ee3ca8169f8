//! One connection, plain or TLS, that never blocks. Knows bytes; what they mean is `wire`'s.

use std::io::{self, ErrorKind, Read as _, Write as _};

use mio::net::TcpStream;
use rustls::ClientConnection;

use crate::engine::target::Found;
use crate::engine::wire::{Garbled, Reader};

/// How much is read at once.
pub const SCRATCH: usize = 64 << 10;

/// A connection.
#[derive(Debug)]
pub struct Link {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// What could not be written yet.
    rest: Vec<u8>,
    written: usize,
    connected: bool,
}

/// What a look at a connection found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// Nothing more for now.
    Nothing,
    /// The answer is whole.
    Whole,
    /// The connection has ended.
    End,
    /// What came is no answer.
    Garbled,
}

impl From<Garbled> for Came {
    fn from(_: Garbled) -> Self {
        Self::Garbled
    }
}

impl Link {
    /// Begins to connect.
    pub fn open(to: &Found) -> io::Result<Self> {
        let socket = TcpStream::connect(to.address)?;
        let tls = match &to.tls {
            None => None,
            Some((config, name)) => {
                let client = ClientConnection::new(config.clone(), name.clone());
                Some(Box::new(client.map_err(io::Error::other)?))
            }
        };
        Ok(Self {
            socket,
            tls,
            rest: Vec::new(),
            written: 0,
            connected: false,
        })
    }

    /// The socket, to be watched.
    pub fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Whether it is connected; asked anew when the socket is ready.
    pub fn is_connected(&mut self) -> io::Result<bool> {
        if self.connected {
            return Ok(true);
        }
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        match self.socket.peer_addr() {
            Ok(_) => {
                // A request is one write: waiting for more to send with it would only make it late.
                let _ = self.socket.set_nodelay(true);
                self.connected = true;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends, or keeps what can't be sent yet; whether all is sent.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<bool> {
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(bytes)?;
            return self.flush();
        }
        if !self.connected || !self.rest.is_empty() {
            self.rest.extend_from_slice(bytes);
            return self.flush();
        }
        let mut sent = 0;
        while let Some(left) = bytes.get(sent..).filter(|left| !left.is_empty()) {
            match self.socket.write(left) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(more) => sent += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.rest.extend_from_slice(left);
                    return Ok(false);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Goes on sending; whether all is sent.
    pub fn flush(&mut self) -> io::Result<bool> {
        if !self.connected {
            return Ok(false);
        }
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                match tls.write_tls(&mut self.socket) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            return Ok(!tls.is_handshaking());
        }
        while let Some(left) = self
            .rest
            .get(self.written..)
            .filter(|left| !left.is_empty())
        {
            match self.socket.write(left) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(more) => self.written += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.rest.clear();
        self.written = 0;
        Ok(true)
    }

    /// Reads what is there, until an answer is whole. `closed`: the other side has ended, which only reading on to the end shows.
    pub fn read(
        &mut self,
        scratch: &mut [u8],
        reader: &mut Reader,
        closed: bool,
    ) -> io::Result<Came> {
        if self.tls.is_some() {
            return self.read_tls(scratch, reader);
        }
        loop {
            match self.socket.read(scratch) {
                Ok(0) => return Ok(Came::End),
                Ok(many) => {
                    match reader.take(scratch.get(..many).unwrap_or(&[])) {
                        Ok(true) => return Ok(Came::Whole),
                        Ok(false) => {}
                        Err(garbled) => return Ok(garbled.into()),
                    }
                    // A short read has emptied the socket (epoll(7), "edge-triggered"): asking again would cost a call.
                    if many < scratch.len() && !closed {
                        return Ok(Came::Nothing);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Came::Nothing),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn read_tls(&mut self, scratch: &mut [u8], reader: &mut Reader) -> io::Result<Came> {
        let Some(tls) = &mut self.tls else {
            return Ok(Came::Nothing);
        };
        // The socket is read until it would block, whatever is whole before: it tells of news only once.
        let mut came = Came::Nothing;
        loop {
            let ended = match tls.read_tls(&mut self.socket) {
                Ok(many) => many == 0,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(came),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            tls.process_new_packets().map_err(io::Error::other)?;
            loop {
                match tls.reader().read(scratch) {
                    Ok(0) => return Ok(if came == Came::Whole { came } else { Came::End }),
                    Ok(many) => match reader.take(scratch.get(..many).unwrap_or(&[])) {
                        Ok(true) => came = Came::Whole,
                        Ok(false) => {}
                        Err(garbled) => return Ok(garbled.into()),
                    },
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
            if ended {
                return Ok(if came == Came::Whole { came } else { Came::End });
            }
        }
    }
}
