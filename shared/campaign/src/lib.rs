//! Campaign files: read, checked, lowered, explained. Pure: files come as text, and what is wrong with them goes back
//! as data.
//!
//! Reading order: [`source`] and [`diagnostic`], then [`document`] (text to tree), [`expr`] (expressions to programs),
//! [`tenant`], then [`mod@check`] with its sections (`read`) and the machine (`machine`), [`codec`], [`configs`] and [`bundle`],
//! [`play`] and [`story`], [`simulate`].

pub mod activity;
#[cfg(feature = "yaml")]
pub mod analysis;
pub mod bundle;
pub mod changes;
#[cfg(feature = "yaml")]
pub mod check;
#[cfg(feature = "yaml")]
mod chinese;
pub mod codec;
#[cfg(feature = "yaml")]
pub mod codes;
pub mod configs;
#[cfg(feature = "yaml")]
pub mod diagnostic;
#[cfg(feature = "yaml")]
pub mod document;
#[cfg(feature = "yaml")]
pub mod explain;
#[cfg(feature = "yaml")]
pub mod expr;
#[cfg(feature = "yaml")]
mod first_sight;
#[cfg(feature = "yaml")]
mod follow;
#[cfg(feature = "yaml")]
pub mod language;
pub mod law;
#[cfg(feature = "yaml")]
pub mod load;
#[cfg(feature = "yaml")]
mod machine;
pub mod play;
pub mod posters;
#[cfg(feature = "yaml")]
mod read;
#[cfg(feature = "yaml")]
mod relays;
#[cfg(feature = "yaml")]
pub mod renew;
pub mod reserved;
#[cfg(feature = "yaml")]
pub mod rules;
#[cfg(feature = "yaml")]
pub mod schema;
#[cfg(feature = "yaml")]
mod scope;
#[cfg(feature = "yaml")]
pub mod simulate;
#[cfg(feature = "yaml")]
pub mod source;
#[cfg(feature = "yaml")]
mod spelling;
#[cfg(feature = "yaml")]
pub mod story;
#[cfg(feature = "yaml")]
mod tables;
#[cfg(feature = "yaml")]
mod team;
pub mod tenant;
#[cfg(feature = "yaml")]
mod unused;
pub mod verify;

pub use activity::{Activities, Activity, Example, Use};
#[cfg(feature = "yaml")]
pub use check::{Checked, Files, Input, check, lower};
pub use codec::{decode, encode, link};
pub use configs::{CampaignConfig, Compiled, Configs, Other, TenantConfigs};
#[cfg(feature = "yaml")]
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
#[cfg(feature = "yaml")]
pub use document::Node;
#[cfg(feature = "yaml")]
pub use language::Language;
#[cfg(feature = "yaml")]
pub use load::{Loaded, LoadedCampaign, LoadedTenant, load};
#[cfg(feature = "yaml")]
pub use read::{KEYS, schema as schema_of};
#[cfg(feature = "yaml")]
pub use source::{Place, Source, Span};
pub use tenant::Tenant;
