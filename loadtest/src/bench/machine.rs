//! What the figures were taken on: without it they say little.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use crate::machine;

/// The machine, as far as it matters to the figures.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The processor.
    pub cpu: String,
    /// How many of them.
    pub cores: usize,
    /// The kernel.
    pub kernel: String,
    /// How many programs wanted a processor in the last minute when the run began: far above 0, others disturb it.
    pub load_before: f64,
    /// Half of the flushes to the disk of the data folder took less than this, in milliseconds.
    pub flush_p50_ms: f64,
}

impl Machine {
    /// This machine, with `folder` on the disk that is to be measured.
    pub fn look(folder: &Path) -> Self {
        let found = machine::look();
        Self {
            cpu: found.cpu,
            cores: found.cores as usize,
            kernel: machine::kernel(),
            load_before: found.load,
            flush_p50_ms: flush_p50_ms(folder).unwrap_or(0.0),
        }
    }
}

/// The time of one write of 4 KiB into a file of fixed size with its flush: what a durable commit cannot beat alone.
fn flush_p50_ms(folder: &Path) -> std::io::Result<f64> {
    const BLOCK: usize = 4096;
    const TIMES: usize = 101;
    let path = folder.join("flush");
    let mut file = File::create(&path)?;
    file.write_all(&vec![0; BLOCK * TIMES])?;
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    let mut took = Vec::with_capacity(TIMES);
    for number in 0..TIMES {
        let began = Instant::now();
        file.write_all(&[number as u8 | 1; BLOCK])?;
        file.sync_data()?;
        took.push(began.elapsed());
    }
    fs::remove_file(&path)?;
    took.sort_unstable();
    Ok(took[TIMES / 2].as_secs_f64() * 1000.0)
}
