//! What a copy still has of last year: years in titles and rules, dates in comments, lists, stock and codes, and promises that
//! spoke of the old edition's revisions. Nothing here is an error: a person looks, and may find it right.

use std::ops::RangeInclusive;
use std::sync::Arc;

use chrono::{Datelike as _, NaiveDate};

use super::dates::{self, What};
use super::{Moved, Renewal, Shift, source};
use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::{self, Entry, Kind, Node};
use crate::source::{Place, Source};

/// Looks the copy over.
pub(super) fn look(copy: &Renewal) -> Diagnostics {
    let mut out = Diagnostics::new();
    let years = years(&copy.moved);
    for name in copy.files.keys() {
        let source = source(copy, name);
        let mut ignored = Diagnostics::new();
        let mut eye = Eye {
            years: years.clone(),
            shift: copy.shift,
            out: &mut out,
        };
        if name.strip_suffix(".yaml").is_none() {
            eye.prose(&source);
        } else if let Some(root) = document::parse(&source, &mut ignored) {
            eye.values(&root);
            eye.comments(&source, &root);
            if *name == copy.path {
                eye.window(&root, &copy.old, &copy.moved);
                eye.things(&root);
            }
        }
    }
    out.sorted()
}

/// The years that a copy should not name any more: the ten before it opens, and those of the old window unless that was long.
fn years(moved: &[Moved]) -> Vec<RangeInclusive<i32>> {
    let of = |key: &str| moved.iter().find(|moved| moved.key == key);
    let Some(opens) = of("opens") else {
        return Vec::new();
    };
    let (before, after) = (opens.before.year(), opens.after.year());
    let mut years = vec![after - 10..=after - 1];
    let last = of("closes").map_or(before, |closes| closes.before.year());
    if before != after && last - before <= 1 {
        years.push(before..=last);
    }
    years
}

struct Eye<'a> {
    years: Vec<RangeInclusive<i32>>,
    shift: Shift,
    out: &'a mut Diagnostics,
}

impl Eye<'_> {
    fn is_stale(&self, year: i32) -> bool {
        self.years.iter().any(|years| years.contains(&year))
    }

    /// What people read, outside of YAML.
    fn prose(&mut self, source: &Arc<Source>) {
        self.spoken(source, source.text(), 0, false);
    }

    /// Years in texts; a number is none.
    fn values(&mut self, node: &Node) {
        match &node.kind {
            Kind::Null => {}
            Kind::Scalar { text, .. } => {
                if text.parse::<f64>().is_err() {
                    let Place { source, span } = &node.place;
                    self.spoken(source, node.place.text(), span.start, false);
                }
            }
            Kind::List(items) => items.iter().for_each(|item| self.values(item)),
            Kind::Map(entries) => entries
                .iter()
                // These are flagged whatever they are called.
                .filter(|entry| !["list", "reference", "was"].contains(&entry.name()))
                .for_each(|entry| self.values(&entry.value)),
        }
    }

    /// What stands in no value and no key: comments.
    fn comments(&mut self, source: &Arc<Source>, root: &Node) {
        let mut said = Vec::new();
        spans(root, &mut said);
        said.sort_unstable();
        let text = source.text();
        let mut at = 0;
        said.push((text.len(), text.len()));
        for (start, end) in said {
            if let Some(between) = text.get(at..start) {
                self.spoken(source, between, at, true);
            }
            at = at.max(end);
        }
    }

    fn spoken(&mut self, source: &Arc<Source>, text: &str, from: usize, comment: bool) {
        for found in dates::find(text) {
            let place = Place::new(source, from + found.start, from + found.end);
            let words = &text[found.start..found.end];
            match found.what {
                What::Year(year) if self.is_stale(year) => {
                    self.out
                        .warn(
                            codes::STALE_DATE,
                            &place,
                            format!("this still says `{words}`"),
                        )
                        .help("write the new year, or leave it out");
                }
                What::DayOnly if !self.shift.is_whole_years() => {
                    self.out
                        .warn(
                            codes::STALE_DATE,
                            &place,
                            format!("`{words}` has no year and was not shifted"),
                        )
                        .help("write the new day");
                }
                // In values and rules every date was shifted.
                What::Date(..) if comment => {
                    self.out
                        .warn(
                            codes::STALE_DATE,
                            &place,
                            format!("the date `{words}` stands in a comment and was not shifted"),
                        )
                        .help("comments are yours: write what is so now");
                }
                What::Year(_) | What::DayOnly | What::Date(..) => {}
            }
        }
    }

    /// Days of the week and of the month that the window's dates do not keep.
    fn window(&mut self, root: &Node, old: &Node, moved: &[Moved]) {
        for Moved { key, before, after } in moved {
            let (Some(node), Some(was)) = (root.get(key), old.get(key)) else {
                continue;
            };
            let does = match *key {
                "opens" => "opens",
                "closes" => "closes",
                _ => "ends its claims",
            };
            if before.weekday() != after.weekday() {
                self.out.note(
                    codes::OTHER_DAY,
                    &node.place,
                    format!(
                        "it {does} on a {}, last time on a {}",
                        weekday(*after),
                        weekday(*before)
                    ),
                );
            }
            if matches!(self.shift, Shift::Months(_)) && before.day() != after.day() {
                self.out.note(
                    codes::OTHER_DAY,
                    &node.place,
                    format!(
                        "`{}` became `{after}`: that month has no day {}",
                        short(was),
                        before.day()
                    ),
                );
            }
        }
    }

    /// Lists, stock, codes, and what speaks of earlier revisions.
    fn things(&mut self, root: &Node) {
        if let Some(rewards) = entries(root.get("rewards")) {
            for reward in rewards {
                self.reward(reward);
            }
        }
        self.keys(root);
        self.rules_moved(root);
        if let Some(moves) = root.get("moves") {
            self.out
                .warn(
                    codes::STALE_MAPPING,
                    &moves.place,
                    "`moves` maps states of the edition before; nobody is in this one yet",
                )
                .help("leave it out");
        }
    }

    /// What maps rules of the edition before.
    fn rules_moved(&mut self, root: &Node) {
        if let Some(moved) = root.get("rules_moved") {
            self.out
                .warn(
                    codes::STALE_MAPPING,
                    &moved.place,
                    "`rules_moved` maps rules of the edition before; nobody was given anything in this one yet",
                )
                .help("leave it out");
        }
    }

    fn reward(&mut self, reward: &Entry) {
        let id = reward.name();
        if let Some(stock) = reward.value.get("stock") {
            let units = stock.scalar().unwrap_or_default();
            self.out
                .warn(
                    codes::STALE_STOCK,
                    &stock.place,
                    format!("`{id}` has {units} units again: are they there?"),
                )
                .help("write how many units this edition has");
        }
        let is_code = reward.value.get("kind").and_then(Node::scalar) == Some("code");
        let reference = reward
            .value
            .get("deliver")
            .and_then(|deliver| deliver.get("reference"));
        if let Some(pool) = reference {
            self.out
                .warn(
                    codes::STALE_STOCK,
                    &pool.place,
                    format!(
                        "`{id}` is still handed over as `{}`: is that this edition's?",
                        pool.scalar().unwrap_or_default()
                    ),
                )
                .help("name the pool or the template that the connector has for this edition");
        } else if is_code {
            self.out
                .warn(
                    codes::STALE_STOCK,
                    &reward.key.place,
                    format!("`{id}` gives codes: the last edition's are used up"),
                )
                .help("see that its connector has new ones");
        }
    }

    /// `list` and `was`, wherever they stand.
    fn keys(&mut self, node: &Node) {
        match &node.kind {
            Kind::Null | Kind::Scalar { .. } => {}
            Kind::List(items) => items.iter().for_each(|item| self.keys(item)),
            Kind::Map(entries) => {
                for entry in entries {
                    match (entry.name(), entry.value.scalar()) {
                        ("list", Some(list)) => {
                            self.out
                                .warn(
                                    codes::STALE_LIST,
                                    &entry.value.place,
                                    format!("the list `{list}` is the last edition's: is it still right?"),
                                )
                                .help("bring the list up to date, or name another");
                        }
                        ("was", Some(rule)) => {
                            self.out
                                .warn(
                                    codes::STALE_MAPPING,
                                    &entry.value.place,
                                    format!("`was: {rule}` speaks of the edition before; nobody was given anything in this one yet"),
                                )
                                .help("leave it out");
                        }
                        _ => self.keys(&entry.value),
                    }
                }
            }
        }
    }
}

fn entries(node: Option<&Node>) -> Option<&[Entry]> {
    match &node?.kind {
        Kind::Map(entries) => Some(entries),
        Kind::Null | Kind::Scalar { .. } | Kind::List(_) => None,
    }
}

/// Where keys and values stand.
fn spans(node: &Node, into: &mut Vec<(usize, usize)>) {
    let span = |node: &Node| (node.place.span.start, node.place.span.end);
    match &node.kind {
        Kind::Null | Kind::Scalar { .. } => into.push(span(node)),
        Kind::List(items) => items.iter().for_each(|item| spans(item, into)),
        Kind::Map(entries) => {
            for entry in entries {
                into.push(span(&entry.key));
                spans(&entry.value, into);
            }
        }
    }
}

fn short(node: &Node) -> &str {
    let text = node.scalar().unwrap_or_default().trim();
    text.get(..10).unwrap_or(text)
}

fn weekday(date: NaiveDate) -> &'static str {
    [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ][date.weekday().num_days_from_monday() as usize]
}
