//! A tenant's connectors: who hands rewards over, and which of its own services is asked for facts. Hosts stand here and
//! nowhere else: no campaign, and nothing that a client sends, says where a call goes.

use core::net::IpAddr;
use std::collections::BTreeMap;

use machine::Millis;

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::{Fields, Key, Keys, Node, Shape};
use crate::tenant::{Connector, ConnectorKind, HttpConnector, KeySource, is_public};

/// How long a look-up may take where nothing is said, and at most, in milliseconds.
const USUAL_TIMEOUT: Millis = 300;
const MOST_TIMEOUT: Millis = 1000;
const LEAST_TIMEOUT: Millis = 10;
/// The longest that an answer is kept, in milliseconds.
const MOST_KEPT: Millis = 3_600_000;
/// How many calls may be under way at once where nothing is said.
const USUAL_AT_ONCE: u32 = 32;

pub(super) static CONNECTOR: Keys = Keys {
    name: "connector",
    doc: "Who hands rewards over, or a service of the tenant's that is asked for facts.",
    keys: &[
        Key::required(
            "kind",
            Shape::OneOf(&["manual", "http"]),
            "How: `manual` means that people hand over and mark it done; `http` is a service that facts are asked of.",
        ),
        Key::optional(
            "url",
            Shape::String,
            "Of `http`: where it is, `https://crm.example.com/gala/facts`. No query, no redirects.",
        ),
        Key::optional(
            "secret",
            Shape::Keys(&SECRET),
            "Of `http`: what calls are signed with (HMAC-SHA256), 32 bytes at least.",
        ),
        Key::optional(
            "timeout",
            Shape::String,
            "Of `http`: how long a call may take, `10 ms` to `1 second`. Default: 300 ms.",
        ),
        Key::optional(
            "keep",
            Shape::Duration,
            "Of `http`: how long an answer about a member is used again, at most an hour. Default: not at all.",
        ),
        Key::optional(
            "at_once",
            Shape::Int(1, 1000),
            "Of `http`: how many calls of one process may be under way. Default: 32.",
        ),
        Key::optional(
            "private",
            Shape::Bool,
            "Of `http`: it is in our own network, or on this machine: private addresses and `http://` are taken. Default: no.",
        ),
    ],
};

pub(super) static SECRET: Keys = Keys {
    name: "secret",
    doc: "A secret, by where it is found: exactly one of `env`, `file` and `dev`.",
    keys: &[
        Key::optional(
            "env",
            Shape::String,
            "The environment variable that holds it.",
        ),
        Key::optional(
            "file",
            Shape::String,
            "The file that holds it, from the tenant's folder.",
        ),
        Key::optional(
            "dev",
            Shape::Bool,
            "Made on first use, for this machine only.",
        ),
    ],
};

pub(super) fn read(fields: &Fields<'_>, out: &mut Diagnostics) -> BTreeMap<String, Connector> {
    let mut found = BTreeMap::from([("manual".to_owned(), Connector::manual())]);
    for entry in fields
        .get("connectors")
        .and_then(|node| node.map(out))
        .unwrap_or(&[])
    {
        let name = entry.key.id("connector", out);
        let connector = connector(&entry.value, out);
        if let (Some(name), Some(connector)) = (name, connector) {
            found.insert(name.to_owned(), connector);
        }
    }
    found
}

fn connector(node: &Node, out: &mut Diagnostics) -> Option<Connector> {
    let fields = node.fields(&CONNECTOR, out)?;
    let kind = fields.get("kind")?.one_of(&["manual", "http"], out)?;
    if kind == "manual" {
        let extra = fields.entries().iter().find(|entry| entry.name() != "kind");
        if let Some(extra) = extra {
            out.error(
                codes::CONNECTOR,
                &extra.key.place,
                format!(
                    "`{}` goes with connectors of kind `http` only",
                    extra.name()
                ),
            )
            .help("leave it out, or write `kind: http`");
        }
        return Some(Connector::manual());
    }
    let private = fields
        .get("private")
        .and_then(|node| node.bool(out))
        .unwrap_or(false);
    let missing: Vec<&str> = ["url", "secret"]
        .into_iter()
        .filter(|key| !fields.has(key))
        .collect();
    if let [first, ..] = missing.as_slice() {
        let help = match *first {
            "url" => "write where the service is: `url: https://crm.example.com/gala/facts`",
            _ => {
                "nobody else may ask in our name: `secret: { env: ACME_CRM_SECRET }`, and while developing `{ dev: true }`"
            }
        };
        out.error(
            codes::CONNECTOR,
            &node.place,
            format!(
                "a connector of kind `http` needs `{}`",
                missing.join("` and `")
            ),
        )
        .help(help);
    }
    let place = fields.get("url").and_then(|node| place(node, private, out));
    let secret = fields
        .get("secret")
        .and_then(|node| secret(node, codes::CONNECTOR, out));
    let timeout = fields
        .get("timeout")
        .map_or(Some(USUAL_TIMEOUT), |node| timeout(node, out));
    let keep = fields.get("keep").map_or(Some(0), |node| {
        let keep = node.duration(out)?;
        if keep > MOST_KEPT {
            out.error(
                codes::CONNECTOR,
                &node.place,
                "an answer is kept for an hour at most",
            )
            .help("write `keep: 1 minute`");
            return None;
        }
        Some(keep)
    });
    let at_once = fields
        .get("at_once")
        .map_or(Some(i64::from(USUAL_AT_ONCE)), |node| {
            node.int(1..=1000, out)
        });
    let (tls, host, port, path) = place?;
    Some(Connector {
        kind: ConnectorKind::Http,
        http: Some(HttpConnector {
            tls,
            host,
            port,
            path,
            secret: secret?,
            timeout_ms: timeout?,
            keep_ms: keep?,
            at_once: at_once? as u32,
            private,
        }),
    })
}

/// Where a service is: whether TLS is spoken, host, port, path.
fn place(node: &Node, private: bool, out: &mut Diagnostics) -> Option<(bool, String, u16, String)> {
    let url = node.string(out)?;
    let mut refuse = |message: String, help: &str| {
        out.error(codes::CONNECTOR, &node.place, message).help(help);
        None
    };
    let (tls, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) if private => (false, rest),
        (_, Some(_)) => {
            return refuse(
                format!("`{url}` would carry members' ids over the net in the clear"),
                "write `https://`; for a service of your own network `private: true` beside it",
            );
        }
        _ => {
            return refuse(
                format!("`{url}` is not the address of a service"),
                "write `https://crm.example.com/gala/facts`",
            );
        }
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let visible = path.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible || path.contains(['?', '#']) || authority.contains(['@', '?', '#']) {
        return refuse(
            format!("`{url}` has more than a host and a path"),
            "leave out names, passwords, queries and fragments: what is asked goes in the body, signed",
        );
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = port.map_or(Some(if tls { 443 } else { 80 }), |port| port.parse().ok());
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let literal: Option<IpAddr> = bare.parse().ok();
    let named = !host.is_empty()
        && host.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'-'
        })
        && !host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let Some(port) = port.filter(|port| *port > 0 && (named || literal.is_some())) else {
        return refuse(
            format!("`{url}` is not the address of a service"),
            "write `https://crm.example.com/gala/facts`: the host in small letters, a port if it is another than 443",
        );
    };
    let here = literal.is_some_and(|address| !is_public(address)) || bare == "localhost";
    if here && !private {
        return refuse(
            format!("`{url}` is an address of our own network"),
            "write `private: true` beside it, if that is meant",
        );
    }
    Some((tls, bare.to_owned(), port, path.to_owned()))
}

pub(super) fn secret(node: &Node, code: &'static str, out: &mut Diagnostics) -> Option<KeySource> {
    let fields = node.fields(&SECRET, out)?;
    let [entry] = fields.entries() else {
        out.error(
            code,
            &node.place,
            "a secret is found in exactly one place",
        )
        .help("write one of `env: ACME_CRM_SECRET`, `file: keys/crm`, and while developing `dev: true`");
        return None;
    };
    match entry.name() {
        "env" => Some(KeySource::Env(entry.value.string(out)?.to_owned())),
        "file" => Some(KeySource::File(entry.value.string(out)?.to_owned())),
        _ => entry.value.bool(out).map(|_| KeySource::Dev),
    }
}

/// A length of time that may be written in milliseconds.
fn timeout(node: &Node, out: &mut Diagnostics) -> Option<Millis> {
    let text = node.string(out)?;
    let millis = text
        .trim()
        .strip_suffix("ms")
        .map(str::trim_end)
        .and_then(|number| number.parse::<Millis>().ok());
    let millis = match millis {
        Some(millis) => millis,
        None => node.duration(out)?,
    };
    if !(LEAST_TIMEOUT..=MOST_TIMEOUT).contains(&millis) {
        out.error(
            codes::CONNECTOR,
            &node.place,
            "a look-up may take from 10 ms to 1 second: the user waits for it",
        )
        .help("write `300 ms`");
        return None;
    }
    Some(millis)
}
