//! Where each shell looks for completions, and the file that is put there.
//!
//! The file only calls `ca completions SHELL`, so that an update of this program does not leave an old script behind.

use std::path::{Path, PathBuf};

use clap_complete::Shell;

use crate::report::failure::Failure;
use crate::system::World;
use crate::system::files::{self, ExistingFile};
use crate::text::PathText;

/// The file of a shell.
pub struct Installed {
    pub file: PathBuf,
    /// False when it was there already.
    pub is_new: bool,
    /// What the user has to add to the settings of the shell; `None`: nothing.
    pub note: Option<String>,
}

/// In each file that this program wrote.
const MARK: &str = "# Written by 'ca completions --install'.";

/// Returns the shell that the user works with: the last part of `SHELL`.
pub fn usual_shell(world: &World) -> Option<Shell> {
    let path = PathBuf::from(world.variable("SHELL")?);
    path.file_name()?.to_str()?.parse().ok()
}

/// Writes the file for a shell, after `approve` of its path.
///
/// # Errors
/// When there is no home folder, a file of another program is there, or the system refuses.
pub fn install(
    shell: Shell,
    world: &World,
    approve: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<Installed, Failure> {
    let (file, content, note) = place(shell, world)?;
    let there = files::read_regular(&file, files::MAX_FILE_BYTES)?;
    match there {
        Some(there) if there.content == content.as_bytes() => return Ok(Installed { file, is_new: false, note }),
        Some(there) if !String::from_utf8_lossy(&there.content).contains(MARK) => {
            return Err(Failure::refused("exists", format!("{} is not a file of this program", file.escaped()))
                .hint(format!("move it away: mv {0} {0}.before", file.in_shell()))
                .hint(format!("or load the script yourself: ca completions {shell}")));
        }
        _ => {}
    }
    approve(&file)?;
    if let Some(folder) = file.parent() {
        files::create_folders(folder, 0o755)?;
    }
    files::publish_file(&file, content.as_bytes(), files::PUBLIC, ExistingFile::Replace, world.entropy.as_ref())?;
    Ok(Installed { file, is_new: true, note })
}

/// Returns the path and the content of the file for a shell, and what else it needs.
fn place(shell: Shell, world: &World) -> Result<(PathBuf, String, Option<String>), Failure> {
    let in_home = |variable: &str, below: &str| match (world.variable(variable), world.variable("HOME")) {
        (Some(folder), _) => Ok(PathBuf::from(folder)),
        (None, Some(home)) => Ok(PathBuf::from(home).join(below)),
        (None, None) => Err(Failure::usage("no-home", "the environment variable HOME is not set, or empty")
            .hint(format!("load the script yourself: ca completions {shell}"))),
    };
    let (data, config) = (|| in_home("XDG_DATA_HOME", ".local/share"), || in_home("XDG_CONFIG_HOME", ".config"));
    Ok(match shell {
        Shell::Bash => {
            // bash-completion loads a file of this name at the first TAB.
            let folder = match world.variable("BASH_COMPLETION_USER_DIR") {
                Some(folder) => PathBuf::from(folder),
                None => data()?.join("bash-completion"),
            };
            (folder.join("completions/ca"), format!("{MARK}\nsource <(ca completions bash)\n"), None)
        }
        Shell::Fish => {
            (config()?.join("fish/completions/ca.fish"), format!("{MARK}\nca completions fish | source\n"), None)
        }
        Shell::Zsh => {
            let folder = data()?.join("zsh/site-functions");
            let note = format!("add to ~/.zshrc, before compinit: fpath=({} $fpath)", folder.in_shell());
            let call = "eval \"$(ca completions zsh)\"\n_clap_dynamic_completer_ca \"$@\"\n";
            (folder.join("_ca"), format!("#compdef ca\n{MARK}\n{call}"), Some(note))
        }
        Shell::PowerShell => {
            let file = config()?.join("powershell/ca-completions.ps1");
            let note = format!("add to the file $PROFILE: . {}", file.in_shell());
            (file, format!("{MARK}\nca completions powershell | Out-String | Invoke-Expression\n"), Some(note))
        }
        _ => {
            let file = config()?.join("elvish/lib/ca-completions.elv");
            let note = "add to rc.elv: use ca-completions".to_owned();
            (file, format!("{MARK}\neval (ca completions elvish | slurp)\n"), Some(note))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cli::testing::CliRun;

    #[test]
    fn each_shell_gets_its_file_and_a_foreign_file_stays() {
        let home = tempfile::tempdir().unwrap();
        let environment = [("HOME".into(), home.path().into())].into();
        let mut run = CliRun { environment, ..CliRun::default() };
        for (shell, path) in [
            (Shell::Bash, ".local/share/bash-completion/completions/ca"),
            (Shell::Fish, ".config/fish/completions/ca.fish"),
            (Shell::Zsh, ".local/share/zsh/site-functions/_ca"),
            (Shell::PowerShell, ".config/powershell/ca-completions.ps1"),
            (Shell::Elvish, ".config/elvish/lib/ca-completions.elv"),
        ] {
            let path = home.path().join(path);
            let mut install = || run.with_world(|world| install(shell, world, |_| Ok(())));
            let first = install().unwrap();
            assert_eq!((&first.file, first.is_new), (&path, true));
            assert!(!install().unwrap().is_new);
            fs::write(&path, "# of a package\n").unwrap();
            assert_eq!(install().map(drop).unwrap_err().code, "exists");
            assert_eq!(fs::read_to_string(&path).unwrap(), "# of a package\n");
            fs::write(&path, format!("{MARK}\nold\n")).unwrap();
            assert!(install().unwrap().is_new);
        }
        let mut none = CliRun::default();
        assert_eq!(
            none.with_world(|world| install(Shell::Bash, world, |_| Ok(()))).map(drop).unwrap_err().code,
            "no-home"
        );
    }
}
