//! Files as they go into a package, and packages as zips: the same files are the same bytes, whoever packs them and when.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path from the package's root, with `/` between names.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether it is run.
    pub runs: bool,
}

impl File {
    /// A file to read.
    pub fn text(path: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            bytes: text.into(),
            runs: false,
        }
    }

    /// A file to run.
    pub fn program(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            runs: true,
            ..Self::text(path, bytes)
        }
    }

    /// Its mode: whoever unpacks it may be another user than whoever runs it.
    pub const fn mode(&self) -> u32 {
        if self.runs { 0o755 } else { 0o644 }
    }
}

/// All bytes of these files, unpacked.
pub fn unpacked(files: &[File]) -> u64 {
    files.iter().map(|file| file.bytes.len() as u64).sum()
}

/// Zips the files, sorted by their paths, each with its mode and the time that zips begin at: 1980.
pub fn zip(files: &[File]) -> zip::result::ZipResult<Vec<u8>> {
    let mut sorted: Vec<&File> = files.iter().collect();
    sorted.sort_by(|one, other| one.path.cmp(&other.path));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for file in sorted {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(file.mode());
        writer.start_file(file.path.as_str(), options)?;
        writer.write_all(&file.bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}
