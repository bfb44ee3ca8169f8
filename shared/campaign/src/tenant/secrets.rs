//! A tenant's keys: where each is found, never what it is.

use std::collections::BTreeMap;

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::{Fields, Node};
use crate::source::Place;
use crate::tenant::keys::{ALGS, KEY};
use crate::tenant::{Alg, KeySource, KeySpec};

/// The keys under one heading, with the places of their sources.
pub(super) fn under(
    fields: &Fields<'_>,
    heading: &str,
    out: &mut Diagnostics,
) -> Vec<(KeySpec, Place)> {
    let Some(items) = fields.get(heading).and_then(|node| node.list(out)) else {
        return Vec::new();
    };
    let mut kids: BTreeMap<String, Place> = BTreeMap::new();
    let mut found = Vec::new();
    for item in items {
        let Some(key) = key(item, out) else { continue };
        if let Some(first) = kids.get(&key.kid) {
            out.error(
                codes::TENANT_KID,
                &item.place,
                format!("a second key with the kid `{}`", key.kid),
            )
            .related(first, "the first");
            continue;
        }
        if key.source == KeySource::Dev {
            out.note(
                codes::TENANT_DEV_KEY,
                &item.place,
                format!(
                    "`{}` is a development key: it is made on first use, for this machine only",
                    key.kid
                ),
            );
        }
        kids.insert(key.kid.clone(), item.place.clone());
        found.push((key, item.place.clone()));
    }
    found
}

/// The admins' keys: whoever issues users' tokens must not be able to make an admin.
pub(super) fn apart(
    fields: &Fields<'_>,
    users: &[(KeySpec, Place)],
    out: &mut Diagnostics,
) -> Vec<KeySpec> {
    let mut found = Vec::new();
    for (key, place) in under(fields, "admin_keys", out) {
        let same = users.iter().find(|(user, _)| {
            user.source == key.source && key.source != KeySource::Dev || user.kid == key.kid
        });
        if let Some((_, first)) = same {
            out.error(
                codes::TENANT_KEY,
                &place,
                format!(
                    "`{}` is a key of users, too: whoever makes users' tokens could make admins",
                    key.kid
                ),
            )
            .related(first, "here for users");
            continue;
        }
        found.push(key);
    }
    found
}

fn key(node: &Node, out: &mut Diagnostics) -> Option<KeySpec> {
    let fields = node.fields(&KEY, out)?;
    let kid = fields.get("kid").and_then(|node| {
        let kid = node.string(out)?;
        let sound =
            (1..=64).contains(&kid.len()) && kid.bytes().all(|byte| byte.is_ascii_graphic());
        if !sound {
            out.error(
                codes::TENANT_KEY,
                &node.place,
                format!("`{kid}` can't be a kid: 1 to 64 visible characters of ASCII"),
            );
        }
        sound.then(|| kid.to_owned())
    });
    let alg = fields
        .get("alg")
        .and_then(|node| node.one_of(&ALGS, out))
        .map(|alg| match alg {
            "HS256" => Alg::HS256,
            "EdDSA" => Alg::EdDSA,
            _ => Alg::RS256,
        });
    let mut sources = Vec::new();
    if let Some(node) = fields.get("env") {
        sources.extend(named(node, out).map(KeySource::Env));
    }
    if let Some(node) = fields.get("file") {
        sources.extend(named(node, out).map(KeySource::File));
    }
    if let Some(node) = fields.get("dev") {
        sources.extend(node.bool(out).filter(|dev| *dev).map(|_| KeySource::Dev));
    }
    let off = |name: &str| fields.get(name).and_then(Node::scalar) == Some("false");
    let asked = ["env", "file", "dev"]
        .iter()
        .filter(|name| fields.has(name) && !off(name))
        .count();
    if asked != 1 {
        out.error(codes::TENANT_KEY, &node.place, format!("a key is found in exactly one place, this one names {asked}"))
            .help("write one of `env: ACME_USERS_KEY`, `file: keys/users.pem`, and while developing `dev: true`");
        return None;
    }
    let (kid, alg, source) = (kid?, alg?, sources.pop()?);
    if source == KeySource::Dev && alg == Alg::RS256 {
        out.error(
            codes::TENANT_KEY,
            &node.place,
            "a development key is not made for RS256",
        )
        .help("while developing write `alg: HS256` or `alg: EdDSA`");
        return None;
    }
    Some(KeySpec { kid, alg, source })
}

fn named(node: &Node, out: &mut Diagnostics) -> Option<String> {
    let text = node.string(out)?;
    if text.is_empty() {
        out.error(codes::EMPTY, &node.place, "a name is missing here");
    }
    (!text.is_empty()).then(|| text.to_owned())
}
