//! The facts of a campaign: what the shell looks up before a step, and what counts where it could not be found out.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ClaimDecl, Definition, Sender};
use crate::expr::{BoolExpr, Source};
use crate::input::User;
use crate::participant::Core;
use crate::redeem::RedeemFact;
use crate::value::{Type, Value};

/// A fact the shell looks up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactDecl {
    /// What to look up.
    pub what: FactKind,
    /// What "unknown" counts as; of the fact's type.
    #[serde(with = "plain")]
    pub when_unknown: Value,
}

/// The kinds of facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactKind {
    /// The member id is on the tenant's list of this name.
    List(String),
    /// What one of the tenant's own services says of the member.
    Asked(Asked),
    /// How many members of the user's team signed in, day by day: for the block `team`, and no expression.
    Team(TeamFact),
    /// What the code is that the user hands in: for the block `redeem`, and no expression.
    Redeem(RedeemFact),
    /// Whether the tenant has not seen the user before: they have no record in any other of its campaigns in this lane.
    FirstSight(FirstSight),
}

/// Who is new here by first sight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSight {
    /// Its name after `facts.`.
    pub name: String,
    /// The campaigns, in all of their editions, in which having taken part makes nobody less new.
    pub except: Vec<String>,
    /// The variable that keeps what was found first: 0 nothing yet, [`NEW`] or [`SEEN`].
    pub kept: u16,
}

/// What a record keeps of somebody who was new when they first did something here.
pub const NEW: i64 = 1;

/// What a record keeps of somebody who was not.
pub const SEEN: i64 = 2;

impl FirstSight {
    /// What a record keeps; none: nothing has been found yet.
    pub fn of(&self, core: &Core) -> Option<bool> {
        match core.vars.get(usize::from(self.kept)) {
            Some(Value::Int(NEW)) => Some(true),
            Some(Value::Int(SEEN)) => Some(false),
            _ => None,
        }
    }
}

/// Whose sign-ins are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamFact {
    /// The claim that names the team, by its place among the tenant's.
    pub claim: u16,
    /// The longest streak that gives something, in days.
    pub longest: u32,
}

impl TeamFact {
    /// The name of a user's team; none for who is in none: a claim that is empty, or what it is where no token has it. Those
    /// whose tokens say nothing, and the back end, which brings none, share nothing.
    pub fn of<'a>(&self, declared: &[ClaimDecl], user: &'a User) -> Option<&'a Arc<str>> {
        let claim = usize::from(self.claim);
        let value = user.claims.get(claim)?;
        let default = &declared.get(claim)?.default;
        match value {
            Value::Str(name) if !name.is_empty() && value != default => Some(name),
            _ => None,
        }
    }
}

/// A question to one of the tenant's services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its name after `facts.`.
    pub name: String,
    /// The connector that is asked.
    pub connector: String,
    /// Where in the answer it stands: keys with dots between.
    pub field: String,
    /// What it must be; anything else is unknown.
    pub ty: Type,
}

impl FactDecl {
    /// The type of what is found.
    pub fn ty(&self) -> Type {
        match &self.what {
            FactKind::List(_) | FactKind::FirstSight(_) | FactKind::Redeem(_) => Type::Bool,
            FactKind::Asked(asked) => asked.ty,
            FactKind::Team(_) => Type::Days,
        }
    }

    /// The name by which ledgers know it: `facts.newcomer`, `list vip`.
    pub fn name(&self) -> String {
        match &self.what {
            FactKind::List(list) => format!("list {list}"),
            FactKind::Asked(asked) => format!("facts.{}", asked.name),
            FactKind::Team(_) => "team".to_owned(),
            FactKind::Redeem(_) => "code".to_owned(),
            FactKind::FirstSight(first) => format!("facts.{}", first.name),
        }
    }

    /// The name that a campaign declares it under, if it does: `newcomer`.
    pub fn declared(&self) -> Option<&str> {
        match &self.what {
            FactKind::List(_) | FactKind::Team(_) | FactKind::Redeem(_) => None,
            FactKind::Asked(asked) => Some(&asked.name),
            FactKind::FirstSight(first) => Some(&first.name),
        }
    }

    /// Who is new, if it is about that.
    pub fn first_sight(&self) -> Option<&FirstSight> {
        match &self.what {
            FactKind::List(_) | FactKind::Asked(_) | FactKind::Team(_) | FactKind::Redeem(_) => {
                None
            }
            FactKind::FirstSight(first) => Some(first),
        }
    }

    /// The team, if it is about one.
    pub fn team(&self) -> Option<&TeamFact> {
        match &self.what {
            FactKind::List(_)
            | FactKind::Asked(_)
            | FactKind::Redeem(_)
            | FactKind::FirstSight(_) => None,
            FactKind::Team(team) => Some(team),
        }
    }

    /// The codes that are taken, if it is about those.
    pub fn redeem(&self) -> Option<&RedeemFact> {
        match &self.what {
            FactKind::List(_)
            | FactKind::Asked(_)
            | FactKind::Team(_)
            | FactKind::FirstSight(_) => None,
            FactKind::Redeem(redeem) => Some(redeem),
        }
    }

    /// The question, if it is one to a service.
    pub fn asked(&self) -> Option<&Asked> {
        match &self.what {
            FactKind::List(_)
            | FactKind::Team(_)
            | FactKind::Redeem(_)
            | FactKind::FirstSight(_) => None,
            FactKind::Asked(asked) => Some(asked),
        }
    }
}

impl Definition {
    /// The codes that the campaign takes, and the place of the fact that says what one is.
    pub fn redeem(&self) -> Option<(u16, &RedeemFact)> {
        let mut facts = (0_u16..).zip(&self.facts);
        facts.find_map(|(at, fact)| Some((at, fact.redeem()?)))
    }

    /// The facts that a condition reads which no event goes with, by their place here: an audience, say.
    pub fn facts_of(&self, guard: Option<&BoolExpr>) -> BTreeSet<u16> {
        let mut found = BTreeSet::new();
        if let Some(guard) = guard {
            guard.each_source(&mut |source| {
                if let Source::Fact(fact) = source {
                    found.insert(fact);
                }
            });
        }
        found
    }

    /// The facts that an event needs which this sender sends: what its transitions read, and of users what the audience
    /// reads. Known when the campaign is checked, so that no event pays for a look-up that it does not use.
    pub fn asks(&self, event: u16, sender: Sender) -> BTreeSet<u16> {
        let mut found = match sender {
            Sender::User => self.facts_of(self.audience.as_ref()),
            Sender::Backend | Sender::Timer | Sender::Campaign | Sender::Staff => BTreeSet::new(),
        };
        if let Some(event) = self.events.get(usize::from(event)) {
            found.extend(&event.asks);
        }
        // Whichever event is the first one: what is found then is kept.
        if matches!(sender, Sender::User | Sender::Backend) {
            found.extend(self.first_sights().map(|(fact, _)| fact));
        }
        found
    }

    /// The facts that say who is new by first sight, with their places here.
    pub fn first_sights(&self) -> impl Iterator<Item = (u16, &FirstSight)> {
        let all = (0_u16..).zip(&self.facts);
        all.filter_map(|(at, fact)| Some((at, fact.first_sight()?)))
    }

    /// Of these facts those that are still to be found out about whoever has this record: what it keeps is not asked again.
    pub fn open(&self, wanted: BTreeSet<u16>, core: &Core) -> BTreeSet<u16> {
        let kept = |fact: &u16| {
            let declared = self.facts.get(usize::from(*fact));
            declared
                .and_then(FactDecl::first_sight)
                .is_some_and(|first| first.of(core).is_some())
        };
        wanted.into_iter().filter(|fact| !kept(fact)).collect()
    }
}

/// A truth value as such, as definitions had it when facts knew nothing else: what was published then keeps its bytes.
mod plain {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::value::Value;

    pub(super) fn serialize<S: Serializer>(value: &Value, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Value::Bool(plain) => to.serialize_bool(*plain),
            other => other.serialize(to),
        }
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Value, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Plain(bool),
            Typed(Value),
        }
        Ok(match Written::deserialize(from)? {
            Written::Plain(plain) => Value::Bool(plain),
            Written::Typed(value) => value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_before_keeps_its_bytes() {
        let old = r#"{"what":{"list":"vip"},"when_unknown":false}"#;
        let read: FactDecl = serde_json::from_str(old).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
        let level = FactDecl {
            what: FactKind::Asked(Asked {
                name: "level".to_owned(),
                connector: "crm".to_owned(),
                field: "member.level".to_owned(),
                ty: Type::Int,
            }),
            when_unknown: Value::Int(3),
        };
        let written = serde_json::to_string(&level).unwrap();
        assert_eq!(serde_json::from_str::<FactDecl>(&written).unwrap(), level);
    }
}
