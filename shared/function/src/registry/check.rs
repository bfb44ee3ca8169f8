//! A draft, checked for publishing against the other files of its tenant's folder, and its stories played. Needs the parser.

use std::collections::BTreeMap;
use std::sync::Arc;

use campaign::posters;
use campaign::story::{self, Report};
use campaign::{Activities, Diagnostic, Diagnostics, Files, Severity, Source, codes};
use machine::Definition;
use machine::world::DraftText;

use super::{ConfigsChoice, LoadError, Registry, read};

/// What the folder is called where its files are spoken of to people who are not at this machine.
const ROOT: &str = "configs";

/// The texts that stand in the place of the folder's; what is not here is the folder's.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// The campaign's file.
    pub document: Option<Arc<str>>,
    /// Its stories, by their file's name; where there are any, none of the folder's are played.
    pub stories: Option<Vec<(Arc<str>, Arc<str>)>>,
    /// Its rules by language, where the document names a file for them in the folder `rules`; those that are not sent are the
    /// folder's.
    pub rules: Option<BTreeMap<String, String>>,
    /// The files of its posters by their path from the tenant's folder, those that are no text in Base64; those that are not sent
    /// are the folder's.
    pub posters: Option<BTreeMap<String, String>>,
}

/// What a draft says.
impl From<&DraftText> for Sent {
    fn from(text: &DraftText) -> Self {
        let owned =
            |(language, text): &(Arc<str>, Arc<str>)| (language.to_string(), text.to_string());
        let rules = text.rules.as_ref();
        let posters = text.posters.as_ref();
        Self {
            document: Some(text.document.clone()),
            stories: text.stories.clone(),
            rules: rules.map(|rules| rules.iter().map(owned).collect()),
            posters: posters.map(|posters| posters.iter().map(owned).collect()),
        }
    }
}

/// A campaign's file, checked for publishing.
#[derive(Debug)]
pub enum Checked {
    /// It can be published, but for its stories; what there is to say about it all the same; and how its stories came out.
    Sound(Box<Definition>, Diagnostics, Report),
    /// It has errors: all there is to say about it, and the errors in what it needs.
    Unsound(Diagnostics),
    /// There is no such file, and none was given.
    Missing,
}

/// The first that is wrong with stories: the story, where one was played, and where it came out differently or can't be read.
pub fn first_red(report: &Report) -> Option<(Option<&str>, &Diagnostic)> {
    let mut failures = report.failures.iter();
    let first = failures.find(|found| found.severity == Severity::Error)?;
    Some((report.failed.first().map(String::as_str), first))
}

impl Registry {
    /// Whether this process can check a text: it has the tenants' folders, and not only what was made of them.
    pub fn can_check(&self) -> bool {
        matches!(self.choice, ConfigsChoice::Folder(_))
    }

    /// Checks one campaign of the folder as it is on disk now, or with what was `sent` in its files' place; nothing is
    /// published, served or written to the folder by this.
    pub async fn check(
        &self,
        tenant: &str,
        campaign: &str,
        sent: Sent,
    ) -> Result<Checked, LoadError> {
        let ConfigsChoice::Folder(dir) = &self.choice else {
            // A bundle has no files to check a draft against.
            return Ok(Checked::Missing);
        };
        let (folder, activities) = (dir.clone(), self.activities.clone());
        // A list that only the store has needs no file to be named.
        let snapshot = self.snapshot();
        let shell = snapshot.tenants.get(tenant);
        let lists: Vec<String> = shell.map_or_else(Vec::new, |shell| {
            shell.stored.lists.keys().cloned().collect()
        });
        let (tenant, campaign) = (tenant.to_owned(), campaign.to_owned());
        // Analysis and stories take their time, and so does a disk.
        let work = tokio::task::spawn_blocking(move || {
            let mut files = read(&folder)?;
            for list in lists {
                let file = format!("{tenant}/lists/{list}.csv");
                files.entry(file).or_insert_with(|| "".into());
            }
            Ok(checked(files, &activities, &tenant, &campaign, sent))
        });
        let failed = |error| LoadError::Folder(dir.clone(), error);
        work.await
            .map_err(|error| failed(std::io::Error::other(error)))?
            .map_err(failed)
    }

    /// The rules that a campaign's document names, by language, as they lie in its tenant's folder now; none where there is no
    /// folder on this machine.
    pub async fn rules(
        &self,
        tenant: &str,
        document: &str,
    ) -> Result<Option<Vec<(Arc<str>, Arc<str>)>>, LoadError> {
        let Some(pattern) = campaign::rules::pattern(document) else {
            return Ok(None);
        };
        let Some(files) = self.files_of(tenant).await? else {
            return Ok(None);
        };
        let named = |(path, text): (&String, &Arc<str>)| {
            let language = if *path == pattern {
                Some("und")
            } else {
                campaign::rules::language(&pattern, path)
            };
            Some((language?.into(), text.clone()))
        };
        Ok(Some(files.iter().filter_map(named).collect()))
    }

    /// The files of the posters that a campaign's document names, by their path, as they lie in its tenant's folder now; none where
    /// there is no folder on this machine.
    pub async fn posters(
        &self,
        tenant: &str,
        document: &str,
    ) -> Result<Option<Vec<(Arc<str>, Arc<str>)>>, LoadError> {
        let Some(files) = self.files_of(tenant).await? else {
            return Ok(None);
        };
        let named = posters::named_in(document, &files).into_iter();
        Ok(Some(
            named.map(|(path, text)| (path.into(), text)).collect(),
        ))
    }

    /// The files of a tenant by their path from its folder, as they lie there now; none where there is no folder on this machine.
    async fn files_of(&self, tenant: &str) -> Result<Option<Files>, LoadError> {
        let ConfigsChoice::Folder(dir) = &self.choice else {
            return Ok(None);
        };
        let (folder, tenant) = (dir.clone(), format!("{tenant}/"));
        let failed = |error| LoadError::Folder(dir.clone(), error);
        let files = tokio::task::spawn_blocking(move || read(&folder)).await;
        let files = files
            .map_err(|error| failed(std::io::Error::other(error)))?
            .map_err(failed)?;
        let own = |(path, text): (&String, &Arc<str>)| {
            Some((path.strip_prefix(&tenant)?.to_owned(), text.clone()))
        };
        Ok(Some(files.iter().filter_map(own).collect()))
    }

    /// Whether a campaign's file lies in the folder.
    pub async fn has_file(&self, tenant: &str, campaign: &str) -> bool {
        let ConfigsChoice::Folder(dir) = &self.choice else {
            return false;
        };
        let is_name = |name: &str| !name.is_empty() && !name.contains(['/', '\\', '.']);
        if !is_name(tenant) || !is_name(campaign) {
            return false;
        }
        let file = dir.join(tenant).join(format!("{campaign}.yaml"));
        let look = tokio::task::spawn_blocking(move || file.is_file());
        look.await.unwrap_or(false)
    }
}

fn checked(
    files: Files,
    activities: &dyn Activities,
    tenant: &str,
    campaign: &str,
    sent: Sent,
) -> Checked {
    let folder = format!("{tenant}/");
    let mut files: Files = files
        .into_iter()
        .filter(|(path, _)| path.starts_with(&folder))
        .collect();
    let path = format!("{tenant}/{campaign}.yaml");
    if let Some(document) = sent.document {
        files.insert(path.clone(), document);
    }
    let Some(document) = files.get(&path).cloned() else {
        return Checked::Missing;
    };
    if let Some(texts) = &sent.rules
        && let Some(pattern) = campaign::rules::pattern(&document)
    {
        let named = |(language, text): (&String, &String)| {
            let rules = campaign::rules::path(&pattern, language)?;
            Some((format!("{tenant}/{rules}"), text.as_str().into()))
        };
        files.extend(texts.iter().filter_map(named));
    }
    // They can take the place of nothing but posters.
    let sent_posters = sent.posters.iter().flatten();
    let sound = sent_posters.filter(|(path, _)| posters::is_file(path));
    files.extend(sound.map(|(path, text)| (format!("{tenant}/{path}"), text.as_str().into())));
    let own_stories = format!("{tenant}/stories/{campaign}.yaml");
    let stories = match sent.stories {
        Some(stories) => stories,
        None => files
            .get(&own_stories)
            .map(|text| (format!("{campaign}.yaml").into(), text.clone()))
            .into_iter()
            .collect(),
    };
    let mut loaded = campaign::load(ROOT, &files, activities);
    let own = format!("{ROOT}/{path}");
    crate::posters::check(&mut loaded, ROOT, crate::posters::Care::Full);
    let (mut rules, mut others) = (Vec::new(), Vec::new());
    let mut sound = None;
    for tenant in &mut loaded.tenants {
        for file in &mut tenant.campaigns {
            if file.id == *campaign {
                sound = file.definition.take();
                rules.clone_from(&file.rules);
                rules.extend(file.posters.iter().cloned());
            } else {
                others.push(file.source.name().to_owned());
                others.extend(file.rules.iter().chain(&file.posters).cloned());
            }
        }
    }
    // A template of several campaigns is this one's, too.
    others.retain(|other| !rules.contains(other));
    // What stands against it in the files that it needs; what else may be said about those was not asked.
    let concerns = |found: &Diagnostic| {
        let name = found.place.source.name();
        name == own
            || rules.iter().any(|rules| rules == name)
            || (found.severity == Severity::Error && !others.iter().any(|other| other == name))
    };
    let mut found: Vec<Diagnostic> = loaded.diagnostics.into_iter().filter(concerns).collect();
    // What stands in the way first.
    found.sort_by_key(|found| found.severity != Severity::Error);
    let found: Diagnostics = found.into_iter().collect();
    // What the tenant itself lacks by its law stands in the way of every campaign of it.
    let lawful = !found
        .iter()
        .any(|each| campaign::law::of_the_tenant(each.code));
    match sound.filter(|_| lawful) {
        Some(definition) => {
            let report = play(&definition, tenant, &stories);
            Checked::Sound(Box::new(definition), found, report)
        }
        None => Checked::Unsound(found),
    }
}

/// Plays a definition's stories.
fn play(definition: &Definition, tenant: &str, stories: &[(Arc<str>, Arc<str>)]) -> Report {
    let mut all = Report::default();
    for (name, text) in stories {
        let source = Source::new(format!("{ROOT}/{tenant}/stories/{name}"), &**text);
        let mut out = Diagnostics::new();
        match campaign::link(definition.clone(), 1) {
            Ok(campaign) => {
                let told = story::read(&source, &campaign, &mut out);
                let report = story::run(&campaign, &told);
                all.played += report.played;
                all.failed.extend(report.failed);
                all.failures.extend(report.failures);
            }
            Err(error) => {
                let place = campaign::Place::start_of(&source);
                out.error(codes::STORY, &place, error.to_string());
            }
        }
        all.failures.extend(out);
    }
    all
}
