//! The files that deploy a package: what each platform's own tool reads, from templates beside this file.

use super::archive::File;
use super::elf::{Arch, Program};
use super::plan::Variable;
use super::targets::Target;

const SERVERLESS: &str = include_str!("templates/serverless.yml");
const TIMER: &str = include_str!("templates/timer.yml");
const SAM: &str = include_str!("templates/template.yaml");
const SERVICE: &str = include_str!("templates/service.yaml");
const STATIC: &str = include_str!("templates/Dockerfile.static");
const GLIBC: &str = include_str!("templates/Dockerfile.glibc");
const README: &str = include_str!("templates/README.md");

/// The Kubernetes Secret that a service's secrets are in.
const SECRET: &str = "gala";

/// What is deployed.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The function's name.
    pub function: &'a str,
    /// Its program.
    pub program: &'a Program,
    /// Its environment.
    pub variables: &'a [Variable],
    /// The variable that says where its configs are, and their file or folder.
    pub along: (&'a str, &'a str),
    /// Where images are pushed to, with a path if there is one.
    pub registry: &'a str,
}

/// How a package is deployed.
#[derive(Debug)]
pub struct Deployment {
    /// Files beside the package.
    pub files: Vec<File>,
    /// What calls the function.
    pub triggers: Vec<String>,
    /// What to run, in the folder.
    pub commands: Vec<String>,
}

/// Writes what the target's own tool reads.
pub fn deployment(target: Target, subject: &Subject<'_>) -> Deployment {
    match target {
        Target::ScfEvent => scf(target, subject, "event", "index.main_handler", "bootstrap"),
        Target::ScfWeb => scf(target, subject, "web", "scf_bootstrap", "scf_bootstrap"),
        Target::Lambda => lambda(subject),
        Target::Knative => knative(target, subject),
        Target::Dir => dir(subject),
    }
}

fn scf(
    target: Target,
    subject: &Subject<'_>,
    kind: &str,
    handler: &str,
    starts: &str,
) -> Deployment {
    let variables = subject.variables.iter().map(|variable| {
        let name = &variable.name;
        let value = value_or(variable, || quoted(&format!("${{env:{name}}}")));
        format!("      {name}: {value}\n")
    });
    // A web function is called over HTTP only.
    let has_timer = target == Target::ScfEvent;
    let text = fill(
        SERVERLESS,
        &[
            ("function", subject.function),
            ("title", target.takes().title),
            ("type", kind),
            ("handler", handler),
            ("starts", starts),
            ("variables", &variables.collect::<String>()),
            ("timer", if has_timer { TIMER } else { "" }),
        ],
    );
    let mut triggers = vec!["its URL, from inside and outside".to_owned()];
    if has_timer {
        triggers.push("a timer, each minute".to_owned());
    }
    Deployment {
        files: vec![File::text(
            "serverless.yml",
            text.trim_end().to_owned() + "\n",
        )],
        triggers,
        commands: vec!["scf deploy".to_owned()],
    }
}

fn lambda(subject: &Subject<'_>) -> Deployment {
    let mut parameters = String::new();
    let mut variables = String::new();
    for (at, variable) in subject.variables.iter().enumerate() {
        let parameter = parameter(subject.variables, at);
        if variable.value.is_none() {
            let what = quoted(&variable.what);
            parameters.extend([
                "  ",
                &parameter,
                ":\n    Type: String\n    NoEcho: true\n    Description: ",
                &what,
                "\n",
            ]);
        }
        let value = value_or(variable, || format!("!Ref {parameter}"));
        variables.extend(["          ", &variable.name, ": ", &value, "\n"]);
    }
    let arch = match subject.program.arch {
        Arch::X86 => "x86_64",
        Arch::Arm => "arm64",
    };
    let text = fill(
        SAM,
        &[
            ("function", subject.function),
            ("parameters", &parameters),
            ("arch", arch),
            ("variables", &variables),
        ],
    );
    Deployment {
        files: vec![File::text("template.yaml", text)],
        triggers: vec![
            "every path of an HTTP API".to_owned(),
            "a schedule, each minute".to_owned(),
        ],
        commands: vec![format!(
            "sam deploy --guided --stack-name gala-{}",
            subject.function
        )],
    }
}

/// A variable as a template's parameter, whose name has letters and digits only: `GalaStore`. Names that differ in their
/// underscores and cases alone are kept apart by their place in the list.
fn parameter(variables: &[Variable], at: usize) -> String {
    let plain = |variable: &Variable| -> String {
        let words = variable.name.split('_').filter(|word| !word.is_empty());
        let words = words.map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
        });
        words.collect()
    };
    let name = plain(&variables[at]);
    if variables.iter().filter(|one| plain(one) == name).count() > 1 {
        format!("{name}{at}")
    } else {
        name
    }
}

fn knative(target: Target, subject: &Subject<'_>) -> Deployment {
    let Subject {
        function, registry, ..
    } = subject;
    let image = format!("{registry}/gala-{function}:{}", env!("CARGO_PKG_VERSION"));
    let secrets = subject.variables.iter().filter(|one| one.value.is_none());
    let variables = secrets.clone().map(|Variable { name, .. }| {
        format!(
            "            - name: {name}\n              valueFrom:\n                secretKeyRef: {{ name: {SECRET}, key: {name} }}\n"
        )
    });
    let service = fill(
        SERVICE,
        &[
            ("function", function),
            ("image", &image),
            ("variables", &variables.collect::<String>()),
        ],
    );
    let (variable, along) = subject.along;
    let takes = target.takes();
    let glibc = subject.program.glibc();
    let has = takes.glibc.map_or(String::new(), |has| has.to_string());
    let dockerfile = fill(
        if subject.program.is_static() {
            STATIC
        } else {
            GLIBC
        },
        &[
            ("function", function),
            ("variable", variable),
            ("along", along),
            ("home", takes.home),
            (
                "glibc",
                &glibc.map_or(String::new(), |glibc| glibc.to_string()),
            ),
            ("has", &has),
        ],
    );
    let literals =
        secrets.map(|Variable { name, .. }| format!(" --from-literal={name}=\"${name}\""));
    Deployment {
        files: vec![
            File::text("Dockerfile", dockerfile),
            File::text("service.yaml", service),
        ],
        triggers: vec!["HTTP, on the service's address".to_owned()],
        commands: vec![
            format!("docker build -t {image} ."),
            format!("docker push {image}"),
            format!(
                "kubectl create secret generic {SECRET}{}",
                literals.collect::<String>()
            ),
            "kubectl apply -f service.yaml".to_owned(),
        ],
    }
}

fn dir(subject: &Subject<'_>) -> Deployment {
    let (variable, along) = subject.along;
    let secrets = subject.variables.iter().filter(|one| one.value.is_none());
    let keys: Vec<&str> = secrets
        .map(|one| one.name.as_str())
        .filter(|name| *name != super::STORE)
        .collect();
    let keys = if keys.is_empty() {
        "; here there are none".to_owned()
    } else {
        format!(": {}", keys.join(", "))
    };
    let readme = fill(
        README,
        &[
            ("function", subject.function),
            ("variable", variable),
            ("along", along),
            ("keys", &keys),
        ],
    );
    Deployment {
        files: vec![File::text("README.md", readme)],
        triggers: vec!["HTTP, on PORT".to_owned()],
        commands: vec![format!(
            "{variable}={along} GALA_STORE=redis://HOST:6379 PORT=8080 ./{}",
            subject.function
        )],
    }
}

fn value_or(variable: &Variable, secret: impl FnOnce() -> String) -> String {
    variable.value.as_deref().map_or_else(secret, quoted)
}

/// As YAML and JSON both read it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A template with its places filled in.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{{{name}}}}}"), value)
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn program(is_static: bool) -> Program {
        let libraries: &[&str] = if is_static { &[] } else { &["libc.so.6"] };
        Program {
            arch: Arch::Arm,
            loader: (!is_static).then(|| "/lib/ld-linux-aarch64.so.1".to_owned()),
            libraries: libraries.iter().map(|&name| name.to_owned()).collect(),
            versions: BTreeMap::new(),
        }
    }

    fn written(target: Target, is_static: bool) -> Deployment {
        let variables = [
            Variable::set("GALA_HOST", target.takes().host, "the host"),
            Variable::secret("GALA_STORE", "the \"store\""),
            Variable::secret("ACME_KEY", "key `users` of tenant `acme`"),
            Variable::secret("A_KEY", "one"),
            Variable::secret("A__KEY", "another"),
        ];
        let program = program(is_static);
        let subject = Subject {
            function: "sign-in",
            program: &program,
            variables: &variables,
            along: ("GALA_CONFIGS", "configs"),
            registry: "registry.example.com/team",
        };
        deployment(target, &subject)
    }

    fn text(deployment: &Deployment, name: &str) -> String {
        let file = deployment.files.iter().find(|file| file.path == name);
        String::from_utf8(file.unwrap().bytes.clone()).unwrap()
    }

    #[test]
    fn every_place_is_filled_and_every_line_ends_as_unix_ends_it() {
        for target in [
            Target::ScfEvent,
            Target::ScfWeb,
            Target::Lambda,
            Target::Knative,
            Target::Dir,
        ] {
            for is_static in [true, false] {
                for file in written(target, is_static).files {
                    let text = String::from_utf8(file.bytes).unwrap();
                    assert!(!text.contains("{{") && !text.contains("}}"), "{text}");
                    assert!(!text.contains('\r') && text.ends_with('\n'), "{text}");
                }
            }
        }
    }

    #[test]
    fn scf() {
        let event = text(&written(Target::ScfEvent, true), "serverless.yml");
        assert!(
            event.contains("type: event\n") && event.contains("- timer:"),
            "{event}"
        );
        assert!(
            event.contains("      GALA_HOST: \"scf-event\"\n"),
            "{event}"
        );
        assert!(
            event.contains("      GALA_STORE: \"${env:GALA_STORE}\"\n"),
            "{event}"
        );
        let web = text(&written(Target::ScfWeb, true), "serverless.yml");
        assert!(
            web.contains("type: web\n") && !web.contains("timer"),
            "{web}"
        );
    }

    #[test]
    fn lambda() {
        let sam = text(&written(Target::Lambda, false), "template.yaml");
        for part in [
            "Architectures: [arm64]",
            "CodeUri: sign-in.zip",
            "  GalaStore:\n    Type: String\n    NoEcho: true\n    Description: \"the \\\"store\\\"\"\n",
            "          GALA_HOST: \"lambda\"\n",
            "          ACME_KEY: !Ref AcmeKey\n",
            "          A_KEY: !Ref AKey3\n",
            "          A__KEY: !Ref AKey4\n",
        ] {
            assert!(sam.contains(part), "{part} is not in {sam}");
        }
    }

    #[test]
    fn knative() {
        let made = written(Target::Knative, true);
        let dockerfile = text(&made, "Dockerfile");
        assert!(dockerfile.contains("\nFROM scratch\n"), "{dockerfile}");
        assert!(
            dockerfile.contains("ENTRYPOINT [\"/app/sign-in\"]"),
            "{dockerfile}"
        );
        let glibc = text(&written(Target::Knative, false), "Dockerfile");
        assert!(
            glibc.contains("FROM gcr.io/distroless/cc-debian12\n"),
            "{glibc}"
        );
        let service = text(&made, "service.yaml");
        let image = format!(
            "registry.example.com/team/gala-sign-in:{}",
            env!("CARGO_PKG_VERSION")
        );
        assert!(service.contains(&format!("image: {image}\n")), "{service}");
        assert!(
            service.contains("secretKeyRef: { name: gala, key: ACME_KEY }"),
            "{service}"
        );
        assert!(made.commands[0].contains(&image), "{:?}", made.commands);
    }
}
