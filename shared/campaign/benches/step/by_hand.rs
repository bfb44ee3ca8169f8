//! The same rules as an engineer would write them for one campaign: structs for the record, plain code for the rules.
//! What they hand back is what `step` hands back: the next record, grants, counters, ledger rows.

use std::sync::Arc;

use machine::calendar::Calendar;
use machine::ids::Period;
use machine::input::User;
use machine::ledger::{DrawRow, GrantRow, Rolled, Row};
use machine::model::{Campaign, RewardKind};
use machine::participant::{Grant, Status};
use machine::value::Value;
use machine::world::{Bound, CounterKey, CounterMove};

use crate::DAY;

const OPENS: i64 = 1_788_192_000_000;
const CLOSES: i64 = 1_819_728_000_000;

/// What must happen together.
#[allow(dead_code)] // `next` is what a commit would store: written, and read by nobody here
pub struct Decided {
    pub next: Next,
    pub grants: Vec<Grant>,
    pub moves: Vec<CounterMove>,
    pub rows: Vec<Row>,
}

/// The next record.
#[allow(dead_code)] // as above
pub enum Next {
    Signed(Signed),
    Claimed { at: i64 },
    Drawer(Drawer),
    Answerer(Answerer),
}

/// A promise: its names are shared, as the engine's are.
struct Promise {
    rule: Arc<str>,
    reward: Arc<str>,
    places: (u16, u16),
    kind: RewardKind,
    amount: i64,
    cost: i64,
    expires: Option<i64>,
}

impl Promise {
    fn new(campaign: &Campaign, rule: &str, reward: &str) -> Self {
        let place = campaign.reward(reward).expect("the reward exists");
        let rules = &campaign.rules_of_giving;
        let rule = rules
            .iter()
            .position(|known| *known.id == *rule)
            .unwrap_or_else(|| panic!("{rule} is not in {rules:?}"));
        let found = &campaign.rewards[usize::from(place)];
        Self {
            rule: rules[rule].id.clone(),
            reward: found.id.clone(),
            places: (rule as u16, place),
            kind: found.kind,
            amount: found.amount,
            cost: found.cost,
            expires: found.expires,
        }
    }

    fn give(&self, period: Period, now: i64, out: &mut Decided) {
        let expires = self.expires.map(|span| now + span);
        let (rule, reward) = self.places;
        let status = if self.kind == RewardKind::Points {
            Status::Confirmed
        } else {
            Status::Pending
        };
        out.grants.push(Grant {
            rule,
            reward,
            period,
            n: 1,
            amount: self.amount,
            at: now,
            expires,
            status,
        });
        out.rows.push(Row::Grant(GrantRow {
            rule: self.rule.clone(),
            reward: self.reward.clone(),
            kind: self.kind,
            period,
            n: 1,
            amount: self.amount,
            value: self.cost,
            cost: self.cost,
            expires,
            serial: None,
        }));
    }
}

fn moved(key: CounterKey, add: i64) -> CounterMove {
    CounterMove {
        key,
        add,
        bound: Bound::Own,
    }
}

fn decided(next: Next) -> Decided {
    Decided {
        next,
        grants: Vec::new(),
        moves: Vec::new(),
        rows: Vec::new(),
    }
}

fn open(now: i64) {
    assert!((OPENS..CLOSES).contains(&now), "not open");
}

/// Signs in by day.
pub struct SignIn {
    calendar: Calendar,
    points: Promise,
    coupon: Promise,
}

/// Someone who signs in.
#[allow(dead_code)] // the streak is stored to be shown
#[derive(Clone, Copy)]
pub struct Signed {
    first: i32,
    days: u64,
    streak: u32,
    total: u32,
    points: i64,
    version: u64,
    now: i64,
}

impl Signed {
    pub fn after(days: u32, campaign: &Campaign, now: i64) -> Self {
        let first = campaign.calendar.day(now) - days as i32;
        let days_set = (1 << days) - 1;
        Self {
            first,
            days: days_set,
            streak: days,
            total: days,
            points: i64::from(days) * 10,
            version: u64::from(days),
            now: now - DAY,
        }
    }
}

impl SignIn {
    pub fn new(campaign: &Campaign) -> Self {
        let promise = |rule, reward| Promise::new(campaign, rule, reward);
        Self {
            calendar: campaign.calendar.clone(),
            points: promise("each-day", "points"),
            coupon: promise("streak-5", "coupon"),
        }
    }

    pub fn sign(&self, was: &Signed, now: i64) -> Decided {
        open(now);
        let today = self.calendar.day(now.max(was.now));
        let bit = today - was.first;
        assert!(was.days >> bit & 1 == 0, "already signed");
        let days = was.days | 1 << bit;
        let run = (days << (63 - bit)).leading_ones();
        let streak = (run - 1) % 7 + 1;
        let next = Signed {
            days,
            streak,
            total: was.total + 1,
            points: was.points + 10,
            version: was.version + 1,
            now,
            ..*was
        };
        let mut out = decided(Next::Signed(next));
        self.points.give(Period::Day(today), now, &mut out);
        if streak == 5 {
            self.coupon.give(Period::Day(today), now, &mut out);
            out.moves
                .push(moved(CounterKey::Stock(self.coupon.reward.clone()), 1));
        }
        out
    }
}

/// Gives a pack once.
pub struct GiftPack {
    coupon: Promise,
    course: Promise,
}

impl GiftPack {
    pub fn new(campaign: &Campaign) -> Self {
        let promise = |rule, reward| Promise::new(campaign, rule, reward);
        Self {
            coupon: promise("pack-coupon", "coupon"),
            course: promise("pack-course", "course"),
        }
    }

    pub fn claim(&self, user: &User, now: i64) -> Decided {
        open(now);
        let tagged = |tag: &str| matches!(user.claims.first(), Some(Value::Strs(tags)) if tags.iter().any(|have| **have == *tag));
        assert!(tagged("new") && !tagged("staff"), "not eligible");
        let mut out = decided(Next::Claimed { at: now });
        self.coupon.give(Period::Ever, now, &mut out);
        self.course.give(Period::Ever, now, &mut out);
        out.moves
            .push(moved(CounterKey::Stock(self.coupon.reward.clone()), 1));
        out.moves.push(moved(
            CounterKey::Budget,
            self.coupon.cost + self.course.cost,
        ));
        out
    }
}

/// Draws.
pub struct Lottery {
    calendar: Calendar,
    wheel: Arc<str>,
    laptop: Promise,
    coupon: Promise,
    nothing: Arc<str>,
}

/// Someone who draws.
#[derive(Clone, Copy)]
pub struct Drawer {
    chances: i64,
    day: i32,
    misses: i64,
    draws: u64,
    laptops: u32,
    version: u64,
    now: i64,
}

impl Drawer {
    pub fn after(days: u64, campaign: &Campaign, now: i64) -> Self {
        let day = campaign.calendar.day(now) - 1;
        Self {
            chances: 3,
            day,
            misses: days as i64,
            draws: days,
            laptops: 0,
            version: days,
            now: now - DAY,
        }
    }
}

impl Lottery {
    pub fn new(campaign: &Campaign) -> Self {
        let promise = |rule, reward| Promise::new(campaign, rule, reward);
        Self {
            calendar: campaign.calendar.clone(),
            wheel: "wheel".into(),
            laptop: promise("wheel-laptop", "laptop"),
            coupon: promise("wheel-coupon", "coupon"),
            nothing: "nothing".into(),
        }
    }

    pub fn draw(&self, was: &Drawer, pick: u64, now: i64) -> Decided {
        open(now);
        let today = self.calendar.day(now.max(was.now));
        let chances = (was.chances + i64::from(today - was.day)).min(10);
        assert!(chances > 0, "no chances");
        let pity = was.misses >= 9;
        let hit = match pick {
            _ if pity => Some(&self.coupon),
            0 => Some(&self.laptop),
            1..=10_000 => Some(&self.coupon),
            _ => None,
        };
        let given = hit.filter(|hit| !(hit.reward == self.laptop.reward && was.laptops > 0));
        let next = Drawer {
            chances: chances - 1,
            day: today,
            misses: if given.is_some() { 0 } else { was.misses + 1 },
            draws: was.draws + 1,
            version: was.version + 1,
            now,
            ..*was
        };
        let mut out = decided(Next::Drawer(next));
        if let Some(given) = given {
            given.give(Period::Draw(was.draws), now, &mut out);
            out.moves
                .push(moved(CounterKey::Stock(given.reward.clone()), 1));
        }
        out.rows.push(Row::Draw(DrawRow {
            terms: machine::ledger::Terms::default(),
            index: was.draws,
            purpose: self.wheel.clone(),
            rolled: Rolled {
                pick,
                of: 100_000,
                reward: hit.map_or(&self.nothing, |hit| &hit.reward).clone(),
                pity,
            },
            misses: was.misses,
            given: given.map(|given| given.reward.clone()),
            exhausted: Vec::new(),
            had: Vec::new(),
        }));
        out
    }
}

/// Takes answers.
pub struct Custom {
    calendar: Calendar,
    points: Promise,
}

/// Someone who answers.
#[derive(Clone, Copy)]
pub struct Answerer {
    answers: i64,
    best: i64,
    points: i64,
    day: i32,
    today: u32,
    total: u32,
    version: u64,
    now: i64,
}

impl Answerer {
    pub fn after(days: u32, campaign: &Campaign, now: i64) -> Self {
        let day = campaign.calendar.day(now) - 1;
        Self {
            answers: i64::from(days),
            best: 40,
            points: i64::from(days) * 5,
            day,
            today: 1,
            total: days,
            version: u64::from(days),
            now: now - DAY,
        }
    }
}

impl Custom {
    pub fn new(campaign: &Campaign) -> Self {
        Self {
            calendar: campaign.calendar.clone(),
            points: Promise::new(campaign, "answer", "points"),
        }
    }

    pub fn answer(
        &self,
        was: &Answerer,
        level: i64,
        right: bool,
        seconds: i64,
        now: i64,
    ) -> Decided {
        open(now);
        let day = self.calendar.day(now.max(was.now));
        let today = if was.day == day { was.today } else { 0 };
        assert!(level >= 1 && today < 3, "rejected");
        let mut next = Answerer {
            day,
            today: today + 1,
            total: was.total + 1,
            version: was.version + 1,
            now,
            ..*was
        };
        if !(right && seconds <= 60) {
            return decided(Next::Answerer(next));
        }
        next.answers += 1;
        next.best = next.best.max(seconds);
        next.points += 5;
        let mut out = decided(Next::Answerer(next));
        self.points.give(Period::Day(day), now, &mut out);
        out
    }
}
