//! The keys that a tenant's tokens are checked with. Each key has one algorithm, whatever a token says.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use sha2::{Digest, Sha256};

/// The shortest HS256 secret, in bytes: as long as the hash (RFC 7518, 3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// How a token may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alg {
    /// HMAC with SHA-256: one shared secret signs and checks.
    Hs256,
    /// Ed25519.
    EdDsa,
    /// RSA (2048 to 8192 bits), PKCS#1 v1.5, SHA-256.
    Rs256,
}

impl Alg {
    /// The algorithm of that name, as JWT headers and `tenant.yaml` write it: `HS256`, `EdDSA`, `RS256`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "EdDSA" => Some(Self::EdDsa),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }

    pub(super) const fn jwt(self) -> Algorithm {
        match self {
            Self::Hs256 => Algorithm::HS256,
            Self::EdDsa => Algorithm::EdDSA,
            Self::Rs256 => Algorithm::RS256,
        }
    }
}

/// One tenant's keys for one kind of token, by key id.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: BTreeMap<String, Key>,
    /// SHA-256 of each key's material, so that two sets can be compared without keeping it.
    prints: BTreeMap<String, (Alg, [u8; 32])>,
}

/// One key, bound to one algorithm.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) alg: Alg,
    pub(super) decoding: DecodingKey,
    /// What jsonwebtoken is to check: the signature with this algorithm and nothing else.
    pub(super) signature_only: Validation,
}

impl KeySet {
    /// A set without keys: no token passes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key from the text of its file or environment variable; white space around it is ignored.
    ///
    /// HS256: the secret is the text itself, byte for byte, or what follows `base64url:` decoded; at least 32
    /// bytes. EdDSA: a PEM public key, or the 32 bytes in base64url (JWK's `x`). RS256: a PEM public key.
    pub fn add(&mut self, kid: &str, alg: Alg, material: &str) -> Result<(), KeyError> {
        if kid.is_empty() || kid.len() > 128 || !kid.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(KeyError::BadId);
        }
        let material = material.trim();
        if alg != Alg::Hs256 && material.contains("PRIVATE KEY") {
            return Err(KeyError::Private {
                kid: kid.to_owned(),
            });
        }
        let unreadable = |_| KeyError::Unreadable {
            kid: kid.to_owned(),
            alg,
        };
        let decoding = match alg {
            Alg::Hs256 => DecodingKey::from_secret(&secret(kid, material)?),
            Alg::EdDsa if material.starts_with("-----BEGIN") => {
                DecodingKey::from_ed_pem(material.as_bytes()).map_err(unreadable)?
            }
            Alg::EdDsa => DecodingKey::from_ed_components(material).map_err(unreadable)?,
            Alg::Rs256 => DecodingKey::from_rsa_pem(material.as_bytes()).map_err(unreadable)?,
        };
        if alg == Alg::EdDsa
            && decoding
                .try_get_as_bytes()
                .is_ok_and(|bytes| bytes.len() != 32)
        {
            return Err(KeyError::Unreadable {
                kid: kid.to_owned(),
                alg,
            });
        }
        let mut signature_only = Validation::new(alg.jwt());
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_nbf = false;
        signature_only.validate_aud = false;
        let key = Key {
            alg,
            decoding,
            signature_only,
        };
        let print = Sha256::digest(material.as_bytes()).into();
        self.prints.insert(kid.to_owned(), (alg, print));
        match self.keys.insert(kid.to_owned(), key) {
            None => Ok(()),
            Some(_) => Err(KeyError::Twice {
                kid: kid.to_owned(),
            }),
        }
    }

    /// Whether another set holds the same keys under the same ids.
    pub fn same_as(&self, other: &Self) -> bool {
        self.prints == other.prints
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key a token names. A token that names none is taken only where there is nothing to choose.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<&Key> {
        match kid {
            // A map look-up and nothing else: a key id is never a path, an address or a query.
            Some(kid) => self.keys.get(kid),
            None if self.keys.len() == 1 => self.keys.values().next(),
            None => None,
        }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.keys.iter().map(|(kid, key)| (kid, key.alg)))
            .finish()
    }
}

/// The bytes of an HS256 secret.
pub(crate) fn secret(kid: &str, material: &str) -> Result<Vec<u8>, KeyError> {
    if material.starts_with("-----BEGIN") {
        // Somebody's public key as a shared secret is the classic way to let everybody sign.
        return Err(KeyError::PemAsSecret {
            kid: kid.to_owned(),
        });
    }
    let bytes = match material.strip_prefix("base64url:") {
        Some(text) => URL_SAFE_NO_PAD
            .decode(text)
            .or_else(|_| URL_SAFE.decode(text))
            .map_err(|_| KeyError::Unreadable {
                kid: kid.to_owned(),
                alg: Alg::Hs256,
            })?,
        None => material.as_bytes().to_vec(),
    };
    if bytes.len() < MIN_SECRET_BYTES {
        return Err(KeyError::TooShort {
            kid: kid.to_owned(),
            bytes: bytes.len(),
        });
    }
    Ok(bytes)
}

/// Why a key cannot be used. The messages hold key ids, never keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key id is 1 to 128 visible ASCII characters.
    #[error("a key id must be 1 to 128 visible ASCII characters")]
    BadId,
    /// The id is taken.
    #[error("key `{kid}` is given twice")]
    Twice {
        /// The key id.
        kid: String,
    },
    /// The secret can be guessed.
    #[error("key `{kid}`: the secret has {bytes} bytes, it needs at least {MIN_SECRET_BYTES}")]
    TooShort {
        /// The key id.
        kid: String,
        /// How long it is.
        bytes: usize,
    },
    /// An HS256 key that is a PEM file.
    #[error(
        "key `{kid}`: this is a PEM file, which is no secret; did you mean alg EdDSA or RS256?"
    )]
    PemAsSecret {
        /// The key id.
        kid: String,
    },
    /// A private key where the public one is enough.
    #[error("key `{kid}`: this is a private key; only the public key belongs here")]
    Private {
        /// The key id.
        kid: String,
    },
    /// Not a key of that algorithm.
    #[error("key `{kid}`: this is no {alg:?} key")]
    Unreadable {
        /// The key id.
        kid: String,
        /// The algorithm asked for.
        alg: Alg,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::mint::tests::{ED_PRIVATE, ED_PUBLIC};

    fn add(kid: &str, alg: Alg, material: &str) -> Result<(), KeyError> {
        KeySet::new().add(kid, alg, material)
    }

    #[test]
    fn what_is_a_key() {
        let secret = "0123456789abcdef0123456789abcdef";
        assert_eq!(add("a", Alg::Hs256, secret), Ok(()));
        assert_eq!(add("a", Alg::Hs256, &format!("  {secret}\n")), Ok(()));
        assert_eq!(
            add(
                "a",
                Alg::Hs256,
                "base64url:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            ),
            Ok(())
        );
        assert_eq!(add("a", Alg::EdDsa, ED_PUBLIC), Ok(()));
        assert_eq!(
            add(
                "a",
                Alg::EdDsa,
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            ),
            Ok(())
        );
    }

    #[test]
    fn what_is_none() {
        let kid = || "a".to_owned();
        let rows = [
            (
                Alg::Hs256,
                "short",
                KeyError::TooShort {
                    kid: kid(),
                    bytes: 5,
                },
            ),
            (
                Alg::Hs256,
                "",
                KeyError::TooShort {
                    kid: kid(),
                    bytes: 0,
                },
            ),
            (
                Alg::Hs256,
                "base64url:AAAA",
                KeyError::TooShort {
                    kid: kid(),
                    bytes: 3,
                },
            ),
            (
                Alg::Hs256,
                "base64url:!",
                KeyError::Unreadable {
                    kid: kid(),
                    alg: Alg::Hs256,
                },
            ),
            (Alg::Hs256, ED_PUBLIC, KeyError::PemAsSecret { kid: kid() }),
            (Alg::EdDsa, ED_PRIVATE, KeyError::Private { kid: kid() }),
            (
                Alg::EdDsa,
                "AAAA",
                KeyError::Unreadable {
                    kid: kid(),
                    alg: Alg::EdDsa,
                },
            ),
            (
                Alg::Rs256,
                ED_PUBLIC,
                KeyError::Unreadable {
                    kid: kid(),
                    alg: Alg::Rs256,
                },
            ),
            (
                Alg::Rs256,
                "",
                KeyError::Unreadable {
                    kid: kid(),
                    alg: Alg::Rs256,
                },
            ),
        ];
        for (alg, material, error) in rows {
            assert_eq!(
                add("a", alg, material),
                Err(error),
                "{alg:?} {material:.20}"
            );
        }
        for kid in ["", "a b", "a\n", "é", &"k".repeat(129)] {
            assert_eq!(
                add(kid, Alg::EdDsa, ED_PUBLIC),
                Err(KeyError::BadId),
                "{kid}"
            );
        }
    }

    #[test]
    fn a_set_shows_no_secrets() {
        let mut keys = KeySet::new();
        keys.add("a", Alg::Hs256, "0123456789abcdef0123456789abcdef")
            .unwrap();
        assert_eq!(format!("{keys:?}"), r#"{"a": Hs256}"#);
        assert_eq!(
            keys.add("a", Alg::EdDsa, ED_PUBLIC),
            Err(KeyError::Twice { kid: "a".into() })
        );
    }
}
