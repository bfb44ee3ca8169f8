//! What a path on the command line means: a configs folder, a tenant's folder, or one file of it.

use std::path::{Path, PathBuf};

use campaign::{Diagnostics, Loaded, LoadedCampaign, LoadedTenant, Severity};

use crate::activities;
use crate::failure::Failure;

/// The file that makes a folder a tenant's.
const TENANT_FILE: &str = "tenant.yaml";

/// Checked files.
#[derive(Debug)]
pub struct Folder {
    loaded: Loaded,
    /// The only file that was asked for, as diagnostics name it.
    only: Option<String>,
}

/// Reads and checks what `path` names.
pub fn load(path: &Path) -> Result<Folder, Failure> {
    let missing = |error: std::io::Error| {
        Failure::usage(format!("{} can't be read: {error}", path.display()))
    };
    let meta = std::fs::metadata(path).map_err(missing)?;
    if meta.is_dir() && !path.join(TENANT_FILE).is_file() {
        let files = read(path)?;
        let root = path.display().to_string();
        let mut loaded = campaign::load::load(&root, &named(files, None), &activities::ALL);
        function::posters::check(&mut loaded, &root, function::posters::Care::Full);
        return Ok(Folder { loaded, only: None });
    }
    let tenant = if meta.is_dir() {
        path.to_owned()
    } else {
        tenant_of(path)?
    };
    let (root, name) = parent_and_name(&tenant)?;
    let files = named(read(&tenant)?, Some(&name));
    let mut loaded = campaign::load::load(&root, &files, &activities::ALL);
    function::posters::check(&mut loaded, &root, function::posters::Care::Full);
    let rest = path
        .strip_prefix(&tenant)
        .ok()
        .filter(|rest| !rest.as_os_str().is_empty());
    let only = rest.map(|rest| {
        let parts: Vec<_> = rest
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        format!("{root}/{name}/{}", parts.join("/"))
    });
    Ok(Folder { loaded, only })
}

impl Folder {
    /// What there is to say about the files that were asked for.
    pub fn diagnostics(&self) -> Diagnostics {
        let mut asked = Diagnostics::new();
        let rules: Vec<&String> = self
            .campaigns()
            .flat_map(|(_, campaign)| campaign.rules.iter().chain(&campaign.posters))
            .collect();
        self.loaded
            .diagnostics
            .iter()
            .filter(|found| {
                let name = found.place.source.name();
                match &self.only {
                    None => true,
                    // Without its tenant no file can be judged.
                    Some(only) => {
                        name == only
                            || rules.iter().any(|rules| *rules == name)
                            || (name.ends_with(TENANT_FILE) && found.severity == Severity::Error)
                    }
                }
            })
            .for_each(|found| asked.push(found.clone()));
        asked
    }

    /// The tenants.
    pub fn tenants(&self) -> &[LoadedTenant] {
        &self.loaded.tenants
    }

    /// The campaigns that were asked for, with their tenants' ids: all, or the one whose file or stories were named.
    pub fn campaigns(&self) -> impl Iterator<Item = (&str, &LoadedCampaign)> {
        let all = self.loaded.tenants.iter().flat_map(|tenant| {
            tenant
                .campaigns
                .iter()
                .map(|campaign| (tenant.tenant.id.as_str(), campaign))
        });
        all.filter(|(_, campaign)| match &self.only {
            None => true,
            Some(only) => {
                campaign.source.name() == only
                    || campaign
                        .stories
                        .as_ref()
                        .is_some_and(|stories| stories.name() == only)
            }
        })
    }
}

fn read(folder: &Path) -> Result<campaign::Files, Failure> {
    function::registry::read(folder).map_err(|error| {
        Failure::usage(format!(
            "the folder {} can't be read: {error}",
            folder.display()
        ))
    })
}

/// The files as the check wants them, each under its tenant's folder.
fn named(files: campaign::Files, tenant: Option<&str>) -> campaign::Files {
    let name =
        |path: String| tenant.map_or_else(|| path.clone(), |tenant| format!("{tenant}/{path}"));
    files
        .into_iter()
        .map(|(path, text)| (name(path), text))
        .collect()
}

/// The tenant's folder that a file lies in.
pub fn tenant_of(file: &Path) -> Result<PathBuf, Failure> {
    // `rules/` and `stories/` lie one below.
    let near = file.ancestors().skip(1).take(3);
    let here = |folder: &Path| {
        if folder.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            folder.to_owned()
        }
    };
    near.map(here)
        .find(|folder| folder.join(TENANT_FILE).is_file())
        .ok_or_else(|| {
            Failure::usage(format!(
                "{} lies in no tenant's folder: there is no {TENANT_FILE} beside it",
                file.display()
            ))
        })
}

/// A tenant's folder as its parent, for people, and its name.
fn parent_and_name(tenant: &Path) -> Result<(String, String), Failure> {
    let unnamed = || {
        Failure::usage(format!(
            "{} has no name that could be a tenant's id",
            tenant.display()
        ))
    };
    if let (Some(name), Some(parent)) = (tenant.file_name(), tenant.parent()) {
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        return Ok((
            parent.display().to_string(),
            name.to_str().ok_or_else(unnamed)?.to_owned(),
        ));
    }
    // `.` and `..` have a name only in full.
    let full = tenant.canonicalize().map_err(|_| unnamed())?;
    let name = full
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(unnamed)?;
    Ok((tenant.join("..").display().to_string(), name.to_owned()))
}
