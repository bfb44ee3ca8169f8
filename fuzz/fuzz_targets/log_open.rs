//! A log of the store whose files were damaged in any way: it opens with a prefix of what was written, or says that it is
//! damaged. It never panics and never hands out a record that was not written.
#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use fuzz::Bytes;
use libfuzzer_sys::fuzz_target;
use store::log::{Log, Options};

const OPTIONS: Options = Options {
    segment_bytes: 8 << 10,
    verify_from: 1,
};

fn payload(seq: u64) -> Vec<u8> {
    (0..seq * 37 % 300).map(|at| (at * 7 + seq) as u8).collect()
}

/// The files of a sound log of some segments, by name.
static FILES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = Log::open(folder.path(), OPTIONS).expect("a log opens");
    for batch in 0..20 {
        let payloads: Vec<Vec<u8>> = (batch * 4 + 1..=batch * 4 + 4).map(payload).collect();
        let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
        log.append(&payloads).expect("it appends");
    }
    drop(log);
    let files = fs::read_dir(folder.path()).expect("the folder").flatten();
    let mut files: Vec<(String, Vec<u8>)> = files
        .map(|file| {
            (
                file.file_name().into_string().expect("a name"),
                fs::read(file.path()).expect("a file"),
            )
        })
        .filter(|(name, _)| name != "lock")
        .collect();
    files.sort();
    files
});

fn look(folder: &Path) {
    let Ok((mut log, recovered)) = Log::open(folder, OPTIONS) else {
        return;
    };
    let records = log.reader().records_from(1);
    if recovered.last_seq > 0 {
        let mut records = records.expect("what was verified can be read");
        let mut expected = 1;
        while let Some((seq, bytes)) = records
            .next_record()
            .expect("what was verified can be read")
        {
            assert_eq!((seq, bytes), (expected, payload(expected).as_slice()));
            expected += 1;
        }
        assert_eq!(expected, recovered.last_seq + 1);
        assert!(recovered.last_seq <= 80);
    }
    let next = log
        .append(&[b"goes on"])
        .expect("a log that opened goes on");
    assert_eq!(next.start, recovered.last_seq + 1);
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = FILES.clone();
    while !bytes.done() {
        let file = bytes.below(files.len());
        let at = usize::from(bytes.byte()) << 8 | usize::from(bytes.byte());
        let what = bytes.byte();
        let content = &mut files[file].1;
        let at = at.checked_rem(content.len()).unwrap_or(0);
        match what {
            0..=7 => content.truncate(at),
            8..=15 => content[at..].fill(0),
            16..=23 => {
                let other = files[bytes.below(files.len())].1.clone();
                files[file].1 = other;
            }
            24..=27 => files[file].0 = format!("{:020}.log", bytes.int()),
            28..=31 => {
                files.remove(file);
                if files.is_empty() {
                    break;
                }
            }
            _ => {
                let with = bytes.byte();
                if let Some(byte) = content.get_mut(at) {
                    *byte ^= with;
                }
            }
        }
    }
    for (name, content) in &files {
        fs::write(folder.path().join(name), content).expect("a file is written");
    }
    look(folder.path());
});
