//! A forecast as JSON: the one shape of `gala simulate --json`, documented in `docs/SIMULATE.md`. A field may be added,
//! none may change its meaning.

use machine::Millis;
use machine::calendar::date;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::forecast::{Band, Forecast, Gone};

impl Forecast {
    /// As JSON. Times are RFC 3339 in the campaign's timezone, money decimal strings.
    pub fn to_json(&self) -> Json {
        let definition = &self.plan.definition;
        json!({
            "tenant": definition.tenant,
            "campaign": definition.campaign,
            "edition": definition.edition,
            "title": definition.title.0,
            "currency": definition.currency.code,
            "timezone": definition.calendar.timezone.name(),
            "from": self.time(self.from),
            "until": self.time(self.until),
            "users": self.plan.users,
            "days": self.days.len(),
            "seed": self.plan.seed,
            "runs": self.plan.runs,
            "profile": self.plan.profile,
            "participants": band(self.participants),
            "refused": band(self.refused),
            "visits": band(self.visits),
            "rewards": self.rewards.iter().map(|reward| json!({
                "reward": reward.id,
                "title": reward.title.0,
                "kind": reward.kind,
                "stock": reward.stock,
                "won": band(reward.won),
                "left": reward.left.map(band),
                "left_by_day": reward.left_by_day.iter().map(|left| band(*left)).collect::<Vec<_>>(),
                "cost": self.money(reward.cost),
                "gone": self.gone(&reward.gone),
                "short_days": band(reward.short_days),
            })).collect::<Vec<_>>(),
            "budget": self.budget.as_ref().map(|budget| json!({
                "total": definition.currency.decimal(budget.total),
                "per_day": budget.per_day.map(|cap| definition.currency.decimal(cap)),
                "gone": self.gone(&budget.gone),
                "capped_days": band(budget.capped_days),
            })),
            "cost": {
                "total": self.money(self.cost),
                "per_participant": {
                    "mean": definition.currency.decimal(self.per_person.mean),
                    "p50": definition.currency.decimal(self.per_person.p50),
                    "p99": definition.currency.decimal(self.per_person.p99),
                    "most": definition.currency.decimal(self.per_person.most),
                },
            },
            "by_day": self.days.iter().map(|day| json!({
                "day": date(day.day).to_string(),
                "arrivals": band(day.arrivals),
                "visits": band(day.visits),
                "cost": self.money(day.cost),
                "cost_so_far": self.money(day.cost_so_far),
            })).collect::<Vec<_>>(),
            "rejections": self.rejections.iter().map(|(code, count)| json!({
                "code": code, "count": band(*count),
            })).collect::<Vec<_>>(),
            "states": self.states.iter().map(|(state, people)| json!({
                "state": state, "participants": band(*people),
            })).collect::<Vec<_>>(),
            "wheels": self.wheels.iter().map(|wheel| json!({
                "wheel": wheel.name,
                "made": band(wheel.made),
                "pity": band(wheel.pity),
                "all_draws": wheel.draws,
                "all_rolls": wheel.rolls,
                "slices": wheel.slices.iter().map(|slice| json!({
                    "reward": slice.reward,
                    "odds": { "parts": slice.parts, "of": slice.of },
                    "rolled": slice.rolled,
                    "given": slice.given,
                })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "all_steps": self.steps,
            "all_commits": self.commits,
        })
    }

    fn time(&self, at: Millis) -> String {
        self.plan.definition.calendar.rfc3339(at)
    }

    fn money(&self, minor: Band<i64>) -> Json {
        let decimal = |minor| self.plan.definition.currency.decimal(minor);
        json!({ "low": decimal(minor.low), "mid": decimal(minor.mid), "high": decimal(minor.high) })
    }

    fn gone(&self, gone: &Gone) -> Json {
        let at = gone.at.map(|at| {
            json!({ "low": self.time(at.low), "mid": self.time(at.mid), "high": self.time(at.high) })
        });
        json!({ "runs": gone.runs, "at": at })
    }
}

fn band<T: Serialize + Copy>(band: Band<T>) -> Json {
    json!({ "low": band.low, "mid": band.mid, "high": band.high })
}
