//! The one list of activities, as every command asks for it.

pub use together::ALL;
