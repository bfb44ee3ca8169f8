//! What `gala new` makes: a tenant, a campaign, a copy of last year's, an activity. Each is checked as a whole before a file of
//! it is written, and nothing that is there is written over.

pub mod activity;
mod campaign;
mod copy;
mod files;
mod sound;
mod template;
mod tenant;

pub use campaign::campaign;
pub use copy::copy;
pub use files::{Draft, write};
pub use tenant::{About, tenant};

use ::campaign::Diagnostics;

/// What was made, to be told.
#[derive(Debug)]
pub struct Made {
    /// Its files.
    pub drafts: Vec<Draft>,
    /// What a person should look at.
    pub look: Diagnostics,
    /// What to do next: commands.
    pub next: Vec<String>,
    /// A word more.
    pub notes: Vec<String>,
}
