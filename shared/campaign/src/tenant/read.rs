//! From `tenant.yaml` to [`Tenant`]: everything that is wrong with it at once.

use std::sync::Arc;

use chrono_tz::Tz;
use machine::calendar::HOUR_MS;
use machine::model::{Currency, Durability};
use machine::{Millis, Text};

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::{Fields, Node, parse};
use crate::law::{Law, TWO_YEARS_MS};
use crate::source::{Place, Source};
use crate::tenant::keys::{CURRENCY, DURABILITIES, KEYS, QUOTAS, REVIEW};
use crate::tenant::{Quotas, Review, Tenant, TenantPosters, claims, connectors, posters, secrets};

/// Reads a `tenant.yaml`; `id` is the tenant's id: its folder's name. Nothing only after an error was reported; after
/// other errors a tenant comes back all the same, so that its campaigns can be checked too.
pub fn read(id: &str, source: &Arc<Source>, out: &mut Diagnostics) -> Option<Tenant> {
    let root = parse(source, out)?;
    let fields = root.fields(&KEYS, out)?;
    let languages = languages(&fields, out);
    let timezone = fields
        .get("timezone")
        .and_then(|node| node.timezone(out))
        .unwrap_or(Tz::UTC);
    let name = fields
        .get("name")
        .and_then(|node| node.text(&languages, out))
        .unwrap_or_else(|| Text::one("en", id));
    let organizer = fields
        .get("organizer")
        .and_then(|node| node.text(&languages, out))
        .unwrap_or_else(|| name.clone());
    let law = fields.get("law").and_then(|node| node.string(out));
    if let Some(law) = law.and_then(Law::of)
        && !fields.has("organizer")
    {
        out.error(
            codes::LAW_ORGANIZER,
            fields.key_place("law"),
            format!("under the law of {} users are told who runs a campaign, and `organizer` is missing", law.as_str()),
        )
        .help("write the company's full name: `organizer: { zh-CN: 示例科技有限公司 }`");
    }
    let keys = secrets::under(&fields, "keys", out);
    let admin_keys = secrets::apart(&fields, &keys, out);
    let service_keys = secrets::under(&fields, "service_keys", out);
    if keys.is_empty() && !fields.has("keys") {
        out.warn(
            codes::TENANT_NO_KEYS,
            &Place::start_of(source),
            "no `keys`: no token of a user can be checked",
        )
        .help("while developing: `keys: [{ kid: users-dev, alg: HS256, dev: true }]`");
    }
    Some(Tenant {
        id: id.to_owned(),
        name,
        keys: keys.into_iter().map(|(key, _)| key).collect(),
        admin_keys,
        service_keys: service_keys.into_iter().map(|(key, _)| key).collect(),
        claims: claims::read(&fields, timezone, out),
        origins: texts(&fields, "origins", origin, out),
        trusted_proxies: texts(&fields, "trusted_proxies", proxy, out),
        timezone,
        currency: fields
            .get("currency")
            .and_then(|node| currency(node, out))
            .unwrap_or_else(|| Currency {
                code: "CNY".to_owned(),
                digits: 2,
            }),
        languages,
        quotas: fields
            .get("quotas")
            .map_or_else(Quotas::default, |node| quotas(node, out)),
        law: law.map(str::to_owned),
        archive_ms: fields.get("archive").map_or(TWO_YEARS_MS, |node| {
            archive(node, law.and_then(Law::of), out).unwrap_or(TWO_YEARS_MS)
        }),
        connectors: connectors::read(&fields, out),
        durability: match fields
            .get("durability")
            .and_then(|node| node.one_of(&DURABILITIES, out))
        {
            Some("strict") => Durability::Strict,
            _ => Durability::Standard,
        },
        organizer,
        review: fields
            .get("review")
            .map_or_else(Review::default, |node| review(node, out)),
        posters: fields
            .get("posters")
            .map_or_else(TenantPosters::default, |node| posters::read(node, out)),
    })
}

fn review(node: &Node, out: &mut Diagnostics) -> Review {
    let approvals = node
        .fields(&REVIEW, out)
        .and_then(|fields| fields.get("approvals")?.int(0..=10, out));
    Review {
        approvals: approvals.unwrap_or(0) as u32,
    }
}

/// How long books are kept: `2 years`, or a length of time. A year is 366 days here.
fn archive(node: &Node, law: Option<Law>, out: &mut Diagnostics) -> Option<Millis> {
    let years = node.scalar().and_then(|text| {
        let (number, unit) = text.trim().split_once(' ')?;
        let years: i64 = number.parse().ok()?;
        (matches!(unit.trim(), "year" | "years") && (1..=100).contains(&years)).then_some(years)
    });
    let kept = match years {
        Some(years) => years * 366 * 24 * HOUR_MS,
        None => node.duration(out)?,
    };
    if let Some(law) = law
        && kept < law.archive_ms()
    {
        out.error(
            codes::LAW_ARCHIVE,
            &node.place,
            format!(
                "under the law of {} the books are kept for two years at least",
                law.as_str()
            ),
        )
        .help("write `2 years`");
    }
    Some(kept)
}

fn languages(fields: &Fields<'_>, out: &mut Diagnostics) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for node in fields.get("languages").map_or(&[][..], Node::one_or_list) {
        let Some(tag) = node.string(out) else {
            continue;
        };
        if !is_language(tag) {
            let guess = usual_case(tag);
            let help = guess.as_ref().map_or_else(
                || "write `en`, `zh-CN`, `zh-Hant-TW`: language, script, region, each in its usual case".to_owned(),
                |guess| format!("write `{guess}`"),
            );
            out.error(
                codes::TENANT_LANGUAGE,
                &node.place,
                format!("`{tag}` is not a language tag"),
            )
            .help(help);
            // Texts in it are not wrong as well.
            found.extend(guess);
        } else if found.iter().any(|known| known == tag) {
            out.error(
                codes::TENANT_LANGUAGE,
                &node.place,
                format!("`{tag}` stands here a second time"),
            );
        } else {
            found.push(tag.to_owned());
        }
    }
    if found.is_empty() {
        if let Some(node) = fields
            .get("languages")
            .filter(|node| node.is_list() && node.one_or_list().is_empty())
        {
            out.error(codes::EMPTY, &node.place, "a language is missing here");
        }
        found.push("en".to_owned());
    }
    found
}

/// A tag as it should have been written: `zh_CN`, `EN`.
fn usual_case(tag: &str) -> Option<String> {
    let parts = tag.split(['-', '_']).enumerate().map(|(at, part)| {
        let (first, rest) = part.split_at_checked(1).unwrap_or((part, ""));
        match part.len() {
            _ if at == 0 => part.to_ascii_lowercase(),
            4 => first.to_ascii_uppercase() + &rest.to_ascii_lowercase(),
            _ => part.to_ascii_uppercase(),
        }
    });
    let guess = parts.collect::<Vec<_>>().join("-");
    is_language(&guess).then_some(guess)
}

/// BCP 47 as far as texts need it: language, script, region.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().is_some_and(|part| {
        matches!(part.len(), 2 | 3) && part.bytes().all(|byte| byte.is_ascii_lowercase())
    });
    let mut rest: Vec<_> = parts.collect();
    let script = |part: &&str| {
        part.len() == 4
            && part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.bytes().skip(1).all(|byte| byte.is_ascii_lowercase())
    };
    let region = |part: &&str| {
        part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_uppercase())
            || part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if rest.first().is_some_and(script) {
        rest.remove(0);
    }
    if rest.first().is_some_and(region) {
        rest.remove(0);
    }
    language && rest.is_empty()
}

fn currency(node: &Node, out: &mut Diagnostics) -> Option<Currency> {
    let (code_node, digits) = if node.is_map() {
        let fields = node.fields(&CURRENCY, out)?;
        (
            fields.get("code")?,
            Some(fields.get("digits")?.int(0..=4, out)? as u8),
        )
    } else {
        (node, None)
    };
    let code = code_node.string(out)?;
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        out.error(
            codes::TENANT_CURRENCY,
            &code_node.place,
            format!("`{code}` is not a currency's code"),
        )
        .help("write its three capital letters: `CNY`, `EUR`, `JPY`");
        return None;
    }
    if code == "RMB" {
        out.error(
            codes::TENANT_CURRENCY,
            &code_node.place,
            format!("`{code}` is not a currency's code"),
        )
        .help("did you mean `CNY`?");
        return None;
    }
    let Some(digits) = digits.or_else(|| known_digits(code)) else {
        out.error(
            codes::TENANT_CURRENCY,
            &code_node.place,
            format!("how many digits after the point `{code}` has is not known here"),
        )
        .help(format!("write `{{ code: {code}, digits: 2 }}`"));
        return None;
    };
    Some(Currency {
        code: code.to_owned(),
        digits,
    })
}

/// The minor unit of the common currencies, after ISO 4217.
fn known_digits(code: &str) -> Option<u8> {
    const TWO: [&str; 36] = [
        "AED", "ARS", "AUD", "BDT", "BRL", "CAD", "CHF", "CNY", "COP", "CZK", "DKK", "EGP", "EUR",
        "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "KES", "MAD", "MOP", "MXN", "MYR", "NGN", "NOK",
        "NZD", "PHP", "PLN", "RON", "SAR", "SEK", "SGD", "THB", "TRY", "TWD",
    ];
    const OTHERS: [(&str, u8); 19] = [
        ("USD", 2),
        ("UAH", 2),
        ("ZAR", 2),
        ("PKR", 2),
        ("LKR", 2),
        ("RUB", 2),
        ("PEN", 2),
        ("QAR", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("VND", 0),
        ("CLP", 0),
        ("ISK", 0),
        ("XOF", 0),
        ("XAF", 0),
        ("KWD", 3),
        ("BHD", 3),
        ("OMR", 3),
        ("TND", 3),
    ];
    let two = TWO.contains(&code).then_some(2);
    two.or_else(|| {
        OTHERS
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(_, digits)| *digits)
    })
}

/// The sound ones of a list of texts.
fn texts(
    fields: &Fields<'_>,
    name: &str,
    sound: fn(&Node, &str, &mut Diagnostics) -> bool,
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
        if sound(node, text, out) {
            found.push(text.to_owned());
        }
    }
    found
}

fn origin(node: &Node, text: &str, out: &mut Diagnostics) -> bool {
    let sound = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .is_some_and(|rest| {
            let (host, port) = match rest.rsplit_once(':') {
                Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
                _ => (rest, None),
            };
            let host_sound = !host.is_empty()
                && host.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte)
                });
            host_sound && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
        });
    if !sound {
        let help = if text == "*" {
            "name each origin: any page of the web could call otherwise"
        } else {
            "write `https://www.example.com`: scheme, host in small letters, port if any; no path"
        };
        out.error(
            codes::TENANT_ORIGIN,
            &node.place,
            format!("`{text}` is not a web origin"),
        )
        .help(help);
    }
    sound
}

fn proxy(node: &Node, text: &str, out: &mut Diagnostics) -> bool {
    let (address, bits) = text
        .split_once('/')
        .map_or((text, None), |(address, bits)| (address, Some(bits)));
    // Parsed only: nothing is connected to.
    let sound = address.parse::<core::net::IpAddr>().is_ok_and(|address| {
        let most = if address.is_ipv4() { 32 } else { 128 };
        bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
    });
    if !sound {
        out.error(
            codes::TENANT_PROXY,
            &node.place,
            format!("`{text}` is neither an address nor a network"),
        )
        .help("write `10.0.0.7` or `10.0.0.0/8`");
    }
    sound
}

fn quotas(node: &Node, out: &mut Diagnostics) -> Quotas {
    let mut quotas = Quotas::default();
    let Some(fields) = node.fields(&QUOTAS, out) else {
        return quotas;
    };
    let slots = [
        ("per_second", &mut quotas.per_second),
        ("burst", &mut quotas.burst),
        ("user_per_second", &mut quotas.user_per_second),
        ("user_burst", &mut quotas.user_burst),
        ("list_members", &mut quotas.list_members),
        ("pool_codes", &mut quotas.pool_codes),
    ];
    for (name, slot) in slots {
        if let Some(number) = fields
            .get(name)
            .and_then(|node| node.int(1..=10_000_000, out))
        {
            *slot = number as u32;
        }
    }
    quotas
}
