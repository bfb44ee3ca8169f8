//! The smallest scenario, for tests to change.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::scenario::{
    Ask, Campaign, Journey, Phase, Picked, Population, Provoke, Scenario, Shape, Step,
};

/// 100 views of one campaign in a second.
pub fn scenario() -> Scenario {
    Scenario {
        name: "test".to_owned(),
        title: "A test".to_owned(),
        seed: 1,
        campaigns: vec![Campaign {
            tenant: "acme".to_owned(),
            campaign: "wheel".to_owned(),
        }],
        population: Population {
            users: 1000,
            picked: Picked::InTurn,
            bots: 0.0,
            addresses: None,
            mark: "t".to_owned(),
            claims: BTreeMap::new(),
        },
        journeys: vec![Journey {
            name: "look".to_owned(),
            share: 1.0,
            campaign: 0,
            bots: false,
            steps: vec![Step::Call(Ask::View)],
        }],
        arrivals: vec![Phase {
            name: "steady".to_owned(),
            shape: Shape::Ramp {
                from: 100.0,
                to: 100.0,
                lasts: Duration::from_secs(1),
            },
        }],
        limits: Vec::new(),
        provoke: Provoke {
            replay: 0.0,
            drop: 0.0,
        },
        patience: Duration::from_secs(5),
        connections: 64,
    }
}
