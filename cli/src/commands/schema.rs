//! `gala schema`: the JSON Schema of a campaign's file, for editors.

use clap::Args;

use crate::activities;
use crate::failure::Failure;
use crate::out::Out;

/// Prints the JSON Schema of an activity's campaigns, of `tenant`, or of `diagnostics`
#[derive(Debug, Args)]
pub struct Schema {
    /// sign-in, gift-pack, lottery, custom; `tenant` for tenant.yaml, `diagnostics` for what `gala check --json` gives
    #[arg(value_name = "ACTIVITY")]
    pub activity: String,
}

/// Prints it.
pub fn run(args: &Schema, out: Out) -> Result<(), Failure> {
    if args.activity == "tenant" {
        return out.value(&campaign::schema::of(&campaign::tenant::KEYS));
    }
    if args.activity == "diagnostics" {
        return out.value(&campaign::schema::diagnostics());
    }
    let found = activities::ALL
        .iter()
        .find(|activity| activity.id() == args.activity);
    let Some(activity) = found else {
        let known = activities::ALL
            .iter()
            .map(|activity| activity.id())
            .collect::<Vec<_>>()
            .join(", ");
        return Err(Failure::usage(format!(
            "there is no activity `{}`; there is {known}, `tenant` and `diagnostics`",
            args.activity
        )));
    };
    out.value(&campaign::schema_of(*activity))
}
