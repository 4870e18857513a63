//! Completions in a shell. The door to clap_complete.
//!
//! The script that [`script`] makes calls this program with [`VARIABLE`] set and the words of the command line, and this program
//! answers with the words that may follow. It asks nothing, writes no error and takes no lock.

mod candidates;
pub mod install;

use std::ffi::OsString;

use clap::Command;
use clap_complete::env::Shells;

pub use clap_complete::Shell;

use self::candidates::Source;
use crate::system::World;

/// The environment variable with which a shell asks; its value is the name of the shell.
pub const VARIABLE: &str = "_CA_COMPLETE";

/// Answers the shell that asks for completions; `None` when none asks. `words` are the words of this process,
/// and `line` returns the whole command line.
pub fn answer(words: &[OsString], line: impl FnOnce() -> Command, world: &World) -> Option<Vec<u8>> {
    let shell = world.variable(VARIABLE)?.to_str()?;
    let mut answer = Vec::new();
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(shell) else { return Some(answer) };
    let typed: Vec<OsString> = words.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
    let mut line = candidates::attached(line(), &Source::of(&typed, world));
    line.build();
    // What cannot be completed is left alone: an error message would end up in the line that the user types.
    if shell.write_complete(&mut line, typed, Some(&world.working_folder), &mut answer).is_err() {
        answer.clear();
    }
    Some(answer)
}

/// How the script for zsh ends.
const REGISTERS: &str = "compdef _clap_dynamic_completer_ca ca";

/// As a file of `fpath`, the script is the function `_ca`, which zsh runs at the first TAB: it has to complete then too.
const COMPLETES_OR_REGISTERS: &str = r#"if [[ ${funcstack[1]-} == _ca ]]; then
    _clap_dynamic_completer_ca "$@"
else
    compdef _clap_dynamic_completer_ca ca
fi"#;

/// The script that makes a shell ask this program.
pub fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(&shell.to_string()) {
        // Writing into memory does not fail.
        drop(shell.write_registration(VARIABLE, "ca", "ca", "ca", &mut script));
    }
    let script = String::from_utf8_lossy(&script).trim_start().to_owned();
    if shell == Shell::Zsh { script.replace(REGISTERS, COMPLETES_OR_REGISTERS) } else { script }
}
