//! The counters of `/metrics`, as far as a campaign's status needs them. They are those of the process that was asked.

use std::collections::BTreeMap;

/// Counters by campaign.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Scrape {
    /// Events that were answered.
    calls: BTreeMap<(String, String), f64>,
    /// Rewards that were given.
    grants: BTreeMap<(String, String), f64>,
    /// Refusals, by code.
    refusals: BTreeMap<(String, String), BTreeMap<String, f64>>,
}

impl Scrape {
    /// Reads the Prometheus text; what is not asked for is passed over.
    pub fn read(text: &str) -> Self {
        let mut scrape = Self::default();
        for line in text.lines() {
            let Some((name, labels, value)) = sample(line) else {
                continue;
            };
            let label = |name: &str| {
                labels
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| value.clone())
            };
            let (Some(tenant), Some(campaign)) = (label("tenant"), label("campaign")) else {
                continue;
            };
            let whose = (tenant, campaign);
            match name {
                "gala_http_requests_total" if label("route").as_deref() == Some("event") => {
                    *scrape.calls.entry(whose).or_default() += value;
                }
                "gala_grants_total" => *scrape.grants.entry(whose).or_default() += value,
                "gala_rejections_total" => {
                    let code = label("code").unwrap_or_default();
                    *scrape
                        .refusals
                        .entry(whose)
                        .or_default()
                        .entry(code)
                        .or_default() += value;
                }
                _ => {}
            }
        }
        scrape
    }

    /// Events that were answered since the process began.
    pub fn calls(&self, tenant: &str, campaign: &str) -> f64 {
        of(&self.calls, tenant, campaign).copied().unwrap_or(0.0)
    }

    /// Rewards that were given since then.
    pub fn grants(&self, tenant: &str, campaign: &str) -> f64 {
        of(&self.grants, tenant, campaign).copied().unwrap_or(0.0)
    }

    /// Refusals since then, by code.
    pub fn refusals(&self, tenant: &str, campaign: &str) -> BTreeMap<String, u64> {
        let codes = of(&self.refusals, tenant, campaign).into_iter().flatten();
        codes
            .map(|(code, many)| (code.clone(), *many as u64))
            .collect()
    }
}

fn of<'a, T>(
    all: &'a BTreeMap<(String, String), T>,
    tenant: &str,
    campaign: &str,
) -> Option<&'a T> {
    all.get(&(tenant.to_owned(), campaign.to_owned()))
}

/// A name, labels with their values, a number.
type Sample<'a> = (&'a str, Vec<(&'a str, String)>, f64);

/// `name{label="value",...} 1`.
fn sample(line: &str) -> Option<Sample<'_>> {
    let (name, rest) = line.split_once('{')?;
    let (mut labels, mut rest) = (Vec::new(), rest);
    while let Some((label, after)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(letters.next()?.1),
                (_, letter) => value.push(letter),
            }
        };
        labels.push((label, value));
        rest = &after[end + 1..];
        if let Some(after) = rest.strip_prefix('}') {
            return Some((name, labels, after.trim().parse().ok()?));
        }
        rest = rest.strip_prefix(',')?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_added_up() {
        let scrape = Scrape::read(
            "# TYPE gala_grants_total counter\n\
             gala_http_requests_total{tenant=\"acme\",campaign=\"wheel\",route=\"event\",status=\"200\"} 7\n\
             gala_http_requests_total{tenant=\"acme\",campaign=\"wheel\",route=\"event\",status=\"409\"} 2\n\
             gala_http_requests_total{tenant=\"acme\",campaign=\"wheel\",route=\"view\",status=\"200\"} 100\n\
             gala_grants_total{tenant=\"acme\",campaign=\"wheel\",reward=\"mug\"} 3\n\
             gala_grants_total{tenant=\"acme\",campaign=\"wheel\",reward=\"cup, \\\"big\\\"\"} 4\n\
             gala_rejections_total{tenant=\"acme\",campaign=\"wheel\",code=\"sold-out\"} 2\n\
             gala_rejections_total{tenant=\"else\",campaign=\"wheel\",code=\"paused\"} 9\n\
             up 1\n{\nbroken{a=\"",
        );
        assert!((scrape.calls("acme", "wheel") - 9.0).abs() < 1e-9);
        assert!((scrape.grants("acme", "wheel") - 7.0).abs() < 1e-9);
        assert_eq!(
            scrape.refusals("acme", "wheel"),
            [("sold-out".to_owned(), 2)].into()
        );
        assert!(scrape.refusals("acme", "pack").is_empty());
    }
}
