//! The fonts that posters are drawn with: cut from Noto's to what Chinese, Latin, Cyrillic and Arabic names need.
//!
//! The results are committed in shared/poster/fonts; this is how they were made, and how to make them again with other characters.

use std::fmt::Write as _;
use std::path::Path;

use miette::{IntoDiagnostic, Result, WrapErr};

use crate::step::Step;

/// Where the fonts are kept.
const KEPT: &str = "shared/poster/fonts";
/// Where the whole fonts and the tools are fetched to.
const WORK: &str = "target/fonts";
const FONTTOOLS: &str = "fonttools==4.68.0";

/// One font: its package, the file in it, our file, what is kept of it, and which layout features.
struct Cut {
    package: &'static str,
    file: &'static str,
    kept: &'static str,
    ranges: &'static [(u32, u32)],
    hanzi: bool,
    features: &'static str,
}

/// Letters, signs and punctuation beside the hanzi: Latin, Greek, Cyrillic, currency, arrows, numbers in circles, shapes, kana, full width.
const SIGNS: &[(u32, u32)] = &[
    (0x20, 0x7e),
    (0xa0, 0x17f),
    (0x1cd, 0x1dc),
    (0x2c6, 0x2dd),
    (0x391, 0x3c9),
    (0x400, 0x45f),
    (0x2010, 0x2027),
    (0x2030, 0x204f),
    (0x2070, 0x209e),
    (0x20a0, 0x20c0),
    (0x2100, 0x2189),
    (0x2190, 0x2199),
    (0x2200, 0x226f),
    (0x2460, 0x2473),
    (0x25a0, 0x25ff),
    (0x2605, 0x2606),
    (0x2640, 0x2642),
    (0x3000, 0x30ff),
    (0x3105, 0x312f),
    (0xfe30, 0xfe4f),
    (0xff00, 0xffef),
];

/// Letters with marks that a Chinese font leaves out: Central European, Vietnamese, Greek, Cyrillic; with plain ones, so that a word has one face.
const LETTERS: &[(u32, u32)] = &[
    (0x20, 0x7e),
    (0xa0, 0x24f),
    (0x2b0, 0x36f),
    (0x370, 0x52f),
    (0x1e00, 0x1eff),
    (0x2010, 0x2027),
    (0x20a0, 0x20c0),
];

const ARABIC: &[(u32, u32)] = &[
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x600, 0x6ff),
    (0x750, 0x77f),
    (0x200c, 0x200f),
    (0xfb50, 0xfdff),
    (0xfe70, 0xfefc),
];

/// Emoji one by one: families, flags and skin tones are put together of several characters, and are shown by their first.
const EMOJI: &[(u32, u32)] = &[
    (0x203c, 0x32ff),
    (0x1f000, 0x1f1e5),
    (0x1f200, 0x1f3fa),
    (0x1f400, 0x1faff),
];

const CUTS: [Cut; 7] = [
    Cut {
        package: "noto-sans-sc@0.4.3",
        file: "noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf",
        kept: "noto-sans-sc-regular",
        ranges: SIGNS,
        hanzi: true,
        features: "kern,mark,mkmk,ccmp,liga,calt",
    },
    Cut {
        package: "noto-sans-sc@0.4.3",
        file: "noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf",
        kept: "noto-sans-sc-bold",
        ranges: SIGNS,
        hanzi: true,
        features: "kern,mark,mkmk,ccmp,liga,calt",
    },
    Cut {
        package: "noto-sans@0.4.2",
        file: "noto-sans/400Regular/NotoSans_400Regular.ttf",
        kept: "noto-sans-regular",
        ranges: LETTERS,
        hanzi: false,
        features: "kern,mark,mkmk,ccmp,locl,liga",
    },
    Cut {
        package: "noto-sans@0.4.2",
        file: "noto-sans/700Bold/NotoSans_700Bold.ttf",
        kept: "noto-sans-bold",
        ranges: LETTERS,
        hanzi: false,
        features: "kern,mark,mkmk,ccmp,locl,liga",
    },
    Cut {
        package: "noto-sans-arabic@0.4.3",
        file: "noto-sans-arabic/400Regular/NotoSansArabic_400Regular.ttf",
        kept: "noto-sans-arabic-regular",
        ranges: ARABIC,
        hanzi: false,
        features: "*",
    },
    Cut {
        package: "noto-sans-arabic@0.4.3",
        file: "noto-sans-arabic/700Bold/NotoSansArabic_700Bold.ttf",
        kept: "noto-sans-arabic-bold",
        ranges: ARABIC,
        hanzi: false,
        features: "*",
    },
    Cut {
        package: "noto-emoji@0.4.7",
        file: "noto-emoji/400Regular/NotoEmoji_400Regular.ttf",
        kept: "noto-emoji",
        ranges: EMOJI,
        hanzi: false,
        features: "vert",
    },
];

/// Fetches the whole fonts and fonttools, cuts, and keeps the results with their licences.
pub fn all(root: &Path) -> Result<()> {
    fetch()?;
    let hanzi = read(&root.join(KEPT).join("hanzi.txt"))?;
    let mut bytes = 0;
    for cut in &CUTS {
        let characters = listed(cut, &hanzi);
        let list = format!("{WORK}/characters.txt");
        std::fs::write(&list, characters).into_diagnostic()?;
        let kept = format!("{KEPT}/{}.ttf", cut.kept);
        Step::new(format!("{WORK}/venv/bin/pyftsubset"))
            .args([
                format!("{WORK}/node_modules/@expo-google-fonts/{}", cut.file),
                format!("--unicodes-file={list}"),
                format!("--output-file={kept}"),
                format!("--layout-features={}", cut.features),
                "--no-hinting".to_owned(),
                "--no-glyph-names".to_owned(),
                "--notdef-outline".to_owned(),
                "--name-IDs=0,1,2,4,6,13,14,16,17".to_owned(),
                "--drop-tables+=vhea,vmtx,STAT,BASE,gasp".to_owned(),
            ])
            .run()?;
        let (family, _) = cut.file.split_once('/').unwrap_or((cut.file, ""));
        std::fs::copy(
            format!("{WORK}/node_modules/@expo-google-fonts/{family}/LICENSE_FONT"),
            format!("{KEPT}/OFL-{family}.txt"),
        )
        .into_diagnostic()
        .wrap_err_with(|| format!("{family} has no licence text"))?;
        bytes += std::fs::metadata(&kept).into_diagnostic()?.len();
    }
    eprintln!(
        "{} fonts in {KEPT}, {} KB together",
        CUTS.len(),
        bytes / 1000
    );
    Ok(())
}

fn fetch() -> Result<()> {
    std::fs::create_dir_all(WORK).into_diagnostic()?;
    let mut install = vec![
        "install".to_owned(),
        "--no-audit".to_owned(),
        "--no-fund".to_owned(),
    ];
    install.extend(["--prefix".to_owned(), WORK.to_owned()]);
    for cut in &CUTS {
        let package = format!("@expo-google-fonts/{}", cut.package);
        if !install.contains(&package) {
            install.push(package);
        }
    }
    Step::new("npm").args(install).run()?;
    if !Path::new(WORK).join("venv/bin/pyftsubset").is_file() {
        Step::new("python3")
            .args(["-m", "venv", &format!("{WORK}/venv")])
            .run()?;
        Step::new(format!("{WORK}/venv/bin/pip"))
            .args(["install", "--quiet", FONTTOOLS])
            .run()?;
    }
    Ok(())
}

/// The code points of a cut, in the form of `--unicodes-file`.
fn listed(cut: &Cut, hanzi: &str) -> String {
    let mut list = String::new();
    for (first, last) in cut.ranges {
        let _ = writeln!(list, "{first:x}-{last:x}");
    }
    if cut.hanzi {
        for hanzi in hanzi.chars().filter(|char| !char.is_whitespace()) {
            let _ = writeln!(list, "{:x}", u32::from(hanzi));
        }
    }
    list
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {}", path.display()))
}
