//! How the Redis servers of the scenes keep what they are told.

/// What `durability: strict` asks for: nothing acknowledged is lost with the process.
pub fn durable() -> [(&'static str, &'static str); 2] {
    [("appendonly", "yes"), ("appendfsync", "always")]
}

/// What most servers run with: up to two seconds may be lost.
pub fn each_second() -> [(&'static str, &'static str); 2] {
    [("appendonly", "yes"), ("appendfsync", "everysec")]
}
