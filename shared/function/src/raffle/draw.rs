//! The draw itself: the list closed, read, drawn from, booked. What it comes to follows from the ledger and the seed alone.

use std::sync::Arc;

use blocks::raffle::Params;
use machine::ids::Lane;
use machine::ledger::{RaffleRow, Row};
use machine::model::{Campaign, Sender};
use machine::participant::Participant;
use machine::raffle::{Entries, nobody};
use machine::world::{Action, Admin, AdminOutcome, Attribution, Commit, CounterKey, Outcome};

use super::{Place, Stopped};
use crate::engine::fit;

/// How many rows of the ledger are read at once.
const MOST: usize = 4096;

/// Who closes the entries, in the audit.
const BY: &str = "raffle";

/// Closes the list, draws from it and books that, or finds that it was booked. False in a test lane that nobody is in.
pub(super) async fn draw(
    place: &Place<'_>,
    newest: &Arc<Campaign>,
    params: &Params,
    name: &Arc<str>,
) -> Result<bool, Stopped> {
    let (store, served) = (&*place.shell.store, place.served);
    fit(store, served).map_err(Stopped::Told)?;
    if place.lane == Lane::Test && entered(place, name).await? == 0 {
        // Nobody tries it: whoever comes later finds it open.
        return Ok(false);
    }
    let key = served.key(place.lane);
    let who = nobody(&key, name);
    let campaign = served.revision_of(&who).unwrap_or(newest);
    close(place, name).await?;
    let entries = read(place, name).await?;
    let (count, sha256) = (entries.count(), entries.sha256());
    let source = match place.lane {
        Lane::Live => &served.sources.0,
        Lane::Test => &served.sources.1,
    };
    let places = params.winners().saturating_add(params.alternates);
    let order = entries.order(places, &mut source.raffle(name, &sha256));
    let row = RaffleRow {
        draw: name.clone(),
        entries: count,
        sha256,
        prizes: params.named(newest),
        alternates: params.alternates,
        claim_within: params.claim_within,
        order,
    };
    let mut core = Participant::new(campaign, place.now).core;
    core.version = 1;
    let commit = Commit {
        campaign: key.clone(),
        revision: campaign.revision,
        user: who,
        expected: 0,
        event: None,
        sender: Sender::Timer,
        key: format!("\u{1}raffle-{name}").into(),
        fingerprint: [0; 32],
        at: place.now,
        attribution: Attribution {
            request_id: format!("raffle/{name}").into(),
            channel: Some(BY.into()),
            ..Attribution::default()
        },
        core,
        grants: Vec::new(),
        moves: Vec::new(),
        alternatives: Vec::new(),
        rows: vec![Row::Raffle(row)],
        first_row: 0,
        timer: None,
        answer: Arc::from([]),
        carried: None,
        heard: Vec::new(),
        seen: None,
    };
    match store.commit(Box::new(commit)).await? {
        Outcome::Committed(_) => {
            let sha256 = machine::ids::hex(&sha256);
            tracing::info!(campaign = %key, draw = %name, entries = count, sha256,
                "drawn from {count} entries");
            Ok(true)
        }
        // It was booked meanwhile: the same.
        Outcome::Stale(Some(_)) => Ok(true),
        other => Err(Stopped::Draw(format!("{other:?}"))),
    }
}

/// How many entries were counted so far.
async fn entered(place: &Place<'_>, name: &Arc<str>) -> Result<i64, Stopped> {
    let lane = place
        .shell
        .store
        .lane(&place.served.key(place.lane))
        .await?;
    let counter = CounterKey::Entries(name.clone());
    let mut counters = lane.iter().flat_map(|lane| &lane.counters);
    let counted = counters.find(|(known, _)| *known == counter);
    Ok(counted.map_or(0, |(_, counted)| counted.issued))
}

/// Has the store take no more entries.
async fn close(place: &Place<'_>, name: &Arc<str>) -> Result<(), Stopped> {
    let served = place.served;
    let change = Admin {
        tenant: served.tenant.clone(),
        by: BY.into(),
        at: place.shell.clock.now(),
        key: None,
        action: Action::CloseEntries {
            campaign: served.campaign.clone(),
            edition: served.edition,
            lane: place.lane,
            draw: name.clone(),
        },
        why: None,
    };
    match place.shell.store.admin(Box::new(change)).await? {
        AdminOutcome::Done(_) | AdminOutcome::Already => Ok(()),
        other => Err(Stopped::Draw(format!(
            "its entries are not closed: {other:?}"
        ))),
    }
}

/// Reads the closed list: as many entries as the store counted, numbered without a gap.
async fn read(place: &Place<'_>, name: &Arc<str>) -> Result<Entries, Stopped> {
    let store = &*place.shell.store;
    let key = place.served.key(place.lane);
    let broken = |why: &str| Stopped::List(why.to_owned());
    let lane = store
        .lane(&key)
        .await?
        .ok_or_else(|| broken("there is no such lane"))?;
    let counter = CounterKey::Entries(name.clone());
    let counted = lane.counters.iter().find(|(known, _)| *known == counter);
    let (_, counted) = counted.ok_or_else(|| broken("its counter is missing"))?;
    if counted.issued < counted.ceiling {
        return Err(broken("it is open"));
    }
    let wanted = counted.issued.unsigned_abs();
    let (mut entries, mut next) = (Entries::default(), 0);
    while entries.count() < wanted {
        let rows = store.ledger(&key, next, MOST).await?;
        let Some(last) = rows.last() else { break };
        next = last.number + 1;
        for row in &rows {
            let Row::Entry(entry) = &row.row else {
                continue;
            };
            if entry.draw != *name {
                continue;
            }
            let number = entry
                .number
                .ok_or_else(|| broken("an entry has no number"))?;
            let taken = entries.add(number, row.number, row.user);
            taken.map_err(|gap| Stopped::List(gap.to_string()))?;
        }
    }
    if entries.count() != wanted {
        let why = format!("{wanted} were counted, the ledger has {}", entries.count());
        return Err(Stopped::List(why));
    }
    Ok(entries)
}
