//! A pack in windows of the day: `flash` of `pack`.

use blocks::pack::Params;
use blocks::pack::flash::{self, Flash, OUTSIDE};
use machine::calendar::{Calendar, Day, date};
use machine::model::Window;

use super::{Contents, promises};
use crate::check::Check;
use crate::codes;
use crate::document::{Entry, Key, Keys, Node, Shape};
use crate::source::Place;

/// The keys of `flash`.
pub(super) static KEYS: Keys = Keys {
    name: "flash windows",
    doc: "When in the day a pack can be claimed, each time with a stock of its own.",
    keys: &[
        Key::required(
            "windows",
            Shape::List(&Shape::Keys(&WINDOW)),
            "The windows of a day, in their order.",
        ),
        Key::optional(
            "days",
            Shape::List(&Shape::Date),
            "The days that have them; every day unless said.",
        ),
        Key::optional(
            "again",
            Shape::OneOf(&AGAIN),
            "Whether a user may claim again: `never` unless said, or `each_day`.",
        ),
    ],
};

static WINDOW: Keys = Keys {
    name: "flash window",
    doc: "A window of the day: `{ from: \"10:00\", until: \"12:00\", stock: 100 }`.",
    keys: &[
        Key::required("from", Shape::Clock, "From when, by the clock on the wall."),
        Key::required(
            "until",
            Shape::Clock,
            "Until when, excluded; the time at which days start is the end of the day.",
        ),
        Key::required(
            "stock",
            Shape::Int(1, u32::MAX as i64),
            "How many users can claim in it. What is left as it ends is gone.",
        ),
    ],
};

const AGAIN: [&str; 2] = ["never", "each_day"];

/// The most windows of a day.
const MOST_WINDOWS: usize = 24;

/// The most days that are named one by one.
const MOST_DAYS: usize = 400;

pub(super) fn read(
    entry: &Entry,
    contents: &Contents,
    window: Window,
    check: &mut Check<'_>,
) -> Params {
    let choose = contents.choose.clone().map(|(choose, _)| choose);
    let mut params = Params {
        choose,
        ..Params::default()
    };
    let Some(fields) = entry.value.fields(&KEYS, &mut check.out) else {
        return params;
    };
    let again = fields.get("again");
    let again = again.and_then(|node| node.one_of(&AGAIN, &mut check.out));
    check.rejects(OUTSIDE, &entry.key.place);
    let mut found = Vec::new();
    if let Some(list) = fields.get("windows") {
        let items = list.list(&mut check.out).unwrap_or(&[]);
        if items.is_empty() || items.len() > MOST_WINDOWS {
            let message = format!("a day has 1 to {MOST_WINDOWS} windows");
            check.out.error(codes::TOO_MANY, &list.place, message);
        }
        for item in items.iter().take(MOST_WINDOWS) {
            if let Some(window) = one(item, contents, check) {
                found.push((window, item.place.clone()));
            }
        }
    }
    let starts = check.tables.calendar.day_starts_secs;
    found.sort_by_key(|(window, _)| since(window.from, starts));
    overlaps(&found, starts, check);
    let days = fields
        .get("days")
        .map(|node| days(node, window, check))
        .unwrap_or_default();
    let flash = Flash {
        windows: found.iter().map(|(window, _)| window.clone()).collect(),
        days,
        each_day: again == Some("each_day"),
    };
    if !check.out.has_errors() {
        over_the_days(&flash, &found, window, entry, check);
    }
    params.flash = Some(flash);
    params
}

fn one(node: &Node, contents: &Contents, check: &mut Check<'_>) -> Option<flash::Window> {
    let fields = node.fields(&WINDOW, &mut check.out)?;
    let mut clock = |key: &str| {
        let node = fields.get(key)?;
        node.clock(&mut check.out)
    };
    let (from, until) = (clock("from"), clock("until"));
    let stock = fields
        .get("stock")
        .and_then(|node| node.int(1..=i64::from(u32::MAX), &mut check.out));
    let (from, until) = (from?, until?);
    let starts = check.tables.calendar.day_starts_secs;
    if since(from, starts) >= until_since(until, starts) {
        check
            .out
            .error(
                codes::WINDOW_EMPTY,
                &node.place,
                "this window ends before it begins, or goes on past the end of its day",
            )
            .help("let it end on the day on which it begins; for a night write two windows");
        return None;
    }
    let prefix = format!("flash-{:02}{:02}", from / 3600, from / 60 % 60);
    let (gives, choice) = promises(&prefix, contents, check);
    if gives.is_empty()
        && let Some((choose, place)) = &contents.choose
        && choose.how_many > 1
    {
        // How many got it is told by what each of them is given once.
        check
            .out
            .error(
                codes::PACK_MIXED,
                place,
                "where several are chosen in a window, something is to be given to everybody, too",
            )
            .help("name it: `always: [..]`; a window's stock is counted by it");
    }
    Some(flash::Window {
        from,
        until,
        stock: stock? as u32,
        gives,
        choice,
    })
}

/// How long after the day's start clocks show this, in seconds.
fn since(clock: u32, starts: u32) -> u32 {
    (clock + 86_400 - starts) % 86_400
}

/// The same for an end: the day's start is its end.
fn until_since(clock: u32, starts: u32) -> u32 {
    match since(clock, starts) {
        0 => 86_400,
        secs => secs,
    }
}

fn overlaps(found: &[(flash::Window, Place)], starts: u32, check: &mut Check<'_>) {
    for pair in found.windows(2) {
        let [(one, first), (other, second)] = pair else {
            continue;
        };
        if since(other.from, starts) < until_since(one.until, starts) {
            check
                .out
                .error(
                    codes::WINDOWS_OVERLAP,
                    second,
                    "this window begins before another one ends: it would not be known which of them a claim is of",
                )
                .related(first, "the other one")
                .help("let one end when the next begins, and give it all of the stock");
        }
    }
}

fn days(node: &Node, window: Window, check: &mut Check<'_>) -> Vec<Day> {
    let items = node.list(&mut check.out).unwrap_or(&[]);
    if items.is_empty() || items.len() > MOST_DAYS {
        let message =
            format!("1 to {MOST_DAYS} days are named, or none of them: then it is every day");
        check.out.error(codes::TOO_MANY, &node.place, message);
    }
    let mut found: Vec<Day> = Vec::new();
    for item in items.iter().take(MOST_DAYS) {
        let Some(day) = item.date(&mut check.out) else {
            continue;
        };
        let span = of_window(window, &check.tables.calendar);
        if !span.contains(&day) {
            check
                .out
                .warn(
                    codes::FLASH_OUTSIDE,
                    &item.place,
                    format!("{} is not within the campaign's window", date(day)),
                )
                .help("leave the day out, or let the campaign run longer");
        }
        found.push(day);
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn of_window(window: Window, calendar: &Calendar) -> std::ops::RangeInclusive<Day> {
    calendar.day(window.opens)..=calendar.day(window.closes.saturating_sub(1))
}

/// What is to be said of the windows once they fall on days: some never happen, or not as they are written.
fn over_the_days(
    flash: &Flash,
    found: &[(flash::Window, Place)],
    window: Window,
    entry: &Entry,
    check: &mut Check<'_>,
) {
    let calendar = check.tables.calendar.clone();
    let span = of_window(window, &calendar);
    let on = |day: &Day| flash.days.is_empty() || flash.days.binary_search(day).is_ok();
    let days: Vec<Day> = span.filter(on).collect();
    let mut in_all = 0_u64;
    for (one, place) in found {
        let (mut happens, mut odd) = (0_u64, None);
        for day in &days {
            let (from, until) = one.on(*day, &calendar);
            let (opens, closes) = (from.max(window.opens), until.min(window.closes));
            if opens < closes {
                happens += 1;
            }
            let starts = calendar.day_starts_secs;
            let written = until_since(one.until, starts) - since(one.from, starts);
            if until - from != i64::from(written) * 1000 {
                odd = odd.or(Some((*day, until - from)));
            }
        }
        in_all = in_all.saturating_add(happens.saturating_mul(u64::from(one.stock)));
        if happens == 0 {
            check
                .out
                .error(
                    codes::FLASH_NEVER,
                    place,
                    "this window never happens: no day of it lies within the campaign's window",
                )
                .help("move it, or leave it out");
        } else if let Some((day, length)) = odd {
            let message = if length <= 0 {
                format!(
                    "clocks are put forward over this window on {}: it does not happen then",
                    date(day)
                )
            } else {
                format!(
                    "clocks change in this window on {}: it lasts {} minutes then",
                    date(day),
                    length / 60_000
                )
            };
            check
                .out
                .warn(codes::FLASH_CLOCKS, place, message)
                .help("move it to a time at which clocks stay as they are, if that matters");
        }
    }
    let gives = found.first().map_or(&[][..], |(window, _)| &window.gives);
    for promise in gives {
        let Some(reward) = check.tables.reward_at(promise.reward) else {
            continue;
        };
        let (id, when_gone) = (reward.id.clone(), reward.when_gone);
        if let Some(stock) = reward.stock.filter(|stock| u64::from(*stock) < in_all)
            && when_gone.is_none()
        {
            let message = format!(
                "the windows have {in_all} in all, and of `{id}` there are {stock}: the last windows end early"
            );
            check
                .out
                .warn(codes::FLASH_SHORT, &entry.key.place, message)
                .help("raise `stock` of the reward, or lower the windows'");
        }
    }
}
