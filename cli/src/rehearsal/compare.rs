//! Forecast and outcome side by side, and which figures of the outcome the forecast did not see coming.

use campaign::simulate::Forecast;
use campaign::simulate::forecast::Band;
use machine::calendar::date;
use serde_json::{Value as Json, json};

use super::books::Books;
use super::caller::Told;

/// A figure of the outcome beside its forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What is counted: `people`, `visits`, a reward, a day's cost, a rejection's code.
    pub name: String,
    /// Of which kind it is, as a heading.
    pub kind: Kind,
    /// The forecast.
    pub forecast: Band<i64>,
    /// What came.
    pub came: i64,
    /// Between which figures it may lie.
    pub allowed: (i64, i64),
}

/// What a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// People and visits.
    People,
    /// Units of a reward.
    Reward,
    /// Money in all, in minor units.
    Cost,
    /// Money of a day, in minor units.
    Day,
    /// A rejection.
    Rejection,
}

impl Kind {
    /// As it is called in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Reward => "reward",
            Self::Cost => "cost",
            Self::Day => "day",
            Self::Rejection => "rejection",
        }
    }

    /// Whether it is money.
    pub fn is_money(self) -> bool {
        matches!(self, Self::Cost | Self::Day)
    }
}

impl Figure {
    /// The forecast's range is that of nine in ten runs, and there are many figures: one in ten of sound ones lies outside. So it is widened
    /// by its own width, and by what chance does to a count (three times its root) or to money (one unit of the dearest reward that is given).
    fn new(name: String, kind: Kind, forecast: Band<i64>, came: u64, dearest: i64) -> Self {
        let came = i64::try_from(came).unwrap_or(i64::MAX);
        let own = forecast.high - forecast.low;
        let chance = if kind.is_money() {
            dearest
        } else {
            3 * (forecast.mid.max(1) as f64).sqrt().ceil() as i64
        };
        let slack = own.max(chance);
        Self {
            name,
            kind,
            forecast,
            came,
            allowed: (
                forecast.low.saturating_sub(slack),
                forecast.high.saturating_add(slack),
            ),
        }
    }

    /// Whether it came as forecast.
    pub fn holds(&self) -> bool {
        (self.allowed.0..=self.allowed.1).contains(&self.came)
    }
}

/// All figures.
pub fn figures(forecast: &Forecast, books: &Books, told: &Told) -> Vec<Figure> {
    // Of what was given, or may be: one laptop more or less is chance, unless none is to be had.
    let given = |id: &str| books.given.get(id).copied().unwrap_or_default();
    let possible = forecast
        .rewards
        .iter()
        .filter(|reward| reward.won.high > 0 || given(&reward.id) > 0);
    let cost = |id: &str| {
        let mut rewards = forecast.plan.definition.rewards.iter();
        rewards
            .find(|reward| *reward.id == *id)
            .map_or(0, |reward| reward.cost)
    };
    let dearest = possible
        .map(|reward| cost(&reward.id))
        .max()
        .unwrap_or_default();
    let count = |name: &str, kind, band: Band<u64>, came: u64| {
        Figure::new(name.to_owned(), kind, whole(band), came, dearest)
    };
    let mut all = vec![
        count("people", Kind::People, forecast.participants, told.people),
        count("visits", Kind::People, forecast.visits, told.visits),
    ];
    for reward in &forecast.rewards {
        all.push(count(
            &reward.id,
            Kind::Reward,
            reward.won,
            given(&reward.id),
        ));
    }
    let money = |name: String, kind, band, came: i64| {
        Figure::new(name, kind, band, came.unsigned_abs(), dearest)
    };
    all.push(money(
        "in all".to_owned(),
        Kind::Cost,
        forecast.cost,
        books.cost(),
    ));
    for day in &forecast.days {
        let came = books.cost_by_day.get(&day.day).copied().unwrap_or_default();
        all.push(money(date(day.day).to_string(), Kind::Day, day.cost, came));
    }
    let none = Band {
        low: 0,
        mid: 0,
        high: 0,
    };
    let mut codes: Vec<(&str, Band<u64>)> = forecast
        .rejections
        .iter()
        .map(|(code, band)| (code.as_str(), *band))
        .collect();
    let others = told
        .rejections
        .keys()
        .filter(|code| !forecast.rejections.iter().any(|(known, _)| known == *code));
    codes.extend(others.map(|code| (code.as_str(), none)));
    for (code, band) in codes {
        let came = told.rejections.get(code).copied().unwrap_or_default();
        all.push(count(code, Kind::Rejection, band, came));
    }
    all
}

fn whole(band: Band<u64>) -> Band<i64> {
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Band {
        low: whole(band.low),
        mid: whole(band.mid),
        high: whole(band.high),
    }
}

/// As JSON; money as decimal strings.
pub fn as_json(figures: &[Figure], forecast: &Forecast) -> Json {
    let currency = &forecast.plan.definition.currency;
    let said = figures.iter().map(|figure| {
        let say = |value: i64| if figure.kind.is_money() { json!(currency.decimal(value)) } else { json!(value) };
        json!({
            "kind": figure.kind.as_str(),
            "name": figure.name,
            "forecast": { "low": say(figure.forecast.low), "mid": say(figure.forecast.mid), "high": say(figure.forecast.high) },
            "allowed": [say(figure.allowed.0), say(figure.allowed.1)],
            "came": say(figure.came),
            "as_forecast": figure.holds(),
        })
    });
    said.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(kind: Kind, low: i64, mid: i64, high: i64, came: u64) -> bool {
        let band = Band { low, mid, high };
        Figure::new("x".to_owned(), kind, band, came, 500).holds()
    }

    #[test]
    fn a_figure_may_lie_a_little_outside_of_its_range() {
        // Low, middle, high; the least and the most that hold.
        for (kind, low, mid, high, least, most) in [
            (Kind::Reward, 90, 100, 120, 60, 150),
            (Kind::Reward, 100, 100, 100, 70, 130),
            (Kind::Rejection, 0, 0, 0, 0, 3),
            (Kind::Day, 10_000, 10_000, 10_000, 9_500, 10_500),
            (Kind::Cost, 1_000, 2_000, 3_000, 0, 5_000),
        ] {
            assert!(
                figure(kind, low, mid, high, least) && figure(kind, low, mid, high, most),
                "{kind:?}"
            );
            assert!(!figure(kind, low, mid, high, most + 1), "{kind:?}");
            assert!(
                least == 0 || !figure(kind, low, mid, high, least - 1),
                "{kind:?}"
            );
        }
    }
}
