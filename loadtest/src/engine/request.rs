//! The calls of a scenario as HTTP/1.1 requests: what is the same for everybody is written once.

use std::io::Write as _;
use std::net::Ipv4Addr;

use crate::call::Kind;
use crate::engine::chance::Dice;
use crate::engine::target::Target;
use crate::scenario::{Ask, Campaign};

/// A call that journeys make.
#[derive(Debug, Clone)]
pub struct Request {
    /// What it asks for.
    pub ask: Ask,
    /// Of which campaign.
    pub campaign: usize,
    /// Under which name it is counted: an index.
    pub counted: usize,
    /// Whether the user's token goes with it.
    pub with_token: bool,
    /// The request line and the headers that are the same for everybody.
    head: Vec<u8>,
    /// The body, in pieces between what differs.
    body: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number,
    Random,
}

/// Whose call it is.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// Their token.
    pub token: &'a str,
    /// Their number.
    pub user: u64,
    /// Where they come from, if not from here.
    pub address: Option<Ipv4Addr>,
}

impl Request {
    /// Writes what is the same for everybody.
    pub fn new(ask: &Ask, campaign: usize, of: &Campaign, counted: usize, target: &Target) -> Self {
        let stem = format!("{}/v1/{}/{}", target.prefix, of.tenant, of.campaign);
        let line = match ask {
            Ask::Page => format!("GET {stem}/public"),
            Ask::View => format!("GET {stem}"),
            Ask::Event { event, .. } => format!("POST {stem}/events/{event}"),
            Ask::Grants => format!("GET {stem}/grants"),
            Ask::Poster { template, format } => {
                format!("GET {stem}/poster/{template}?format={format}")
            }
            Ask::Preflight { event, .. } => format!("OPTIONS {stem}/events/{event}"),
        };
        let mut head = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nUser-Agent: gala-load/{}\r\n",
            target.authority,
            env!("CARGO_PKG_VERSION")
        );
        let mut body = Vec::new();
        match ask {
            Ask::Preflight { origin, .. } => {
                head.push_str("Origin: ");
                head.push_str(origin);
                head.push_str("\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,content-type,idempotency-key\r\n");
            }
            Ask::Event { payload, .. } => {
                if payload.as_object().is_some_and(|fields| !fields.is_empty()) {
                    body = pieces(&payload.to_string());
                    head.push_str("Content-Type: application/json\r\n");
                }
            }
            Ask::Page | Ask::View | Ask::Grants | Ask::Poster { .. } => {}
        }
        Self {
            ask: ask.clone(),
            campaign,
            counted,
            with_token: !matches!(ask, Ask::Page | Ask::Preflight { .. }),
            head: head.into_bytes(),
            body,
        }
    }

    /// What it asks for, as books hear it.
    pub fn kind(&self) -> Kind<'_> {
        match &self.ask {
            Ask::Page => Kind::Page,
            Ask::View => Kind::View,
            Ask::Event { event, .. } => Kind::Event(event),
            Ask::Grants => Kind::Grants,
            Ask::Poster { template, .. } => Kind::Poster(template),
            Ask::Preflight { .. } => Kind::Preflight,
        }
    }

    /// Whether it changes something, and so carries a key.
    pub fn is_event(&self) -> bool {
        matches!(self.ask, Ask::Event { .. })
    }

    /// Appends the whole request. Random texts come from `dice`: with the same dice it is the same to the byte.
    pub fn write(&self, whose: &Whose<'_>, key: &str, mut dice: Dice, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        if self.with_token {
            out.extend_from_slice(b"Authorization: Bearer ");
            out.extend_from_slice(whose.token.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        if let Some(address) = whose.address {
            // Writing into memory does not fail.
            let _ = write!(out, "X-Forwarded-For: {address}\r\n");
        }
        if !self.is_event() {
            out.extend_from_slice(b"\r\n");
            return;
        }
        // The ledger's rows name the request: so the judge finds what was done for a call whose answer never came.
        for header in [&b"Idempotency-Key: "[..], b"\r\nX-Request-Id: "] {
            out.extend_from_slice(header);
            out.extend_from_slice(key.as_bytes());
        }
        if self.body.is_empty() {
            out.extend_from_slice(b"\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        let body = filled(&self.body, whose.user, &mut dice);
        let _ = write!(out, "\r\nContent-Length: {}\r\n\r\n", body.len());
        out.extend_from_slice(body.as_bytes());
    }
}

/// Cuts a text at `{n}` and `{random}`. In JSON these can stand within strings only.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let found = [("{n}", Piece::Number), ("{random}", Piece::Random)];
        let found = found
            .into_iter()
            .filter_map(|(mark, piece)| Some((rest.find(mark)?, mark.len(), piece)))
            .min_by_key(|(at, ..)| *at);
        let Some((at, len, piece)) = found else {
            pieces.push(Piece::Text(rest.to_owned()));
            return pieces;
        };
        pieces.push(Piece::Text(rest[..at].to_owned()));
        pieces.push(piece);
        rest = &rest[at + len..];
    }
}

fn filled(pieces: &[Piece], user: u64, dice: &mut Dice) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(fixed) => text.push_str(fixed),
            Piece::Number => text.push_str(&user.to_string()),
            Piece::Random => {
                for _ in 0..8 {
                    let letter = LETTERS.get(dice.below(32) as usize).copied();
                    text.push(char::from(letter.unwrap_or(b'a')));
                }
            }
        }
    }
    text
}

/// Fills `{n}` in a text with the user's number.
pub fn with_number(text: &str, user: u64) -> String {
    text.replace("{n}", &user.to_string())
}

/// The address of a group of neighbours (from 0 on): from the network that RFC 2544 sets aside for measurements.
pub fn address(group: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + group % ADDRESSES)
}

/// How many addresses there are in it.
pub const ADDRESSES: u32 = 1 << 17;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(ask: &Ask, address: Option<Ipv4Addr>) -> String {
        let target = Target::read("http://127.0.0.1:8080/gala/").unwrap();
        let campaign = Campaign {
            tenant: "acme".to_owned(),
            campaign: "wheel".to_owned(),
        };
        let request = Request::new(ask, 0, &campaign, 0, &target);
        let whose = Whose {
            token: "t.o.k",
            user: 7,
            address,
        };
        let mut out = Vec::new();
        request.write(&whose, "key-1", Dice::of(1, 2, 3), &mut out);
        String::from_utf8(out).unwrap().replace('\r', "")
    }

    #[test]
    fn each_call_is_what_a_browser_sends() {
        let event = |payload| Ask::Event {
            event: "draw".to_owned(),
            payload,
        };
        let asks = [
            Ask::Page,
            Ask::View,
            event(json!({})),
            event(json!({"code": "X-{n}-{random}"})),
            Ask::Grants,
            Ask::Poster {
                template: "win".to_owned(),
                format: "webp".to_owned(),
            },
            Ask::Preflight {
                event: "draw".to_owned(),
                origin: "http://localhost:5173".to_owned(),
            },
        ];
        let all: Vec<String> = asks.iter().map(|ask| written(ask, None)).collect();
        insta::assert_snapshot!(all.join("=====\n"));
        assert!(
            written(&Ask::View, Some(address(257))).contains("\nX-Forwarded-For: 198.18.1.1\n")
        );
    }
}
