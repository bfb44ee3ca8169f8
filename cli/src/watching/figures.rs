//! A campaign's figures: what is so, and what the pace makes of it.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::Serialize;
use serde_json::Value as Json;

use super::Seen;
use super::scrape::Scrape;

/// A campaign.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Campaign {
    /// Whose.
    pub tenant: String,
    /// Its id.
    #[serde(rename = "campaign")]
    pub id: String,
    /// Its edition.
    pub edition: u64,
    /// Its title, in each language.
    pub title: BTreeMap<String, String>,
    /// The newest revision.
    pub revision: u64,
    /// `preview`, `open`, `paused`, `claiming`, `ended`.
    pub phase: String,
    /// Why it is stopped, or one event of it; null: it is not.
    pub paused: Option<String>,
    /// Whether the store gives less than it declares, so that its events are answered 503.
    pub under_durable: bool,
    /// Events answered in a second, by the process that was asked.
    pub calls_per_sec: f64,
    /// Rewards given in a minute, by that process.
    pub grants_per_min: f64,
    /// Refusals by code, since that process began.
    pub refusals: BTreeMap<String, u64>,
    /// The limited rewards of the live lane.
    pub stock: Vec<Stock>,
    /// The budget of the live lane.
    pub budget: Option<Budget>,
}

/// A limited reward.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stock {
    /// Its id.
    pub reward: String,
    /// How many are to be had now.
    pub left: i64,
    /// How many there are in all.
    pub ceiling: i64,
    /// How many wait for a later release.
    pub held: i64,
    /// When the next of them are released.
    pub next_release: Option<String>,
    /// In how many seconds those that are to be had are gone, at this pace; null: nobody gets any.
    pub gone_in_secs: Option<u64>,
    /// Whether the pool that its codes come from runs low.
    pub low: bool,
}

/// A budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Budget {
    /// What was spent.
    pub spent: String,
    /// What there is in all.
    pub ceiling: String,
    /// In what.
    pub currency: String,
    /// The share of it that is spent, from 0 to 1.
    pub spent_share: f64,
    /// The share of the window that is over: what would be spent if every day cost the same.
    pub planned_share: f64,
}

/// Tells a campaign's figures; `before`: as they were `secs` ago.
pub fn tell(seen: &Seen, scrape: &Scrape, before: Option<(&Seen, &Scrape)>, secs: f64) -> Campaign {
    let Seen {
        tenant,
        listed,
        stats,
    } = seen;
    let campaign = text(&listed["campaign"]);
    let per_sec = |count: &dyn Fn(&Scrape) -> f64| match before {
        // A counter that is smaller than it was began anew, with the process.
        Some((_, before)) if secs > 0.0 => (count(scrape) - count(before)).max(0.0) / secs,
        _ => 0.0,
    };
    let lane = live(stats);
    let lived = lived(listed, stats);
    let was = before.map(|(seen, _)| live(&seen.stats));
    let stock = lane["stock"].as_array().into_iter().flatten();
    let title = listed["title"].as_object().into_iter().flatten();
    let pause = &stats["paused"];
    Campaign {
        calls_per_sec: per_sec(&|scrape| scrape.calls(tenant, &campaign)),
        grants_per_min: 60.0 * per_sec(&|scrape| scrape.grants(tenant, &campaign)),
        refusals: scrape.refusals(tenant, &campaign),
        tenant: tenant.clone(),
        edition: listed["edition"].as_u64().unwrap_or(0),
        title: title
            .map(|(language, words)| (language.clone(), text(words)))
            .collect(),
        revision: stats["revision"].as_u64().unwrap_or(0),
        phase: text(&stats["phase"]),
        paused: pause.is_object().then(|| match pause["event"].as_str() {
            Some(event) => format!("{event}: {}", text(&pause["reason"])),
            None => text(&pause["reason"]),
        }),
        under_durable: stats["under_durable"] == true,
        stock: stock
            .map(|reward| stock_of(reward, was, secs, lived.map(|(open_secs, _)| open_secs)))
            .collect(),
        budget: budget(&lane["budget"], lived.map_or(0.0, |(_, share)| share)),
        id: campaign,
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn live(stats: &Json) -> &Json {
    let lanes = stats["lanes"].as_array().into_iter().flatten();
    lanes
        .into_iter()
        .find(|lane| lane["lane"] == "live")
        .unwrap_or(&Json::Null)
}

/// For how many seconds it has been open, and which share of its window that is.
fn lived(listed: &Json, stats: &Json) -> Option<(f64, f64)> {
    let at = |value: &Json| {
        let at = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
        Some(at.timestamp_millis() as f64 / 1000.0)
    };
    let (opens, closes) = (at(&listed["opens"])?, at(&listed["closes"])?);
    let now = at(&stats["now"])?.clamp(opens, closes);
    Some((now - opens, (now - opens) / (closes - opens).max(1.0)))
}

fn stock_of(reward: &Json, before: Option<&Json>, secs: f64, open_secs: Option<f64>) -> Stock {
    let count = |name: &str| reward[name].as_i64().unwrap_or(0);
    let was = before.and_then(|lane| {
        let stock = lane["stock"].as_array()?;
        let same = stock.iter().find(|was| was["reward"] == reward["reward"])?;
        same["issued"].as_i64()
    });
    let (issued, left) = (count("issued"), count("left"));
    // The pace of the last minute; where nothing moved in it, that since the opening.
    let lately = was
        .filter(|was| secs > 0.0 && issued > *was)
        .map(|was| (issued - was) as f64 / secs);
    let in_all = open_secs
        .filter(|open| *open > 0.0 && issued > 0)
        .map(|open| issued as f64 / open);
    let pace = lately.or(in_all);
    Stock {
        reward: text(&reward["reward"]),
        left,
        ceiling: count("ceiling"),
        held: count("held"),
        next_release: reward["next_release"].as_str().map(str::to_owned),
        gone_in_secs: pace.map(|pace| (left as f64 / pace) as u64),
        low: reward["low"] == true,
    }
}

fn budget(money: &Json, planned_share: f64) -> Option<Budget> {
    money.is_object().then(|| {
        let number = |name: &str| text(&money[name]).parse::<f64>().unwrap_or(0.0);
        let ceiling = number("ceiling");
        Budget {
            spent: text(&money["spent"]),
            ceiling: text(&money["ceiling"]),
            currency: text(&money["currency"]),
            spent_share: if ceiling > 0.0 {
                number("spent") / ceiling
            } else {
                0.0
            },
            planned_share,
        }
    })
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub fn seen(issued: i64, left: i64) -> Seen {
        Seen {
            tenant: "acme".to_owned(),
            listed: json!({
                "campaign": "wheel", "edition": 1, "title": { "zh-CN": "新春大转盘", "en": "Wheel" },
                "opens": "2026-11-01T00:00:00+08:00", "closes": "2026-11-11T00:00:00+08:00",
            }),
            stats: json!({
                "revision": 3, "phase": "open", "paused": null, "now": "2026-11-06T00:00:00+08:00", "under_durable": false,
                "lanes": [{ "lane": "live", "stock": [
                    { "reward": "mug", "issued": issued, "ceiling": 1000, "held": 100, "next_release": "2026-11-06T21:00:00+08:00", "left": left },
                    { "reward": "cup", "issued": 0, "ceiling": 5, "held": 0, "left": 5, "low": true },
                ], "budget": { "spent": "41.00", "ceiling": "100.00", "left": "59.00", "currency": "CNY" } }],
            }),
        }
    }

    pub fn scrape(calls: u32, sold_out: u32) -> Scrape {
        Scrape::read(&format!(
            "gala_http_requests_total{{tenant=\"acme\",campaign=\"wheel\",route=\"event\"}} {calls}\n\
             gala_grants_total{{tenant=\"acme\",campaign=\"wheel\",reward=\"mug\"}} {calls}\n\
             gala_rejections_total{{tenant=\"acme\",campaign=\"wheel\",code=\"sold-out\"}} {sold_out}\n"
        ))
    }

    #[test]
    fn what_two_looks_say_together() {
        let (first, last) = (seen(100, 800), seen(120, 780));
        let told = tell(&last, &scrape(60, 4), Some((&first, &scrape(20, 0))), 10.0);
        assert!((told.calls_per_sec - 4.0).abs() < 1e-9);
        assert!((told.grants_per_min - 240.0).abs() < 1e-9);
        // Two a second.
        assert_eq!(told.stock[0].gone_in_secs, Some(390));
        assert_eq!(told.stock[1].gone_in_secs, None);
        assert!(told.stock[1].low && !told.stock[0].low);
        let budget = told.budget.as_ref().unwrap();
        assert!(
            (budget.spent_share - 0.41).abs() < 1e-9 && (budget.planned_share - 0.5).abs() < 1e-9
        );
        // The process began anew: nothing is negative.
        let anew = tell(&last, &scrape(1, 0), Some((&first, &scrape(20, 0))), 10.0);
        assert!(anew.calls_per_sec.abs() < 1e-9);
        // At first sight the pace is that of the five days since it opened.
        let once = tell(&last, &scrape(60, 0), None, 0.0);
        assert_eq!(once.stock[0].gone_in_secs, Some(780 * 5 * 86_400 / 120));
    }
}
