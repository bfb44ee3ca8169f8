//! Every activity as one function, for where functions are few.

fn main() -> std::process::ExitCode {
    function::serve_all(&together::ALL)
}
