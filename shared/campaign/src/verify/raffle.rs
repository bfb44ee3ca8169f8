//! Draws from a list of entries, computed again: the list is what the rows before say, its hash is the booked one, and the seed
//! draws from it whom the row names. What they were then given is theirs, and no more than there was to win.

use std::collections::{BTreeMap, BTreeSet};

use blocks::raffle::Params;
use machine::ids::{Pseudonym, hex};
use machine::luck::{Seed, Source};
use machine::model::Campaign;
use machine::raffle::Entries;

use super::checks::Found;
use super::finding::Kind;
use super::row::{Entry, Grant, Raffle};

/// What is known of a campaign's draws so far, by their names.
#[derive(Debug, Default)]
pub(super) struct Raffles {
    open: BTreeMap<String, Entries>,
    drawn: BTreeMap<String, Drawn>,
}

/// A draw that was made.
#[derive(Debug)]
struct Drawn {
    order: BTreeSet<Pseudonym>,
    winners: BTreeMap<String, u32>,
    given: BTreeMap<String, u32>,
}

impl Raffles {
    /// Takes an entry.
    pub fn entry(
        &mut self,
        entry: &Entry,
        user: Pseudonym,
        raffle: Option<&(String, Params)>,
        found: &mut Found<'_>,
    ) {
        let Some((_, params)) = raffle.filter(|(name, _)| *name == entry.draw) else {
            let message = format!("the revision has no raffle `{}`", entry.draw);
            return found.note(Kind::Entry, message);
        };
        if self.drawn.contains_key(&entry.draw) {
            return found.note(
                Kind::Entry,
                "enters a draw that was made already".to_owned(),
            );
        }
        if found
            .row
            .millis()
            .is_some_and(|at| at >= params.entries_close)
        {
            found.note(Kind::Entry, "enters after the entries closed".to_owned());
        }
        let list = self.open.entry(entry.draw.clone()).or_default();
        if let Err(gap) = list.add(entry.number, found.row.number, user) {
            found.note(Kind::Entry, gap.to_string());
        }
    }

    /// Makes a draw again.
    pub fn drawn(
        &mut self,
        raffle: &Raffle,
        own: Option<&(String, Params)>,
        campaign: &Campaign,
        seed: &Seed,
        found: &mut Found<'_>,
    ) {
        let Some((_, params)) = own.filter(|(name, _)| *name == raffle.draw) else {
            let message = format!("the revision has no raffle `{}`", raffle.draw);
            return found.note(Kind::Raffle, message);
        };
        if self.drawn.contains_key(&raffle.draw) {
            return found.note(Kind::Raffle, "this draw was made already".to_owned());
        }
        if found.row.millis().is_some_and(|at| at < params.draw_at) {
            found.note(Kind::Raffle, "it was drawn before its time".to_owned());
        }
        let prizes = raffle.prizes.iter();
        let prizes: Vec<_> = prizes
            .map(|prize| (&*prize.reward, prize.winners))
            .collect();
        let named = params.named(campaign);
        let named: Vec<_> = named
            .iter()
            .map(|(id, winners)| (&**id, *winners))
            .collect();
        if prizes != named || raffle.alternates != params.alternates {
            found.note(
                Kind::Raffle,
                "prizes and alternates are others than the revision says".to_owned(),
            );
        }
        let list = self.open.remove(&raffle.draw).unwrap_or_default();
        if list.count() != raffle.entries {
            let message = format!(
                "the row says {} entries, the ledger has {}",
                raffle.entries,
                list.count()
            );
            found.note(Kind::Raffle, message);
        }
        let sha256 = list.sha256();
        if hex(&sha256) != raffle.sha256 {
            let message = format!(
                "the row says the list's SHA-256 is {}, the ledger gives {}",
                raffle.sha256,
                hex(&sha256)
            );
            found.note(Kind::Raffle, message);
        }
        let source = Source::new(seed, &campaign.path(), campaign.edition);
        let places = params.winners().saturating_add(params.alternates);
        let order = list.order(places, &mut source.raffle(&raffle.draw, &sha256));
        let same = order
            .iter()
            .map(ToString::to_string)
            .eq(raffle.order.iter().cloned());
        if !same {
            let at = order.iter().zip(&raffle.order);
            let at = at
                .take_while(|(own, said)| own.to_string() == **said)
                .count();
            let message = format!("place {} is another than the seed gives", at + 1);
            found.note(Kind::Raffle, message);
        }
        let drawn = Drawn {
            order: order.into_iter().collect(),
            winners: raffle
                .prizes
                .iter()
                .map(|prize| (prize.reward.clone(), prize.winners))
                .collect(),
            given: BTreeMap::new(),
        };
        self.drawn.insert(raffle.draw.clone(), drawn);
    }

    /// Looks at what a raffle gave, if this grant is one's.
    pub fn given(
        &mut self,
        grant: &Grant,
        user: Pseudonym,
        own: Option<&(String, Params)>,
        campaign: &Campaign,
        found: &mut Found<'_>,
    ) {
        let Some((name, params)) = own else { return };
        let mut rules = params.prizes.iter().filter_map(|prize| {
            let rule = campaign.rules_of_giving.get(usize::from(prize.rule))?;
            let reward = campaign.rewards.get(usize::from(prize.reward))?;
            (*rule.id == *grant.rule).then(|| reward.id.to_string())
        });
        let Some(prize) = rules.next() else { return };
        let Some(drawn) = self.drawn.get_mut(name) else {
            let message = "gives a prize of a draw that was not made".to_owned();
            return found.note(Kind::Raffle, message);
        };
        if !drawn.order.contains(&user) {
            let message = "gives a prize to somebody who was not drawn".to_owned();
            found.note(Kind::Raffle, message);
        }
        let most = drawn.winners.get(&prize).copied().unwrap_or(0);
        let given = drawn.given.entry(prize).or_default();
        *given += 1;
        if *given > most {
            let message = format!("gives the prize {given} times, and {most} can win it");
            found.note(Kind::Raffle, message);
        }
    }
}
