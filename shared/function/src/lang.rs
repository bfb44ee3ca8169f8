//! In which of a tenant's languages a user is answered.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;

/// More wishes than any browser sends; the rest is not looked at.
const MAX_RANGES: usize = 32;
/// Longer headers are not looked at.
const MAX_HEADER: usize = 1024;

/// Chooses one of `offered` (BCP 47 tags as the tenant writes them): by `?lang=`, then by `Accept-Language`,
/// then `default`. `query` is the value of `lang`, when there is one. What cannot be read or is not offered is
/// passed over; nothing is ever refused for its language.
pub fn pick<'a>(
    query: Option<&str>,
    headers: &HeaderMap,
    offered: &'a [String],
    default: &'a str,
) -> &'a str {
    if let Some(found) = query.and_then(|wish| find(wish, offered)) {
        return found;
    }
    let lines = headers.get_all(ACCEPT_LANGUAGE).iter();
    let texts = lines
        .filter(|line| line.len() <= MAX_HEADER)
        .filter_map(|line| line.to_str().ok());
    let mut wishes: Vec<(&str, u16)> = texts
        .flat_map(|line| line.split(','))
        .take(MAX_RANGES)
        .filter_map(wish)
        .filter(|(_, q)| *q > 0)
        .collect();
    // Stable: of equal weights the first named wins.
    wishes.sort_by_key(|(_, q)| std::cmp::Reverse(*q));
    for (range, _) in wishes {
        if range == "*" {
            break;
        }
        if let Some(found) = find(range, offered) {
            return found;
        }
    }
    default
}

/// One wish: a language range and its weight in thousandths; `None` where it cannot be read.
fn wish(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';');
    let range = parts.next()?.trim();
    let weight = match parts.next() {
        None => 1000,
        Some(weight) => {
            let q: f32 = weight
                .trim()
                .strip_prefix(['q', 'Q'])?
                .trim_start()
                .strip_prefix('=')?
                .trim()
                .parse()
                .ok()?;
            if !(0.0..=1.0).contains(&q) {
                return None;
            }
            (q * 1000.0).round() as u16
        }
    };
    (!range.is_empty()).then_some((range, weight))
}

/// The best offer for one range: itself, then a region of its script (`zh-Hant` is written in `zh-TW`), then
/// ever shorter ranges (`zh-Hans-CN`, `zh-Hans`, `zh`), each also as the beginning of an offer (`zh` finds `zh-CN`).
fn find<'a>(range: &str, offered: &'a [String]) -> Option<&'a str> {
    let mut range = range.trim();
    if range.len() > 64 {
        return None;
    }
    for regions in script_regions(range) {
        if let Some(found) = offered
            .iter()
            .find(|offer| offer.eq_ignore_ascii_case(regions))
        {
            return Some(found);
        }
    }
    loop {
        let exact = offered
            .iter()
            .find(|offer| offer.eq_ignore_ascii_case(range));
        let begins = || offered.iter().find(|offer| begins_with(offer, range));
        if let Some(found) = exact.or_else(begins) {
            return Some(found);
        }
        range = &range[..range.rfind('-')?];
    }
}

fn begins_with(offer: &str, range: &str) -> bool {
    let (Some(head), Some(b'-')) = (offer.get(..range.len()), offer.as_bytes().get(range.len()))
    else {
        return false;
    };
    !range.is_empty() && head.eq_ignore_ascii_case(range)
}

/// Where a Chinese script is written, best first; the range itself leads, so that an exact offer wins.
fn script_regions(range: &str) -> impl Iterator<Item = &str> {
    let mut subtags = range.split('-');
    let chinese = subtags
        .next()
        .is_some_and(|language| language.eq_ignore_ascii_case("zh"));
    let has = |name: &str| {
        range
            .split('-')
            .any(|subtag| subtag.eq_ignore_ascii_case(name))
    };
    let regions: &[&str] = if chinese && ["Hant", "TW", "HK", "MO"].iter().any(|name| has(name)) {
        &["zh-Hant", "zh-TW", "zh-HK", "zh-MO"]
    } else if chinese {
        &["zh-Hans", "zh-CN", "zh-SG"]
    } else {
        &[]
    };
    std::iter::once(range).chain(regions.iter().copied())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn check(query: Option<&str>, accept: &[&str], offered: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in accept {
            headers.append(
                ACCEPT_LANGUAGE,
                HeaderValue::from_bytes(line.as_bytes()).unwrap(),
            );
        }
        let offered: Vec<String> = offered.iter().map(|&offer| offer.into()).collect();
        pick(query, &headers, &offered, "en").to_owned()
    }

    #[test]
    fn the_users_wish() {
        type Row<'a> = (Option<&'a str>, &'a [&'a str], &'a [&'a str], &'a str);
        let both = &["en", "zh-CN"];
        let chinese = &["en", "zh-CN", "zh-TW"];
        let rows: [Row<'_>; 24] = [
            (None, &[], both, "en"),
            (Some("zh-CN"), &["en"], both, "zh-CN"),
            (Some("ZH-cn"), &[], both, "zh-CN"),
            (Some("zh"), &[], both, "zh-CN"),
            (Some("fr"), &["zh"], both, "zh-CN"),
            (Some(""), &["zh"], both, "zh-CN"),
            (None, &["zh-Hans-CN"], both, "zh-CN"),
            (None, &["zh-CN,zh;q=0.9,en;q=0.8"], both, "zh-CN"),
            (None, &["en;q=0.1, zh;q=0.2"], both, "zh-CN"),
            (None, &["en; q=0.5 , zh;q = 0.5"], both, "en"),
            (None, &["fr", "zh;q=0.5"], both, "zh-CN"),
            (None, &["zh;q=0, en;q=0.1"], both, "en"),
            (None, &["*, zh;q=0.5"], both, "en"),
            (None, &["fr;q=1.0, *;q=0.1"], both, "en"),
            (None, &["zh;q=2, zh;q=-1, zh;q=x, zh;p=1"], both, "en"),
            (None, &["zh;q=NaN"], both, "en"),
            (None, &["中文"], both, "en"),
            (None, &["zh-TW"], both, "zh-CN"),
            (None, &["zh-Hant"], chinese, "zh-TW"),
            (None, &["zh-HK"], chinese, "zh-TW"),
            (None, &["zh"], &["zh-TW", "zh-CN"], "zh-CN"),
            (None, &["en-GB"], both, "en"),
            (None, &["e"], both, "en"),
            (None, &["z, -, --, zh-"], both, "zh-CN"),
        ];
        for (query, accept, offered, expected) in rows {
            assert_eq!(
                check(query, accept, offered),
                expected,
                "{query:?} {accept:?}"
            );
        }
    }

    #[test]
    fn hostile_headers_cost_nothing() {
        let long = "zh,".repeat(100_000);
        assert_eq!(check(None, &[&long], &["en", "zh-CN"]), "en");
        let many = format!("{}zh", "x,".repeat(40));
        assert_eq!(check(None, &[&many], &["en", "zh-CN"]), "en");
        assert_eq!(
            check(Some(&"zh-".repeat(1000)), &[], &["en", "zh-CN"]),
            "en"
        );
        assert_eq!(
            check(Some("é"), &[], &["é-CN", "zh"]),
            "é-CN",
            "no byte is cut in half"
        );
    }
}
