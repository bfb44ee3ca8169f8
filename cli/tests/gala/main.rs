//! The built `gala`, run as people and scripts run it.

#[cfg(test)]
mod compile;
#[cfg(test)]
mod configs;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod packed;
#[cfg(test)]
mod ran;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod served;
#[cfg(test)]
mod shares;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod wrap;
