//! Campaigns' figures as a table.

use std::collections::BTreeMap;

use super::figures::{Budget, Campaign, Stock};
use crate::columns::{columns, cut};

/// How wide a title is shown.
const TITLE: usize = 24;
/// How many codes of refusals are shown.
const CODES: usize = 3;

/// The heads of the table.
const HEAD: [&str; 8] = [
    "campaign",
    "title",
    "phase",
    "calls/s",
    "grants/min",
    "refused",
    "stock",
    "budget",
];

/// The campaigns as a table, titles in this language where there are any in it.
pub fn table(campaigns: &[Campaign], language: &str) -> Vec<String> {
    let rows: Vec<Vec<String>> = campaigns
        .iter()
        .flat_map(|campaign| rows(campaign, language))
        .collect();
    columns(&HEAD, &rows)
}

/// A campaign's row, and one more for each further stock.
fn rows(of: &Campaign, language: &str) -> Vec<Vec<String>> {
    let title = of.title.get(language).or_else(|| of.title.values().next());
    let mut stocks = of.stock.iter().map(stock_words);
    let mut rows = vec![vec![
        format!("{}/{}", of.tenant, of.id),
        cut(title.map_or("", String::as_str), TITLE),
        phase(of),
        format!("{:.1}", of.calls_per_sec),
        format!("{:.0}", of.grants_per_min),
        refused(&of.refusals),
        stocks.next().unwrap_or_default(),
        of.budget.as_ref().map(budget_words).unwrap_or_default(),
    ]];
    rows.extend(stocks.map(|stock| {
        let mut row = vec![String::new(); HEAD.len()];
        row[6] = stock;
        row
    }));
    rows
}

fn phase(of: &Campaign) -> String {
    let paused = of
        .paused
        .as_ref()
        .map(|why| format!(" ({})", cut(why, TITLE)));
    let durable = if of.under_durable {
        " UNDER-DURABLE: answers 503"
    } else {
        ""
    };
    format!("{}{}{durable}", of.phase, paused.unwrap_or_default())
}

/// The most frequent codes, the rest counted.
fn refused(codes: &BTreeMap<String, u64>) -> String {
    let mut codes: Vec<_> = codes.iter().filter(|(_, many)| **many > 0).collect();
    codes.sort_by_key(|(code, many)| (std::cmp::Reverse(**many), *code));
    let mut said: Vec<String> = codes
        .iter()
        .take(CODES)
        .map(|(code, many)| format!("{code} {many}"))
        .collect();
    if codes.len() > CODES {
        said.push(format!("{} more", codes.len() - CODES));
    }
    said.join(", ")
}

fn stock_words(of: &Stock) -> String {
    let gone = match of.gone_in_secs {
        _ if of.left == 0 => ", gone".to_owned(),
        Some(secs) => format!(", for {}", span(secs)),
        None => String::new(),
    };
    let more = match &of.next_release {
        Some(at) => format!(
            ", {} more from {}",
            of.held,
            at.get(..16).unwrap_or(at).replace('T', " ")
        ),
        None => String::new(),
    };
    let low = if of.low { " LOW: put codes" } else { "" };
    format!("{} {}/{}{low}{gone}{more}", of.reward, of.left, of.ceiling)
}

fn budget_words(of: &Budget) -> String {
    format!(
        "{}/{} {}: {:.0} %, plan {:.0} %",
        of.spent,
        of.ceiling,
        of.currency,
        100.0 * of.spent_share,
        100.0 * of.planned_share
    )
}

/// A length of time in its largest unit: `45 s`, `12 min`, `5 h`, `40 days`.
fn span(secs: u64) -> String {
    match secs {
        0..=119 => format!("{secs} s"),
        120..=7199 => format!("{} min", secs / 60),
        7200..=172_799 => format!("{} h", secs / 3600),
        _ if secs / 86_400 > 9999 => "years".to_owned(),
        _ => format!("{} days", secs / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::tell;
    use super::super::figures::tests::{scrape, seen};
    use super::*;

    #[test]
    fn a_table_that_stands_straight() {
        let first = tell(
            &seen(120, 780),
            &scrape(60, 4),
            Some((&seen(100, 800), &scrape(20, 0))),
            10.0,
        );
        let mut second = first.clone();
        second.id = "pack".to_owned();
        second.paused = Some("奖品数量不对".to_owned());
        second.phase = "paused".to_owned();
        second.title.clear();
        insta::assert_snapshot!(table(&[first, second], "zh-CN").join("\n"), @r"
        campaign    title       phase                  calls/s  grants/min  refused     stock                                                    budget
        acme/wheel  新春大转盘  open                   4.0      240         sold-out 4  mug 780/1000, for 6 min, 100 more from 2026-11-06 21:00  41.00/100.00 CNY: 41 %, plan 50 %
                                                                                        cup 5/5 LOW: put codes
        acme/pack               paused (奖品数量不对)  4.0      240         sold-out 4  mug 780/1000, for 6 min, 100 more from 2026-11-06 21:00  41.00/100.00 CNY: 41 %, plan 50 %
                                                                                        cup 5/5 LOW: put codes
        ");
    }
}
