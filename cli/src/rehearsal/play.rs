//! The campaign from a little before its opening to a little after its end, minute by minute where anybody comes, hour by hour and then
//! day by day where nobody does. All who come within one minute call at once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use std::sync::Arc;

use campaign::simulate::guests::{Coming, Guests};
use campaign::simulate::{Plan, Rate};
use campaign::tenant::Tenant;
use machine::Millis;
use serde_json::Map;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::caller::{Answer, Caller, Signers, Stage, Told};
use super::codes;
use super::set::Set;
use crate::failure::Failure;
use crate::out::Out;
use crate::sign;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// How many people call at once, of those who come within one minute.
const AT_ONCE: usize = 64;

/// The run of the guests that come: the forecast's runs are numbered from 0, and these people are none of theirs.
const GUESTS: u32 = u32::MAX;

/// What was played.
pub struct Played {
    /// The set, with its books.
    pub set: Set,
    /// What became of the calls.
    pub told: Told,
    /// The code that a call before the opening was refused with; none where users send nothing.
    pub before: Option<String>,
    /// The code that a call after the end was refused with.
    pub after: Option<String>,
}

/// Plays a plan.
pub async fn play(
    configs: &Path,
    tenant: &Tenant,
    plan: &Plan,
    out: Out,
) -> Result<Played, Failure> {
    let guests = plan
        .guests(GUESTS)
        .map_err(|error| Failure::check("simulate", error.to_string()))?;
    let window = plan.definition.window;
    let mut set = Set::open(configs, &tenant.id, window.opens - HOUR).await?;
    let campaign = &*plan.definition.campaign;
    let snapshot = set.registry().snapshot();
    let served = snapshot.tenants.get(&tenant.id);
    let served = served.and_then(|tenant| tenant.campaigns.get(campaign));
    if served.and_then(|served| served.newest()).is_none() {
        return Err(Failure::check(
            "not-served",
            format!(
                "{}/{campaign} is not served on an empty store: gala check says why",
                tenant.id
            ),
        ));
    }
    codes::invent(&*set.store, &plan.definition, set.now()).await?;
    let signs = |keys: &[_]| sign::signer(&set.configs(), &tenant.id, keys);
    let service = match signs(&tenant.service_keys) {
        Ok(minter) => Some(minter),
        Err(error) if has_reports(plan) => return Err(error),
        Err(_) => None,
    };
    let stage = Arc::new(Stage {
        door: set.door(),
        signers: Signers {
            user: signs(&tenant.keys)?,
            service,
        },
        tenant: tenant.id.clone(),
        campaign: campaign.to_owned(),
        mark: "rehearsal".to_owned(),
    });
    let mut told = Told::default();
    let guests = Arc::new(guests);
    let before = outside(&stage, &guests, set.now()).await;
    days(&mut set, &stage, &guests, plan, &mut told, out).await;
    // Until nobody can claim any more; whatever is due in between happens when it is due, to the hour and later to the day.
    let end = window.claim_until.max(window.closes) + HOUR;
    let last = set.now();
    while set.now() < end {
        let step = if set.now() < last + 2 * DAY {
            HOUR
        } else {
            DAY
        };
        let to = (set.now() + step).min(end);
        set.pass(to).await;
    }
    let after = outside(&stage, &guests, set.now()).await;
    Ok(Played {
        set,
        told,
        before,
        after,
    })
}

/// Whether the back end sends anything in this campaign.
fn has_reports(plan: &Plan) -> bool {
    let events = &plan.definition.events;
    let mut backends = events
        .iter()
        .filter(|event| event.from.contains(&machine::model::Sender::Backend));
    backends.any(|event| {
        let said = plan.profile.backend.get(&*event.name).copied();
        let users = event.from.contains(&machine::model::Sender::User);
        let usual = if users {
            Rate::NEVER
        } else {
            plan.profile.backend_else
        };
        !said.unwrap_or(usual).is_never()
    })
}

/// What a call outside the window is answered, which must be refused whatever it carries; none where users send no event.
async fn outside(stage: &Stage, guests: &Guests, now: Millis) -> Option<String> {
    let nobody = Coming {
        at: now,
        number: u32::MAX,
        visits: u32::try_from(now / DAY).unwrap_or_default(),
        day: 0,
    };
    let mut wish = guests.visit(&nobody).wishes.into_iter().next()?;
    let payload = guests.carried(&mut wish, now);
    let mut caller = Caller::new(stage, nobody.number, nobody.visits, Map::new(), now);
    Some(caller.send(&wish.event, payload).await.code().to_owned())
}

async fn days(
    set: &mut Set,
    stage: &Arc<Stage>,
    guests: &Arc<Guests>,
    plan: &Plan,
    told: &mut Told,
    out: Out,
) {
    let mut waiting: BinaryHeap<Reverse<Coming>> =
        guests.arrivals().into_iter().map(Reverse).collect();
    let all = guests.days();
    let (mut day, mut visits) = (0, 0);
    while let Some(Reverse(first)) = waiting.pop() {
        if first.day > day {
            tell_day(&all, day, told.visits - visits, out);
            (day, visits) = (first.day, told.visits);
        }
        while set.now() + HOUR < first.at {
            let to = set.now() + HOUR;
            set.pass(to).await;
        }
        set.pass(first.at).await;
        let mut now = vec![first];
        let until = first.at - first.at.rem_euclid(MINUTE) + MINUTE;
        while waiting
            .peek()
            .is_some_and(|Reverse(next)| next.at < until && next.day == first.day)
        {
            now.extend(waiting.pop().map(|Reverse(next)| next));
        }
        let again = now.iter().filter_map(|coming| guests.next(coming));
        waiting.extend(again.map(Reverse));
        together(now, set.now(), stage, guests, told).await;
    }
    tell_day(&all, day, told.visits - visits, out);
    out.note(format!(
        "{} visits of {} people; time passes to the end of the claims",
        told.visits, plan.users
    ));
}

fn tell_day(all: &[machine::Day], day: usize, visits: u64, out: Out) {
    if let Some(date) = all.get(day) {
        out.note(format!(
            "{}: {visits} visits",
            machine::calendar::date(*date)
        ));
    }
}

/// All of these at once, as far as so many tasks go.
async fn together(
    coming: Vec<Coming>,
    now: Millis,
    stage: &Arc<Stage>,
    guests: &Arc<Guests>,
    told: &mut Told,
) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for coming in coming {
        let (room, stage, guests) = (room.clone(), stage.clone(), guests.clone());
        tasks.spawn(async move {
            // Never closed; without a permit it would only call earlier.
            let _permit = room.acquire().await;
            visit(&stage, &guests, &Coming { at: now, ..coming }).await
        });
    }
    while let Some(visited) = tasks.join_next().await {
        match visited {
            Ok(visited) => told.add(visited),
            Err(error) => {
                told.failed += 1;
                told.failures
                    .push(format!("a visit ended in the middle: {error}"));
            }
        }
    }
}

/// One visit: as `campaign::simulate` has it, by requests.
async fn visit(stage: &Stage, guests: &Guests, coming: &Coming) -> Told {
    let claims = guests.claims(coming.number);
    let mut caller = Caller::new(stage, coming.number, coming.visits, claims, coming.at);
    caller.told.visits = 1;
    caller.told.people = u64::from(coming.visits == 0);
    let planned = guests.visit(coming);
    for (event, payload) in planned.reports {
        caller.report(&event, payload).await;
    }
    let first = caller.view().await;
    // What the page shows by now: each answer to an event says it anew.
    let mut page = None;
    let mut pressed = !planned.presses_anyway;
    for mut wish in planned.wishes {
        let at_first = first.offers(&wish.event).unwrap_or_default();
        if wish.wanted {
            for _ in 0..wish.tries {
                let possible = page
                    .as_ref()
                    .and_then(|page: &Answer| page.offers(&wish.event));
                if !possible.unwrap_or(at_first) {
                    break;
                }
                let payload = guests.carried(&mut wish, coming.at);
                let answer = caller.send(&wish.event, payload).await;
                if answer.status != 200 {
                    break;
                }
                page = Some(answer);
            }
        }
        if !pressed && !at_first {
            pressed = true;
            let possible = page
                .as_ref()
                .and_then(|page: &Answer| page.offers(&wish.event));
            if !possible.unwrap_or_default() {
                let payload = guests.carried(&mut wish, coming.at);
                let answer = caller.send(&wish.event, payload).await;
                if answer.status == 200 {
                    page = Some(answer);
                }
            }
        }
    }
    caller.told
}
