//! The Bearer token of a request.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::identity::{Reason, Unauthenticated};

/// Takes the token out of `Authorization: Bearer <token>`: exactly one header, the scheme in any case (RFC 9110).
pub fn token(headers: &HeaderMap) -> Result<&str, Unauthenticated> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Reason::Missing)?;
    if values.next().is_some() {
        return Err(Reason::Repeated.into());
    }
    let value = value.to_str().map_err(|_| Reason::NotBearer)?;
    let (scheme, token) = value.split_once(' ').ok_or(Reason::NotBearer)?;
    let token = token.trim_matches(' ');
    // The characters of RFC 6750's b64token; a list of credentials would hold a comma or a space.
    let plain = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || !token.bytes().all(plain) {
        return Err(Reason::NotBearer.into());
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn one_bearer_or_none() {
        type Row<'a> = (&'a [&'a [u8]], Result<&'a str, Reason>);
        let rows: [Row<'_>; 14] = [
            (&[b"Bearer a.b.c"], Ok("a.b.c")),
            (&[b"bearer a.b.c"], Ok("a.b.c")),
            (&[b"BEARER   a.b-_~+/="], Ok("a.b-_~+/=")),
            (&[], Err(Reason::Missing)),
            (&[b"Bearer a.b.c", b"Bearer a.b.c"], Err(Reason::Repeated)),
            (&[b"Basic YTpi", b"Bearer a.b.c"], Err(Reason::Repeated)),
            (&[b""], Err(Reason::NotBearer)),
            (&[b"Bearer"], Err(Reason::NotBearer)),
            (&[b"Bearer "], Err(Reason::NotBearer)),
            (&[b"Basic YTpi"], Err(Reason::NotBearer)),
            (&[b"a.b.c"], Err(Reason::NotBearer)),
            (&[b"Bearer a.b.c, Bearer d.e.f"], Err(Reason::NotBearer)),
            (&[b"Bearer a b"], Err(Reason::NotBearer)),
            (&[b"Bearer \xff"], Err(Reason::NotBearer)),
        ];
        for (values, expected) in rows {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
            }
            assert_eq!(
                token(&headers).map_err(|error| error.reason),
                expected,
                "{values:?}"
            );
        }
    }
}
