//! A campaign's draw from entries: how many entered, the list's hash, who was drawn and how far each of them is.

use axum::response::Response;
use function::problem::{Code, Problem};
use function::raffle::{Known, Standing, of, standing};
use machine::Definition;
use machine::ids::Lane;
use machine::participant::Core;
use machine::raffle::reward_of;
use machine::world::CounterKey;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::find::{self, Definitions};
use super::gate::{SCAN_TIMEOUT, Visit, json as answer};
use super::ledger::reader;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    edition: Option<u32>,
    #[serde(default)]
    lane: Lane,
}

/// Answers with the draw of a lane. Whoever was drawn stands there by pseudonym, in order.
pub(super) async fn raffle(visit: &Visit) -> Result<Response, Problem> {
    let asked: Asked = visit.query()?;
    let found = find::campaign(visit, visit.param("campaign"), asked.edition).await?;
    let mut definitions = Definitions::new(visit);
    let newest = visit.soon(definitions.newest(&found)).await?;
    let newest = newest.ok_or_else(|| Problem::new(Code::Internal))?;
    let nothing = || Problem::new(Code::NotFound).with("problem", "this campaign has no raffle");
    let (params, spec) = of(&newest).ok_or_else(nothing)?;
    let key = find::key(&found, asked.lane);
    let _permit = reader(visit)?;
    let lane = visit.soon(visit.store().lane(&key)).await?;
    let lane = lane.ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
    let counter = CounterKey::Entries(spec.name.clone());
    let mut counters = lane.counters.iter();
    let counted = counters.find(|(known, _)| *known == counter);
    let known = Known::default();
    let look = known.look(visit.store(), &key, &spec.name);
    let drawn = visit.soon(look).await?;
    let mut places = Vec::new();
    for who in drawn.iter().flat_map(|drawn| &drawn.row.order) {
        let recall = visit.store().recall(&key, *who, None);
        let recalled = visit.within(SCAN_TIMEOUT, recall).await?;
        let state = match &recalled.participant {
            Some(record) => {
                let revision = record.core.revision;
                let definition = definitions.of(&found.campaign, found.edition, revision);
                let definition = visit.soon(definition).await?;
                definition.and_then(|definition| stands(&definition, &record.core))
            }
            None => Some(Standing::Nothing),
        };
        let prizes = drawn.as_ref().map_or(&[][..], |drawn| &drawn.row.prizes);
        let mut place = told(state, prizes, &newest);
        place["place"] = json!(places.len() + 1);
        place["user"] = json!(who.to_string());
        places.push(place);
    }
    let calendar = &newest.calendar;
    Ok(answer(&json!({
        "tenant": key.tenant,
        "campaign": key.campaign,
        "edition": key.edition,
        "lane": asked.lane,
        "draw": spec.name,
        "entries_close": calendar.rfc3339(params.entries_close),
        "draw_at": calendar.rfc3339(params.draw_at),
        "entries": counted.map(|(_, counter)| counter.issued),
        "closed": counted.is_some_and(|(_, counter)| counter.issued >= counter.ceiling),
        "drawn": drawn.as_ref().map(|drawn| json!({
            "at": calendar.rfc3339(drawn.at),
            "row": drawn.number,
            "entries": drawn.row.entries,
            "sha256": machine::ids::hex(&drawn.row.sha256),
            "winners": drawn.row.winners(),
        })),
        "places": places,
    })))
}

fn stands(definition: &Definition, core: &Core) -> Option<Standing> {
    let (_, spec) = of(definition)?;
    standing(spec, core)
}

/// How far somebody is; none: their record is not readable here.
fn told(
    state: Option<Standing>,
    prizes: &[(std::sync::Arc<str>, u32)],
    newest: &Definition,
) -> Json {
    let (word, slot, until) = match state {
        None => ("unknown", None, None),
        Some(Standing::Nothing) => ("not-told", None, None),
        Some(Standing::Alternate) => ("alternate", None, None),
        Some(Standing::Won { slot, until }) => ("won", Some(slot), Some(until)),
        Some(Standing::Given { slot }) => ("given", Some(slot), None),
        Some(Standing::Lapsed { slot }) => ("lapsed", Some(slot), None),
    };
    json!({
        "state": word,
        "prize": slot.and_then(|slot| reward_of(prizes, slot)),
        "claim_before": until.map(|until| newest.calendar.rfc3339(until)),
    })
}
