//! A forecast as sections of rows: what the table, the page and the comparison all show, said once.

use campaign::simulate::Forecast;
use campaign::simulate::profile::Found;
use machine::model::Currency;

use super::words::{Clock, band, count, day, money, percent, title};

/// A part of a forecast.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// The columns' heads; the first is that of the rows' names.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
    /// What it means, where the heading does not say.
    pub note: Option<String>,
}

impl Section {
    fn new(title: impl Into<String>, head: &[&str]) -> Self {
        Self {
            title: title.into(),
            head: head.iter().map(|word| (*word).to_owned()).collect(),
            rows: Vec::new(),
            note: None,
        }
    }

    fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }
}

/// All sections, in the order in which they are asked for.
pub fn sections(forecast: &Forecast) -> Vec<Section> {
    let mut all = vec![rewards(forecast), costs(forecast), days(forecast)];
    all.extend(forecast.wheels.iter().map(|wheel| draws(forecast, wheel)));
    all.push(people(forecast));
    all.push(rejections(forecast));
    all
}

fn currency(forecast: &Forecast) -> &Currency {
    &forecast.plan.definition.currency
}

fn rewards(forecast: &Forecast) -> Section {
    let code = &currency(forecast).code;
    let cost = format!("cost ({code})");
    let mut section = Section::new(
        "Rewards",
        &["reward", "stock", "won", "left", &cost, "runs out"],
    );
    for reward in &forecast.rewards {
        let left = reward
            .left
            .map_or_else(|| "-".to_owned(), |left| band(left, count));
        let gone = if reward.stock.is_none() {
            "-".to_owned()
        } else {
            Clock(forecast).gone(&reward.gone)
        };
        section.row([
            format!("{} ({})", reward.id, title(reward, forecast)),
            reward
                .stock
                .map_or_else(|| "no limit".to_owned(), |stock| count(u64::from(stock))),
            band(reward.won, count),
            left,
            band(reward.cost, |minor| money(currency(forecast), minor)),
            gone,
        ]);
    }
    let waits = forecast
        .rewards
        .iter()
        .filter(|reward| reward.released && reward.short_days.high > 0);
    let waits: Vec<String> = waits
        .map(|reward| {
            format!(
                "{}: what is released runs out on {} days",
                reward.id,
                band(reward.short_days, count)
            )
        })
        .collect();
    section.note = (!waits.is_empty()).then(|| waits.join("; "));
    section
}

fn costs(forecast: &Forecast) -> Section {
    let currency = currency(forecast);
    let mut section = Section::new(format!("Cost ({})", currency.code), &["what", "amount"]);
    let amount = |minor| money(currency, minor);
    section.row(["in all".to_owned(), band(forecast.cost, amount)]);
    if let Some(budget) = &forecast.budget {
        section.row([
            "of the budget".to_owned(),
            format!(
                "{} = {}",
                amount(budget.total),
                spent(forecast, budget.total)
            ),
        ]);
        section.row([
            "budget spent".to_owned(),
            Clock(forecast).gone(&budget.gone),
        ]);
        if let Some(cap) = budget.per_day {
            let most = forecast
                .days
                .iter()
                .map(|day| day.cost.high)
                .max()
                .unwrap_or(0);
            section.row(["cap of a day".to_owned(), amount(cap)]);
            section.row(["dearest day".to_owned(), amount(most)]);
            section.row([
                "days that reach the cap".to_owned(),
                band(budget.capped_days, count),
            ]);
        }
    }
    let person = forecast.per_person;
    section.row(["a participant, on average".to_owned(), amount(person.mean)]);
    section.row(["half of them at most (p50)".to_owned(), amount(person.p50)]);
    section.row(["99 of 100 at most (p99)".to_owned(), amount(person.p99)]);
    section.row(["the dearest one".to_owned(), amount(person.most)]);
    section
}

fn spent(forecast: &Forecast, total: i64) -> String {
    let share = |minor: i64| percent(minor.unsigned_abs(), total.unsigned_abs());
    band(forecast.cost, share)
}

fn days(forecast: &Forecast) -> Section {
    let currency = currency(forecast);
    let cost = format!("cost ({})", currency.code);
    let cap = forecast.budget.as_ref().and_then(|budget| budget.per_day);
    let mut head = vec!["day", "new", "visits", cost.as_str(), "so far"];
    if cap.is_some() {
        head.push("of the day's cap");
    }
    let mut section = Section::new("Day by day", &head);
    for of_day in &forecast.days {
        let mut cells = vec![
            day(of_day.day),
            count(of_day.arrivals.mid),
            count(of_day.visits.mid),
            band(of_day.cost, |minor| money(currency, minor)),
            money(currency, of_day.cost_so_far.mid),
        ];
        cells.extend(cap.map(|cap| percent(of_day.cost.mid.unsigned_abs(), cap.unsigned_abs())));
        section.row(cells);
    }
    section.note = Some("new, visits, so far: the middle run".to_owned());
    section
}

fn draws(forecast: &Forecast, wheel: &campaign::simulate::forecast::Wheel) -> Section {
    let mut section = Section::new(
        format!("Draws of {}", wheel.name),
        &["comes up", "odds", "rolled", "given by a draw"],
    );
    for slice in &wheel.slices {
        section.row([
            slice.reward.clone().unwrap_or_else(|| "nothing".to_owned()),
            percent(slice.parts, slice.of),
            percent(slice.rolled, wheel.rolls),
            percent(slice.given, wheel.draws),
        ]);
    }
    section.note = Some(format!(
        "{} draws in a run, {} of them decided by pity; rolled and given: over all {} runs",
        band(wheel.made, count),
        band(wheel.pity, count),
        forecast.plan.runs
    ));
    section
}

fn people(forecast: &Forecast) -> Section {
    let mut section = Section::new("People", &["who", "how many"]);
    section.row(["came".to_owned(), band(forecast.participants, count)]);
    section.row(["visits".to_owned(), band(forecast.visits, count)]);
    for (state, people) in &forecast.states {
        section.row([format!("end in state {state}"), band(*people, count)]);
    }
    section.row([
        "all they tried was refused".to_owned(),
        band(forecast.refused, count),
    ]);
    section
}

fn rejections(forecast: &Forecast) -> Section {
    let mut section = Section::new("Rejections", &["code", "how often"]);
    for (code, often) in &forecast.rejections {
        section.row([code.clone(), band(*often, count)]);
    }
    if forecast.rejections.is_empty() {
        section.row(["none".to_owned(), "0".to_owned()]);
    }
    section
}

/// What was assumed, in sentences.
pub fn assumptions(forecast: &Forecast) -> Vec<String> {
    let profile = &forecast.plan.profile;
    let returns = profile.returns;
    let mut said = vec![
        format!("First visits: {}.", profile.arrivals),
        format!(
            "After a visit {} come again on the same day and {} on the next; of those who stay away {} come on each later day.",
            returns.same_day, returns.next_day, returns.later
        ),
        "In a visit all is tried that the page calls possible, drawing up to ten times; a make-up in one visit of ten.".to_owned(),
        format!(
            "In {} of visits somebody presses what is not possible; {} share, and {} of shares bring somebody.",
            profile.presses_anyway, profile.share.rate, profile.share.brings
        ),
    ];
    let by_backend = |event: &&machine::model::EventDecl| {
        use machine::model::Sender::{Backend, Campaign, User};
        event
            .from
            .iter()
            .any(|sender| matches!(sender, Backend | Campaign))
            && !event.from.contains(&User)
    };
    let reports: Vec<String> = forecast
        .plan
        .definition
        .events
        .iter()
        .filter(by_backend)
        .map(|event| {
            let rate = profile
                .backend
                .get(&*event.name)
                .copied()
                .unwrap_or(profile.backend_else);
            format!("{} in {rate} of visits", event.name)
        })
        .collect();
    if !reports.is_empty() {
        said.push(format!("The back end sends {}.", reports.join(", ")));
    }
    for (event, habit) in &profile.events {
        said.push(format!(
            "{event}: in {} of visits, up to {} times.",
            habit.rate, habit.tries
        ));
    }
    for (claim, values) in &profile.claims {
        let shares: Vec<String> = values.iter().map(|value| value.share.to_string()).collect();
        said.push(format!(
            "Claim {claim}: other than the default for {}.",
            shares.join(", ")
        ));
    }
    for (list, share) in &profile.lists {
        said.push(format!("On the list {list}: {share}."));
    }
    for (fact, found) in &profile.facts {
        said.push(match found {
            Found::Holds(share) => format!("Fact {fact}: it holds for {share}."),
            Found::OneOf(values) => {
                let shares = values.iter().map(|value| value.share.to_string());
                let shares: Vec<String> = shares.collect();
                format!("Fact {fact}: known for {}.", shares.join(", "))
            }
        });
    }
    said
}
