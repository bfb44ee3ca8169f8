//! What is the same for everybody: templates as they were read, and what of them was drawn once. Kept for each revision that is live, made
//! with its first poster, and dropped with it. All of this is work for the pool's threads.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use campaign::posters::{file, template};
use machine::Campaign;
use parking_lot::Mutex;
use poster::{Fonts, Scale, Template};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::stage::Stage;
use crate::served::Snapshot;

/// How much of what was drawn once is kept, in bytes: some sixteen posters at 1x.
const MOST_BYTES: u64 = 256 << 20;

/// How many templates are kept.
const MOST_TEMPLATES: usize = 512;

/// Which template: a revision's, and so the same for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Which {
    /// The tenant, whose fonts it is written in.
    pub tenant: Arc<str>,
    /// The revision's hash.
    pub revision: [u8; 32],
    /// The hash of the tenant's fonts.
    pub fonts: [u8; 32],
    /// The template's path.
    pub path: Arc<str>,
}

/// A template that can't be read. Its check said so, long ago.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template {path} can't be read: {why}")]
pub struct Unreadable {
    path: Arc<str>,
    why: String,
}

/// The templates and scenes of a process.
pub struct Scenes {
    templates: Cache<Which, Arc<Template>>,
    kept: Cache<(Which, Scale), Arc<Stage>, Bytes>,
    /// Fonts that a tenant adds, by their hash; under zeros the built-in ones.
    fonts: Mutex<Vec<([u8; 32], Fonts)>>,
}

impl fmt::Debug for Scenes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenes")
            .field("templates", &self.templates.len())
            .field("scenes", &self.kept.len())
            .finish_non_exhaustive()
    }
}

impl Default for Scenes {
    fn default() -> Self {
        Self {
            templates: Cache::new(MOST_TEMPLATES),
            kept: Cache::with_weighter(64, MOST_BYTES, Bytes),
            fonts: Mutex::default(),
        }
    }
}

impl Scenes {
    /// A template that was read already.
    pub fn known(&self, which: &Which) -> Option<Arc<Template>> {
        self.templates.get(which)
    }

    /// A template, read if it was not.
    pub fn template(
        &self,
        which: &Which,
        campaign: &Campaign,
        fonts: &TenantFonts,
    ) -> Result<Arc<Template>, Unreadable> {
        self.templates.get_or_insert_with(which, || {
            let unreadable = |why: String| Unreadable {
                path: which.path.clone(),
                why,
            };
            let svg = template(&campaign.posters, &which.path);
            let svg = svg.ok_or_else(|| unreadable("it is not in the revision".to_owned()))?;
            let files = |href: &str| file(&campaign.posters, &which.path, href);
            let read = Template::read(svg, &files, &self.fonts(fonts));
            let read = read.map_err(|faults| {
                let first = faults.first().map(|fault| fault.kind.to_string());
                unreadable(first.unwrap_or_default())
            })?;
            Ok(Arc::new(read))
        })
    }

    /// A template's scene, drawn if it was not.
    pub fn scene(&self, which: &Which, template: &Template, scale: Scale) -> Arc<Stage> {
        let key = (which.clone(), scale);
        let make = || Ok::<_, NoError>(Arc::new(Stage::new(template.scene(scale))));
        let made = self.kept.get_or_insert_with(&key, make);
        match made {
            Ok(scene) => scene,
            Err(never) => match never {},
        }
    }

    /// Drops what belongs to no revision that is live any more.
    pub fn keep_only(&self, live: &Snapshot) {
        if self.templates.is_empty() && self.kept.is_empty() {
            return;
        }
        let campaigns = live.tenants.values().flat_map(|tenant| {
            let served = tenant.campaigns.values();
            let live = served.flat_map(|served| &served.live);
            live.map(|(_, campaign)| (&*tenant.tenant.id, campaign.sha256))
        });
        let live: HashSet<(&str, [u8; 32])> = campaigns.collect();
        let is_live = |which: &Which| live.contains(&(&*which.tenant, which.revision));
        self.templates.retain(|which, _| is_live(which));
        self.kept.retain(|(which, _), _| is_live(which));
    }

    /// How many scenes are kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The fonts of a tenant: the built-in ones, and its own.
    fn fonts(&self, tenant: &TenantFonts) -> Fonts {
        let mut known = self.fonts.lock();
        let found = known.iter().find(|(hash, _)| *hash == tenant.sha256);
        if let Some((_, fonts)) = found {
            return fonts.clone();
        }
        let mut fonts = if let Some((_, built_in)) = known.iter().find(|(hash, _)| *hash == [0; 32])
        {
            built_in.clone()
        } else {
            let built_in = Fonts::built_in();
            known.push(([0; 32], built_in.clone()));
            built_in
        };
        for bytes in &tenant.files {
            match fonts.with(bytes.to_vec()) {
                Ok(more) => fonts = more,
                // Its check has said so; without it the template names what is wrong.
                Err(error) => tracing::error!(%error, "a tenant's font can't be used"),
            }
        }
        // Tenants are few, and their fonts change rarely; those that nobody has any more go with the process.
        known.push((tenant.sha256, fonts.clone()));
        fonts
    }
}

/// A tenant's own fonts, as files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantFonts {
    /// The files' bytes.
    files: Vec<Arc<[u8]>>,
    /// SHA-256 over them; zeros where there are none.
    sha256: [u8; 32],
}

impl TenantFonts {
    /// These files.
    pub fn new(files: Vec<Arc<[u8]>>) -> Self {
        use sha2::{Digest, Sha256};
        if files.is_empty() {
            return Self::default();
        }
        let mut hash = Sha256::new();
        for file in &files {
            hash.update((file.len() as u64).to_be_bytes());
            hash.update(file);
        }
        Self {
            sha256: hash.finalize().into(),
            files,
        }
    }

    /// SHA-256 over the files; zeros where there are none.
    pub const fn sha256(&self) -> [u8; 32] {
        self.sha256
    }
}

enum NoError {}

/// About how many bytes a scene takes.
#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<(Which, Scale), Arc<Stage>> for Bytes {
    fn weight(&self, _: &(Which, Scale), stage: &Arc<Stage>) -> u64 {
        stage.bytes()
    }
}
