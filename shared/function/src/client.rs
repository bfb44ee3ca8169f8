//! The client's address, and what of it the flood guard counts by.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// More hops than any real chain has; what stands before them is not looked at.
const MAX_HOPS: usize = 32;

/// The proxies in front of us whose word on where a call came from is believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads addresses and ranges (`10.0.0.0/8`, `fd00::/8`, `192.0.2.7`); the first that is neither is the error.
    pub fn parse<S: AsRef<str>>(ranges: &[S]) -> Result<Self, BadRange> {
        let read = |text: &str| {
            let range = text
                .parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            range.map_err(|_| BadRange(text.to_owned()))
        };
        ranges
            .iter()
            .map(|text| read(text.as_ref().trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether an address is one of them. IPv4 in IPv6 clothes (`::ffff:10.0.0.1`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|range| range.contains(&address))
    }

    /// The client's address: the peer's, or when the peer is a trusted proxy, the last hop of
    /// `X-Forwarded-For` that is not one.
    ///
    /// The list is read from its right end, which our own proxies wrote; everything left of the first
    /// untrusted hop is that hop's word only. What cannot be read ends the walk at the last hop that could.
    /// From an untrusted peer the header is not looked at.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.contains(client) {
            return client;
        }
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.as_bytes().rsplit(|b| *b == b','));
        for hop in hops.take(MAX_HOPS) {
            let Some(address) = address(hop) else {
                return client;
            };
            client = address;
            if !self.contains(client) {
                return client;
            }
        }
        client
    }
}

/// Reads one hop: an address, or an address with a port, as some proxies write it.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// A text in a list of proxies that is no address and no range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an IP address nor a range such as 10.0.0.0/8")]
pub struct BadRange(pub String);

/// What the flood guard counts by: one IPv4 address, or one IPv6 network of /64, which is what one household
/// or one server is given; a guard by single IPv6 addresses would guard nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FloodKey {
    /// An IPv4 address.
    V4(u32),
    /// The upper 64 bits of an IPv6 address.
    V6(u64),
}

impl From<IpAddr> for FloodKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let proxies = TrustedProxies::parse(&["10.0.0.0/8", "192.0.2.7", "fd00::/8"]).unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                FORWARDED_FOR,
                HeaderValue::from_bytes(line.as_bytes()).unwrap(),
            );
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_last_untrusted_hop() {
        let many = format!("203.0.113.9{}", ", 10.0.0.1".repeat(100));
        let rows: [(&str, &[&str], &str); 17] = [
            ("198.51.100.1", &[], "198.51.100.1"),
            ("198.51.100.1", &["203.0.113.9"], "198.51.100.1"),
            ("10.1.1.1", &[], "10.1.1.1"),
            ("10.1.1.1", &["203.0.113.9"], "203.0.113.9"),
            ("192.0.2.7", &["203.0.113.9"], "203.0.113.9"),
            ("192.0.2.8", &["203.0.113.9"], "192.0.2.8"),
            // What the client wrote itself stands on the left and is not believed.
            (
                "10.1.1.1",
                &["1.2.3.4, 203.0.113.9, 10.2.2.2"],
                "203.0.113.9",
            ),
            (
                "10.1.1.1",
                &["1.2.3.4", "203.0.113.9", "10.2.2.2"],
                "203.0.113.9",
            ),
            ("10.1.1.1", &["10.9.9.9, 10.2.2.2"], "10.9.9.9"),
            ("10.1.1.1", &["203.0.113.9, garbage, 10.2.2.2"], "10.2.2.2"),
            ("10.1.1.1", &["garbage"], "10.1.1.1"),
            ("10.1.1.1", &["203.0.113.9,,10.2.2.2"], "10.2.2.2"),
            ("10.1.1.1", &["unknown, \u{e9}"], "10.1.1.1"),
            ("10.1.1.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("fd00::1", &["[2001:db8::5]:443"], "2001:db8::5"),
            ("::ffff:10.1.1.1", &["::ffff:203.0.113.9"], "203.0.113.9"),
            ("10.1.1.1", &[&many], "10.0.0.1"),
        ];
        for (peer, lines, expected) in rows {
            assert_eq!(client(peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn ranges_that_are_none() {
        for text in [
            "10.0.0.0/33",
            "10.0.0",
            "",
            "*",
            "localhost",
            "10.0.0.0/8, 10.1.0.0/16",
        ] {
            assert_eq!(TrustedProxies::parse(&[text]).unwrap_err().0, text.trim());
        }
    }

    #[test]
    fn a_flood_is_counted_by_network() {
        let key = |text: &str| FloodKey::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(key("203.0.113.9"), key("::ffff:203.0.113.9"));
        assert_ne!(key("203.0.113.9"), key("203.0.113.8"));
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    }
}
