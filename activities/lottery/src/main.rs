//! The `lottery` activity as a function of its own, over plain HTTP.

fn main() -> std::process::ExitCode {
    function::serve(&lottery::Lottery)
}
