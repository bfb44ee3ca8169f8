//! The admin API over a real store, with campaigns that real calls have played.

mod house;

mod books;
mod changes;
mod desk;
mod promises;
mod revise;
mod roles;
