//! The platform's name of a trace, as everyone else writes it: W3C's `traceparent` from X-Ray's header.

/// The `traceparent` of a tracing header: `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`. None where
/// there is no root or no parent that could be named so: a trace begins here then.
///
/// Source: AWS X-Ray developer guide, "Tracing header" and "Trace ID format"; W3C Trace Context, 3.2.
pub(super) fn traceparent(header: &str) -> Option<String> {
    let field = |name: &str| {
        let mut fields = header.split(';').map(str::trim);
        fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
    };
    let (epoch, unique) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
    let parent = field("Parent")?;
    let sampled = u8::from(field("Sampled") == Some("1"));
    let sound = is_hex(epoch, 8) && is_hex(unique, 24) && is_hex(parent, 16);
    sound.then(|| format!("00-{epoch}{unique}-{parent}-0{sampled}").to_ascii_lowercase())
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_guide_shows_it() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        assert_eq!(
            traceparent(header).as_deref(),
            Some("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01")
        );
        let header = "Self=1-0-0; Sampled=0; Parent=53995C3F42CD8AD8; Root=1-5759E988-BD862E3FE1BE46A994272793;Lineage=a:0";
        assert_eq!(
            traceparent(header).as_deref(),
            Some("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00")
        );
    }

    #[test]
    fn what_names_no_span_begins_a_trace() {
        for header in [
            "",
            "Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793",
            "Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
            "Root=1-5759e988-bd862e3fe1be46a99427279;Parent=53995c3f42cd8ad8",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8adg",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=\u{e9}3995c3f42cd8ad",
        ] {
            assert_eq!(traceparent(header), None, "{header}");
        }
    }
}
