//! Who is calling: keys, tokens, roles, and a cache of tokens that were found good.
//!
//! A function checks every token itself, with the keys of the path's tenant and no others. Nothing here knows
//! the time: it is an argument, in whole seconds since 1970 (UTC).

pub mod cache;
pub mod keys;
pub mod mint;
pub mod role;
pub mod token;

pub use cache::Cache;
pub(crate) use keys::secret;
pub use keys::{Alg, KeyError, KeySet};
pub use mint::{MintError, Minter, Ticket};
pub use role::{Audience, Role};
pub use token::{Claims, Reason, Unauthenticated, Verifier};
