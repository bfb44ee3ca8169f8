//! Completions and manual pages: there for every command, and such that their readers take them.

use std::process::Command;

use super::ran::Home;
use super::usage::COMMANDS;

#[test]
fn every_command_is_completed_and_bash_accepts_it() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = home.run(&["completions", shell]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{shell}");
        for command in COMMANDS {
            assert!(ran.stdout.contains(command), "{shell}: {command}");
        }
        home.write(&format!("gala.{shell}"), &ran.stdout);
    }
    let bash = |args: &[&str]| {
        let output = Command::new("bash")
            .args(args)
            .current_dir(home.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    bash(&["-n", "gala.bash"]);
    // What a shell makes of it where `gala new cam` stands.
    let asked = "source gala.bash; COMP_WORDS=(gala new cam); COMP_CWORD=2; _gala gala cam new; echo \"${COMPREPLY[@]}\"";
    assert_eq!(bash(&["-c", asked]), "campaign\n");
}

#[test]
fn every_command_has_a_page() {
    let home = Home::new();
    let ran = home.run(&["man", "--out", "man1", "--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let written: Vec<String> = serde_json::from_value(ran.json()).unwrap();
    for command in COMMANDS {
        let path = format!("man1/gala-{command}.1");
        assert!(written.contains(&path), "{path}: {written:?}");
        let page = std::fs::read_to_string(home.at(&path)).unwrap();
        assert!(
            page.contains(&format!(".TH gala-{command} 1"))
                || page.contains(&format!(".TH gala\\-{command} 1")),
            "{page}"
        );
        assert!(page.contains(".SH OPTIONS"), "{page}");
    }
    for path in ["man1/gala.1", "man1/gala-new-campaign.1"] {
        assert!(home.at(path).is_file(), "{path}");
    }
}
