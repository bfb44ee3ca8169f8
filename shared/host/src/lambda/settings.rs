//! What the environment says of Lambda's runtime API.

use super::api::ApiError;

/// Where the API is, and how answers go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `host:port`.
    pub api: String,
    /// Whether function URLs stream: their invoke mode is `RESPONSE_STREAM`.
    pub stream: bool,
}

impl Settings {
    /// From `AWS_LAMBDA_RUNTIME_API` (without which this is no Lambda function) and `GALA_LAMBDA_STREAM` (`1`: the function URL's
    /// invoke mode is `RESPONSE_STREAM`).
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ApiError> {
        let api = variable("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
        let api = api.trim_start_matches("http://").trim_end_matches('/');
        if api.is_empty() {
            return Err(ApiError::NotThere);
        }
        let stream = match variable("GALA_LAMBDA_STREAM").as_deref() {
            None | Some("" | "0" | "false") => false,
            Some("1" | "true") => true,
            Some(other) => return Err(ApiError::NotASwitch(other.to_owned())),
        };
        let port = if api.contains(':') { "" } else { ":80" };
        Ok(Self {
            api: format!("{api}{port}"),
            stream,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_are_read() {
        let of = |set: &[(&str, &str)]| {
            Settings::of(|wanted| {
                set.iter()
                    .find(|(name, _)| *name == wanted)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(matches!(of(&[]), Err(ApiError::NotThere)));
        let api = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001");
        let plain = of(&[api]).unwrap();
        assert_eq!(
            (plain.api.as_str(), plain.stream),
            ("127.0.0.1:9001", false)
        );
        assert!(of(&[api, ("GALA_LAMBDA_STREAM", "1")]).unwrap().stream);
        assert!(of(&[api, ("GALA_LAMBDA_STREAM", "yes")]).is_err());
        let bare = of(&[("AWS_LAMBDA_RUNTIME_API", "http://localhost/")]).unwrap();
        assert_eq!(bare.api, "localhost:80");
    }
}
