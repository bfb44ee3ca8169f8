//! The `gala` command. Standard output is data and standard error the rest; `--json` works everywhere; exit codes:
//! 0 ok, 1 a check failed or something was refused, 2 usage, 3 something cannot be reached, 4 limits missed.

mod activities;
mod api;
mod chain;
mod change;
mod columns;
mod commands;
mod csv;
mod drawing;
mod failure;
mod folder;
mod forecast;
mod lane;
mod out;
mod packing;
mod process;
mod rehearsal;
mod show;
mod sign;
mod speak;
mod starting;
mod watching;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use commands::{
    amend, approve, audit, backup, block, check, codes, compile, completions, deploy, dev, diff,
    doctor, draft, explain, export, function as function_, grant, history, list, load, man, new,
    notice, object, openapi, package, parked, pause, poster, preview, publish, purge, raffle,
    reconcile, rehearse, release, restore, resume, rollback, schema, serve, settlement, simulate,
    status, stock, stop, test, token, verify, wrap,
};
use failure::Failure;
use function::serve::{ServeError, chain};
use out::Out;

/// A request's memory is mostly given back by another thread than the one that asked for it: measured, see
/// docs/BENCHMARKS.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Campaigns as state machines, written in config: serve them, check them, look after them.
///
/// Without a command: serve.
#[derive(Debug, Parser)]
#[command(name = "gala", version)]
#[command(
    after_help = "Exit codes: 0 ok, 1 a check failed or something was refused, 2 usage, 3 cannot reach, 4 limits missed."
)]
struct Cli {
    /// Data as JSON on standard output, failures as JSON on standard error
    #[arg(long, global = true)]
    json: bool,
    /// What to do
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    New(new::New),
    Check(check::Check),
    Explain(explain::Explain),
    Compile(compile::Compile),
    Test(test::Test),
    Simulate(simulate::Simulate),
    Load(load::Load),
    Schema(schema::Schema),
    Token(token::Token),
    History(history::History),
    Export(export::Export),
    Verify(verify::Verify),
    Audit(audit::Audit),
    Status(status::Status),
    Stock(stock::Stock),
    Draft(draft::Draft),
    Approve(approve::Approve),
    Object(object::Object),
    Publish(publish::Publish),
    Diff(diff::Diff),
    Release(release::Release),
    Rollback(rollback::Rollback),
    Pause(pause::Pause),
    Resume(resume::Resume),
    Stop(stop::Stop),
    Start(stop::Start),
    Notice(notice::Notice),
    Block(block::Block),
    Grant(grant::Grant),
    Amend(amend::Amend),
    Settlement(settlement::Settlement),
    Reconcile(reconcile::Reconcile),
    Rehearse(rehearse::Rehearse),
    Raffle(raffle::Raffle),
    Purge(purge::Purge),
    Preview(preview::Preview),
    Parked(parked::Parked),
    Poster(poster::Poster),
    List(list::List),
    Codes(codes::Codes),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Doctor(doctor::Doctor),
    Wrap(wrap::Wrap),
    Dev(dev::Dev),
    Function(function_::Function),
    Openapi(openapi::Openapi),
    Package(package::Package),
    Deploy(deploy::Deploy),
    Completions(completions::Completions),
    Man(man::Man),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(or_serve(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error),
    };
    let out = Out { json: cli.json };
    match run(&cli, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(cli.json),
    }
}

/// A line without a command serves: `gala`, `gala --configs DIR`.
fn or_serve(mut args: Vec<OsString>) -> Vec<OsString> {
    let own = |arg: &OsString| arg == "--json";
    let first = args.iter().skip(1).find(|arg| !own(arg));
    let explains = |arg: &OsString| {
        ["-h", "--help", "-V", "--version"]
            .iter()
            .any(|known| arg == known)
    };
    if first.is_none_or(|arg| arg.to_string_lossy().starts_with('-') && !explains(arg)) {
        let at = 1 + args.iter().skip(1).take_while(|arg| own(arg)).count();
        args.insert(at.min(args.len()), "serve".into());
    }
    args
}

fn run(cli: &Cli, out: Out) -> Result<(), Failure> {
    match &cli.command {
        Command::Serve(args) => served(serve::run(args)),
        Command::New(args) => new::run(args, out),
        Command::Check(args) => check::run(args, out),
        Command::Explain(args) => explain::run(args, out),
        Command::Compile(args) => compile::run(args, out),
        Command::Test(args) => test::run(args, out),
        Command::Simulate(args) => simulate::run(args, out),
        Command::Load(args) => load::run(args, out),
        Command::Schema(args) => schema::run(args, out),
        Command::Token(args) => token::run(args, out),
        Command::History(args) => history::run(args, out),
        Command::Export(args) => export::run(args, out),
        Command::Verify(args) => verify::run(args, out),
        Command::Audit(args) => audit::run(args, out),
        Command::Status(args) => status::run(args, out),
        Command::Stock(args) => stock::run(args, out),
        Command::Draft(args) => draft::run(args, out),
        Command::Approve(args) => approve::run(args, out),
        Command::Object(args) => object::run(args, out),
        Command::Publish(args) => publish::run(args, out),
        Command::Diff(args) => diff::run(args, out),
        Command::Release(args) => release::run(args, out),
        Command::Rollback(args) => rollback::run(args, out),
        Command::Pause(args) => pause::run(args, out),
        Command::Resume(args) => resume::run(args, out),
        Command::Stop(args) => stop::stop(args, out),
        Command::Start(args) => stop::start(args, out),
        Command::Notice(args) => notice::run(args, out),
        Command::Block(args) => block::run(args, out),
        Command::Grant(args) => grant::run(args, out),
        Command::Amend(args) => amend::run(args, out),
        Command::Settlement(args) => settlement::run(args, out),
        Command::Reconcile(args) => reconcile::run(args, out),
        Command::Rehearse(args) => rehearse::run(args, out),
        Command::Raffle(args) => raffle::run(args, out),
        Command::Purge(args) => purge::run(args, out),
        Command::List(args) => list::run(args, out),
        Command::Codes(args) => codes::run(args, out),
        Command::Preview(args) => preview::run(args, out),
        Command::Parked(args) => parked::run(args, out),
        Command::Poster(args) => poster::run(args, out),
        Command::Backup(args) => backup::run(args, out),
        Command::Restore(args) => restore::run(args, out),
        Command::Doctor(args) => doctor::run(args, out),
        Command::Wrap(args) => wrap::run(args),
        Command::Dev(args) => dev::run(args),
        Command::Function(args) => function_::run(args),
        Command::Openapi(args) => openapi::run(args, out),
        Command::Package(args) => package::run(args, out),
        Command::Deploy(args) => deploy::run(args, out),
        Command::Completions(args) => completions::run(args, out),
        Command::Man(args) => man::run(args, out),
    }
}

/// How a server ended.
fn served(ended: Result<(), ServeError>) -> Result<(), Failure> {
    ended.map_err(|error| match &error {
        ServeError::Load(function::registry::LoadError::Folder(..))
        | ServeError::Address(_)
        | ServeError::Key(_)
        | ServeError::Elsewhere(_) => Failure::usage(chain(&error)),
        ServeError::Store(_)
        | ServeError::Redis(_)
        | ServeError::AnotherStore(_)
        | ServeError::Load(_) => Failure::unreachable("store", chain(&error)),
        ServeError::Bind(..) => Failure::unreachable("address", chain(&error)),
        ServeError::Io(_) | ServeError::Stopped(_) => {
            Failure::unreachable("stopped", chain(&error))
        }
    })
}

/// Help and version are data; what was not understood is said as it was asked for.
fn misunderstood(error: &clap::Error) -> ExitCode {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let as_json = std::env::args_os().any(|arg| arg == "--json");
    if !asked && as_json {
        return Failure::usage(error.render().to_string().trim()).report(true);
    }
    // Whoever closed the pipe has read enough.
    let _ = error.print();
    if asked {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(failure::Exit::Usage as u8)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_command_it_serves() {
        let rows: [(&[&str], &[&str]); 7] = [
            (&[], &["serve"]),
            (&["--json"], &["--json", "serve"]),
            (&["--configs", "x"], &["serve", "--configs", "x"]),
            (
                &["--json", "--data", "d"],
                &["--json", "serve", "--data", "d"],
            ),
            (&["--help"], &["--help"]),
            (&["-V"], &["-V"]),
            (&["--json", "check", "x"], &["--json", "check", "x"]),
        ];
        for (args, expected) in rows {
            let line = |args: &[&str]| {
                ["gala"]
                    .iter()
                    .chain(args)
                    .map(OsString::from)
                    .collect::<Vec<_>>()
            };
            assert_eq!(or_serve(line(args)), line(expected), "{args:?}");
        }
    }
}
