//! `gala preview`: a link into a campaign's test lane, for someone without an account of the staff's.

use clap::Args;
use function::identity::Role;
use serde_json::{Map, json};

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Makes a link with which anyone can play a campaign's test lane for a while: before it opens, or after
///
/// The link can do nothing in the live lane, and nothing elsewhere. It is good until it ends: there is no taking it back.
#[derive(Debug, Args)]
pub struct Preview {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// How long it is good: `90m`, `2h`, `3d`; thirty days at most
    #[arg(long = "for", value_name = "TIME", default_value = "2h", value_parser = secs)]
    pub life: i64,
    /// As which member they play; a new one unless said
    #[arg(long = "as", value_name = "USER")]
    pub member: Option<String>,
    /// What time it is for them now (RFC 3339), and goes on from there; not before the test lane's clock
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// A claim, such as `level=5`; repeat for more
    #[arg(long, value_name = "K=V", value_parser = super::token::claim)]
    pub claim: Vec<(String, String)>,
    /// Where users reach the campaigns: what stands before the path in the address
    #[arg(long, value_name = "URL", default_value = "")]
    pub site: String,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// A length of time, in seconds.
fn secs(text: &str) -> Result<i64, String> {
    let no = || "write it as 90m, 2h or 3d".to_owned();
    let (at, unit) = text.char_indices().next_back().ok_or_else(no)?;
    let each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(no()),
    };
    let number: i64 = text.get(..at).unwrap_or("").parse().map_err(|_| no())?;
    let secs = number.checked_mul(each).ok_or_else(no)?;
    if (1..=function::preview::LIFE_MOST_SECS).contains(&secs) {
        Ok(secs)
    } else {
        Err("a link is good for a second to thirty days".to_owned())
    }
}

/// Makes it.
pub fn run(args: &Preview, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Publisher)?;
    let path = [args.tenant.as_str(), "campaigns", &args.campaign, "preview"];
    let claims: Map<_, _> = args
        .claim
        .iter()
        .map(|(name, text)| {
            let value = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            (name.clone(), value)
        })
        .collect();
    let mut body = json!({ "for_secs": args.life, "claims": claims });
    if let Some(member) = &args.member {
        body["as"] = json!(member);
    }
    if let Some(at) = &args.at {
        body["at"] = json!(at);
    }
    let (path, query) = (&path[..], &[][..]);
    let made = api.post(Ask { path, query }, None, &body)?;
    if out.json {
        return out.value(&made);
    }
    let said = |field: &str| made[field].as_str().unwrap_or_default().to_owned();
    out.line(format!(
        "{}{}",
        args.site.trim_end_matches('/'),
        said("address")
    ))?;
    out.note(format!(
        "plays the test lane as {} until {}; for them it is {} now. A page sends the token as `Authorization: Bearer`, or keeps `preview=` in the address",
        said("user"),
        said("expires"),
        said("now")
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::secs;

    #[test]
    fn lengths_of_time() {
        let rows = [
            ("2h", Ok(7200)),
            ("90m", Ok(5400)),
            ("30d", Ok(2_592_000)),
            ("31d", Err(())),
            ("0s", Err(())),
            ("2", Err(())),
            ("h", Err(())),
            ("二h", Err(())),
            ("", Err(())),
        ];
        for (text, expected) in rows {
            assert_eq!(secs(text).map_err(drop), expected, "{text}");
        }
    }
}
