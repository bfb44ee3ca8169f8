//! The built `gala`, run as people and scripts run it.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod compile;
#[cfg(test)]
mod configs;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod doctor;
mod drafts;
#[cfg(test)]
mod load;
#[cfg(test)]
mod new;
#[cfg(test)]
mod packed;
#[cfg(test)]
mod played;
#[cfg(test)]
mod posters;
#[cfg(test)]
mod raffle;
#[cfg(test)]
mod ran;
#[cfg(test)]
mod rehearse;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod served;
mod shares;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod status;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod wrap;
