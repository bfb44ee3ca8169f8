//! A forecast as one page of HTML: plots drawn in it, every plot with its table, nothing loaded and no script.

use std::fmt::Write as _;

use campaign::simulate::{Band, Forecast};

use super::Named;
use super::charts::{Plot, escape};
use super::compare::side_by_side;
use super::figures::{Section, assumptions, sections};
use super::table::head;
use super::words::{count, day, money, sentence};

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --grid: #d9dee5; --mine: #1f5fbf; --range: #1f5fbf33; --other: #b4531a; --bound: #b3261e; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #a3adba; --grid: #3a4350; --mine: #7fb0ff; --range: #7fb0ff33; --other: #ffae7a; --bound: #ff8a80; --paper: #14181e } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.5rem; margin-bottom: 0 } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem } p.sub, caption, figcaption { color: var(--soft) }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums } th, td { text-align: left; padding: .25rem 1.25rem .25rem 0; border-bottom: 1px solid var(--grid); white-space: nowrap }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem } figure { margin: 0 }
svg { width: 100%; height: auto } svg text { font-size: 12px; fill: var(--soft) } .grid { stroke: var(--grid) } .line { fill: none; stroke: var(--mine); stroke-width: 2.5 } .range { fill: var(--range); stroke: none }
.other { fill: none; stroke: var(--other); stroke-width: 2; stroke-dasharray: 6 4 } .bound { stroke: var(--bound); stroke-dasharray: 2 3 } svg .bound-name { fill: var(--bound) }
";

/// The most rewards that get a plot; the table has all of them.
const PLOTS: usize = 12;

/// A forecast, beside another one if there is one, as a page.
pub fn page(one: &Named, other: Option<&Named>) -> String {
    let forecast = &one.forecast;
    let definition = &forecast.plan.definition;
    let title = format!("Forecast of {}/{}", definition.tenant, definition.campaign);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}</title>\n<style>{STYLE}</style>\n<h1>{0}</h1>\n",
        escape(&title)
    );
    for named in std::iter::once(one).chain(other) {
        let words = head(&named.forecast).trim().replace('\n', " · ");
        let name = other.map_or_else(String::new, |_| format!("{}: ", named.name));
        let _ = writeln!(
            page,
            "<p class=\"sub\">{}</p>",
            escape(&format!("{name}{words}"))
        );
    }
    let sentences: Vec<String> = forecast
        .rewards
        .iter()
        .filter_map(|reward| sentence(reward, forecast))
        .collect();
    if !sentences.is_empty() {
        let items = sentences
            .iter()
            .map(|said| format!("<li>{}</li>\n", escape(said)));
        let _ = write!(page, "<ul>\n{}</ul>\n", items.collect::<String>());
    }
    let _ = writeln!(
        page,
        "<h2>Plots</h2>\n<p class=\"sub\">{}</p>",
        escape(&legend(one, other))
    );
    let _ = writeln!(
        page,
        "<div class=\"plots\">{}</div>",
        plots(forecast, other.map(|other| &other.forecast))
    );
    if let Some(other) = other {
        let parts = side_by_side(one, other);
        for part in &parts {
            table(&mut page, part);
        }
    } else {
        for part in &sections(forecast) {
            table(&mut page, part);
        }
    }
    let items = assumptions(forecast);
    let items = items
        .iter()
        .map(|said| format!("<li>{}</li>\n", escape(said)));
    let _ = write!(
        page,
        "<h2>Assumed</h2>\n<ul>\n{}</ul>\n</html>\n",
        items.collect::<String>()
    );
    page
}

fn legend(one: &Named, other: Option<&Named>) -> String {
    let mine = "Line: the middle run. Shaded: the range. Dotted: the bound.";
    other.map_or_else(
        || mine.to_owned(),
        |other| format!("{mine} Solid: {}. Dashed: {}.", one.name, other.name),
    )
}

fn plots(forecast: &Forecast, other: Option<&Forecast>) -> String {
    let days: Vec<String> = forecast.days.iter().map(|of_day| day(of_day.day)).collect();
    let currency = &forecast.plan.definition.currency;
    let in_money = |value: f64| money(currency, value as i64);
    let in_units = |value: f64| count(value as u64);
    let amounts = |band: Band<i64>| band_of(band, |minor| minor as f64);
    let counts = |band: Band<u64>| band_of(band, |number| number as f64);
    let mut all = String::new();
    let budget = forecast.budget.as_ref();
    let mut add = |plot: &Plot<'_>| {
        let _ = write!(
            all,
            "<figure>{}<figcaption>{}</figcaption></figure>",
            plot.svg(),
            escape(&plot.title)
        );
    };
    add(&Plot {
        title: format!("Cost so far ({})", currency.code),
        days: &days,
        line: forecast
            .days
            .iter()
            .map(|day| amounts(day.cost_so_far))
            .collect(),
        other: other.map(|other| {
            other
                .days
                .iter()
                .map(|day| day.cost_so_far.mid as f64)
                .collect()
        }),
        bound: budget.map(|budget| (budget.total as f64, "budget".to_owned())),
        say: &in_money,
    });
    add(&Plot {
        title: format!("Cost of each day ({})", currency.code),
        days: &days,
        line: forecast.days.iter().map(|day| amounts(day.cost)).collect(),
        other: other.map(|other| other.days.iter().map(|day| day.cost.mid as f64).collect()),
        bound: budget.and_then(|budget| Some((budget.per_day? as f64, "cap of a day".to_owned()))),
        say: &in_money,
    });
    add(&Plot {
        title: "Visits of each day".to_owned(),
        days: &days,
        line: forecast.days.iter().map(|day| counts(day.visits)).collect(),
        other: other.map(|other| other.days.iter().map(|day| day.visits.mid as f64).collect()),
        bound: None,
        say: &in_units,
    });
    let limited = forecast
        .rewards
        .iter()
        .filter(|reward| reward.stock.is_some());
    for reward in limited.take(PLOTS) {
        let theirs =
            other.and_then(|other| other.rewards.iter().find(|known| known.id == reward.id));
        let theirs = theirs.filter(|theirs| theirs.stock.is_some());
        add(&Plot {
            title: format!("{} left at the end of each day", reward.id),
            days: &days,
            line: reward
                .left_by_day
                .iter()
                .map(|left| counts(*left))
                .collect(),
            other: theirs.map(|theirs| {
                theirs
                    .left_by_day
                    .iter()
                    .map(|left| left.mid as f64)
                    .collect()
            }),
            bound: reward
                .stock
                .map(|stock| (f64::from(stock), "stock".to_owned())),
            say: &in_units,
        });
    }
    all
}

fn band_of<T>(band: Band<T>, as_float: impl Fn(T) -> f64) -> Band<f64> {
    Band {
        low: as_float(band.low),
        mid: as_float(band.mid),
        high: as_float(band.high),
    }
}

fn table(page: &mut String, section: &Section) {
    let title = escape(&section.title);
    let _ = write!(
        page,
        "<h2>{title}</h2>\n<div class=\"scroll\"><table>\n<thead>"
    );
    row(page, &section.head, "th");
    page.push_str("</thead>\n<tbody>\n");
    for cells in &section.rows {
        row(page, cells, "td");
        page.push('\n');
    }
    page.push_str("</tbody></table></div>\n");
    if let Some(note) = &section.note {
        let _ = writeln!(page, "<p class=\"sub\">{}</p>", escape(note));
    }
}

fn row(page: &mut String, cells: &[String], tag: &str) {
    page.push_str("<tr>");
    for cell in cells {
        let _ = write!(page, "<{tag}>{}</{tag}>", escape(cell));
    }
    page.push_str("</tr>");
}
