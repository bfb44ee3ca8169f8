//! `gala package`: functions as their platforms take them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::activities;
use crate::failure::Failure;
use crate::out::Out;
use crate::packing::build::{Build, How, build, decide, tools, workspace};
use crate::packing::contents::{Contents, Wanted, contents};
use crate::packing::plan::Plan;
use crate::packing::targets::Target;
use crate::packing::{Packing, pack};

/// The program that serves every activity.
const TOGETHER: &str = "together";

/// Packs activities as functions: builds, checks what each needs of the platform, writes the package and what deploys it
///
/// Each function has a folder of its own in DIR: the package (a zip, or the files), what the platform's own tool reads
/// (serverless.yml, template.yaml, Dockerfile and service.yaml), and plan.json, which `gala deploy` reads. The program's needs
/// are read from the file itself: what the platform's system does not have is refused (exit code 1), and so is what is larger
/// than it takes. No secret is packed. Building needs a checkout of this workspace; --bin packs what was built elsewhere.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["activity", "all", "together"])))]
pub struct Package {
    /// The activity
    #[arg(value_name = "ACTIVITY")]
    pub activity: Option<String>,
    /// Every activity, each as a function of its own
    #[arg(long)]
    pub all: bool,
    /// Every activity in one function, where functions are few
    #[arg(long)]
    pub together: bool,
    /// Where it will run
    #[arg(long, value_enum)]
    pub target: Target,
    /// The folder to write into
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The folder with the tenants
    #[arg(
        long,
        env = "GALA_CONFIGS",
        default_value = "configs",
        value_name = "DIR"
    )]
    pub configs: PathBuf,
    /// Only this tenant; repeat for more
    #[arg(long, value_name = "T")]
    pub tenant: Vec<String>,
    /// Pack the configs as the texts that they are, and a program that can read them; without it they are compiled
    #[arg(long)]
    pub texts: bool,
    /// A gateway is in front: the function needs its key in GALA_GATEWAY_KEY
    #[arg(long)]
    pub behind_gateway: bool,
    /// Events come over HTTP, as CloudEvents: the function needs their senders' key in GALA_EVENT_KEY
    #[arg(long)]
    pub events_over_http: bool,
    /// A program that was built elsewhere, or a folder with one for each activity, by its name
    #[arg(long, value_name = "PATH")]
    pub bin: Option<PathBuf>,
    /// How to build
    #[arg(
        long,
        value_enum,
        default_value = "auto",
        value_name = "HOW",
        conflicts_with = "bin"
    )]
    pub build: How,
    /// Cargo's profile to build with
    #[arg(
        long,
        default_value = "dist",
        value_name = "NAME",
        conflicts_with = "bin"
    )]
    pub profile: String,
    /// Where images are pushed to, for --target knative
    #[arg(
        long,
        default_value = "registry.example.com",
        value_name = "HOST[/PATH]"
    )]
    pub registry: String,
}

/// Packs.
pub fn run(args: &Package, out: Out) -> Result<(), Failure> {
    let functions = functions(args)?;
    let bring = |function: &str| {
        contents(&Wanted {
            configs: &args.configs,
            tenants: &args.tenant,
            activity: Some(function).filter(|_| !args.together),
            texts: args.texts,
        })
    };
    // Configs first: a build takes minutes.
    let contents = functions.iter().map(|function| bring(function));
    let contents: Vec<Contents> = contents.collect::<Result<_, _>>()?;
    let programs = match &args.bin {
        Some(path) => given(path, &functions)?,
        None => made(args, &functions)?,
    };
    let mut plans = Vec::new();
    for (function, contents) in functions.into_iter().zip(&contents) {
        let packing = Packing {
            function,
            target: args.target,
            program: &programs[function],
            contents,
            behind_gateway: args.behind_gateway,
            events_over_http: args.events_over_http,
            registry: &args.registry,
        };
        plans.push(pack(&packing, &args.out)?);
    }
    tell(&plans, out)
}

/// Prints plans, each with its folder.
pub fn tell(plans: &[(PathBuf, Plan)], out: Out) -> Result<(), Failure> {
    if out.json {
        let functions = plans
            .iter()
            .map(|(folder, plan)| json!({ "folder": folder, "plan": plan }));
        return out.value(&json!({ "functions": functions.collect::<Vec<_>>() }));
    }
    for (folder, plan) in plans {
        out.text(plan.text(folder))?;
    }
    Ok(())
}

fn functions(args: &Package) -> Result<Vec<&str>, Failure> {
    let all = || activities::ALL.iter().map(|activity| activity.id());
    if args.together {
        return Ok(vec![TOGETHER]);
    }
    let Some(wanted) = args.activity.as_deref() else {
        return Ok(all().collect());
    };
    if all().any(|known| known == wanted) {
        return Ok(vec![wanted]);
    }
    Err(Failure::usage(format!(
        "there is no activity `{wanted}`; there are {}",
        all().collect::<Vec<_>>().join(", ")
    )))
}

type Programs<'a> = BTreeMap<&'a str, PathBuf>;

fn given<'a>(path: &Path, functions: &[&'a str]) -> Result<Programs<'a>, Failure> {
    if path.is_dir() {
        let programs = functions.iter().map(|name| (*name, path.join(name)));
        return Ok(programs.collect());
    }
    match functions {
        [one] => Ok(BTreeMap::from([(*one, path.to_owned())])),
        _ => Err(Failure::usage(format!(
            "{} is one program, and --all packs {}: name the folder with all of them",
            path.display(),
            functions.join(", ")
        ))),
    }
}

fn made<'a>(args: &Package, functions: &[&'a str]) -> Result<Programs<'a>, Failure> {
    let here = std::env::current_dir().ok();
    let root = here.and_then(|here| workspace(&here)).ok_or_else(|| {
        Failure::usage(
            "programs are built in a checkout of this workspace, and this folder is in none: go there, or name a program that \
             was built elsewhere with --bin PATH",
        )
    })?;
    let how = decide(args.build, args.target, tools(&root))?;
    let built = functions.iter().map(|name| {
        let what = Build {
            name,
            profile: &args.profile,
            parses: args.texts,
        };
        Ok((*name, build(&root, &what, how)?))
    });
    built.collect()
}
