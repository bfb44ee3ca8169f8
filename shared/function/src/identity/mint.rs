//! Making tokens, for `gala token`, for tests, and for a laptop without an issuer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rand::TryRng as _;
use rand::rngs::SysRng;
use serde_json::{Map, Value, json};

use super::keys::{KeyError, secret};
use super::role::{Audience, EVENTS_WRITE, Role};

/// A key that signs.
#[derive(Debug, Clone)]
pub struct Minter {
    header: Header,
    key: EncodingKey,
}

/// What a token is to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// `sub`: whose token it is.
    pub sub: String,
    /// `aud`; see [`Audience::of`].
    pub audience: String,
    /// How long it is good, in seconds from now.
    pub ttl_secs: i64,
    /// `role`, for staff.
    pub role: Option<Role>,
    /// `scope`, for services.
    pub scopes: Vec<String>,
    /// Further claims; the ones above win over equal names.
    pub extra: Map<String, Value>,
}

impl Ticket {
    /// A user's: one hour.
    pub fn user(tenant: &str, sub: &str) -> Self {
        Self::new(Audience::User, tenant, sub)
    }

    /// A staff member's: one hour.
    pub fn admin(tenant: &str, sub: &str, role: Role) -> Self {
        Self {
            role: Some(role),
            ..Self::new(Audience::Admin, tenant, sub)
        }
    }

    /// A back end's, which may send events for users: one hour.
    pub fn service(tenant: &str, sub: &str) -> Self {
        Self {
            scopes: vec![EVENTS_WRITE.to_owned()],
            ..Self::new(Audience::Service, tenant, sub)
        }
    }

    fn new(audience: Audience, tenant: &str, sub: &str) -> Self {
        Self {
            sub: sub.to_owned(),
            audience: audience.of(tenant),
            ttl_secs: 3600,
            role: None,
            scopes: Vec::new(),
            extra: Map::new(),
        }
    }
}

impl Minter {
    /// Signs with HS256. `material` as in [`super::KeySet::add`].
    pub fn hs256(kid: &str, material: &str) -> Result<Self, MintError> {
        let key = EncodingKey::from_secret(&secret(kid, material.trim())?);
        Ok(Self::with(Algorithm::HS256, kid, key))
    }

    /// Signs with Ed25519. `pem` is a PKCS#8 private key.
    pub fn ed25519(kid: &str, pem: &str) -> Result<Self, MintError> {
        let key = EncodingKey::from_ed_pem(pem.trim().as_bytes())
            .map_err(|_| MintError::NotAPrivateKey)?;
        Ok(Self::with(Algorithm::EdDSA, kid, key))
    }

    fn with(alg: Algorithm, kid: &str, key: EncodingKey) -> Self {
        Self {
            header: Header {
                kid: Some(kid.to_owned()),
                ..Header::new(alg)
            },
            key,
        }
    }

    /// Makes a token that is good from `now_secs` (seconds since 1970).
    pub fn sign(&self, ticket: &Ticket, now_secs: i64) -> Result<String, MintError> {
        let mut claims = ticket.extra.clone();
        claims.insert("sub".into(), json!(ticket.sub));
        claims.insert("aud".into(), json!(ticket.audience));
        claims.insert("iat".into(), json!(now_secs));
        claims.insert(
            "exp".into(),
            json!(now_secs.saturating_add(ticket.ttl_secs)),
        );
        if let Some(role) = ticket.role {
            claims.insert("role".into(), json!(role.as_str()));
        }
        if !ticket.scopes.is_empty() {
            claims.insert("scope".into(), json!(ticket.scopes.join(" ")));
        }
        jsonwebtoken::encode(&self.header, &claims, &self.key)
            .map_err(|error| MintError::Sign(error.to_string()))
    }
}

/// The development key in the file `path`; made (32 random bytes in base64url, mode 0600) when there is none.
///
/// Two processes that start at once agree on one key: the file appears whole or not at all.
pub fn dev_key(path: &Path) -> Result<String, MintError> {
    match fs::read_to_string(path) {
        Ok(key) => return Ok(key.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(MintError::file(path, &error)),
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| MintError::file(folder, &error))?;
    }
    let mut random = [0_u8; 32 + 8];
    SysRng
        .try_fill_bytes(&mut random)
        .map_err(|_| MintError::NoRandomness)?;
    let (key, suffix) = random.split_at(32);
    let draft = path.with_extension(format!("{}.tmp", URL_SAFE_NO_PAD.encode(suffix)));
    let written = write_private(&draft, URL_SAFE_NO_PAD.encode(key).as_bytes())
        // A link, unlike a rename, does not replace what another process was quicker to put there.
        .and_then(|()| match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        });
    let _ = fs::remove_file(&draft);
    written.map_err(|error| MintError::file(path, &error))?;
    let key = fs::read_to_string(path).map_err(|error| MintError::file(path, &error))?;
    Ok(key.trim().to_owned())
}

/// The public half (base64url, as JWK's `x`) of a development key that is used as an Ed25519 seed.
pub fn ed25519_public(dev_key: &str) -> Result<String, MintError> {
    let seed = URL_SAFE_NO_PAD
        .decode(dev_key.trim())
        .map_err(|_| MintError::NotAPrivateKey)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| MintError::NotAPrivateKey)?;
    Ok(URL_SAFE_NO_PAD.encode(pair.public_key()))
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.write_all(bytes)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Why there is no token. No message holds key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// The HS256 secret is not usable.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Not a PKCS#8 Ed25519 private key in PEM.
    #[error(
        "this is no Ed25519 private key in PEM (PKCS#8); make one with `openssl genpkey -algorithm ed25519`"
    )]
    NotAPrivateKey,
    /// Signing failed.
    #[error("cannot sign: {0}")]
    Sign(String),
    /// A key file cannot be read or written.
    #[error("key file {path}: {why}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        why: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

impl MintError {
    fn file(path: &Path, error: &io::Error) -> Self {
        Self::File {
            path: path.display().to_string(),
            why: error.to_string(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::identity::{Alg, KeySet, Reason, Verifier};

    /// The key pair of RFC 8032, 7.1, test 1: known to everybody, so a secret of nobody.
    pub const ED_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----";
    pub const ED_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----";
    pub const RSA_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1KKw+m3/I0LiHRsfcqKc
ZT+rHYxNsZMEHYmGzaf6uWRAnhILE3AFZ0xNvJetxj9yRfjQS6i80aUJwRiEvvUX
QWWrzw3STtHgUcJ4CTf3xC86V6c1lqUAR4QUYsOBB9krH7hSb8g7xm/3IiDQHuQ4
Y5H9tJmhUuu4qUPcOc6bTyAek/qQmGQ/qwTEPGEKLArAFAV+4Rvgs6rQd+euf0yb
F6B84XDUgl1rfgsPKeTyi9yM+qS8bI7ptES01AaR4F3VncTzSCWsY1MiVfPi9yFE
TRbl1eoOK0zsMBDlb73EdN4BAifg8Xeft1tWHgGg07H4GSVBXASylKg6EQ2bmNRC
sQIDAQAB
-----END PUBLIC KEY-----";
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const NOW: i64 = 1_800_000_000;

    #[test]
    fn each_token_opens_its_own_door_only() {
        let minter = Minter::hs256("dev", SECRET).unwrap();
        let tickets = [
            (Audience::User, Ticket::user("acme", "ann")),
            (Audience::Admin, Ticket::admin("acme", "bob", Role::Risk)),
            (Audience::Service, Ticket::service("acme", "shop")),
        ];
        for door in [Audience::User, Audience::Admin, Audience::Service] {
            let mut keys = KeySet::new();
            keys.add("dev", Alg::Hs256, SECRET).unwrap();
            let verifier = Verifier::new(keys, door.of("acme"));
            for (made_for, ticket) in &tickets {
                let got = verifier.verify(&minter.sign(ticket, NOW).unwrap(), NOW);
                if *made_for == door {
                    let claims = got.unwrap();
                    assert_eq!(claims.sub, ticket.sub);
                    assert_eq!(claims.admin_role(), ticket.role);
                    assert_eq!(claims.scopes, ticket.scopes);
                } else {
                    assert_eq!(
                        got.unwrap_err().reason,
                        Reason::WrongAudience,
                        "{made_for:?} at {door:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn ed25519_signs_too() {
        let minter = Minter::ed25519("ed", ED_PRIVATE).unwrap();
        let mut keys = KeySet::new();
        keys.add("ed", Alg::EdDsa, ED_PUBLIC).unwrap();
        let token = minter.sign(&Ticket::user("acme", "ann"), NOW).unwrap();
        assert_eq!(
            Verifier::new(keys, "acme".into())
                .verify(&token, NOW)
                .unwrap()
                .sub,
            "ann"
        );
        assert_eq!(
            Minter::ed25519("ed", ED_PUBLIC).unwrap_err(),
            MintError::NotAPrivateKey
        );
        assert!(!format!("{minter:?}").contains("J1hsZ3v"));
    }

    #[test]
    fn a_dev_key_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".keys/acme.key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| dev_key(&path).unwrap()))
                .collect();
            starts
                .into_iter()
                .map(|start| start.join().unwrap())
                .collect()
        });
        assert!(
            keys.iter().all(|key| *key == keys[0] && key.len() == 43),
            "{keys:?}"
        );
        assert!(KeySet::new().add("dev", Alg::Hs256, &keys[0]).is_ok());
        let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "no drafts are left: {left:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert!(matches!(
            dev_key(folder.path()),
            Err(MintError::File { .. })
        ));
    }
}
