//! What clients see of a streak: the calendar of the last weeks, what days give, what comes next, what make-ups cost.

use machine::Campaign;
use machine::block::Look;
use machine::calendar::{Calendar, Day, date};
use machine::expr::Fault;
use serde_json::{Value as Json, json};

use super::Streak;
use super::params::{Cycle, Due, Makeup};
use crate::promise::{Promise, shown};

/// How many days back the calendar shows.
const SHOWN_DAYS: Day = 42;

impl Streak {
    /// A participant's part of the view.
    pub(super) fn calendar(
        &self,
        look: &Look<'_>,
        language: &str,
    ) -> Result<(&'static str, Json), Fault> {
        let course = self.course(look.campaign, &look.core.vars)?;
        let today = look.today();
        let campaign = look.campaign;
        let first = campaign
            .calendar
            .day(campaign.window.opens)
            .max(today.saturating_sub(SHOWN_DAYS - 1));
        let days: Result<Vec<Json>, Fault> = (first..=today)
            .map(|day| self.day(day, today, look))
            .collect();
        let mut calendar = self.promised(campaign, language);
        calendar["today"] = json!(date(today).to_string());
        calendar["signed_today"] = json!(course.signed.contains(today));
        calendar["days"] = json!(days?);
        calendar["makeups_left"] = json!(self.makeups_left_shown(look)?);
        calendar["next"] = self.next(look, language)?;
        if let Some(slot) = self.slots.makeup_cards {
            calendar["makeup_cards"] = json!(look.int(slot)?);
        }
        if let Some(slot) = self.slots.freeze_cards {
            calendar["freeze_cards"] = json!(look.int(slot)?);
        }
        if let Some(left) = self.forgiven_left(look) {
            calendar["forgiven_left"] = json!(left);
        }
        if let Some(measure) = &self.params.measure {
            let streak = course.streak_on(today, self.params.cycle);
            let number = if course.signed.contains(today) {
                streak
            } else {
                streak + 1
            };
            let sum = self.sum_today(look)?;
            let unit = measure.unit.pick(language, &campaign.language);
            calendar["today_counts"] = json!({
                "day": number,
                "sum": sum,
                "at_least": measure.at_least,
                "enough": sum >= measure.at_least,
                "text": so_far(language, number, sum, unit),
            });
        }
        Ok(("calendar", calendar))
    }

    /// One day of the calendar.
    fn day(&self, day: Day, today: Day, look: &Look<'_>) -> Result<Json, Fault> {
        let course = self.course(look.campaign, &look.core.vars)?;
        let noted =
            |slot| Self::noted(slot, &look.core.vars).is_some_and(|days| days.contains(day));
        let can_make_up = self.can_make_up(i64::from(day), look)?;
        let state = if course.signed.contains(day) {
            "signed"
        } else if look.campaign.calendar.skips(day) {
            "skipped"
        } else if noted(self.slots.forgiven) {
            "forgiven"
        } else if noted(self.slots.frozen) {
            "frozen"
        } else if day == today {
            "today"
        } else if can_make_up {
            "can-make-up"
        } else {
            "missed"
        };
        let mut shown = json!({ "day": date(day).to_string(), "state": state });
        // A saved day did not count: making it up makes it count.
        if can_make_up && state != "can-make-up" {
            shown["can_make_up"] = json!(true);
        }
        Ok(shown)
    }

    /// How many make-ups are left; nothing where nothing limits them but what they cost.
    fn makeups_left_shown(&self, look: &Look<'_>) -> Result<Option<i64>, Fault> {
        let limited = self.params.makeup.is_none_or(|makeup| {
            makeup.at_most != Makeup::WITHOUT_LIMIT || makeup.per_month.is_some()
        });
        let left = self.makeups_left(look)?;
        Ok(limited.then_some(left))
    }

    /// The nearest promises ahead, in a row and in all, and how many days they are away. In a row the next cycle's are ahead,
    /// too.
    fn next(&self, look: &Look<'_>, language: &str) -> Result<Json, Fault> {
        let ahead = |steps: &[Json], have: i64, left: i64| {
            let away = |step: &&Json| step["days"].as_i64().filter(|days| *days > have);
            let nearest = steps.iter().filter_map(|step| away(&step)).min()?;
            let those = steps.iter().filter(|step| away(step) == Some(nearest));
            let gives: Vec<Json> = those.cloned().collect();
            Some(json!({ "days": nearest, "to_go": left + nearest - have, "gives": gives }))
        };
        let (streak, total) = (look.int(self.slots.length)?, look.int(self.slots.total)?);
        let in_a_row = self.in_a_row(look.campaign, language);
        let in_all = self.in_all(look.campaign, language);
        let this_cycle = ahead(&in_a_row, streak, 0);
        let left = self.left_of_cycle(streak, look)?;
        let next_cycle = || left.and_then(|left| ahead(&in_a_row, 0, left));
        Ok(json!({
            "streak": this_cycle.or_else(next_cycle),
            "total": ahead(&in_all, total, 0),
        }))
    }

    /// How many days more this cycle can have, from a streak as it is; none where a streak never begins again by itself.
    fn left_of_cycle(&self, streak: i64, look: &Look<'_>) -> Result<Option<i64>, Fault> {
        Ok(match self.params.cycle {
            Cycle::None => None,
            Cycle::Days(length) => Some((i64::from(length) - streak).max(0)),
            Cycle::Month => {
                let today = look.today();
                let signed = self.signed(&look.core.vars)?.contains(today);
                let month = Calendar::month(today);
                let next = today.saturating_add(i32::from(signed));
                // Counted on from there rather than open-ended: a test lane's clock may stand at the end of days.
                let ahead = (0..31).map(|later| next.saturating_add(later));
                let ahead = ahead.take_while(|day| Calendar::month(*day) == month);
                Some(
                    ahead
                        .filter(|day| !look.campaign.calendar.skips(*day))
                        .count() as i64,
                )
            }
        })
    }

    /// What days give and what make-ups cost: what anyone may see.
    pub(super) fn promised(&self, campaign: &Campaign, language: &str) -> Json {
        let mut promised = json!({
            "streak_rewards": self.in_a_row(campaign, language),
            "total_rewards": self.in_all(campaign, language),
        });
        let each = self.params.each_day.iter();
        let mut each: Vec<Json> = each
            .map(|promise| shown(campaign, promise.reward, language))
            .collect();
        each.extend(self.lots(campaign, language, |due| due == Due::EachDay));
        if !each.is_empty() {
            promised["each_day"] = json!(each);
        }
        let mut dates: Vec<(Day, Json)> = self
            .params
            .dates
            .iter()
            .map(|(day, promise)| (*day, shown(campaign, promise.reward, language)))
            .collect();
        for lot in &self.params.lots {
            if let Due::Date(day) = lot.due {
                dates.push((day, json!({ "one_of": lot.odds.shown(campaign, language) })));
            }
        }
        if !dates.is_empty() {
            dates.sort_by_key(|(day, _)| *day);
            let dates = dates.into_iter().map(|(day, mut step)| {
                step["date"] = json!(date(day).to_string());
                step
            });
            promised["date_rewards"] = dates.collect();
        }
        if let Some(makeup) = self.params.makeup {
            promised["makeup"] = made_up(makeup, campaign);
        }
        promised
    }

    fn in_a_row(&self, campaign: &Campaign, language: &str) -> Vec<Json> {
        let row = |due| match due {
            Due::Streak(days) => Some(days),
            _ => None,
        };
        self.steps(&self.params.streak, row, campaign, language)
    }

    fn in_all(&self, campaign: &Campaign, language: &str) -> Vec<Json> {
        let total = |due| match due {
            Due::Total(days) => Some(days),
            _ => None,
        };
        self.steps(&self.params.total, total, campaign, language)
    }

    /// Promises by a number of days, those that are drawn among them.
    fn steps(
        &self,
        promises: &[(u32, Promise)],
        of: impl Fn(Due) -> Option<u32>,
        campaign: &Campaign,
        language: &str,
    ) -> Vec<Json> {
        let given = promises
            .iter()
            .map(|(days, promise)| (*days, shown(campaign, promise.reward, language)));
        let drawn = self.params.lots.iter().filter_map(|lot| {
            let one_of = lot.odds.shown(campaign, language);
            Some((of(lot.due)?, json!({ "one_of": one_of })))
        });
        let mut steps: Vec<(u32, Json)> = given.chain(drawn).collect();
        steps.sort_by_key(|(days, _)| *days);
        let steps = steps.into_iter().map(|(days, mut step)| {
            step["days"] = json!(days);
            step
        });
        steps.collect()
    }

    fn lots(
        &self,
        campaign: &Campaign,
        language: &str,
        is_of: impl Fn(Due) -> bool,
    ) -> impl Iterator<Item = Json> {
        let lots = self.params.lots.iter().filter(move |lot| is_of(lot.due));
        lots.map(|lot| json!({ "one_of": lot.odds.shown(campaign, language) }))
    }
}

/// What a make-up takes.
fn made_up(makeup: Makeup, campaign: &Campaign) -> Json {
    let mut shown = json!({ "days_back": makeup.days_back });
    if makeup.at_most != Makeup::WITHOUT_LIMIT {
        shown["at_most"] = json!(makeup.at_most);
    }
    if let Some(most) = makeup.per_month {
        shown["per_month"] = json!(most);
    }
    if let Some((slot, amount)) = makeup.cost {
        let balance = campaign.vars.get(usize::from(slot));
        shown["cost"] = json!({ "balance": balance.map(|var| &var.name), "amount": amount });
    }
    if makeup.cards.is_some() {
        shown["cards"] = json!(1);
    }
    shown
}

/// "Day 3, 47 words so far."
fn so_far(language: &str, day: i64, sum: i64, unit: &str) -> String {
    if language.to_ascii_lowercase().starts_with("zh") {
        format!("第 {day} 天，目前 {sum} {unit}")
    } else {
        format!("day {day}, {sum} {unit} so far")
    }
}
