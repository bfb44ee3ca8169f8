//! What does not run in this process, and where: `--function ACTIVITY=URL[,URL...]`, and `--route PATH=URL[,URL...]` for servers
//! that are not ours.

use std::collections::BTreeMap;

use function::serve::{ServeError, StoreChoice};
use function::signed::{GatewayKey, KEY_VARIABLE};
use gateway::door::{Address, Ask, Elsewhere, Patience, Remote, Remotes, Routes};

use crate::activities;

/// `--ask-functions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AskFunctions {
    /// Each address is asked
    Always,
    /// Those that did not answer, until they do
    Away,
}

/// One `--function`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionAt {
    /// The activity.
    pub activity: &'static str,
    /// Where its function runs; at least one.
    pub addresses: Vec<Address>,
}

/// Reads one; the error names what is known.
pub fn read(text: &str) -> Result<FunctionAt, String> {
    let (name, addresses) = text
        .split_once('=')
        .ok_or("write ACTIVITY=URL, as in lottery=http://10.0.0.7:8080")?;
    let mut known = activities::ALL.iter().map(|activity| activity.id());
    let activity = known.clone().find(|id| *id == name.trim());
    let Some(activity) = activity else {
        let known: Vec<&str> = known.by_ref().collect();
        return Err(format!(
            "there is no activity `{}`; there are {}",
            name.trim(),
            known.join(", ")
        ));
    };
    Ok(FunctionAt {
        activity,
        addresses: read_addresses(addresses)?,
    })
}

fn read_addresses(text: &str) -> Result<Vec<Address>, String> {
    let addresses = text.split(',').map(|address| address.trim().parse());
    addresses
        .collect::<Result<Vec<Address>, _>>()
        .map_err(|error| error.to_string())
}

/// One `--route`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTo {
    /// Below which path.
    pub path: String,
    /// Where its server is; at least one.
    pub addresses: Vec<Address>,
}

/// Reads one.
pub fn read_route(text: &str) -> Result<RouteTo, String> {
    let (path, addresses) = text
        .split_once('=')
        .ok_or("write PATH=URL, as in /shop=http://10.0.0.7:3000")?;
    Ok(RouteTo {
        path: Routes::path(path.trim()).map_err(|error| error.to_string())?,
        addresses: read_addresses(addresses)?,
    })
}

/// Begins to watch over the servers of all paths; within a runtime.
pub fn start_routes(routes: &[RouteTo]) -> Result<Routes, ServeError> {
    let mut table = Routes::default();
    for route in routes {
        let shown = format!("{}/", route.path);
        let no = |error: &dyn std::fmt::Display| {
            ServeError::Elsewhere(format!("--route {shown}: {error}"))
        };
        // There are as many as were given once, at the start, and they live as long as the process.
        let label: &'static str = shown.clone().leak();
        let server = Remote::start(
            label,
            route.addresses.clone(),
            None,
            Patience::for_a_server(),
        );
        let server = server.map_err(|error| no(&error))?;
        table
            .add(route.path.clone(), server)
            .map_err(|error| no(&error))?;
    }
    Ok(table)
}

/// Begins to watch over all of them; within a runtime.
///
/// Refused with the embedded store: it is one process' own, so the functions would keep other books than the gateway, whose
/// staff publish, look up and export here.
pub fn start(
    functions: &[FunctionAt],
    ask: AskFunctions,
    choice: &StoreChoice,
) -> Result<Remotes, ServeError> {
    if functions.is_empty() {
        return Ok(Remotes::new());
    }
    if let StoreChoice::Embedded(_) = choice {
        return Err(ServeError::Elsewhere(
            "--function needs a store that both can reach: name a Redis with --store here, and the same in GALA_STORE there"
                .to_owned(),
        ));
    }
    let key = GatewayKey::from_env()?;
    if key.is_none() {
        tracing::warn!(
            "{KEY_VARIABLE} is not set: functions elsewhere are not told the client's address in a way that they believe"
        );
    }
    let mut merged: BTreeMap<&'static str, Vec<Address>> = BTreeMap::new();
    for function in functions {
        let addresses = merged.entry(function.activity).or_default();
        for address in &function.addresses {
            if !addresses.contains(address) {
                addresses.push(address.clone());
            }
        }
    }
    let patience = Patience {
        ask: match ask {
            AskFunctions::Always => Ask::Always,
            AskFunctions::Away => Ask::WhenAway,
        },
        ..Patience::default()
    };
    let started = merged.into_iter().map(|(activity, addresses)| {
        let remote = Remote::start(activity, addresses, key.clone(), patience)
            .map_err(|error| ServeError::Elsewhere(format!("--function {activity}: {error}")))?;
        Ok((activity, remote))
    });
    started.collect()
}

/// A line each, for people.
pub fn listed(elsewhere: &Elsewhere) -> Vec<String> {
    let at = |remote: &Remote| remote.addresses().collect::<Vec<_>>().join(", ");
    let functions = elsewhere.functions.iter();
    let functions =
        functions.map(|(activity, remote)| format!("{activity} runs at {}", at(remote)));
    let routes = elsewhere.routes.listed();
    let routes = routes.map(|(path, server)| format!("{path} is served by {}", at(server)));
    functions.chain(routes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_it_is_written() {
        let read = read("lottery=http://a:1, h2c://b:2").unwrap();
        let at: Vec<&str> = read.addresses.iter().map(Address::as_str).collect();
        assert_eq!(
            (read.activity, at),
            ("lottery", vec!["http://a:1", "h2c://b:2"])
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, why) in [
            ("lottery", "write ACTIVITY=URL"),
            (
                "lotery=http://a",
                "there is no activity `lotery`; there are sign-in, gift-pack, lottery, custom",
            ),
            ("lottery=", "`` is no address of a function"),
            ("lottery=http://a,", "`` is no address of a function"),
            ("lottery=a:8080", "it begins with http://"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        for (text, why) in [
            ("/shop", "write PATH=URL"),
            ("shop=http://a", "`shop` is no path"),
            ("/v1/acme=http://a", "answered by Gala itself"),
            ("/shop=a:1", "it begins with http://"),
        ] {
            let error = read_route(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
