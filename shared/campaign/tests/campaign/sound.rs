//! A campaign's file as its definition, where a test is about what becomes of it and not about the check.

use campaign::{Input, Source, check, story};
use machine::Definition;

use crate::support;

/// The definition of a file of the example tenant; a test whose file is not sound fails with all that is said of it.
pub fn definition(campaign: &str, text: &str) -> Definition {
    let (tenant, files) = story::example_tenant().unwrap();
    let input = Input {
        campaign,
        source: Source::new(format!("{campaign}.yaml"), text),
        tenant: &tenant,
        files: &files,
    };
    let checked = check(&input, &support::all());
    let said = checked.diagnostics.lines();
    checked.definition.unwrap_or_else(|| panic!("{said}"))
}
