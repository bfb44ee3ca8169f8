//! What staff do to one record by hand: give a reward for a ticket, hold a grant, let it go on, take it back. Pure, like a
//! step; a commit makes it true, with stock, budget and the ledger, as anything else that is given.

use sha2::{Digest, Sha256};

use crate::calendar::Millis;
use crate::expr::Fault;
use crate::ids::{CampaignKey, Period, Pseudonym, grant_id};
use crate::ledger::{AmendedRow, BY_HAND, HandRow, Row};
use crate::model::{Campaign, Definition, RewardKind};
use crate::participant::{BY_HAND_RULE, Core, Grant, Participant, Status};
use crate::step::{Call, Decision, No, decided, settle, timer};
use crate::turn::Gone;
use crate::value::Value;

/// A reward for a ticket.
#[derive(Debug, Clone, Copy)]
pub struct ByHand<'a> {
    /// Which reward.
    pub reward: u16,
    /// How many times; at least 1.
    pub n: u32,
    /// The ticket: for one user of one edition it is good once.
    pub ticket: &'a str,
    /// Who gives it.
    pub by: &'a str,
    /// Why.
    pub why: &'a str,
}

/// Why nothing was given by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotGiven {
    /// The ticket was used: these are the places of its grants in the record.
    Before(Vec<usize>),
    /// There is no such reward, or it is the one that gives nothing.
    NoReward,
    /// Staff have stopped the reward.
    Stopped,
    /// No unit is left.
    SoldOut,
    /// The budget is spent.
    BudgetSpent,
    /// A rule failed while the record was brought up to now.
    Fault(Fault),
}

impl From<Fault> for NotGiven {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The period of what a ticket gives: 64 bits of the ticket's SHA-256, which is enough within one record.
pub fn period_of(ticket: &str) -> Period {
    let digest: [u8; 32] = Sha256::digest(ticket.as_bytes()).into();
    let mut short = [0; 8];
    short.copy_from_slice(&digest[..8]);
    Period::Ticket(u64::from_be_bytes(short))
}

/// The places of what a ticket gave in a record.
pub fn given_for(record: &Participant, ticket: &str) -> Vec<usize> {
    let period = period_of(ticket);
    let grants = record.grants.iter().enumerate();
    grants
        .filter(|(_, grant)| grant.rule == BY_HAND_RULE && grant.period == period)
        .map(|(place, _)| place)
        .collect()
}

/// Gives a reward by hand. That very reward: nothing stands in for it; and whatever its `per_user` says, which holds for
/// what the campaign gives by itself.
pub fn give(call: &Call<'_>, hand: &ByHand<'_>) -> Result<Decision, NotGiven> {
    let before = given_for(call.participant, hand.ticket);
    if !before.is_empty() {
        return Err(NotGiven::Before(before));
    }
    let mut turn = settle(call).map_err(|no| match no {
        No::Fault(fault) => NotGiven::Fault(fault),
        // Bringing a record up to date rejects nothing: nobody is there to be told.
        No::Rejected(_) => NotGiven::Fault(Fault::Mismatch("settling was rejected")),
    })?;
    let reward = call.campaign.rewards.get(usize::from(hand.reward));
    let reward = reward
        .filter(|reward| reward.kind != RewardKind::Nothing)
        .ok_or(NotGiven::NoReward)?;
    let period = period_of(hand.ticket);
    for n in 1..=hand.n.max(1) {
        match turn.gone(hand.reward) {
            None => {}
            Some(Gone::BudgetSpent) => return Err(NotGiven::BudgetSpent),
            Some(_) if turn.is_stopped(&reward.id) => return Err(NotGiven::Stopped),
            Some(_) => return Err(NotGiven::SoldOut),
        }
        turn.book(BY_HAND_RULE, BY_HAND.into(), hand.reward, period, n)?;
    }
    turn.rows.push(Row::Hand(HandRow {
        reward: reward.id.clone(),
        n: hand.n.max(1),
        ticket: hand.ticket.into(),
        by: hand.by.into(),
        why: hand.why.into(),
    }));
    Ok(decided(turn, call))
}

/// What becomes of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amend {
    /// It waits until risk control has looked.
    Hold,
    /// It goes on.
    Release,
    /// It is taken back. The unit goes back to nobody and the budget is not refunded: what was counted stays counted.
    Void,
}

/// Why a grant stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAmended {
    /// It is so already.
    Already,
    /// That can't become of a grant with this status.
    Not(Status),
}

/// Who amends, and why.
#[derive(Debug, Clone, Copy)]
pub struct Staff<'a> {
    /// Who.
    pub by: &'a str,
    /// Why.
    pub why: &'a str,
}

impl Amend {
    /// The status after it.
    pub fn after(self, was: Status) -> Result<Status, NotAmended> {
        match (self, was) {
            (Self::Hold, Status::Held)
            | (Self::Release, Status::Pending)
            | (Self::Void, Status::Reversed) => Err(NotAmended::Already),
            (Self::Hold, Status::Pending) => Ok(Status::Held),
            (Self::Release, Status::Held) => Ok(Status::Pending),
            (
                Self::Void,
                Status::Pending
                | Status::Held
                | Status::NeedsClaim
                | Status::Sent
                | Status::Confirmed
                | Status::Failed,
            ) => Ok(Status::Reversed),
            (_, was) => Err(NotAmended::Not(was)),
        }
    }
}

/// Where the grant of this id is in a record: by the name that its rule has, or had.
pub fn place_of(
    key: &CampaignKey,
    user: &Pseudonym,
    definition: &Definition,
    record: &Participant,
    id: &str,
) -> Option<usize> {
    let mut grants = record.grants.iter();
    grants.position(|grant| {
        let of = |rule: &str| grant_id(key, user, rule, grant.period, grant.n) == id;
        if grant.rule == BY_HAND_RULE {
            return of(BY_HAND);
        }
        let rule = definition.rules_of_giving.get(usize::from(grant.rule));
        rule.is_some_and(|rule| of(&rule.id) || rule.was.iter().any(|was| of(was)))
    })
}

/// Amends the grant at `place` of a record that is of this definition's revision. Time stands still for the record: what is
/// due meanwhile is due still.
pub fn amend(
    campaign: &Campaign,
    record: &Participant,
    place: usize,
    amend: Amend,
    staff: Staff<'_>,
    now: Millis,
) -> Result<(Vec<Grant>, Decision), NotAmended> {
    let mut grants = record.grants.clone();
    let Some(grant) = grants.get_mut(place) else {
        return Err(NotAmended::Not(Status::Failed));
    };
    let was = grant.status;
    grant.status = amend.after(was)?;
    let mut core = record.core.clone();
    core.version = core.version.saturating_add(1);
    core.now = core.now.max(now);
    let reward = campaign.rewards.get(usize::from(grant.reward));
    let balance = reward.and_then(|reward| reward.balance);
    let taken = match balance.filter(|_| amend == Amend::Void) {
        Some(slot) => take_back(&mut core, slot, grant.amount),
        None => 0,
    };
    let row = AmendedRow {
        rule: grant
            .rule_id(&campaign.rules_of_giving)
            .unwrap_or("")
            .into(),
        reward: reward.map_or_else(|| "".into(), |reward| reward.id.clone()),
        period: grant.period,
        n: grant.n,
        was,
        now: grant.status,
        taken,
        by: staff.by.into(),
        why: staff.why.into(),
    };
    let decision = Decision {
        timer: timer(campaign, &core),
        core,
        grants: Vec::new(),
        moves: Vec::new(),
        alternatives: Vec::new(),
        rows: vec![Row::Amended(row)],
        heard: record.heard.clone(),
        outcome: None,
    };
    Ok((grants, decision))
}

/// Takes an amount out of a balance, as far as it is still there.
fn take_back(core: &mut Core, slot: u16, amount: i64) -> i64 {
    match core.vars.get_mut(usize::from(slot)) {
        Some(Value::Int(held)) => {
            let taken = amount.clamp(0, (*held).max(0));
            *held -= taken;
            taken
        }
        _ => 0,
    }
}
