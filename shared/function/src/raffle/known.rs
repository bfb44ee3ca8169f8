//! What a process knows of draws that were made: read from the ledger once, shown on every page. A draw never changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use blocks::raffle::of;
use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::ledger::{RaffleRow, Row};
use machine::raffle::nobody;
use machine::{Definition, Millis};
use parking_lot::Mutex;
use store::{Error, Store};
use tokio::time::Instant;

/// For how long it is believed that a draw is not made yet, or (in a test lane, which is emptied) that it is.
const FOR: Duration = Duration::from_secs(1);

/// A draw that was made.
#[derive(Debug)]
pub struct Drawn {
    /// What the ledger says of it.
    pub row: RaffleRow,
    /// The number of its row.
    pub number: u64,
    /// When it was made.
    pub at: Millis,
    /// Where each of those who were drawn stands, from 0.
    pub places: BTreeMap<Pseudonym, usize>,
}

/// The draws that a process knows of.
#[derive(Debug, Default)]
pub struct Known {
    found: Mutex<HashMap<CampaignKey, Looked>>,
}

/// When the store was asked, and what it said.
type Looked = (Instant, Option<Arc<Drawn>>);

impl Known {
    /// The draw of a lane for a page at `now`, if it has a raffle that was drawn.
    pub async fn of_page(
        &self,
        store: &dyn Store,
        key: &CampaignKey,
        definition: &Definition,
        now: Millis,
    ) -> Result<Option<Arc<Drawn>>, Error> {
        let raffle = of(definition).filter(|(params, _)| now >= params.draw_at);
        match raffle {
            Some((_, spec)) => self.look(store, key, &spec.name).await,
            None => Ok(None),
        }
    }

    /// The draw of a lane, if it was made.
    pub async fn look(
        &self,
        store: &dyn Store,
        key: &CampaignKey,
        draw: &str,
    ) -> Result<Option<Arc<Drawn>>, Error> {
        let known = self.found.lock().get(key).cloned();
        if let Some((asked, found)) = known {
            let for_good = found.is_some() && key.lane == Lane::Live;
            if for_good || asked.elapsed() < FOR {
                return Ok(found);
            }
        }
        self.look_again(store, key, draw).await
    }

    /// The same, asking the store whatever is known.
    pub async fn look_again(
        &self,
        store: &dyn Store,
        key: &CampaignKey,
        draw: &str,
    ) -> Result<Option<Arc<Drawn>>, Error> {
        let asked = Instant::now();
        let rows = store.history(&key.tenant, nobody(key, draw), 1).await?;
        let found = rows.into_iter().find_map(|row| match row.row {
            Row::Raffle(raffle) if row.campaign == *key => {
                let order = raffle.order.iter();
                Some(Arc::new(Drawn {
                    places: order.enumerate().map(|(at, who)| (*who, at)).collect(),
                    number: row.number,
                    at: row.at,
                    row: raffle,
                }))
            }
            _ => None,
        });
        let mut known = self.found.lock();
        known.insert(key.clone(), (asked, found.clone()));
        Ok(found)
    }
}
