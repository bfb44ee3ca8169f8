//! What `gala status` shows: looks at a running server, one after the other, and what two of them together say of pace.

pub mod figures;
pub mod scrape;
pub mod screen;
pub mod table;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use function::identity::Role;
use serde_json::Value as Json;

use crate::api::{self, Api, Ask, Server};
use crate::failure::Failure;
use figures::Campaign;
use scrape::Scrape;

/// Over how long a pace is taken.
const PACE: Duration = Duration::from_mins(1);

/// A server that is watched, for these tenants.
#[derive(Debug)]
pub struct Watch {
    tenants: Vec<(String, Api)>,
    /// The looks of the last minute, oldest first.
    looks: VecDeque<Look>,
}

/// What was seen at one moment.
#[derive(Debug)]
pub struct Look {
    at: Instant,
    scrape: Scrape,
    campaigns: Vec<Seen>,
}

/// A campaign as it was seen.
#[derive(Debug)]
pub struct Seen {
    /// Whose.
    pub tenant: String,
    /// As the list of campaigns has it.
    pub listed: Json,
    /// Its figures.
    pub stats: Json,
}

impl Watch {
    /// Gets ready to watch.
    pub fn new(tenants: &[String], server: &Server) -> Result<Self, Failure> {
        let connect = |tenant: &String| Ok((tenant.clone(), server.connect(tenant, Role::Viewer)?));
        Ok(Self {
            tenants: tenants.iter().map(connect).collect::<Result<_, _>>()?,
            looks: VecDeque::new(),
        })
    }

    /// Looks once more, and says what is so.
    pub fn look(&mut self) -> Result<Vec<Campaign>, Failure> {
        let look = self.see()?;
        let at = look.at;
        self.looks.push_back(look);
        // One that is older than the pace stays, so that the pace is taken over all of it.
        while self.looks.len() > 2 && at.duration_since(self.looks[1].at) >= PACE {
            self.looks.pop_front();
        }
        let Some((first, last)) = self.looks.front().zip(self.looks.back()) else {
            return Ok(Vec::new());
        };
        let secs = last.at.duration_since(first.at).as_secs_f64();
        let told = last.campaigns.iter().map(|seen| {
            let before = first.campaigns.iter().find(|other| other.is(seen));
            figures::tell(
                seen,
                &last.scrape,
                before.map(|seen| (seen, &first.scrape)),
                secs,
            )
        });
        Ok(told.collect())
    }

    fn see(&self) -> Result<Look, Failure> {
        let mut campaigns = Vec::new();
        let mut scrape = Scrape::default();
        for (number, (tenant, api)) in self.tenants.iter().enumerate() {
            if number == 0 {
                scrape = Scrape::read(&api.metrics()?);
            }
            let all = api::json(api.get(Ask {
                path: &[tenant, "campaigns"],
                query: &[],
            })?)?;
            let served = all["campaigns"].as_array().into_iter().flatten();
            for listed in served.filter(|listed| listed["served"] == true) {
                let Some(campaign) = listed["campaign"].as_str() else {
                    continue;
                };
                let stats = api::json(api.get(Ask {
                    path: &[tenant, "campaigns", campaign, "stats"],
                    query: &[],
                })?)?;
                campaigns.push(Seen {
                    tenant: tenant.clone(),
                    listed: listed.clone(),
                    stats,
                });
            }
        }
        Ok(Look {
            at: Instant::now(),
            scrape,
            campaigns,
        })
    }
}

impl Seen {
    /// Whether the other is the same campaign and edition.
    fn is(&self, other: &Self) -> bool {
        let same = |key: &str| self.listed[key] == other.listed[key];
        self.tenant == other.tenant && same("campaign") && same("edition")
    }
}
