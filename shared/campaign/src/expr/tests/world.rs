//! The names that the examples speak of.

use std::collections::BTreeMap;

use machine::calendar::Calendar;

use super::*;

/// A campaign's names.
pub(super) struct World {
    calendar: Calendar,
    pub(super) event: Option<&'static str>,
    counts: Vec<String>,
    lists: BTreeMap<String, u16>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            calendar: Calendar::new(chrono_tz::Asia::Shanghai, 0, vec![]),
            event: Some("study"),
            counts: vec![],
            lists: BTreeMap::new(),
        }
    }
}

pub(super) const VARS: [(&str, Type); 8] = [
    ("chances", Type::Int),
    ("misses", Type::Int),
    ("vip", Type::Bool),
    ("city", Type::Str),
    ("since", Type::Date),
    ("last", Type::Time),
    ("wait", Type::Duration),
    ("my_points", Type::Int),
];
const USER: [(&str, Type); 4] = [
    ("level", Type::Int),
    ("tags", Type::Strs),
    ("tier", Type::Str),
    ("signed_up", Type::Time),
];
const EVENT: [(&str, Type); 2] = [("words", Type::Int), ("day", Type::Date)];
const EVENTS: [&str; 2] = ["order-paid", "study"];

fn find(table: &[(&str, Type)], name: &str) -> Option<(u16, Type)> {
    table
        .iter()
        .position(|(known, _)| *known == name)
        .map(|at| (at as u16, table[at].1))
}

fn all(table: &[(&str, Type)]) -> Vec<String> {
    table.iter().map(|(name, _)| (*name).to_owned()).collect()
}

impl Names for World {
    fn var(&self, name: &str) -> Option<(u16, Type)> {
        find(&VARS, name)
    }
    fn var_names(&self) -> Vec<String> {
        all(&VARS)
    }
    fn user(&self, claim: &str) -> Option<(u16, Type)> {
        find(&USER, claim)
    }
    fn user_names(&self) -> Vec<String> {
        all(&USER)
    }
    fn event(&self) -> Option<&str> {
        self.event
    }
    fn event_field(&self, field: &str) -> Option<(u16, Type)> {
        find(&EVENT, field)
    }
    fn event_fields(&self) -> Vec<String> {
        if self.event.is_some() {
            all(&EVENT)
        } else {
            vec![]
        }
    }
    fn function(&self, name: &str) -> Option<Function> {
        let (function, args, result) = match name {
            "signed_today" => (0, vec![], Type::Bool),
            "signed_on" => (1, vec![Type::Date], Type::Bool),
            "makeups_left" => (2, vec![], Type::Int),
            _ => return None,
        };
        Some(Function {
            block: 3,
            function,
            args,
            result,
            texts: None,
        })
    }
    fn function_names(&self) -> Vec<String> {
        ["signed_today", "signed_on", "makeups_left"]
            .map(str::to_owned)
            .to_vec()
    }
    fn reward(&self, id: &str) -> Option<u16> {
        ["my-coupon", "points"]
            .iter()
            .position(|known| *known == id)
            .map(|at| at as u16)
    }
    fn reward_ids(&self) -> Vec<String> {
        vec!["my-coupon".to_owned(), "points".to_owned()]
    }
    fn count(&mut self, event: &str) -> Option<u16> {
        EVENTS.contains(&event).then_some(())?;
        let at = self
            .counts
            .iter()
            .position(|known| known == event)
            .unwrap_or_else(|| {
                self.counts.push(event.to_owned());
                self.counts.len() - 1
            });
        Some(at as u16)
    }
    fn event_names(&self) -> Vec<String> {
        EVENTS.map(str::to_owned).to_vec()
    }
    fn list(&mut self, list: &str) -> Option<u16> {
        (list == "vip-2026").then_some(())?;
        let next = self.lists.len() as u16;
        Some(*self.lists.entry(list.to_owned()).or_insert(next))
    }
    fn list_names(&self) -> Vec<String> {
        vec!["vip-2026".to_owned()]
    }
    fn calendar(&self) -> &Calendar {
        &self.calendar
    }
}
