//! The commands, one file each.

pub mod backup;
pub mod check;
pub mod compile;
pub mod deploy;
pub mod dev;
pub mod doctor;
pub mod explain;
pub mod export;
pub mod function;
pub mod history;
pub mod openapi;
pub mod package;
pub mod pause;
pub mod publish;
pub mod purge;
pub mod reconcile;
pub mod restore;
pub mod resume;
pub mod rollback;
pub mod schema;
pub mod serve;
pub mod stock;
pub mod test;
pub mod token;
pub mod verify;
pub mod wrap;
