//! Posters of participants: from a template of the revision and what the participant may see to the bytes of a picture. Templates, layout and
//! codecs are `poster`'s (the room); here is what a server adds: whose poster an address is of (`address`), what it says (`content`), pictures
//! from the network (`pictures`), threads of their own with a bounded queue (`pool`), and what is kept (`scenes`, `made`).
//!
//! Nothing of it exists until the first poster is asked for, neither threads nor fonts nor caches: what a start pays for posters is the
//! reading of their templates with the definitions (docs/PERFORMANCE.md).

pub mod address;
pub mod content;
mod made;
pub mod offer;
pub mod pictures;
pub mod pool;
pub mod scenes;
mod secret;
pub mod share;
mod stage;
pub mod storage;
mod turn;

use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Instant;

use axum::body::Bytes;
use futures_util::future::join_all;
use machine::ids::CampaignKey;
use machine::{Campaign, Millis};
use poster::decode::{Fit, Limits, decode, fitted};
use poster::{Content, Format, Picture, Scale, Template};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use store::Store;

use self::content::Filled;
use self::made::Made;
use self::pictures::{Fetched, Pictures};
use self::pool::{NotDone, Pool};
use self::scenes::{Scenes, TenantFonts, Unreadable, Which};
use self::turn::Turn;
use crate::served::{Snapshot, TenantShell};
use crate::telemetry::meters::{Drawn, poster, poster_took, poster_warning};

pub use made::Tag;
pub use offer::{Offer, PosterView};

/// How many pixels the longer side of a picture has that is kept for posters: more than any place has at 2x.
const KEPT_SIDE: u32 = 640;

/// How much of decoded pictures is kept, in bytes.
const DECODED_BYTES: u64 = 32 << 20;

/// For how many of them that is planned.
const DECODED: usize = 200;

/// Why there is no poster.
#[derive(Debug, thiserror::Error)]
pub enum NotDrawn {
    /// Too many are asked for.
    #[error(transparent)]
    Not(#[from] NotDone),
    /// Its template can't be read.
    #[error(transparent)]
    Template(#[from] Unreadable),
    /// It can't be written in this format.
    #[error("the poster can't be written: {0}")]
    Format(#[from] poster::encode::Unencodable),
}

/// A poster, for a client that may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The client has it.
    NotModified(Tag),
    /// Its bytes.
    Picture(Tag, Bytes),
    /// Where it is.
    Link(String),
}

/// What to draw.
pub struct Order<'a> {
    /// For which tenant.
    pub tenant: &'a TenantShell,
    /// Where processes agree on who draws.
    pub store: &'a dyn Store,
    /// The campaign's lane.
    pub key: &'a CampaignKey,
    /// The revision.
    pub campaign: &'a Arc<Campaign>,
    /// The template.
    pub which: Which,
    /// It, as it was read.
    pub template: Arc<Template>,
    /// What is put into it.
    pub filled: Filled,
    /// In which format.
    pub format: Format,
    /// How large.
    pub scale: Scale,
    /// The server's clock, in no lane.
    pub clock: Millis,
}

/// What a process has to make posters with.
#[derive(Debug, Default)]
pub struct Posters {
    pool: OnceLock<Pool>,
    pictures: Pictures,
    kept: Arc<Kept>,
    /// Held by who has a template read, so that all who ask for a new poster at once have it read once.
    reading: tokio::sync::Mutex<()>,
}

/// What the pool's threads look at.
struct Kept {
    scenes: LazyLock<Scenes>,
    made: Made,
    /// Pictures that were decoded, by the hash of their bytes; none: they can't be.
    decoded: LazyLock<Cache<[u8; 32], Option<Arc<Picture>>, Pixels>>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            scenes: LazyLock::default(),
            made: Made::default(),
            decoded: LazyLock::new(|| Cache::with_weighter(DECODED, DECODED_BYTES, Pixels)),
        }
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept")
    }
}

impl Posters {
    /// Those of a process that looks names of hosts up in another way than the system does.
    pub fn with_pictures(pictures: Pictures) -> Self {
        Self {
            pictures,
            ..Self::default()
        }
    }

    /// Those of a process with another pool than this machine's.
    pub fn with_pool(pool: Pool) -> Self {
        let posters = Self::default();
        let _ = posters.pool.set(pool);
        posters
    }

    fn pool(&self) -> &Pool {
        self.pool.get_or_init(Pool::for_this_machine)
    }

    /// A template, read on one of the pool's threads the first time.
    pub async fn template(
        &self,
        which: &Which,
        campaign: &Arc<Campaign>,
        fonts: &TenantFonts,
    ) -> Result<Arc<Template>, NotDrawn> {
        let known = || LazyLock::get(&self.kept.scenes).and_then(|it| it.known(which));
        if let Some(known) = known() {
            return Ok(known);
        }
        let _turn = self.reading.lock().await;
        if let Some(known) = known() {
            return Ok(known);
        }
        let (kept, which) = (self.kept.clone(), which.clone());
        let (campaign, fonts) = (campaign.clone(), fonts.clone());
        let read = move || kept.scenes.template(&which, &campaign, &fonts);
        Ok(self.pool().run(read).await??)
    }

    /// Draws a poster, or finds it where it was drawn before. `known` are the tags that the client has, as `If-None-Match` says them.
    pub async fn draw(&self, order: Order<'_>, known: Option<&str>) -> Result<Answer, NotDrawn> {
        let (tenant, campaign) = (
            order.tenant.tenant.id.clone(),
            order.campaign.campaign.clone(),
        );
        let count = |became| poster(&tenant, &campaign, became);
        let drawn = self.answer(order, known).await;
        match &drawn {
            Ok((Answer::NotModified(_), _)) => count(Drawn::NotModified),
            Ok((Answer::Picture(..) | Answer::Link(_), became)) => count(*became),
            Err(NotDrawn::Not(NotDone::Full)) => count(Drawn::Refused),
            Err(_) => count(Drawn::Failed),
        }
        drawn.map(|(answer, _)| answer)
    }

    async fn answer(
        &self,
        order: Order<'_>,
        known: Option<&str>,
    ) -> Result<(Answer, Drawn), NotDrawn> {
        let pictures = self.fetch(&order).await;
        let hashes: Vec<(String, Option<[u8; 32]>)> = pictures
            .iter()
            .map(|(path, found)| (path.clone(), found.as_ref().map(|found| found.sha256)))
            .collect();
        let tag = Tag::of(
            &order.which,
            &order.filled,
            &hashes,
            order.format,
            order.scale,
        );
        if known.is_some_and(|known| has(known, &tag.etag())) {
            return Ok((Answer::NotModified(tag), Drawn::NotModified));
        }
        let (format, now) = (order.format, order.clock);
        let Some(storage) = &order.tenant.storage else {
            let (bytes, became) = self.bytes(&order, pictures, tag).await?;
            return Ok((Answer::Picture(tag, bytes), became));
        };
        let link = || Answer::Link(storage.link(tag, format, now));
        let (drawn, put) = match Turn::of(&order, storage, tag).await {
            Ok(Turn::There) => return Ok((link(), Drawn::Cached)),
            Ok(Turn::Ours(turn)) => {
                let drawn = self.bytes(&order, pictures, tag).await?;
                let put = storage.put(tag, format, drawn.0.clone(), now).await;
                turn.over(put.clone());
                (drawn, put)
            }
            // One that does not say what it has is not asked a second time.
            Err(why) => (self.bytes(&order, pictures, tag).await?, Err(why)),
        };
        let (bytes, became) = drawn;
        match put {
            Ok(()) => Ok((link(), became)),
            Err(why) => {
                let (tenant, campaign) = (&order.tenant.tenant.id, &order.campaign.campaign);
                tracing::warn!(tenant, %why, "a poster is sent itself, and not put into the tenant's store");
                poster_warning(tenant, campaign, "not-stored");
                Ok((Answer::Picture(tag, bytes), became))
            }
        }
    }

    /// A poster's bytes: found, or drawn for all who ask for it now.
    async fn bytes(
        &self,
        order: &Order<'_>,
        pictures: Vec<(String, Option<Arc<Fetched>>)>,
        tag: Tag,
    ) -> Result<(Bytes, Drawn), NotDrawn> {
        let turn = match self.kept.made.get(&tag).await {
            Ok(bytes) => return Ok((bytes, Drawn::Cached)),
            Err(turn) => turn,
        };
        let bytes = self.pool().run(self.job(order, pictures, tag)).await??;
        let _ = turn.insert(bytes.clone());
        Ok((bytes, Drawn::Rendered))
    }

    /// The pictures at the template's places, each with what was fetched for it.
    async fn fetch(&self, order: &Order<'_>) -> Vec<(String, Option<Arc<Fetched>>)> {
        let tenant = &order.tenant.tenant;
        let hosts = &tenant.posters.picture_hosts;
        let fetches = order
            .filled
            .pictures
            .iter()
            .map(|(path, address)| async move {
                if address.is_empty() {
                    return (path.clone(), None);
                }
                let found = self.pictures.get(&tenant.id, hosts, address).await;
                if found.is_err() {
                    poster_warning(&tenant.id, &order.campaign.campaign, "picture-not-fetched");
                }
                (path.clone(), found.ok())
            });
        join_all(fetches).await
    }

    /// The work of a thread: decode, compose, encode.
    fn job(
        &self,
        order: &Order<'_>,
        pictures: Vec<(String, Option<Arc<Fetched>>)>,
        tag: Tag,
    ) -> impl FnOnce() -> Result<Bytes, NotDrawn> + Send + 'static {
        let kept = self.kept.clone();
        let (which, template) = (order.which.clone(), order.template.clone());
        let (format, scale) = (order.format, order.scale);
        let texts = order.filled.texts.clone();
        let (tenant, campaign) = (
            order.tenant.tenant.id.clone(),
            order.campaign.campaign.clone(),
        );
        move || {
            let began = Instant::now();
            let scene = kept.scenes.scene(&which, &template, scale);
            let mut content = Content {
                texts,
                ..Content::default()
            };
            for (path, fetched) in pictures {
                let Some(fetched) = fetched else { continue };
                match kept.picture(&fetched) {
                    Some(picture) => {
                        content.pictures.insert(path, picture);
                    }
                    None => poster_warning(&tenant, &campaign, "picture-unreadable"),
                }
            }
            let (bytes, warnings) = scene.draw(&content, format)?;
            for warning in warnings {
                poster_warning(&tenant, &campaign, warning);
            }
            let bytes = Bytes::from(bytes);
            poster_took(format.name(), began.elapsed());
            // Whoever ordered it may be gone; the next who asks has it.
            kept.made.keep(tag, bytes.clone());
            Ok(bytes)
        }
    }

    /// Drops what was drawn for revisions that are not live any more.
    pub fn tidy(&self, live: &Snapshot) {
        if let Some(scenes) = LazyLock::get(&self.kept.scenes) {
            scenes.keep_only(live);
        }
    }
}

impl Kept {
    /// A fetched picture's pixels, no larger than posters need them; none where it can't be read.
    fn picture(&self, fetched: &Fetched) -> Option<Arc<Picture>> {
        if let Some(known) = self.decoded.get(&fetched.sha256) {
            return known;
        }
        let picture = match decode(&fetched.bytes, &Limits::AVATAR) {
            Ok(picture) => Some(Arc::new(smaller(picture))),
            Err(why) => {
                tracing::debug!(%why, "a picture for a poster can't be read");
                None
            }
        };
        self.decoded.insert(fetched.sha256, picture.clone());
        picture
    }
}

/// The same picture, its longer side no longer than is kept.
fn smaller(picture: Picture) -> Picture {
    let longer = picture.width.max(picture.height);
    if longer <= KEPT_SIDE {
        return picture;
    }
    let side = |side: u32| (u64::from(side) * u64::from(KEPT_SIDE) / u64::from(longer)).max(1);
    let (width, height) = (side(picture.width) as u32, side(picture.height) as u32);
    fitted(&picture, width, height, Fit::Stretch)
}

/// Whether a client that has these tags has this one.
fn has(known: &str, tag: &str) -> bool {
    let mut each = known.split(',').map(str::trim);
    each.any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

/// How many bytes a decoded picture takes.
#[derive(Debug, Clone)]
struct Pixels;

impl Weighter<[u8; 32], Option<Arc<Picture>>> for Pixels {
    fn weight(&self, _: &[u8; 32], picture: &Option<Arc<Picture>>) -> u64 {
        picture
            .as_ref()
            .map_or(128, |it| it.rgba.len() as u64 + 128)
    }
}
