//! The admin API over a real store, with campaigns that real calls have played.

mod house;

mod arms;
mod books;
mod changes;
mod codes;
mod desk;
mod drafts;
mod lists;
mod posters;
mod promises;
mod review;
mod revise;
mod roles;
mod testers;
