//! Who calls, as far as the door can know it: the peer, or what the tenant's trusted proxies say.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderValue};
use function::served::TenantShell;

/// Where a call came from, as functions are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    /// `http` or `https`.
    pub(super) proto: &'static str,
    /// The host that the client asked for, where a trusted proxy says it; else the call's own `Host` is.
    pub(super) host: Option<HeaderValue>,
}

impl Client {
    /// We take calls without TLS: that there was some is only a trusted proxy's to say.
    pub(super) fn of(tenant: Option<&Arc<TenantShell>>, request: &Request) -> Self {
        let peer = peer(request);
        let headers = request.headers();
        let behind_proxy = tenant.is_some_and(|tenant| tenant.proxies.contains(peer));
        let said = |name: &str| only(headers, name).filter(|_| behind_proxy);
        Self {
            address: address(tenant, request),
            proto: match said("x-forwarded-proto") {
                Some(proto) if proto.as_bytes().eq_ignore_ascii_case(b"https") => "https",
                _ => "http",
            },
            host: said("x-forwarded-host").cloned(),
        }
    }
}

/// The client's address.
pub(super) fn address(tenant: Option<&Arc<TenantShell>>, request: &Request) -> IpAddr {
    let peer = peer(request);
    tenant.map_or(peer, |tenant| {
        tenant.proxies.client(peer, request.headers())
    })
}

fn peer(request: &Request) -> IpAddr {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => value,
        (_, Some(_)) => None,
    }
}
