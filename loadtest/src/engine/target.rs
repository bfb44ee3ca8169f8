//! Where calls go: an address, looked up once before anything starts, and whether TLS is spoken there.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};

use crate::engine::Error;

/// How long the first connection is waited for.
const FIRST: Duration = Duration::from_secs(5);

/// A target, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What goes into `Host`.
    pub authority: String,
    /// What paths begin with: empty, or `/...` without a slash at its end.
    pub prefix: String,
    /// Whether TLS is spoken.
    pub https: bool,
    host: String,
    port: u16,
}

/// A target that takes connections.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its address.
    pub address: SocketAddr,
    /// How TLS is spoken, if it is.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Target {
    /// Reads `http://host[:port][/prefix]` or `https://...`.
    pub fn read(url: &str) -> Result<Self, Error> {
        let wrong = |why| Error::Target {
            target: url.to_owned(),
            why,
        };
        let (https, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(wrong("it does not begin with `http://` or `https://`")),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain(rest) || rest.contains(['@', '?', '#']) {
            return Err(wrong(
                "an address is a host, a port and maybe a path, and nothing else",
            ));
        }
        let (host, port) = match authority.rsplit_once(':') {
            // A colon within the brackets of an IPv6 address is none before a port.
            Some((host, port)) if !port.ends_with(']') => (
                host,
                port.parse().map_err(|_| wrong("its port is no port"))?,
            ),
            _ => (authority, if https { 443 } else { 80 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        Ok(Self {
            authority: authority.to_owned(),
            prefix: path.trim_end_matches('/').to_owned(),
            https,
            host: host.to_owned(),
            port,
        })
    }

    /// Looks it up and connects once.
    pub fn find(&self) -> Result<Found, Error> {
        let unreachable = |why: String| Error::Unreachable {
            target: self.authority.clone(),
            why,
        };
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let found = found.map_err(|error| unreachable(error.to_string()))?;
        let mut why = "its name has no address".to_owned();
        for address in found {
            match TcpStream::connect_timeout(&address, FIRST) {
                Ok(_) => {
                    return Ok(Found {
                        address,
                        tls: self.https.then(|| self.tls()).transpose()?,
                    });
                }
                Err(error) => why = error.to_string(),
            }
        }
        Err(unreachable(why))
    }

    fn tls(&self) -> Result<(Arc<ClientConfig>, ServerName<'static>), Error> {
        let failed = |why: String| Error::Tls {
            target: self.authority.clone(),
            why,
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(failed("this machine has no root certificates".to_owned()));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(self.host.clone());
        let name = name.map_err(|error| failed(error.to_string()))?;
        Ok((Arc::new(config), name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        let rows = [
            ("http://127.0.0.1:8080", "127.0.0.1", 8080, "", false),
            ("https://gala.example", "gala.example", 443, "", true),
            ("http://[::1]:80/x/y/", "::1", 80, "/x/y", false),
            ("http://[::1]", "::1", 80, "", false),
        ];
        for (url, host, port, prefix, https) in rows {
            let target = Target::read(url).unwrap();
            let got = (
                target.host.as_str(),
                target.port,
                target.prefix.as_str(),
                target.https,
            );
            assert_eq!(got, (host, port, prefix, https), "{url}");
        }
        for url in [
            "",
            "ftp://x",
            "localhost:80",
            "http://",
            "http://a:b",
            "http://u@h",
            "http://h/?q",
            "http://a b",
        ] {
            assert!(
                matches!(Target::read(url), Err(Error::Target { .. })),
                "{url}"
            );
        }
    }

    #[test]
    fn nobody_there_is_told() {
        let port = crate::bench::process::free_port().unwrap();
        let target = Target::read(&format!("http://127.0.0.1:{port}")).unwrap();
        assert!(matches!(target.find(), Err(Error::Unreachable { .. })));
    }
}
