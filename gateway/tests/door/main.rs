//! The contract of the public door, tested over all of it: gateway, functions, engine and the embedded store.

mod faults;
mod files;
mod world;

mod explore;
