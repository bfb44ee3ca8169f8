//! A draft, checked for publishing against the other files of its tenant's folder. Needs the parser.

use campaign::{Diagnostic, Diagnostics, Files, Severity};
use machine::Definition;

use super::{ConfigsChoice, LoadError, Registry, read};

/// What the folder is called where its files are spoken of to people who are not at this machine.
const ROOT: &str = "configs";

/// A campaign's file, checked for publishing.
#[derive(Debug)]
pub enum Checked {
    /// It can be published; and what there is to say about it all the same.
    Sound(Box<Definition>, Diagnostics),
    /// It has errors: all there is to say about it, and the errors in what it needs.
    Unsound(Diagnostics),
    /// There is no such file, and none was given.
    Missing,
}

impl Registry {
    /// Checks one campaign of the folder as it is on disk now, or with `document` in its file's place; nothing is
    /// published, served or written to the folder by this.
    pub async fn check(
        &self,
        tenant: &str,
        campaign: &str,
        document: Option<&str>,
    ) -> Result<Checked, LoadError> {
        let ConfigsChoice::Folder(dir) = &self.choice else {
            // A bundle has no files to check a draft against.
            return Ok(Checked::Missing);
        };
        let folder = dir.clone();
        let files = tokio::task::spawn_blocking(move || read(&folder))
            .await
            .map_err(|error| LoadError::Folder(dir.clone(), std::io::Error::other(error)))?
            .map_err(|error| LoadError::Folder(dir.clone(), error))?;
        let folder = format!("{tenant}/");
        let mut files: Files = files
            .into_iter()
            .filter(|(path, _)| path.starts_with(&folder))
            .collect();
        // A list that only the store has needs no file to be named.
        if let Some(shell) = self.snapshot().tenants.get(tenant) {
            for list in shell.stored.lists.keys() {
                let file = format!("{tenant}/lists/{list}.csv");
                files.entry(file).or_insert_with(|| "".into());
            }
        }
        let path = format!("{tenant}/{campaign}.yaml");
        if let Some(document) = document {
            files.insert(path.clone(), document.into());
        } else if !files.contains_key(&path) {
            return Ok(Checked::Missing);
        }
        let mut loaded = campaign::load(ROOT, &files, &self.activities);
        let own = format!("{ROOT}/{path}");
        let mut others = Vec::new();
        let mut sound = None;
        for tenant in &mut loaded.tenants {
            for file in &mut tenant.campaigns {
                if file.id == *campaign {
                    sound = file.definition.take();
                } else {
                    others.push(file.source.name().to_owned());
                }
            }
        }
        // What stands against it in the files that it needs; what else may be said about those was not asked.
        let concerns = |found: &Diagnostic| {
            let name = found.place.source.name();
            name == own
                || (found.severity == Severity::Error && !others.iter().any(|other| other == name))
        };
        let mut found: Vec<Diagnostic> = loaded.diagnostics.into_iter().filter(concerns).collect();
        // What stands in the way first.
        found.sort_by_key(|found| found.severity != Severity::Error);
        let found = found.into_iter().collect();
        Ok(match sound {
            Some(definition) => Checked::Sound(Box::new(definition), found),
            None => Checked::Unsound(found),
        })
    }
}
