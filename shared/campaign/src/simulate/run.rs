//! One run: everybody's visits, in the order of time.

use std::rc::Rc;

use machine::input::{Facts, Known, User};
use machine::model::{Sender, TeamFact};
use machine::participant::Participant;
use machine::world::Commit;
use machine::{Fault, Millis};

use super::crowd::{Crowd, NEVER, Waiting};
use super::days::{Days, divided};
use super::desk::{Desk, Record, Refusal, Visitor};
use super::dice::Dice;
use super::people::{Holds, People, Wish, fill};
use super::raffle::Raffle;
use super::tally::Tally;
use super::{Plan, SimulateError};
use crate::team::tallies;

/// Who wants to see every commit of a run that came true.
pub type Witness<'w> = Option<&'w mut dyn FnMut(&Commit)>;

/// At most so many people are brought by others for each who comes by themselves.
const MOST_BROUGHT: u64 = 10;

pub(super) struct Run<'r> {
    plan: &'r Plan,
    days: Days,
    desk: Desk<'r>,
    people: People,
    crowd: Crowd,
    tally: Tally,
    /// The number of whoever comes next for the first time because somebody shared.
    brought: u32,
    /// Claims and findings that are everybody's, where they are.
    anybody: Option<Rc<User>>,
    on_no_list: Option<Rc<Facts>>,
    nobody: Rc<User>,
    raffle: Option<Raffle>,
    seed: u64,
}

/// A visit: who, when, on which day.
struct Visit<'a> {
    number: u32,
    user: &'a User,
    facts: &'a Facts,
    now: Millis,
    day: usize,
}

impl<'r> Run<'r> {
    pub(super) fn new(
        plan: &'r Plan,
        number: u32,
        witness: Witness<'r>,
    ) -> Result<Self, SimulateError> {
        let seed = plan.seed_of(number);
        let desk = Desk::open(&plan.definition, seed, witness)?;
        let people = People::new(&plan.profile, &desk.campaign, seed);
        let days = plan.days();
        let count = days.played.len();
        let nobody = Rc::new(people.nobody().clone());
        Ok(Self {
            plan,
            crowd: Crowd::new(count),
            tally: Tally::new(&desk.campaign, count),
            brought: plan.users,
            anybody: people.is_anybody().then(|| nobody.clone()),
            on_no_list: people
                .is_on_no_list()
                .then(|| Rc::new(people.facts(0, &desk.campaign, &|_| Known::Unknown))),
            nobody,
            raffle: Raffle::of(&desk.campaign),
            seed,
            days,
            desk,
            people,
        })
    }

    pub(super) fn play(mut self, mut a_day_is_over: impl FnMut()) -> Result<Tally, SimulateError> {
        let count = self.days.played.len();
        let mut weights = self.plan.profile.arrivals.weights(count);
        for (weight, day) in weights.iter_mut().zip(&self.days.played) {
            if !day.is_open() {
                *weight = 0;
            }
        }
        let mut number = 0;
        for (place, arrivals) in divided(u64::from(self.plan.users), &weights)
            .into_iter()
            .enumerate()
        {
            for _ in 0..arrivals {
                let at = self
                    .days
                    .moment(place, Millis::MIN, &mut self.people.arrival(number));
                if let Some(at) = at {
                    self.crowd.expect(place, Waiting::newcomer(number, at));
                }
                number += 1;
            }
            self.crowd.begin(place);
            while let Some(waiting) = self.crowd.next() {
                self.turn(place, &waiting)?;
            }
            a_day_is_over();
        }
        if let Some(raffle) = self.raffle.take() {
            let (seed, until, day) = (self.seed, self.days.until, count.saturating_sub(1));
            match raffle.drawn(seed, until, day, &mut self.desk, &mut self.tally) {
                Ok(()) => {}
                Err(Refusal::Rejected(no)) => self.tally.rejected(no.code()),
                Err(Refusal::Fault(fault)) => self.failed(&fault),
                Err(Refusal::Broken(error)) => return Err(error),
            }
        }
        self.tally.steps = self.desk.steps;
        self.tally.commits = self.desk.commits;
        Ok(self.tally)
    }

    /// Somebody comes, or time changes their record.
    fn turn(&mut self, day: usize, waiting: &Waiting) -> Result<(), SimulateError> {
        let number = waiting.number;
        let (now, comes) = (waiting.at(), waiting.next <= waiting.timer);
        self.desk.seat(u64::from(number), waiting.record()?);
        let (mut visits, mut next) = (waiting.visits, (waiting.next, day_of(self, waiting.next)));
        if comes {
            self.tally.came(day, visits == 0);
            self.visit(number, now, day, &mut self.people.visit(number, visits))?;
            // A stream of its own: when they come again must not depend on how many events there are to choose from.
            let mut dice = self.people.after(number, visits);
            let again = self
                .days
                .again(&self.plan.profile.returns, day, now, &mut dice);
            next = again.unwrap_or((NEVER, usize::MAX));
            self.share(day, &mut dice);
            visits += 1;
        } else {
            let (user, facts) = (self.nobody.clone(), Facts::default());
            let visit = Visit {
                number,
                user: &user,
                facts: &facts,
                now,
                day,
            };
            self.send(&visit, Sender::Timer, None)?;
        }
        let record = self.desk.rise(u64::from(number));
        self.wait_or_leave(number, visits, next, record)
    }

    /// What somebody does in one visit. A visit is an instant.
    fn visit(
        &mut self,
        number: u32,
        now: Millis,
        day: usize,
        dice: &mut Dice,
    ) -> Result<(), SimulateError> {
        let user = self
            .anybody
            .clone()
            .unwrap_or_else(|| Rc::new(self.people.user(number)));
        let facts = self.on_no_list.clone().unwrap_or_else(|| {
            let (campaign, lane) = (&self.desk.campaign, self.desk.lane_now());
            let team = |fact: &TeamFact| tallies(Some(lane), campaign, fact, &user, now, &|_| 0);
            Rc::new(self.people.facts(number, campaign, &team))
        });
        let (user, facts) = (&*user, &*facts);
        let nobody;
        let teamless;
        let visit = Visit {
            number,
            user,
            facts,
            now,
            day,
        };
        if !self.people.reports.is_empty() {
            nobody = self.nobody.clone();
            // No token comes with a report, and so no team.
            let mut facts_of = self.desk.campaign.facts.iter();
            let has_team = facts_of.any(|fact| fact.team().is_some());
            teamless = has_team.then(|| {
                let nowhere = |_: &TeamFact| Known::Unknown;
                self.people.facts(number, &self.desk.campaign, &nowhere)
            });
            let about = Visit {
                user: &nobody,
                facts: teamless.as_ref().unwrap_or(facts),
                ..visit
            };
            for place in 0..self.people.reports.len() {
                self.report(place, &about, dice)?;
            }
        }
        let seen = match self.desk.look(&visitor(&visit)) {
            Ok(seen) => seen,
            Err(fault) => {
                self.failed(&fault);
                return Ok(());
            }
        };
        let anyway = dice.hits(self.people.presses_anyway);
        let (mut pressed, mut changed) = (!anyway, false);
        for place in 0..self.people.wishes.len() {
            let Some(wish) = self.people.wishes.get(place) else {
                break;
            };
            let (event, habit) = (wish.event, wish.habit);
            // Two numbers for each, whatever happens: what is decided later must not depend on it.
            let (wanted, mut own) = (dice.hits(habit.rate), Dice::of([dice.roll(), 0, 0, 0]));
            let at_first = seen
                .iter()
                .any(|possible| possible.event == event && possible.no.is_none());
            if wanted {
                let committed =
                    self.try_event(place, &visit, habit.tries, at_first, changed, &mut own)?;
                changed |= committed;
            }
            if !pressed && !at_first {
                pressed = true;
                if !self.offers(&visit, event) {
                    changed |= self.send_wish(place, &visit, &mut own)?;
                }
            }
        }
        Ok(())
    }

    /// Tries an event while the page calls it possible; whether anything came of it.
    fn try_event(
        &mut self,
        place: usize,
        visit: &Visit<'_>,
        tries: u32,
        at_first: bool,
        changed: bool,
        dice: &mut Dice,
    ) -> Result<bool, SimulateError> {
        let Some(event) = self.people.wishes.get(place).map(|wish| wish.event) else {
            return Ok(false);
        };
        let mut committed = false;
        for _ in 0..tries {
            let possible = if changed || committed {
                self.offers(visit, event)
            } else {
                at_first
            };
            if !possible || !self.send_wish(place, visit, dice)? {
                break;
            }
            committed = true;
        }
        Ok(committed)
    }

    fn offers(&mut self, visit: &Visit<'_>, event: u16) -> bool {
        match self.desk.offers(&visitor(visit), event) {
            Ok(possible) => possible,
            Err(fault) => {
                self.failed(&fault);
                false
            }
        }
    }

    fn send_wish(
        &mut self,
        place: usize,
        visit: &Visit<'_>,
        dice: &mut Dice,
    ) -> Result<bool, SimulateError> {
        let Some(Wish { event, fields, .. }) = self.people.wishes.get(place) else {
            return Ok(false);
        };
        let payload = fill(fields, visit.now, &self.desk.campaign, dice);
        let event = *event;
        let codes = self.people.codes.as_ref();
        let Some(codes) = codes.filter(|codes| codes.event == event) else {
            return self.send(visit, Sender::User, Some((event, &payload)));
        };
        let facts = visit.facts.with_handed(codes.fact, codes.typed(dice));
        let visit = Visit {
            facts: &facts,
            ..*visit
        };
        self.send(&visit, Sender::User, Some((event, &payload)))
    }

    fn report(
        &mut self,
        place: usize,
        visit: &Visit<'_>,
        dice: &mut Dice,
    ) -> Result<(), SimulateError> {
        let Some(report) = self.people.reports.get(place) else {
            return Ok(());
        };
        let (happens, mut own) = (dice.hits(report.rate), Dice::of([dice.roll(), 0, 0, 0]));
        if happens {
            let fields: &[Holds] = &report.fields;
            let payload = fill(fields, visit.now, &self.desk.campaign, &mut own);
            let (event, sender) = (report.event, report.sender);
            self.send(visit, sender, Some((event, &payload)))?;
        }
        Ok(())
    }

    /// Sends an event and counts what comes of it; whether it was committed.
    fn send(
        &mut self,
        visit: &Visit<'_>,
        sender: Sender,
        event: Option<(u16, &machine::input::Payload)>,
    ) -> Result<bool, SimulateError> {
        // The commit is handed out by the desk, and so is the campaign it is counted by.
        let refused = self.desk.play(&visitor(visit), sender, event).err();
        if !self.desk.exhausted.is_empty() {
            self.tally.gone(
                &self.desk.exhausted,
                &self.desk.campaign,
                visit.now,
                visit.day,
            );
        }
        match refused {
            None => {
                if let Some(raffle) = &mut self.raffle {
                    raffle.committed(self.desk.last());
                }
                self.tally
                    .committed(self.desk.last(), &self.desk.campaign, visit.day);
                Ok(true)
            }
            Some(Refusal::Rejected(rejection)) => {
                self.tally.rejected(rejection.code());
                Ok(false)
            }
            Some(Refusal::Fault(fault)) => {
                self.failed(&fault);
                Ok(false)
            }
            Some(Refusal::Broken(error)) => Err(error),
        }
    }

    /// A rule that can't be evaluated refuses the event, as in production.
    fn failed(&mut self, _fault: &Fault) {
        self.tally.rejected("rule-failed");
    }

    /// Somebody may share, and that may bring somebody new.
    fn share(&mut self, day: usize, dice: &mut Dice) {
        let share = self.plan.profile.share;
        if share.brings.is_never() || !dice.hits(share.rate) || !dice.hits(share.brings) {
            return;
        }
        let number = self.brought;
        // Where each visit brings more than one person, their number has no end.
        let most = u64::from(self.plan.users) * (1 + MOST_BROUGHT);
        if u64::from(number) >= most.min(u64::from(u32::MAX)) {
            return;
        }
        let at = self
            .days
            .moment(day + 1, Millis::MIN, &mut self.people.arrival(number));
        if let Some(at) = at {
            self.brought = self.brought.saturating_add(1);
            self.crowd.expect(day + 1, Waiting::newcomer(number, at));
        }
    }

    fn wait_or_leave(
        &mut self,
        number: u32,
        visits: u32,
        (next, place): (Millis, usize),
        record: Record,
    ) -> Result<(), SimulateError> {
        let timer = record.timer.filter(|timer| *timer < self.days.until);
        let record = Record { timer, ..record };
        let due = timer.unwrap_or(NEVER);
        if next == NEVER && due == NEVER {
            let participant: Option<&Participant> = record.participant.as_deref();
            self.tally.left(participant, &self.desk.campaign);
            return Ok(());
        }
        let place = if due < next { day_of(self, due) } else { place };
        let waiting = Waiting::with(number, visits, next, &record)?;
        self.crowd.wait(place, waiting);
        Ok(())
    }
}

/// The place of the day that an instant of the run falls in.
fn day_of(run: &Run<'_>, at: Millis) -> usize {
    if at == NEVER {
        return usize::MAX;
    }
    let first = run.days.played.first().map_or(0, |played| played.day);
    usize::try_from(run.desk.campaign.calendar.day(at).saturating_sub(first)).unwrap_or(0)
}

fn visitor<'a>(visit: &Visit<'a>) -> Visitor<'a> {
    Visitor {
        number: u64::from(visit.number),
        user: visit.user,
        facts: visit.facts,
        now: visit.now,
    }
}
