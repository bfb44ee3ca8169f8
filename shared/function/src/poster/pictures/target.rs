//! Which addresses pictures may be fetched from: a host that the tenant names, over TLS, on the usual port. Its name is judged here; what
//! it stands for is judged where it is called (`fetch`).

use std::net::IpAddr;

use axum::http::Uri;
use campaign::tenant::{host_is_allowed, is_public};

use super::NotFetched;

/// The longest address, in bytes.
const MOST_BYTES: usize = 1024;

/// The one host of our own that a tenant can name: a developer's machine. Nothing else may be called without TLS.
const DEVELOPER: &str = "localhost";

/// An address that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    /// Path and query.
    pub path: String,
}

impl Target {
    /// The target that an address names, if it is one of these hosts.
    pub fn of(address: &str, hosts: &[String]) -> Result<Self, NotFetched> {
        if address.len() > MOST_BYTES {
            return Err(NotFetched::Address);
        }
        let uri: Uri = address.parse().map_err(|_| NotFetched::Address)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(NotFetched::Address);
        };
        let host = authority.host().to_ascii_lowercase();
        let developer = host == DEVELOPER;
        let (tls, usual) = match scheme {
            "https" => (true, 443),
            "http" if developer => (false, 80),
            _ => return Err(NotFetched::Address),
        };
        let port = authority.port_u16().unwrap_or(usual);
        // Whoever writes a user's name into an address means to be taken for somebody else.
        if authority.as_str().contains('@') || (port != usual && !developer) {
            return Err(NotFetched::Address);
        }
        if !host_is_allowed(hosts, &host) {
            return Err(NotFetched::Host);
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            path: path.to_owned(),
            host,
            port,
            tls,
        })
    }

    /// Where a redirect leads: judged as the first address was.
    pub fn follow(&self, location: &str, hosts: &[String]) -> Result<Self, NotFetched> {
        if location.starts_with('/') && !location.starts_with("//") {
            let uri: Uri = location.parse().map_err(|_| NotFetched::Address)?;
            let path = uri.path_and_query().ok_or(NotFetched::Address)?;
            return Ok(Self {
                path: path.as_str().to_owned(),
                ..self.clone()
            });
        }
        Self::of(location, hosts)
    }

    /// Whether one of the addresses that its host stands for may be called.
    pub fn may_call(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if self.host == DEVELOPER {
            address.is_loopback()
        } else {
            is_public(address)
        }
    }

    /// What its `Host` header says.
    pub fn host_header(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Vec<String> {
        ["img.example.com", "*.qlogo.cn", "localhost", "2130706433"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn only_named_hosts_over_tls_on_the_usual_port() {
        let fine = [
            "https://img.example.com/a.jpg",
            "https://IMG.example.com:443/a.jpg?x=1",
            "https://thirdwx.qlogo.cn/mmopen/vi_32/x/132",
            "http://localhost:8080/a.png",
        ];
        for address in fine {
            assert!(Target::of(address, &hosts()).is_ok(), "{address}");
        }
        let rows = [
            ("http://img.example.com/a.jpg", NotFetched::Address),
            ("https://img.example.com:8443/a.jpg", NotFetched::Address),
            ("https://img.example.com@evil.example/", NotFetched::Address),
            ("https://evil@img.example.com/", NotFetched::Address),
            ("ftp://img.example.com/a", NotFetched::Address),
            ("file:///etc/passwd", NotFetched::Address),
            ("data:image/png;base64,AAAA", NotFetched::Address),
            ("/a.jpg", NotFetched::Address),
            ("", NotFetched::Address),
            ("https://", NotFetched::Address),
            (
                "https://img.example.com/\r\nHost: evil",
                NotFetched::Address,
            ),
            ("https://evil.example/a.jpg", NotFetched::Host),
            ("https://img.example.com.evil.example/", NotFetched::Host),
            ("https://127.0.0.1/", NotFetched::Host),
            ("https://[::1]/", NotFetched::Host),
            ("https://0x7f.1/", NotFetched::Host),
            ("https://169.254.169.254/latest/meta-data", NotFetched::Host),
        ];
        for (address, why) in rows {
            assert_eq!(Target::of(address, &hosts()), Err(why), "{address}");
        }
        assert_eq!(
            Target::of(
                &format!("https://img.example.com/{}", "a".repeat(1024)),
                &hosts()
            ),
            Err(NotFetched::Address)
        );
    }

    #[test]
    fn a_redirect_is_judged_as_the_first_address_was() {
        let first = Target::of("https://img.example.com/a.jpg", &hosts()).unwrap();
        let second = first.follow("/b.jpg?y=2", &hosts()).unwrap();
        assert_eq!(
            (&*second.host, &*second.path),
            ("img.example.com", "/b.jpg?y=2")
        );
        assert!(first.follow("https://a.qlogo.cn/c", &hosts()).is_ok());
        for (location, why) in [
            ("//evil.example/a", NotFetched::Address),
            ("http://img.example.com/a", NotFetched::Address),
            ("https://evil.example/a", NotFetched::Host),
            ("b.jpg", NotFetched::Address),
            ("", NotFetched::Address),
        ] {
            assert_eq!(first.follow(location, &hosts()), Err(why), "{location}");
        }
    }

    /// A name that is allowed may still stand for anything: every form of an address is judged by what it is.
    #[test]
    fn nothing_of_our_own_network_is_called() {
        let public = Target::of("https://img.example.com/", &hosts()).unwrap();
        let odd = Target::of("https://2130706433/", &hosts()).unwrap();
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "100.100.100.200",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "fd00:ec2::254",
            "fe80::1",
            "2002:7f00:1::",
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert!(
                !public.may_call(address) && !odd.may_call(address),
                "{address}"
            );
        }
        assert!(public.may_call("93.184.216.34".parse().unwrap()));
        let here = Target::of("http://localhost:1/", &hosts()).unwrap();
        assert!(here.may_call("::1".parse().unwrap()));
        assert!(!here.may_call("93.184.216.34".parse().unwrap()));
        assert!(!here.may_call("10.0.0.1".parse().unwrap()));
    }
}
