//! Which host the program is on: what was set by name first, what the environment shows second.

use std::fmt;
use std::str::FromStr;

/// A host, by the protocol it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// HTTP on a port: a container, Knative, Cloud Run, a machine.
    Http,
    /// A Tencent SCF web function: HTTP on 0.0.0.0:9000.
    ScfWeb,
    /// A Tencent SCF event function on a custom runtime.
    ScfEvent,
    /// An AWS Lambda function on a custom runtime.
    Lambda,
}

const NAMES: [(&str, Host); 4] = [
    ("http", Host::Http),
    ("scf-web", Host::ScfWeb),
    ("scf-event", Host::ScfEvent),
    ("lambda", Host::Lambda),
];

/// The variable that names the host.
const NAMED: &str = "GALA_HOST";

impl Host {
    /// The host that `GALA_HOST` names; else the one whose variables are there: `AWS_LAMBDA_RUNTIME_API` is Lambda's,
    /// `SCF_RUNTIME_API` that of SCF event functions, `TENCENTCLOUD_RUNENV=SCF` alone a web function's; else plain HTTP.
    pub fn find(variable: impl Fn(&str) -> Option<String>) -> Result<Self, NotAHost> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if let Some(named) = set(NAMED) {
            return named.parse();
        }
        Ok(if set("AWS_LAMBDA_RUNTIME_API").is_some() {
            Self::Lambda
        } else if set("SCF_RUNTIME_API").is_some() {
            Self::ScfEvent
        } else if set("TENCENTCLOUD_RUNENV").as_deref() == Some("SCF") {
            Self::ScfWeb
        } else {
            Self::Http
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, host)| host == self);
        f.write_str(name.map_or("http", |(name, _)| name))
    }
}

/// A text that names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no host (GALA_HOST): it is `http`, `scf-web`, `scf-event` or `lambda`")]
pub struct NotAHost(String);

impl FromStr for Host {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let found = NAMES.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, host)| *host)
            .ok_or_else(|| NotAHost(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_first_and_the_environment_second() {
        let find = |set: &[(&str, &str)]| {
            Host::find(|wanted| {
                set.iter()
                    .find(|(name, _)| *name == wanted)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(find(&[]), Ok(Host::Http));
        assert_eq!(
            find(&[("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")]),
            Ok(Host::Lambda)
        );
        assert_eq!(
            find(&[
                ("SCF_RUNTIME_API", "127.0.0.1"),
                ("TENCENTCLOUD_RUNENV", "SCF")
            ]),
            Ok(Host::ScfEvent)
        );
        assert_eq!(find(&[("TENCENTCLOUD_RUNENV", "SCF")]), Ok(Host::ScfWeb));
        // A web function whose environment has the event function's variables, too.
        assert_eq!(
            find(&[("GALA_HOST", "scf-web"), ("SCF_RUNTIME_API", "127.0.0.1")]),
            Ok(Host::ScfWeb)
        );
        assert_eq!(find(&[("GALA_HOST", "")]), Ok(Host::Http));
        assert!(find(&[("GALA_HOST", "SCF")]).is_err());
        for (name, host) in NAMES {
            assert_eq!((host.to_string().as_str(), name.parse()), (name, Ok(host)));
        }
    }
}
