//! What a TAB makes of a line in real shells: zsh in a terminal of its own, and fish, which answers `complete -C`.

use std::fs;
use std::process::Command;

use crate::support::program::{Place, binary};
use crate::support::skip;

/// Types each line into a zsh in a terminal, with a TAB at its end, and prints what has become of it. It waits for marks.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1= PS2= RPS1=; unsetopt zle_bracketed_paste; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; echo rea""dy'
zpty -r shell seen '*ready*'
for line; do
  zpty -w -n shell "$line"$'\t\C-aprint -r -- "<<'$'\C-e>>"\n'
  zpty -r shell seen $'*\n<<*>>*'
  print -r -- "${${seen##*$'\n'<<}%%>>*}"
done
"#;

/// A line without its last word, and the word that completes it.
const LINES: [(&str, &str, &str); 7] = [
    ("ca renew ", "w", "www.corp.test"),
    ("ca renew ", "name:w", "name:www.corp.test"),
    ("ca lint ", "www", "www.corp.test"),
    ("ca handshake-test --client ", "an", "anna"),
    ("ca crl --authority ", "r", "root"),
    ("ca issue server x --key ", "rsa-3", "rsa-3072"),
    ("ca revoke anna --reason ", "key", "key-compromise"),
];

fn place() -> Place {
    let place = Place::new();
    place.done("init --no-passphrase --quiet");
    place.done("issue server www.corp.test --quiet");
    place.done("issue client anna --quiet");
    place
}

/// What the program prints in the folder of the place, with `ca` on its path.
fn output(place: &Place, command: &mut Command) -> String {
    let folder = binary().parent().unwrap().to_owned();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = command.current_dir(place.path("")).env("PATH", path).env("TERM", "dumb").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn a_tab_in_zsh_completes_what_the_ca_has() {
    if !skip::unless_installed(&["zsh", "timeout"]) {
        return;
    }
    let place = place();
    fs::write(place.path("tab.zsh"), ZSH).unwrap();
    // The script itself, and the file of `ca completions --install`, which calls it.
    let mut install = place.ca("completions --install zsh --quiet");
    assert!(install.env("XDG_DATA_HOME", place.path("data")).output().unwrap().status.success());
    let installed = fs::read_to_string(place.path("data/zsh/site-functions/_ca")).unwrap();
    for function in [place.done("completions zsh"), installed] {
        fs::write(place.path("_ca"), function).unwrap();
        let typed = LINES.iter().map(|(line, begin, _)| format!("{line}{begin}"));
        let found = output(&place, Command::new("timeout").args(["60", "zsh", "-f", "tab.zsh"]).args(typed));
        let wanted: Vec<String> = LINES.iter().map(|(line, _, word)| format!("{line}{word}")).collect();
        assert_eq!(found.lines().map(str::trim_end).collect::<Vec<_>>(), wanted);
    }
}

#[test]
fn a_tab_in_fish_completes_what_the_ca_has() {
    if !skip::unless_installed(&["fish"]) {
        return;
    }
    let place = place();
    fs::write(place.path("ca.fish"), place.done("completions fish")).unwrap();
    for (line, begin, word) in LINES {
        let asked = format!("source ca.fish; complete -C '{line}{begin}'");
        let found = output(&place, Command::new("fish").args(["--no-config", "-c", &asked]));
        assert_eq!(found.lines().collect::<Vec<_>>(), [word], "{line}{begin}");
    }
}
