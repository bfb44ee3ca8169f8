//! What the posters of a tenant's campaigns may use: hosts that pictures come from, fonts, and a store for what was drawn.

use machine::Millis;
use serde::{Deserialize, Serialize};

use crate::tenant::KeySource;

#[cfg(feature = "yaml")]
pub(super) use self::reading::{POSTERS, read};

/// What posters may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantPosters {
    /// The hosts that avatars and other pictures may be fetched from: `cdn.example.com`, or `*.example.com` for all below it.
    /// Empty: none is fetched.
    pub picture_hosts: Vec<String>,
    /// The paths of fonts of its own, from the tenant's folder: `posters/fonts/brand.otf`.
    pub fonts: Vec<String>,
    /// Where posters are put, so that their links lead there; none: they are sent as they are.
    pub storage: Option<Storage>,
}

/// An object store that speaks S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Its address: `https://cos.ap-shanghai.myqcloud.com`.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What every object's name begins with.
    pub prefix: String,
    /// Where the id of the key is found.
    pub key: KeySource,
    /// Where the key's secret is found.
    pub secret: KeySource,
    /// The address that the bucket is read from by everybody, a CDN's for example; none: links are signed.
    pub public: Option<String>,
    /// How long a signed link holds, in milliseconds: a minute to a week.
    pub signed_for_ms: Millis,
}

/// Whether pictures may be fetched from a host, its port apart.
pub fn host_is_allowed(hosts: &[String], host: &str) -> bool {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    hosts
        .iter()
        .any(|allowed| match allowed.strip_prefix("*.") {
            Some(above) => host
                .strip_suffix(above)
                .and_then(|below| below.strip_suffix('.'))
                .is_some_and(|below| !below.is_empty()),
            None => allowed.eq_ignore_ascii_case(host),
        })
}

#[cfg(feature = "yaml")]
mod reading {
    use machine::calendar::HOUR_MS;

    use super::{Storage, TenantPosters};
    use crate::codes;
    use crate::diagnostic::Diagnostics;
    use crate::document::{Fields, Key, Keys, Node, Shape};
    use crate::posters::FOLDER;
    use crate::tenant::connectors::{SECRET, secret};

    /// The most fonts of a tenant.
    const MOST_FONTS: usize = 8;

    pub(in crate::tenant) static POSTERS: Keys = Keys {
        name: "tenant's posters",
        doc: "What posters may use.",
        keys: &[
            Key::optional(
                "picture_hosts",
                Shape::List(&Shape::String),
                "Hosts that avatars and other pictures may be fetched from: `cdn.example.com`, or `*.qlogo.cn` for all below it. Default: none.",
            ),
            Key::optional(
                "fonts",
                Shape::List(&Shape::String),
                "Fonts of the tenant's own, TTF or OTF, from the tenant's folder: `posters/fonts/brand.otf`.",
            ),
            Key::optional(
                "storage",
                Shape::Keys(&STORAGE),
                "An object store (S3, COS) that posters are put into, so that their links lead there. Default: they are sent as they are.",
            ),
        ],
    };

    static STORAGE: Keys = Keys {
        name: "storage",
        doc: "An object store that speaks S3.",
        keys: &[
            Key::required(
                "endpoint",
                Shape::String,
                "Its address: `https://cos.ap-shanghai.myqcloud.com`.",
            ),
            Key::required("region", Shape::String, "Its region: `ap-shanghai`."),
            Key::required("bucket", Shape::String, "The bucket's name."),
            Key::optional(
                "prefix",
                Shape::String,
                "What every object's name begins with. Default: `posters/`.",
            ),
            Key::required("key", Shape::Keys(&SECRET), "The id of the access key."),
            Key::required("secret", Shape::Keys(&SECRET), "The access key's secret."),
            Key::optional(
                "public",
                Shape::String,
                "Where everybody reads the bucket: `https://cdn.example.com`. Default: links are signed.",
            ),
            Key::optional(
                "signed_for",
                Shape::Duration,
                "How long a signed link holds, `1 minute` to `7 days`. Default: 1 hour.",
            ),
        ],
    };

    pub(in crate::tenant) fn read(node: &Node, out: &mut Diagnostics) -> TenantPosters {
        let Some(fields) = node.fields(&POSTERS, out) else {
            return TenantPosters::default();
        };
        TenantPosters {
            picture_hosts: list(&fields, "picture_hosts", is_host, out),
            fonts: list(&fields, "fonts", is_font, out),
            storage: fields.get("storage").and_then(|node| storage(node, out)),
        }
    }

    /// The sound ones of a list of texts.
    fn list(
        fields: &Fields<'_>,
        name: &str,
        unsound: fn(&str) -> Option<(String, &'static str)>,
        out: &mut Diagnostics,
    ) -> Vec<String> {
        let mut found = Vec::new();
        for node in fields
            .get(name)
            .and_then(|node| node.list(out))
            .unwrap_or(&[])
        {
            let Some(text) = node.string(out) else {
                continue;
            };
            if let Some((message, help)) = unsound(text) {
                out.error(codes::TENANT_POSTERS, &node.place, message)
                    .help(help);
            } else if name == "fonts" && found.len() >= MOST_FONTS {
                let message = format!("a tenant has at most {MOST_FONTS} fonts of its own");
                out.error(codes::TENANT_POSTERS, &node.place, message);
            } else {
                found.push(text.to_owned());
            }
        }
        found
    }

    /// What is wrong with a host, if anything.
    fn is_host(text: &str) -> Option<(String, &'static str)> {
        let name = text.strip_prefix("*.").unwrap_or(text);
        let sound = name.contains('.')
            && !name.split('.').any(str::is_empty)
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
            // An address is nobody's name: what answers there is not known.
            && name.bytes().any(|byte| byte.is_ascii_lowercase());
        (!sound && text != "localhost").then(|| {
            (
                format!("`{text}` is not a host that pictures come from"),
                "write its name in small letters, without scheme, port or path: `thirdwx.qlogo.cn`, or `*.qlogo.cn` for all below it",
            )
        })
    }

    /// What is wrong with a font's path, if anything.
    fn is_font(text: &str) -> Option<(String, &'static str)> {
        let lower = text.to_ascii_lowercase();
        let sound = text.starts_with(FOLDER)
            && matches!(lower.rsplit_once('.'), Some((_, "ttf" | "otf")))
            && text
                .split('/')
                .all(|part| !part.is_empty() && !part.starts_with('.'));
        (!sound).then(|| {
            (
                format!("`{text}` can't be a font of the tenant's"),
                "put the TTF or OTF file into the folder `posters/`, and write `posters/fonts/brand.otf`; WOFF2 is made a TTF first",
            )
        })
    }

    fn storage(node: &Node, out: &mut Diagnostics) -> Option<Storage> {
        let fields = node.fields(&STORAGE, out)?;
        let place = |name: &str, node: &Node, out: &mut Diagnostics| {
            let text = node.string(out)?;
            let host = text
                .strip_prefix("https://")
                .or_else(|| text.strip_prefix("http://"));
            let sound = host.is_some_and(|host| {
                !host.is_empty()
                    && host.bytes().all(|byte| byte.is_ascii_graphic())
                    && !host.contains(['?', '#', '@', '{'])
            });
            if !sound {
                out.error(
                    codes::TENANT_POSTERS,
                    &node.place,
                    format!("`{text}` is not the address of a store"),
                )
                .help(format!(
                    "write `{name}: https://cos.ap-shanghai.myqcloud.com`"
                ));
                return None;
            }
            Some(text.trim_end_matches('/').to_owned())
        };
        let endpoint = fields
            .get("endpoint")
            .and_then(|node| place("endpoint", node, out));
        let public = match fields.get("public") {
            Some(node) => Some(place("public", node, out)?),
            None => None,
        };
        let signed_for_ms = match fields.get("signed_for") {
            Some(node) => {
                let found = node.duration(out)?;
                if !(HOUR_MS / 60..=7 * 24 * HOUR_MS).contains(&found) {
                    let message = "a signed link holds from 1 minute to 7 days";
                    out.error(codes::TENANT_POSTERS, &node.place, message)
                        .help("write `signed_for: 1 hour`");
                    return None;
                }
                found
            }
            None => HOUR_MS,
        };
        let text = |name: &str, out: &mut Diagnostics| {
            fields
                .get(name)
                .and_then(|node| node.string(out))
                .map(str::to_owned)
        };
        let (region, bucket) = (text("region", out), text("bucket", out));
        let prefix = text("prefix", out).unwrap_or_else(|| "posters/".to_owned());
        let found = |name: &str, out: &mut Diagnostics| {
            fields
                .get(name)
                .and_then(|node| secret(node, codes::TENANT_POSTERS, out))
        };
        let (key, secret) = (found("key", out), found("secret", out));
        Some(Storage {
            endpoint: endpoint?,
            region: region?,
            bucket: bucket?,
            prefix,
            key: key?,
            secret: secret?,
            public,
            signed_for_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::host_is_allowed;

    #[test]
    fn a_host_is_allowed_by_its_whole_name() {
        let hosts = ["cdn.example.com", "*.qlogo.cn"].map(str::to_owned);
        let rows = [
            ("cdn.example.com", true),
            ("CDN.example.com:443", true),
            ("evil-cdn.example.com", false),
            ("thirdwx.qlogo.cn", true),
            ("a.b.qlogo.cn", true),
            ("qlogo.cn", false),
            ("evilqlogo.cn", false),
            ("qlogo.cn.evil.com", false),
            ("", false),
        ];
        for (host, allowed) in rows {
            assert_eq!(host_is_allowed(&hosts, host), allowed, "{host}");
        }
    }
}
