//! When: timezone, opens, closes, claim_until, day_starts, skip_days.

use chrono::NaiveTime;
use machine::calendar::{Calendar, HOUR_MS, date};
use machine::model::Window;

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::{Fields, Moment};
use crate::tenant::Tenant;

/// The longest a campaign runs, claims included: ten years.
const LONGEST_MS: i64 = 3660 * 24 * HOUR_MS;

/// The days and the window. What can't be read is replaced by something harmless after it was reported.
pub(crate) fn read(
    root: &Fields<'_>,
    tenant: &Tenant,
    out: &mut Diagnostics,
) -> (Calendar, Window) {
    let timezone = root
        .get("timezone")
        .and_then(|node| node.timezone(out))
        .unwrap_or(tenant.timezone);
    let day_starts_secs = root
        .get("day_starts")
        .and_then(|node| node.clock(out))
        .unwrap_or(0);
    let mut moment = |key: &str| root.get(key).and_then(|node| node.datetime(timezone, out));
    let (opens, closes, claim_until) = (moment("opens"), moment("closes"), moment("claim_until"));

    let window = match (opens, closes) {
        (Some(opens), Some(closes)) => {
            in_order(root, opens, closes, claim_until, out);
            midnight(root, closes, out);
            Window {
                opens: opens.at,
                closes: closes.at,
                claim_until: claim_until.map_or(closes.at, |until| until.at),
            }
        }
        _ => Window {
            opens: 0,
            closes: 1,
            claim_until: 1,
        },
    };
    let known = opens.is_some() && closes.is_some();
    let skip_days = skip_days(
        root,
        &Calendar::new(timezone, day_starts_secs, Vec::new()),
        window,
        known,
        out,
    );
    (Calendar::new(timezone, day_starts_secs, skip_days), window)
}

fn in_order(
    root: &Fields<'_>,
    opens: Moment,
    closes: Moment,
    claim_until: Option<Moment>,
    out: &mut Diagnostics,
) {
    let (Some(opens_node), Some(closes_node)) = (root.get("opens"), root.get("closes")) else {
        return;
    };
    if closes.at <= opens.at {
        let how = if closes.at == opens.at {
            "as soon as it opens"
        } else {
            "before it opens"
        };
        out.error(
            codes::WINDOW_REVERSED,
            &closes_node.place,
            format!("the campaign closes {how}"),
        )
        .related(&opens_node.place, "it opens here")
        .help("`closes` is the first instant after play, and must be later than `opens`");
    }
    if let Some((until, node)) = claim_until.zip(root.get("claim_until"))
        && until.at < closes.at
    {
        out.error(codes::WINDOW_REVERSED, &node.place, "claims end before play does")
            .related(&closes_node.place, "play ends here")
            .help("`claim_until` must be `closes` or later; leave it out if nothing is claimed after play");
    }
    let end = claim_until.map_or(closes.at, |until| until.at);
    if end.saturating_sub(opens.at) > LONGEST_MS {
        out.error(
            codes::WINDOW_TOO_LONG,
            &closes_node.place,
            "the campaign runs for more than ten years",
        )
        .help("check the years; a campaign that comes back every year has one `edition` a year");
    }
}

fn midnight(root: &Fields<'_>, closes: Moment, out: &mut Diagnostics) {
    if closes.wall.time() == NaiveTime::MIN
        && let (Some(node), Some(last)) = (root.get("closes"), closes.wall.date().pred_opt())
    {
        out.note(
            codes::CLOSES_AT_MIDNIGHT,
            &node.place,
            format!("it closes as this day begins: the last day is {last}"),
        );
    }
}

fn skip_days(
    root: &Fields<'_>,
    calendar: &Calendar,
    window: Window,
    known: bool,
    out: &mut Diagnostics,
) -> Vec<i32> {
    let Some(items) = root.get("skip_days").and_then(|node| node.list(out)) else {
        return Vec::new();
    };
    let mut days = Vec::new();
    for item in items {
        let Some(day) = item.date(out) else { continue };
        let inside = calendar.day(window.opens) <= day && day <= calendar.day(window.claim_until);
        if known && !inside {
            out.warn(
                codes::SKIP_OUTSIDE,
                &item.place,
                format!(
                    "{} lies outside the window: skipping it changes nothing",
                    date(day)
                ),
            );
        }
        days.push(day);
    }
    days
}
