//! What takes several lines: the table of rewards, the list of what days give.

use blocks::Promise;
use blocks::streak::{Due, Params};
use machine::Day;
use machine::model::{Reward, RewardKind};

use super::figures::{Figure, Figures, escaped};
use super::words::Words;

/// A column of the table of rewards.
struct Column<'f> {
    head: &'static str,
    /// What stands in it where a reward has nothing of it.
    blank: &'static str,
    cell: Cell<'f>,
}

/// What a reward, by its place, has in a column.
type Cell<'f> = Box<dyn Fn(u16, &Reward) -> Option<String> + 'f>;

/// The rewards, with the columns that any of them has something for.
pub(super) fn rewards(figures: &Figures<'_>) -> Figure {
    let words = figures.words;
    let heads = words.table();
    let is_drawn = figures.wheel.is_some();
    let all: Vec<(u16, &Reward)> = (0_u16..)
        .zip(figures.rewards())
        .filter(|(place, reward)| {
            reward.kind != RewardKind::Nothing || figures.odds(*place).is_some()
        })
        .collect();
    if all.is_empty() {
        return Figure::None;
    }
    let columns = [
        Column {
            head: heads.odds,
            blank: "—",
            cell: Box::new(|place, _| figures.odds(place)),
        },
        Column {
            head: heads.stock,
            blank: heads.no_limit,
            cell: Box::new(|_, reward| {
                let stock = reward.stock.map(|stock| words.count(i64::from(stock)));
                stock.or_else(|| (reward.kind == RewardKind::Nothing).then(|| "—".to_owned()))
            }),
        },
        Column {
            head: heads.value,
            blank: "—",
            cell: Box::new(|_, reward| (reward.value != 0).then(|| figures.money(reward.value))),
        },
        Column {
            head: heads.per_user,
            blank: "—",
            cell: Box::new(|_, reward| figures.per_user(reward)),
        },
    ];
    let has_any = |column: &&Column<'_>| {
        all.iter().any(|(place, reward)| {
            reward.kind != RewardKind::Nothing && (column.cell)(*place, reward).is_some()
        })
    };
    let columns: Vec<_> = columns.iter().filter(has_any).collect();
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let mut heading = vec![heads.reward.to_owned()];
    heading.extend(columns.iter().map(|column| column.head.to_owned()));
    let mut lines = vec![
        row(heading),
        format!("|---|{}", "---|".repeat(columns.len())),
    ];
    for (place, reward) in &all {
        let mut cells = vec![escaped(&figures.title(*place))];
        cells.extend(columns.iter().map(|column| {
            (column.cell)(*place, reward).unwrap_or_else(|| column.blank.to_owned())
        }));
        lines.push(row(cells));
    }
    // Odds that nobody was given are a lost draw, and users are told how likely that is.
    let left = figures.rest().filter(|rest| *rest > 0);
    let wheel = figures.wheel.as_ref().filter(|wheel| wheel.rest.is_none());
    if let (true, Some(rest), Some(wheel)) = (is_drawn, left, wheel) {
        let mut cells = vec![heads.no_prize.to_owned(), Words::odds(rest, wheel.whole)];
        cells.resize(columns.len() + 1, "—".to_owned());
        lines.push(row(cells));
    }
    Figure::Lines(lines)
}

/// The odds of a participant's first draws, a line for each tier.
pub(super) fn tiers(figures: &Figures<'_>) -> Figure {
    let Some(wheel) = figures
        .wheel
        .as_ref()
        .filter(|wheel| !wheel.tiers.is_empty())
    else {
        return Figure::None;
    };
    let words = figures.words;
    let mut from = 0;
    let mut lines = Vec::new();
    for tier in &wheel.tiers {
        let odds = tier.odds();
        let mut told: Vec<String> = odds
            .parts()
            .map(|(place, parts)| {
                let title = escaped(&figures.title(place));
                words.of_tier(&title, &Words::odds(parts, odds.whole))
            })
            .collect();
        if odds.rest.is_none() && odds.left() > 0 {
            let left = Words::odds(odds.left(), odds.whole);
            told.push(words.of_tier(words.table().no_prize, &left));
        }
        lines.push(words.tier(from + 1, tier.first_draws, &told));
        from = tier.first_draws;
    }
    Figure::Lines(lines)
}

/// What days give.
pub(super) fn streak(figures: &Figures<'_>) -> Figure {
    let Some(streak) = &figures.streak else {
        return Figure::None;
    };
    let words = figures.words;
    let title = |promise: &Promise| escaped(&figures.title(promise.reward));
    let each = streak.each_day.iter();
    let mut lines: Vec<String> = each
        .map(|promise| words.each_day(&title(promise)))
        .collect();
    lines.extend(
        drawn(figures, streak, |due| due == Due::EachDay).map(|(_, gives)| words.each_day(&gives)),
    );
    let in_a_row = streak.streak.iter();
    let mut in_a_row: Vec<(u32, String)> = in_a_row
        .map(|(days, promise)| (*days, title(promise)))
        .collect();
    in_a_row.extend(by_days(figures, streak, |due| match due {
        Due::Streak(days) => Some(days),
        _ => None,
    }));
    in_a_row.sort_by_key(|(days, _)| *days);
    let in_all = streak.total.iter();
    let mut in_all: Vec<(u32, String)> = in_all
        .map(|(days, promise)| (*days, title(promise)))
        .collect();
    in_all.extend(by_days(figures, streak, |due| match due {
        Due::Total(days) => Some(days),
        _ => None,
    }));
    in_all.sort_by_key(|(days, _)| *days);
    let mut dates: Vec<(Day, String)> = streak
        .dates
        .iter()
        .map(|(day, promise)| (*day, title(promise)))
        .collect();
    dates.extend(
        drawn(figures, streak, |due| matches!(due, Due::Date(_))).filter_map(|(due, gives)| {
            match due {
                Due::Date(day) => Some((day, gives)),
                _ => None,
            }
        }),
    );
    dates.sort_by_key(|(day, _)| *day);
    let in_a_row = in_a_row.iter();
    lines.extend(in_a_row.map(|(days, gives)| words.days_in_a_row(i64::from(*days), gives)));
    let in_all = in_all.iter();
    lines.extend(in_all.map(|(days, gives)| words.days_in_all(i64::from(*days), gives)));
    lines.extend(dates.iter().map(|(day, gives)| words.on_date(*day, gives)));
    if lines.is_empty() {
        Figure::None
    } else {
        Figure::Lines(lines)
    }
}

/// What days draw, as lines say it, with when.
fn drawn<'f>(
    figures: &'f Figures<'_>,
    streak: &'f Params,
    is_of: impl Fn(Due) -> bool + 'f,
) -> impl Iterator<Item = (Due, String)> + 'f {
    let lots = streak.lots.iter().filter(move |lot| is_of(lot.due));
    lots.map(|lot| {
        let table = lot.odds.odds();
        let mut each: Vec<String> = table
            .parts()
            .map(|(reward, parts)| {
                let title = escaped(&figures.title(reward));
                format!("{title} ({})", Words::odds(parts, table.whole))
            })
            .collect();
        // What nobody was given is a day without a gift, and users are told how likely that is.
        if table.rest.is_none() && table.left() > 0 {
            let none = figures.words.table().no_prize;
            each.push(format!(
                "{none} ({})",
                Words::odds(table.left(), table.whole)
            ));
        }
        (lot.due, figures.words.one_of(&each))
    })
}

/// The same by a number of days.
fn by_days(
    figures: &Figures<'_>,
    streak: &Params,
    days: impl Fn(Due) -> Option<u32>,
) -> Vec<(u32, String)> {
    drawn(figures, streak, |_| true)
        .filter_map(|(due, gives)| Some((days(due)?, gives)))
        .collect()
}
