//! Transitions with names where the model has places in its tables, so that two revisions can be compared whose tables stand in
//! another order.

use machine::Definition;
use serde::Serialize;
use serde_json::Value as Json;

/// `part` of this definition's machine, as JSON that names what it refers to. A field of an event's payload stays a place: that
/// fields changed is told with the event.
pub(super) fn by_name(definition: &Definition, part: &impl Serialize) -> Json {
    let mut json = serde_json::to_value(part).unwrap_or_default();
    rename(definition, &mut json);
    json
}

fn rename(definition: &Definition, json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(|item| rename(definition, item)),
        Json::Object(fields) => {
            for (key, value) in fields {
                match (&**key, &mut *value) {
                    // Pairs of a variable and an expression.
                    ("Add" | "Take", Json::Array(pair)) => first(definition, pair),
                    ("Set", Json::Array(pairs)) => {
                        for pair in pairs.iter_mut().filter_map(Json::as_array_mut) {
                            first(definition, pair);
                        }
                    }
                    (key, Json::Number(place)) => {
                        let place = place.as_u64().and_then(|at| usize::try_from(at).ok());
                        if let Some(name) = place.and_then(|at| name(definition, key, at)) {
                            *value = Json::String(name);
                        }
                    }
                    _ => {}
                }
                rename(definition, value);
            }
        }
        _ => {}
    }
}

fn first(definition: &Definition, pair: &mut [Json]) {
    if let Some(var) = pair.first_mut()
        && let Some(name) = var
            .as_u64()
            .and_then(|at| name(definition, "Var", usize::try_from(at).ok()?))
    {
        *var = Json::String(name);
    }
}

/// What a field of the model refers to, by the field's name.
fn name(definition: &Definition, key: &str, at: usize) -> Option<String> {
    Some(match key {
        "Var" => definition.vars.get(at)?.name.clone(),
        "User" => definition.claims.get(at)?.name.clone(),
        "Given" | "reward" => definition.rewards.get(at)?.id.to_string(),
        "rule" => definition.rules_of_giving.get(at)?.id.to_string(),
        "block" => definition.blocks.get(at)?.name.to_string(),
        "to" => definition.machine.states.get(at)?.name.to_string(),
        "Fact" => {
            let fact = definition.facts.get(at)?;
            match fact.first_sight() {
                // Where a record keeps it is nothing that anyone decided.
                Some(first) => format!("{} but {:?}", fact.name(), first.except),
                None => format!("{fact:?}"),
            }
        }
        "CountToday" | "CountTotal" => {
            let event = definition.counts.get(at)?.event;
            definition.events.get(usize::from(event))?.name.to_string()
        }
        _ => return None,
    })
}
