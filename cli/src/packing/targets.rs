//! What each platform takes: where it unpacks a package, what its system has, how large a package may be, under which names it
//! looks for things. The numbers are the platforms' own pages; the least of readings where a page leaves one.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::archive::File;
use super::elf::{Arch, Glibc, Program};

/// Where a function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A Tencent SCF event function on a custom runtime
    ScfEvent,
    /// A Tencent SCF web function
    ScfWeb,
    /// An AWS Lambda function on provided.al2023
    Lambda,
    /// A container: Knative, Cloud Run, Kubernetes
    Knative,
    /// A folder for a machine of your own
    Dir,
}

/// What a platform takes.
#[derive(Debug)]
pub struct Takes {
    /// As people name it.
    pub title: &'static str,
    /// The value of `GALA_HOST`.
    pub host: &'static str,
    /// The folder that a package is unpacked into; empty where it is wherever the package lies.
    pub home: &'static str,
    /// The glibc of its system; none where that is not known here.
    pub glibc: Option<Glibc>,
    /// The machines that it has.
    pub archs: &'static [Arch],
    /// The largest zip, in bytes.
    pub zip_bytes: Option<u64>,
    /// The largest package when unpacked, in bytes.
    pub unpacked_bytes: Option<u64>,
    /// Beginnings of variables' names that it keeps for itself.
    pub reserved: &'static [&'static str],
}

/// A page that says 50 MB may mean either: this is the smaller one.
const MB: u64 = 1_000_000;

const BOTH: &[Arch] = &[Arch::X86, Arch::Arm];

const SCF_EVENT: Takes = Takes {
    title: "a Tencent SCF event function",
    host: "scf-event",
    home: "/var/user",
    // CentOS 7.
    glibc: Some(Glibc(2, 17)),
    archs: &[Arch::X86],
    zip_bytes: None,
    unpacked_bytes: Some(500 * MB),
    reserved: &["SCF_", "QCLOUD_", "TENCENTCLOUD_"],
};

const SCF_WEB: Takes = Takes {
    title: "a Tencent SCF web function",
    host: "scf-web",
    ..SCF_EVENT
};

const LAMBDA: Takes = Takes {
    title: "an AWS Lambda function",
    host: "lambda",
    home: "/var/task",
    // Amazon Linux 2023.
    glibc: Some(Glibc(2, 34)),
    archs: BOTH,
    zip_bytes: Some(50 * MB),
    unpacked_bytes: Some(250 * MB),
    reserved: &["AWS_", "LAMBDA_", "_"],
};

const KNATIVE: Takes = Takes {
    title: "a container",
    host: "http",
    home: "/app",
    // Debian 12, which distroless images are made of.
    glibc: Some(Glibc(2, 36)),
    archs: BOTH,
    zip_bytes: None,
    unpacked_bytes: None,
    reserved: &["K_"],
};

const DIR: Takes = Takes {
    title: "a folder",
    host: "http",
    home: "",
    glibc: None,
    archs: BOTH,
    zip_bytes: None,
    unpacked_bytes: None,
    reserved: &[],
};

/// Libraries that every one of these systems has, with glibc and the compiler's runtime.
const LIBRARIES: &[&str] = &[
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libgcc_s.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
];

/// How many symbols of a version are named before the rest is counted.
const NAMED: usize = 4;

impl Target {
    /// What it takes.
    pub const fn takes(self) -> &'static Takes {
        match self {
            Self::ScfEvent => &SCF_EVENT,
            Self::ScfWeb => &SCF_WEB,
            Self::Lambda => &LAMBDA,
            Self::Knative => &KNATIVE,
            Self::Dir => &DIR,
        }
    }

    /// Whether it takes a zip; else a folder.
    pub const fn is_zipped(self) -> bool {
        matches!(self, Self::ScfEvent | Self::ScfWeb | Self::Lambda)
    }

    /// Whether it is SCF.
    pub const fn is_scf(self) -> bool {
        matches!(self, Self::ScfEvent | Self::ScfWeb)
    }

    /// The package's files: the program under the name that the platform starts, and what comes along with it.
    pub fn files(
        self,
        function: &str,
        program: Vec<u8>,
        along: Vec<File>,
        variable: (&str, &str),
    ) -> Vec<File> {
        let mut files = along;
        match self {
            Self::ScfEvent | Self::Lambda => files.push(File::program("bootstrap", program)),
            Self::ScfWeb => {
                files.push(File::program(
                    "scf_bootstrap",
                    self.start(function, variable),
                ));
                files.push(File::program(function, program));
            }
            Self::Knative | Self::Dir => files.push(File::program(function, program)),
        }
        files
    }

    /// What an SCF web function runs. Whether that may be the program itself is not written anywhere; a script is what its
    /// pages show, with Unix line ends and whole paths.
    fn start(self, function: &str, (name, file): (&str, &str)) -> String {
        let Takes { host, home, .. } = self.takes();
        format!(
            "#!/bin/sh\nexport GALA_HOST={host} {name}=\"${{{name}:-{home}/{file}}}\"\nexec {home}/{function}\n"
        )
    }

    /// Why this program does not run there; `None` if it does.
    pub fn refuses(self, program: &Program) -> Option<String> {
        let takes = self.takes();
        if !takes.archs.contains(&program.arch) {
            let has: Vec<&str> = takes.archs.iter().map(|arch| arch.name()).collect();
            return Some(format!(
                "it is built for {}, and {} runs on {}: build it for that",
                program.arch.name(),
                takes.title,
                has.join(" or ")
            ));
        }
        if program.is_static() {
            return None;
        }
        let has = takes.glibc?;
        let strange = |name: &&String| !LIBRARIES.contains(&name.as_str());
        if let Some(strange) = program.libraries.iter().find(strange) {
            return Some(format!(
                "it needs the library {strange}, which the system of {} does not have: link it statically",
                takes.title
            ));
        }
        let newer = program.newer_than(has);
        if newer.is_empty() {
            return None;
        }
        let newer: Vec<String> = newer
            .into_iter()
            .map(|(version, symbols)| listed(version, &symbols))
            .collect();
        Some(format!(
            "it needs a newer glibc than the {has} of {}: {}; build it with --build zig or --build musl",
            takes.title,
            newer.join(", ")
        ))
    }

    /// Why a package of this size is not taken; `None` if it is. In bytes; `zip` is none where there is no zip.
    pub fn too_large(self, unpacked: u64, zip: Option<u64>) -> Option<String> {
        let takes = self.takes();
        let over = |size: u64, limit: Option<u64>| limit.filter(|limit| size > *limit);
        if let Some(limit) = over(unpacked, takes.unpacked_bytes) {
            return Some(format!(
                "it is {unpacked} bytes unpacked, and {} takes {limit}: build with --profile dist, which strips the program, \
                 or pack fewer tenants with --tenant",
                takes.title
            ));
        }
        let limit = over(zip?, takes.zip_bytes)?;
        Some(format!(
            "the zip is {} bytes, and {} takes {limit} by upload: build with --profile dist, which strips the program, \
             or use --target knative for an image",
            zip.unwrap_or_default(),
            takes.title
        ))
    }
}

/// `GLIBC_2.34 (__libc_start_main, dlsym and 3 more)`
fn listed(version: &str, symbols: &[&str]) -> String {
    if symbols.is_empty() {
        return version.to_owned();
    }
    let named = symbols[..symbols.len().min(NAMED)].join(", ");
    match symbols.len().saturating_sub(NAMED) {
        0 => format!("{version} ({named})"),
        more => format!("{version} ({named} and {more} more)"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const ALL: [Target; 5] = [
        Target::ScfEvent,
        Target::ScfWeb,
        Target::Lambda,
        Target::Knative,
        Target::Dir,
    ];

    fn needs(version: &str) -> Program {
        let symbols = ["a", "b", "c", "d", "e", "f"].map(str::to_owned);
        Program {
            arch: Arch::X86,
            loader: Some("/lib64/ld-linux-x86-64.so.2".to_owned()),
            libraries: vec!["libc.so.6".to_owned()],
            versions: BTreeMap::from([(version.to_owned(), BTreeSet::from(symbols))]),
        }
    }

    #[test]
    fn what_a_system_has() {
        let runs = |version: &str| ALL.map(|target| target.refuses(&needs(version)).is_none());
        assert_eq!(runs("GLIBC_2.17"), [true; 5]);
        assert_eq!(runs("GLIBC_2.18"), [false, false, true, true, true]);
        assert_eq!(runs("GLIBC_2.34"), [false, false, true, true, true]);
        assert_eq!(runs("GLIBC_2.35"), [false, false, false, true, true]);
        assert_eq!(runs("GLIBC_2.37"), [false, false, false, false, true]);
        assert_eq!(
            runs("GLIBC_ABI_DT_RELR"),
            [false, false, false, false, true]
        );
        let why = Target::ScfWeb.refuses(&needs("GLIBC_2.34")).unwrap();
        assert!(
            why.contains("GLIBC_2.34 (a, b, c, d and 2 more)") && why.contains("--build zig"),
            "{why}"
        );
        let mut other = needs("GLIBC_2.17");
        other.libraries.push("libssl.so.3".to_owned());
        assert!(Target::Lambda.refuses(&other).unwrap().contains("libssl"));
        other.arch = Arch::Arm;
        other.libraries.pop();
        let runs = ALL.map(|target| target.refuses(&other).is_none());
        assert_eq!(runs, [false, false, true, true, true]);
    }

    #[test]
    fn what_needs_nothing_runs_everywhere() {
        let alone = Program {
            loader: None,
            libraries: Vec::new(),
            versions: BTreeMap::new(),
            ..needs("GLIBC_2.17")
        };
        assert!(ALL.iter().all(|target| target.refuses(&alone).is_none()));
    }

    #[test]
    fn limits_are_included() {
        let rows = [
            (Target::ScfEvent, 500_000_000, None, true),
            (Target::ScfEvent, 500_000_001, None, false),
            (Target::Lambda, 250_000_000, Some(50_000_000), true),
            (Target::Lambda, 250_000_001, Some(1), false),
            (Target::Lambda, 250_000_000, Some(50_000_001), false),
            (Target::Knative, u64::MAX, None, true),
            (Target::Dir, u64::MAX, None, true),
        ];
        for (target, unpacked, zip, fits) in rows {
            let why = target.too_large(unpacked, zip);
            assert_eq!(why.is_none(), fits, "{target:?} {unpacked}: {why:?}");
        }
    }

    #[test]
    fn a_plan_names_it_as_the_command_line_does() {
        for target in ALL {
            let value = target.to_possible_value().unwrap();
            assert_eq!(serde_json::to_value(target).unwrap(), value.get_name());
        }
    }
}
