//! A cluster of six nodes: slots move to and fro and primaries are killed while clients play.

use std::thread::sleep;
use std::time::Duration;

use testbed::{Cluster, until};

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::service::Service;
use super::store::durable;
use crate::luck::Luck;

const PATIENCE: Duration = Duration::from_mins(1);

pub fn scene(scale: Scale, luck: &mut Luck) -> Report {
    let mut cluster = Cluster::with(&durable(), 3, 1);
    let hosts: Vec<String> = cluster
        .addresses()
        .iter()
        .map(|address| address.replace("redis://", ""))
        .collect();
    let address = format!("redis+cluster://{}?replicas=1", hosts.join(","));
    let mut field = Field::open(&address, scale, "strict", manner());
    let mut moments = Luck::new(luck.next(), "moments");
    let (mut moves, mut kills) = (0, 0);
    field.play(luck, |_, service| {
        for left in (0..scale.faults).rev() {
            service.wait_for(20 + moments.below(100))?;
            // However the choices fall, one primary at least is killed.
            if left > 0 && moments.percent(75) {
                move_one(&cluster, &mut moments);
                moves += 1;
            } else {
                kill_one(&mut cluster, service, &mut moments)?;
                kills += 1;
            }
        }
        service.wait_for(50)
    });
    let mut report = field.judge(luck);
    report.fault("slot moved", moves);
    report.fault("primary of a cluster killed", kills);
    report
}

/// Moves a slot that holds keys to another primary, taking its time with some keys here and some there.
fn move_one(cluster: &Cluster, luck: &mut Luck) {
    let primaries = primaries(cluster);
    let (from, key) = until("a primary that holds keys", PATIENCE, || {
        let from = primaries[luck.below(primaries.len() as u64) as usize];
        let key: Option<String> = cluster.node(from).ask(&["RANDOMKEY"]);
        key.map(|key| (from, key))
    });
    let others: Vec<usize> = primaries
        .iter()
        .copied()
        .filter(|place| *place != from)
        .collect();
    let to = others[luck.below(others.len() as u64) as usize];
    let pause = Duration::from_micros(luck.below(100_000));
    cluster.move_slot_with(cluster.slot_of(&key), from, to, || sleep(pause));
}

/// Kills a primary; its replica takes over, and the old one comes back as that one's replica.
fn kill_one(cluster: &mut Cluster, service: &Service, luck: &mut Luck) -> Result<(), String> {
    let before = primaries(cluster);
    let killed = before[luck.below(before.len() as u64) as usize];
    // A replica that has nothing yet can't be promoted, or would lose what it has not.
    cluster.wait_until_linked();
    cluster.kill(killed);
    until("a replica in the primary's place", PATIENCE, || {
        (primaries(cluster).len() == before.len()).then_some(())
    });
    cluster.wait_until_whole();
    cluster.restart(killed);
    cluster.wait_until_whole();
    cluster.wait_until_linked();
    service.wait_for(20)
}

fn primaries(cluster: &Cluster) -> Vec<usize> {
    (0..cluster.len())
        .filter(|place| cluster.node(*place).runs())
        .filter(|place| cluster.node(*place).info("role").as_deref() == Some("master"))
        .collect()
}
