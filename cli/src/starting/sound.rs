//! Whether what was made is sound: the same check and the same stories as `gala check` and `gala test`, before it is written.

use std::path::Path;
use std::sync::Arc;

use campaign::{Diagnostics, Files, Loaded, LoadedCampaign, LoadedTenant, Severity};

use super::files::Draft;
use crate::activities;
use crate::failure::Failure;

/// The configs folder as it will be: what is there, with the drafts over it.
pub(super) struct Sound {
    loaded: Loaded,
    names: Vec<String>,
}

/// The files of a configs folder; none where there is no such folder yet.
pub(super) fn read(configs: &Path) -> Result<Files, Failure> {
    if !configs.exists() {
        return Ok(Files::new());
    }
    function::registry::read(configs).map_err(|error| {
        Failure::usage(format!(
            "the folder {} can't be read: {error}",
            configs.display()
        ))
    })
}

impl Sound {
    /// Loads the folder.
    pub(super) fn of(configs: &Path, files: &Files, drafts: &[Draft]) -> Self {
        let mut files = files.clone();
        let mut names = Vec::new();
        let root = configs.display().to_string();
        for draft in drafts {
            let Ok(path) = draft.path.strip_prefix(configs) else {
                continue;
            };
            let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
            let name = parts.join("/");
            names.push(format!("{root}/{name}"));
            files.insert(name, Arc::from(draft.text.as_str()));
        }
        let mut loaded = campaign::load(&root, &files, &activities::ALL);
        function::posters::check(&mut loaded, &root, function::posters::Care::Usual);
        Self { loaded, names }
    }

    /// What is said of the drafts, and whatever is wrong with their tenant.
    pub(super) fn said(&self, tenant: &str) -> Diagnostics {
        let of_tenant = format!("/{tenant}/tenant.yaml");
        self.loaded
            .diagnostics
            .iter()
            .filter(|found| {
                let name = found.place.source.name();
                self.names.iter().any(|own| own == name)
                    || (found.severity == Severity::Error && name.ends_with(&of_tenant))
            })
            .cloned()
            .collect()
    }

    /// A tenant.
    pub(super) fn tenant(&self, tenant: &str) -> Option<&LoadedTenant> {
        self.loaded
            .tenants
            .iter()
            .find(|loaded| loaded.tenant.id == tenant)
    }

    /// A campaign of it.
    pub(super) fn campaign(&self, tenant: &str, campaign: &str) -> Option<&LoadedCampaign> {
        let campaigns = &self.tenant(tenant)?.campaigns;
        campaigns.iter().find(|loaded| loaded.id == campaign)
    }

    /// What came out differently in its stories.
    pub(super) fn played(&self, tenant: &str, campaign: &str) -> Diagnostics {
        self.campaign(tenant, campaign)
            .and_then(LoadedCampaign::play)
            .map(|report| report.failures)
            .unwrap_or_default()
    }
}
