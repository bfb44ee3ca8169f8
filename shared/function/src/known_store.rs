//! Which store a process has seen at an address, noted beside it on disk. A Redis that comes back empty looks like a new one:
//! a process that published its folder there again would sell all stock a second time. So one that may publish asks here
//! first, and goes on only with the store that it knows, with a new one at a new address, or when told so by name.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use store::redis::address::Address;

/// The file in the data folder.
const FILE: &str = "known-stores.json";

/// What accepts another store at a known address: `?accept=another-store`.
const ACCEPTED: &str = "another-store";

/// Why a store is not taken.
#[derive(Debug, thiserror::Error)]
pub enum AnotherStore {
    /// Another one was there.
    #[error(
        "{address} was another store when it was last used from here: it was emptied, replaced or lost what it held. Bring \
         back what it held (docs/OPERATIONS.md, \"After an amnesia\"), or begin anew with {way}: stock that was given \
         before is then given again"
    )]
    Another {
        /// Where, without its password.
        address: String,
        /// What to write to go on.
        way: String,
    },
    /// The note can't be kept.
    #[error("which store is at an address can't be noted in {path}")]
    Note {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Whether the store `id` may be seeded from here; notes it.
pub fn check(data: &Path, address: &Address, id: &str) -> Result<(), AnotherStore> {
    let path = data.join(FILE);
    let failed = |source| AnotherStore::Note {
        path: path.clone(),
        source,
    };
    let mut known: BTreeMap<String, String> = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => return Err(failed(error)),
    };
    // Where it is, however it is used.
    let place = place(address);
    let accepted = address.accepted.iter().any(|word| word == ACCEPTED);
    match known.get(&place) {
        Some(before) if before == id => return Ok(()),
        Some(_) if !accepted => {
            return Err(AnotherStore::Another {
                address: address.to_string(),
                way: format!("`?accept={ACCEPTED}` at the end of its address"),
            });
        }
        _ => {}
    }
    known.insert(place, id.to_owned());
    std::fs::create_dir_all(data).map_err(failed)?;
    // Whole or not at all: a note by half would stand in the way of every start.
    let new = data.join(format!("{FILE}.new"));
    let text = serde_json::to_vec_pretty(&known).unwrap_or_default();
    std::fs::write(&new, text).map_err(failed)?;
    std::fs::rename(&new, &path).map_err(failed)
}

fn place(address: &Address) -> String {
    let hosts = address
        .hosts
        .iter()
        .map(|(host, port)| format!("{host}:{port}"));
    let hosts: Vec<String> = hosts.collect();
    format!("{}/{}", hosts.join(","), address.db)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_store_at_a_known_address_is_refused_until_it_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let at = |text: &str| text.parse::<Address>().unwrap();
        let plain = at("redis://127.0.0.1:6379");
        let data = folder.path().join("data");
        check(&data, &plain, "one").unwrap();
        check(&data, &plain, "one").unwrap();
        // How it is used is not where it is.
        check(&data, &at("redis://127.0.0.1:6379?replicas=1"), "one").unwrap();
        check(&data, &at("redis://127.0.0.1:6380"), "two").unwrap();
        let refused = check(&data, &plain, "three").unwrap_err().to_string();
        assert!(refused.contains("?accept=another-store"), "{refused}");
        check(&data, &plain, "one").unwrap();
        check(
            &data,
            &at("redis://127.0.0.1:6379?accept=another-store"),
            "three",
        )
        .unwrap();
        check(&data, &plain, "three").unwrap();
        assert!(check(&data, &plain, "one").is_err());
    }
}
