//! What people type where a code is asked for: a code of some kind, or none. Everybody has a code of their own, so nobody comes with one
//! that another has used; how many of each kind there are, a forecast does not know.

use std::sync::Arc;

use machine::ids::Pseudonym;
use machine::model::Campaign;
use machine::redeem::{CodesFrom, Handed, Standing};

use super::dice::Dice;
use super::profile::Profile;

/// One, as [`super::dice::Rate::of_whole`] counts shares.
const WHOLE: u64 = 1 << 63;

/// The codes of a campaign.
#[derive(Debug)]
pub struct Codes {
    /// The fact that says what a code is.
    pub fact: u16,
    /// The event with which they come.
    pub event: u16,
    /// Each kind: whether it is one word, and its share.
    kinds: Vec<(Arc<str>, bool, u64)>,
}

impl Codes {
    /// Those of a campaign; none: it takes none.
    pub fn new(profile: &Profile, campaign: &Campaign) -> Option<Self> {
        let (fact, redeem) = campaign.redeem()?;
        let each = WHOLE / 10 * 9 / (redeem.kinds.len() as u64).max(1);
        let kinds = redeem.kinds.iter().map(|kind| {
            let share = profile.codes.get(&*kind.id).map(|share| share.of_whole());
            let usual = if profile.codes.is_empty() { each } else { 0 };
            let is_word = matches!(kind.from, CodesFrom::Word(_));
            (kind.id.clone(), is_word, share.unwrap_or(usual))
        });
        Some(Self {
            fact,
            event: campaign.event(&redeem.event)?,
            kinds: kinds.collect(),
        })
    }

    /// What somebody types.
    pub fn typed(&self, dice: &mut Dice) -> Handed {
        let mut left = dice.roll() >> 1;
        let (one, other) = (dice.roll(), dice.roll());
        let mut own = [0; 16];
        own[..8].copy_from_slice(&one.to_be_bytes());
        own[8..].copy_from_slice(&other.to_be_bytes());
        for (at, (id, is_word, share)) in self.kinds.iter().enumerate() {
            if left < *share {
                let word = [(at as u8).wrapping_add(1); 16];
                return Handed {
                    code: Pseudonym(if *is_word { word } else { own }),
                    is: Standing::Of(id.clone()),
                };
            }
            left -= share;
        }
        Handed {
            code: Pseudonym(own),
            is: Standing::Unknown,
        }
    }
}
