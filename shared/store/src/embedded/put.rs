//! Lists and pools of codes, put: what they hold goes into files beside the log first, then the log names it, and what it does not
//! name is removed.

use std::sync::Arc;

use machine::ids::Pseudonym;
use machine::world::{Action, Admin, AdminOutcome, Owner};

use super::{Embedded, blocking};
use crate::codes::Codes;
use crate::{Error, Store as _};

impl Embedded {
    /// As [`crate::Store::put_list`].
    pub(super) async fn list_put(
        &self,
        change: Box<Admin>,
        members: Vec<Pseudonym>,
    ) -> Result<AdminOutcome, Error> {
        let change = crate::lists::versioned(change, &members)?;
        let Action::PutList { version, .. } = &change.action else {
            return Ok(AdminOutcome::Already);
        };
        let version = version.clone();
        let (lists, staged) = (self.lists.clone(), version.clone());
        blocking(move || {
            let written = lists.stage(&staged, members);
            written.map_err(|error| {
                Error::NotWritten(format!("the list's members can't be written: {error}"))
            })
        })
        .await?;
        let outcome = self.admin(change).await;
        // Where it is not known what became of it, its members stay until the next start knows.
        if !matches!(outcome, Err(Error::Unknown(_))) {
            self.settle_lists(Some(version)).await;
        }
        outcome
    }

    /// As [`crate::Store::put_codes`].
    pub(super) async fn codes_put(
        &self,
        change: Box<Admin>,
        mut codes: Codes,
    ) -> Result<AdminOutcome, Error> {
        let _putting = self.pools.putting.lock().await;
        let known = self.pools(&change.tenant).await?;
        let segments = known.iter().flat_map(|(_, pool)| &pool.segments);
        let versions: Vec<Arc<str>> = segments.map(|one| one.version.clone()).collect();
        let pools = self.pools.clone();
        let failed =
            |error: std::io::Error| Error::NotWritten(format!("the codes can't be put: {error}"));
        let (change, version) = blocking(move || {
            let known = pools.strike(&versions, &mut codes).map_err(failed)?;
            let (change, version) = crate::codes::versioned(&change, codes.len(), known)?;
            if !codes.is_empty() {
                pools.stage(&version, &codes).map_err(failed)?;
            }
            Ok((change, version))
        })
        .await?;
        let outcome = self.admin(change).await;
        // Where it is not known what became of it, the codes stay until the next start knows.
        if !matches!(outcome, Err(Error::Unknown(_))) {
            let (pools, state) = (self.pools.clone(), self.state.clone());
            let settled = blocking(move || {
                pools.settle(&version, &state);
                Ok(())
            });
            // What stays behind is swept by the next start.
            let _ = settled.await;
        }
        outcome
    }

    /// As [`crate::Store::codes`].
    pub(super) async fn codes_of(
        &self,
        tenant: &str,
        pool: &str,
        owner: &Owner,
        serials: &[u64],
    ) -> Result<Vec<Option<Arc<str>>>, Error> {
        let pools = self.pools(tenant).await?;
        let Some((_, pool)) = pools.iter().find(|(name, _)| **name == *pool) else {
            return Ok(vec![None; serials.len()]);
        };
        let place = |serial: &u64| {
            let place = pool.place(&owner.campaign, owner.edition, &owner.reward, *serial)?;
            let (segment, within) = pool.segment(place)?;
            Some((segment.version.clone(), within))
        };
        // Nothing has no name, so nothing is found there.
        let nowhere = || (Arc::from(""), 0);
        let places: Vec<_> = serials
            .iter()
            .map(|serial| place(serial).unwrap_or_else(nowhere))
            .collect();
        let files = self.pools.clone();
        blocking(move || Ok(files.codes(&places))).await
    }

    /// Removes what no list names any more.
    pub(super) async fn settle_lists(&self, version: Option<Arc<str>>) {
        let (lists, state) = (self.lists.clone(), self.state.clone());
        let settled = blocking(move || {
            lists.settle(version.as_ref(), &state);
            Ok(())
        });
        // What stays behind is swept by the next start.
        let _ = settled.await;
    }
}
