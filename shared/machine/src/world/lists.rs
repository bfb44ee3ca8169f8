//! A tenant's lists of members that staff put into the store: what is known of each. The members themselves are many, and lie where
//! a store has room for them; a version names them, and what a version names never changes. So to replace a list is to change one
//! name, and whoever looks sees the old members or the new ones, never some of each.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::admin::{Action, Admin};
use crate::calendar::Millis;

/// A list, its members apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Names its members: 32 hexadecimal digits, others for every list that is put.
    pub version: Arc<str>,
    /// How many they are.
    pub members: u64,
    /// SHA-256 of the file as it was sent.
    pub sha256: [u8; 32],
    /// When it was put.
    pub at: Millis,
    /// By whom.
    pub by: Arc<str>,
}

impl List {
    /// What a change that puts a list makes of it; none for any other change.
    pub fn put(change: &Admin) -> Option<Self> {
        let Action::PutList {
            version,
            members,
            sha256,
            ..
        } = &change.action
        else {
            return None;
        };
        Some(Self {
            version: version.clone(),
            members: *members,
            sha256: *sha256,
            at: change.at,
            by: change.by.clone(),
        })
    }
}

/// What became of the lines of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// How many there were, empty ones and the heading apart.
    pub rows: u64,
    /// How many named someone who stands on an earlier line.
    pub duplicates: u64,
    /// How many name nobody.
    pub rejected: u64,
}
