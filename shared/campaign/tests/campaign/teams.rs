//! Teams against a naive model, over weeks of random sign-ins of some people of two classes, who see tallies that may be
//! older than they are, and now and then change their class.

use std::collections::{BTreeMap, BTreeSet};

use campaign::play::{Act, Refused, Stage};
use machine::calendar::Day;
use machine::facts::Tallies;
use machine::ids::{Period, Pseudonym};
use machine::input::{Facts, Known, Payload, User};
use machine::model::{ClaimDecl, Definition, Sender, TeamFact};
use machine::world::CounterKey;
use machine::{Millis, Type, Value};
use proptest::prelude::*;

use crate::sound;

const PEOPLE: usize = 5;
const NEEDS: u32 = 3;
const OWN_DAYS: usize = 2;
const DAY_MS: Millis = 86_400_000;

const FILE: &str = "
activity: sign-in
title: Test
timezone: UTC
opens: 2026-03-01
closes: 2026-12-01
skip_days: [2026-03-05, 2026-03-12]
rewards:
  points: { title: P, kind: points, amount: 1 }
  each: { title: E, kind: coupon }
  two: { title: T, kind: coupon }
  four: { title: F, kind: coupon }
give: { each_day: points }
team:
  of: user.class
  day_needs: 3
  own_days: 2
  give: { each_day: each, streak: { 2: two, 4: four } }
";

fn definition() -> Definition {
    definition_of(FILE)
}

fn definition_of(text: &str) -> Definition {
    sound::definition("class", text)
}

/// Somebody's day: whether they sign in, how many days old the tallies of days before today are, and whether they change
/// their class before.
type Deed = (bool, bool, bool);

fn days() -> impl Strategy<Value = Vec<[Deed; PEOPLE]>> {
    let deed = || {
        (
            prop::bool::weighted(0.7),
            prop::bool::weighted(0.2),
            prop::bool::weighted(0.03),
        )
    };
    proptest::collection::vec(prop::array::uniform5(deed()), 1..24)
}

fn who(person: usize) -> Pseudonym {
    Pseudonym([person as u8 + 1; 16])
}

/// What was given under a rule to somebody, by day.
fn given(stage: &Stage, definition: &Definition, person: usize, rule: &str) -> BTreeSet<Day> {
    let at = definition
        .rules_of_giving
        .iter()
        .position(|known| &*known.id == rule)
        .unwrap_or_else(|| panic!("no rule {rule}"));
    let Some(entry) = stage.lane().unwrap().participants.get(&who(person)) else {
        return BTreeSet::new();
    };
    let grants = entry.participant.grants.iter();
    let of_it = grants.filter(|grant| usize::from(grant.rule) == at);
    let days: Vec<Day> = of_it
        .map(|grant| match grant.period {
            Period::Day(day) => day,
            other => panic!("{other:?}"),
        })
        .collect();
    let set: BTreeSet<Day> = days.iter().copied().collect();
    assert_eq!(set.len(), days.len(), "twice for one day");
    set
}

struct Game {
    definition: Definition,
    stage: Stage,
    /// Which class each is in.
    class: [usize; PEOPLE],
    /// Since when each has signed in for the class they are in, and on which days.
    own: [BTreeSet<Day>; PEOPLE],
    /// Which class each counted for last.
    of: [Option<usize>; PEOPLE],
    /// Who signed in for a class on a day.
    signed: BTreeMap<(usize, Day), BTreeSet<usize>>,
    changed: BTreeSet<usize>,
}

impl Game {
    fn new() -> Self {
        Self::of(definition())
    }

    fn of(definition: Definition) -> Self {
        let opens = definition.window.opens;
        Self {
            stage: Stage::open(&definition, 1, &BTreeMap::new(), opens).unwrap(),
            definition,
            class: [0, 0, 0, 0, 1],
            own: Default::default(),
            of: [None; PEOPLE],
            signed: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }

    fn user(&self, person: usize) -> User {
        let mut user = User::nobody(&self.definition.claims);
        let claims = self.definition.claims.iter();
        let at = claims
            .clone()
            .position(|claim| claim.name == "class")
            .unwrap();
        user.claims[at] = Value::Str(format!("class-{}", self.class[person]).into());
        user
    }

    /// Sends an event; the rewards it gives, or the code of its no.
    fn send(
        &mut self,
        person: usize,
        event: &str,
        sender: Sender,
        fields: Vec<Value>,
        now: Millis,
    ) -> Result<Vec<String>, String> {
        let event = self.stage.campaign().unwrap().event(event).unwrap();
        let (user, facts) = if sender == Sender::User {
            (self.user(person), self.facts(person, now, false))
        } else {
            let nobody = User::nobody(&self.definition.claims);
            let unknown = Facts::settle(&self.definition.facts, [Known::Unknown]);
            (nobody, unknown)
        };
        let payload = Payload { fields };
        let played = self.stage.play(&Act {
            who: who(person),
            user: &user,
            facts: &facts,
            sender,
            event: Some((event, &payload)),
            now,
        });
        match played {
            Ok(played) => Ok(played.rewards().into_iter().map(str::to_owned).collect()),
            Err(Refused::Rejected(no)) => Err(no.code().to_owned()),
            Err(other) => panic!("{other}"),
        }
    }

    fn tally(&self, class: usize, day: Day) -> u32 {
        let key = CounterKey::Tally(format!("class-{class}").into(), day);
        let counters = &self.stage.lane().unwrap().counters;
        counters
            .get(&key)
            .map_or(0, |counter| counter.issued as u32)
    }

    /// The tallies as somebody sees them; old ones know nothing of today but their own.
    fn facts(&self, person: usize, now: Millis, old: bool) -> Facts {
        let calendar = &self.definition.calendar;
        let first = calendar.day(self.definition.window.opens);
        let today = calendar.day(now);
        let class = self.class[person];
        let seen = |day: Day| {
            if old && day == today {
                0
            } else {
                self.tally(class, day)
            }
        };
        let tallies = Tallies {
            team: format!("class-{class}").into(),
            first,
            counts: (first..=today).map(seen).collect(),
            known: true,
        };
        Facts::settle(&self.definition.facts, [Known::Tallies(tallies)])
    }

    fn sign(&mut self, person: usize, now: Millis, old: bool) {
        let (user, facts) = (self.user(person), self.facts(person, now, old));
        let payload = Payload::default();
        let mut events = self.definition.events.iter();
        let event = events.position(|event| &*event.name == "sign-in").unwrap();
        let played = self.stage.play(&Act {
            who: who(person),
            user: &user,
            facts: &facts,
            sender: Sender::User,
            event: Some((event as u16, &payload)),
            now,
        });
        let today = self.definition.calendar.day(now);
        match played {
            Err(Refused::Rejected(_)) => {}
            Err(other) => panic!("{other}"),
            Ok(_) => {
                let class = self.class[person];
                if self.of[person] != Some(class) {
                    self.own[person].clear();
                    self.of[person] = Some(class);
                }
                self.own[person].insert(today);
                self.signed
                    .entry((class, today))
                    .or_default()
                    .insert(person);
            }
        }
    }

    fn counts(&self, class: usize, day: Day) -> bool {
        let signed = self.signed.get(&(class, day));
        signed.is_some_and(|signed| signed.len() as u32 >= NEEDS)
    }

    /// The runs of days of a class that count.
    fn runs(&self, class: usize, last: Day) -> Vec<Vec<Day>> {
        let calendar = &self.definition.calendar;
        let first = calendar.day(self.definition.window.opens);
        let days: Vec<Day> = (first..=last).filter(|day| !calendar.skips(*day)).collect();
        days.chunk_by(|a, b| self.counts(class, *a) && self.counts(class, *b))
            .filter(|run| self.counts(class, run[0]))
            .map(<[Day]>::to_vec)
            .collect()
    }
}

fn noon(game: &Game, day: usize) -> Millis {
    game.definition.window.opens + day as Millis * DAY_MS + DAY_MS / 2
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// What is decided on older tallies comes late and is never wrong, and once everybody has come again all of it is there.
    #[test]
    fn a_team_reward_is_late_at_most_and_never_wrong(days in days()) {
        let mut game = Game::new();
        for (number, deeds) in days.iter().enumerate() {
            for (person, (signs, old, changes)) in deeds.iter().enumerate() {
                if *changes {
                    game.class[person] = 1 - game.class[person];
                    game.changed.insert(person);
                }
                if *signs {
                    game.sign(person, noon(&game, number) + person as Millis, *old);
                    // Pressing again counts nothing again.
                    game.sign(person, noon(&game, number) + 100, false);
                }
            }
            let today = game.definition.calendar.day(noon(&game, number));
            for class in 0..2 {
                let signed = game.signed.get(&(class, today)).map_or(0, BTreeSet::len);
                prop_assert_eq!(game.tally(class, today) as usize, signed, "a tally is how many signed in");
            }
        }
        // Everybody comes once more, the next day that is not skipped.
        let mut end = days.len();
        while game.definition.calendar.skips(game.definition.calendar.day(noon(&game, end))) {
            end += 1;
        }
        for person in 0..PEOPLE {
            game.sign(person, noon(&game, end) + person as Millis, false);
        }
        let last = game.definition.calendar.day(noon(&game, end));
        for person in 0..PEOPLE {
            let class = game.class[person];
            let runs = game.runs(class, last);
            let own = &game.own[person];
            let stayed = !game.changed.contains(&person);
            let each = given(&game.stage, &game.definition, person, "team-each-day");
            for day in &each {
                prop_assert!((0..2).any(|class| game.counts(class, *day)
                    && game.signed[&(class, *day)].contains(&person)), "a day that did not count, or was not theirs");
            }
            if stayed {
                // The last day's may wait for the next time: who came before the third saw too few.
                let due: BTreeSet<Day> = runs.iter().flatten().copied().filter(|day| own.contains(day) && *day < last).collect();
                let got: BTreeSet<Day> = each.iter().copied().filter(|day| *day < last).collect();
                prop_assert_eq!(got, due);
            }
            for length in [2_usize, 4] {
                let got = given(&game.stage, &game.definition, person, &format!("team-streak-{length}"));
                if !stayed {
                    continue;
                }
                for run in &runs {
                    let here = got.iter().filter(|day| run.contains(day)).count();
                    let reached = run.len() >= length;
                    let own_days = run.iter().take(length).filter(|day| own.contains(day)).count();
                    let due = usize::from(reached && own_days >= OWN_DAYS.min(length));
                    let late = reached && run[length - 1] == last;
                    prop_assert!(here == due || late && here == 0, "{length} in {run:?}: {here}, due {due}");
                }
                let all: BTreeSet<Day> = runs.iter().flatten().copied().collect();
                prop_assert!(got.is_subset(&all), "outside of every run");
            }
        }
    }
}

const DAYS: &str = "
title: Test
timezone: UTC
opens: 2026-03-01
closes: 2026-12-01
rewards:
  points: { title: P, kind: points, amount: 1 }
  each: { title: E, kind: coupon }
give: { each_day: points }
team: { of: user.class, day_needs: 2, give: { each_day: each } }
";

const MEASURED: &str = "
activity: sign-in
day_counts: { sum: words, at_least: 10, from: user }
";

const REPORTED: &str = "
activity: sign-in
day_counts: { sum: words, at_least: 10, from: backend }
machine:
  extends: default
  states:
    active: { events: { claim-team: [{ do: [{ claim_team: team }] }] } }
";

const SIGNED: &str = "
activity: custom
events: { study: { from: backend, payload: { words: { type: int } } } }
machine:
  initial: a
  states:
    a:
      events:
        study: [{ do: [{ sign: streak }] }]
        claim-team: [{ do: [{ claim_team: team }] }]
";

/// Whoever signs a day for its user, the team's day counts once they have come themselves, each of them once; and what that
/// gives is given.
#[test]
fn a_day_counts_for_its_team_whoever_signs_it() {
    let rows = [
        (MEASURED, Sender::User, None),
        (REPORTED, Sender::Backend, Some("claim-team")),
        (SIGNED, Sender::Backend, Some("claim-team")),
    ];
    for (text, sender, own) in rows {
        let mut game = Game::of(definition_of(&format!("{text}{DAYS}")));
        let now = noon(&game, 0);
        let day = game.definition.calendar.day(now);
        for person in 0..2 {
            let words = vec![Value::Int(10)];
            let studied = game.send(person, "study", sender, words, now).unwrap();
            if let Some(own) = own {
                // What the back end sends brings no token, and so no team.
                assert_eq!(game.tally(0, day), person as u32, "{text}");
                let came = game.send(person, own, Sender::User, vec![], now).unwrap();
                assert_eq!(came, vec!["each"; person], "{text}");
                let again = game.send(person, own, Sender::User, vec![], now);
                assert_eq!(again, Err("not-possible".to_owned()), "{text}");
            } else {
                let each = studied.iter().filter(|reward| *reward == "each");
                assert_eq!(each.count(), person, "{text}");
            }
            assert_eq!(game.tally(0, day), person as u32 + 1, "{text}");
        }
    }
}

/// A claim's default is nobody's team: those whose tokens say nothing share nothing.
#[test]
fn a_default_is_no_team() {
    let declared = [ClaimDecl {
        name: "class".to_owned(),
        ty: Type::Str,
        default: Value::Str("guests".into()),
    }];
    let fact = TeamFact {
        claim: 0,
        longest: 1,
    };
    for (said, team) in [("guests", None), ("", None), ("a", Some("a"))] {
        let user = User {
            claims: vec![Value::Str(said.into())],
        };
        assert_eq!(fact.of(&declared, &user).map(|name| &**name), team);
    }
    assert_eq!(fact.of(&declared, &User::nobody(&declared)), None);
}
