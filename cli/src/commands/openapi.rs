//! `gala openapi`: the functions' API, described.

use clap::Args;

use crate::failure::Failure;
use crate::out::Out;

/// Prints the OpenAPI 3.1 description of the users' API
#[derive(Debug, Args)]
pub struct Openapi {}

/// Prints it.
pub fn run(_args: &Openapi, out: Out) -> Result<(), Failure> {
    out.line(function::http::openapi_json())
}
