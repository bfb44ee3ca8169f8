//! A definition with the code of its blocks attached: what a step runs.

use std::ops::Deref;

use super::{BlockSpec, Definition, Window};
use crate::block::Block;
use crate::calendar::HOUR_MS;

/// A definition with the code of its blocks attached, under one revision: ready to run.
#[derive(Debug)]
pub struct Campaign {
    /// The revision it was published as; 0 before.
    pub revision: u32,
    /// SHA-256 of the definition, as published.
    pub sha256: [u8; 32],
    definition: Definition,
    /// The blocks' code, in the definition's order.
    pub blocks: Vec<Box<dyn Block>>,
}

/// Why a definition can't be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// This program lacks the block's code.
    #[error("block `{0}` is unknown to this program: it was built before that block existed")]
    UnknownBlock(String),
    /// The block's parameters are not of the shape this program knows.
    #[error("block `{kind}`: {message}")]
    Params {
        /// The block's kind.
        kind: String,
        /// What is wrong.
        message: String,
    },
}

/// Finds the code of a block: `blocks::link`.
pub type Linker<'a> = &'a dyn Fn(&BlockSpec) -> Result<Box<dyn Block>, LinkError>;

impl Campaign {
    /// Attaches the blocks' code, found by `link`, and works out the calendar.
    pub fn link(
        mut definition: Definition,
        revision: u32,
        sha256: [u8; 32],
        link: Linker<'_>,
    ) -> Result<Self, LinkError> {
        // A record touched within the last days of a campaign may look some days ahead or back.
        const MARGIN_MS: i64 = 40 * 24 * HOUR_MS;
        let blocks = definition
            .blocks
            .iter()
            .map(link)
            .collect::<Result<_, _>>()?;
        let Window {
            opens, claim_until, ..
        } = definition.window;
        definition.calendar = definition.calendar.prepared(
            opens.saturating_sub(MARGIN_MS),
            claim_until.saturating_add(MARGIN_MS),
        );
        Ok(Self {
            revision,
            sha256,
            definition,
            blocks,
        })
    }

    /// The definition.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The index of an event.
    pub fn event(&self, name: &str) -> Option<u16> {
        self.events
            .iter()
            .position(|event| &*event.name == name)
            .map(|at| at as u16)
    }

    /// The index of a reward.
    pub fn reward(&self, id: &str) -> Option<u16> {
        self.rewards
            .iter()
            .position(|reward| &*reward.id == id)
            .map(|at| at as u16)
    }

    /// The index of a state.
    pub fn state(&self, name: &str) -> Option<u16> {
        self.machine
            .states
            .iter()
            .position(|state| &*state.name == name)
            .map(|at| at as u16)
    }

    /// `tenant/campaign`: how a draw names it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.tenant, self.campaign)
    }
}

impl Deref for Campaign {
    type Target = Definition;

    fn deref(&self) -> &Definition {
        &self.definition
    }
}
