//! The `gift-pack` activity as a function of its own, over plain HTTP.

fn main() -> std::process::ExitCode {
    function::serve(&gift_pack::GiftPack)
}
