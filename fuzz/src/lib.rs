//! What the targets share: the activities, their example campaigns, and a reader of fuzzed bytes.

use std::sync::LazyLock;

use campaign::{Activity, Checked, Files, Input, Source, Tenant, check, link, story};
use machine::model::Campaign;

/// The activities.
pub static ACTIVITIES: [&dyn Activity; 4] = [
    &sign_in::SignIn,
    &gift_pack::GiftPack,
    &lottery::Lottery,
    &custom::Custom,
];

/// The tenant of examples, and its files.
pub static TENANT: LazyLock<(Tenant, Files)> =
    LazyLock::new(|| story::example_tenant().expect("the example tenant is sound"));

/// The activities' own example campaigns, ready to run.
pub static CAMPAIGNS: LazyLock<Vec<Campaign>> = LazyLock::new(|| {
    let examples = ACTIVITIES.iter().flat_map(|activity| activity.stories());
    let ready = examples.map(|example| {
        let checked = checked(example.campaign);
        let said = checked.diagnostics;
        let definition = checked
            .definition
            .unwrap_or_else(|| panic!("{}: {said:#?}", example.name));
        link(definition, 1).expect("an example links")
    });
    ready.collect()
});

/// Checks a campaign's file.
pub fn checked(text: &str) -> Checked {
    let (tenant, files) = &*TENANT;
    check(
        &Input {
            campaign: "fuzzed",
            source: Source::new("fuzzed.yaml", text),
            tenant,
            files,
        },
        &ACTIVITIES,
    )
}

/// Fuzzed bytes, read as choices; zeros once they have run out.
pub struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    /// Whether nothing is left.
    pub fn done(&self) -> bool {
        self.0.is_empty()
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    /// A number below `n`, or 0.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()).checked_rem(n).unwrap_or(0)
    }

    /// An integer, more often a small or an extreme one than chance would have it.
    pub fn int(&mut self) -> i64 {
        match self.byte() {
            0..=99 => i64::from(self.byte()),
            100..=149 => -i64::from(self.byte()),
            150..=169 => i64::MAX - i64::from(self.byte()),
            170..=189 => i64::MIN + i64::from(self.byte()),
            _ => (0..8).fold(0, |number, _| number << 8 | i64::from(self.byte())),
        }
    }

    /// A short text.
    pub fn text(&mut self) -> String {
        let length = self.below(12).min(self.0.len());
        let text = self.0.split_off(..length).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }
}
