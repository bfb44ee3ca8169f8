//! `--function ACTIVITY=URL[,URL...]`: which functions run elsewhere, and where.

use std::collections::BTreeMap;

use function::serve::{ServeError, StoreChoice};
use function::signed::{GatewayKey, KEY_VARIABLE};
use gateway::door::{Address, Patience, Remote, Remotes};

use crate::activities;

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
    let addresses = addresses
        .split(',')
        .map(|address| address.trim().parse::<Address>())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    Ok(FunctionAt {
        activity,
        addresses,
    })
}

/// Begins to watch over all of them; within a runtime.
///
/// Refused with the embedded store: it is one process' own, so the functions would keep other books than the gateway, whose
/// staff publish, look up and export here.
pub fn start(functions: &[FunctionAt], choice: &StoreChoice) -> Result<Remotes, ServeError> {
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
    let started = merged.into_iter().map(|(activity, addresses)| {
        let remote = Remote::start(activity, addresses, key.clone(), Patience::default())
            .map_err(|error| ServeError::Elsewhere(format!("--function {activity}: {error}")))?;
        Ok((activity, remote))
    });
    started.collect()
}

/// A line each, for people.
pub fn listed(remotes: &Remotes) -> Vec<String> {
    let line = |(activity, remote): (&&str, &std::sync::Arc<Remote>)| {
        let at: Vec<&str> = remote.addresses().collect();
        format!("{activity} runs at {}", at.join(", "))
    };
    remotes.iter().map(line).collect()
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
    }
}
