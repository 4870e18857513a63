//! Runs the programs that own trust stores, and writes the files that they read.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use super::plan::{Invocation, Step, Tool};
use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::system::files::{self, ExistingFile};
use crate::system::process::{self, Ended, Finished, Program};
use crate::text::{escape, io_reason};

/// The environment variable with the passphrase of a Java key store.
pub const JAVA_PASSPHRASE: &str = "CA_JAVA_STOREPASS";

/// The passphrase of the key store of every JDK.
const USUAL_JAVA_PASSPHRASE: &str = "changeit";

/// A program may ask for the passphrase of its store at the terminal.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The variables that programs get: secrets may be in others.
const KEPT: [&str; 5] = ["PATH", "HOME", "TMPDIR", "JAVA_HOME", "USER"];

/// The programs of this machine.
pub struct Programs<'a> {
    path: Option<&'a OsStr>,
    java_home: Option<PathBuf>,
    environment: HashMap<OsString, OsString>,
    folder: PathBuf,
}

impl<'a> Programs<'a> {
    pub fn new(context: &'a Context<'_>, java_passphrase: Option<&Zeroizing<String>>) -> Self {
        let all = &context.world.environment;
        let kept = |name: &str| Some((name.into(), all.get(OsStr::new(name))?.clone()));
        let mut environment: HashMap<OsString, OsString> = KEPT.into_iter().filter_map(kept).collect();
        environment.insert("LC_ALL".into(), "C".into());
        let passphrase = java_passphrase.map_or(USUAL_JAVA_PASSPHRASE, |passphrase| passphrase.as_str());
        environment.insert(JAVA_PASSPHRASE.into(), passphrase.into());
        Self {
            path: all.get(OsStr::new("PATH")).map(OsString::as_os_str),
            java_home: context.world.variable("JAVA_HOME").map(PathBuf::from),
            environment,
            folder: context.world.working_folder.clone(),
        }
    }

    /// Returns the absolute path of a program; `None` when it is not installed.
    pub fn find(&self, tool: Tool) -> Option<PathBuf> {
        let of_java = self.java_home.as_ref().filter(|_| tool == Tool::Keytool);
        let of_java = of_java.map(|home| home.join("bin").join(tool.name())).filter(|program| program.is_file());
        of_java.or_else(|| process::find(tool.name(), self.path))
    }

    /// Runs a program to its end, and returns what it wrote.
    ///
    /// # Errors
    /// When it is not installed, cannot be started, or fails.
    pub fn output(&self, invocation: &Invocation) -> Result<Vec<u8>, Failure> {
        let tool = invocation.tool;
        let Some(path) = self.find(tool) else {
            return Err(Failure::refused("program-missing", format!("the program {} is not installed", tool.name()))
                .hint(tool.package()));
        };
        let program = Program {
            path: &path,
            arguments: &invocation.arguments,
            environment: &self.environment,
            folder: &self.folder,
            shows_stderr: false,
            timeout: TIMEOUT,
        };
        let failed = |how: String| Failure::refused("program-failed", format!("{} {how}", tool.name()));
        let Finished { ended, stdout, stderr } = program
            .run(files::MAX_FILE_BYTES)
            .map_err(|cause| failed(format!("cannot be started: {}", io_reason(&cause))))?;
        let how = match ended {
            Ended::Exited(0) => return Ok(stdout),
            Ended::Exited(status) => format!("exited with status {status}"),
            Ended::Killed(signal) => format!("was stopped by signal {signal}"),
            Ended::TimedOut => format!("did not exit within {} seconds, and was stopped", TIMEOUT.as_secs()),
        };
        // keytool writes its errors to standard output.
        let stdout = String::from_utf8_lossy(&stdout).into_owned();
        let said = |text: &str| text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(escape);
        Err(match said(&stderr).or_else(|| said(&stdout)) {
            Some(line) => failed(format!("{how}: {line}")),
            None => failed(how),
        })
    }

    /// Carries out one step.
    ///
    /// # Errors
    /// When a file cannot be written or removed, or a program fails.
    pub fn carry_out(&self, step: &Step, context: &Context<'_>) -> Result<(), Failure> {
        match step {
            Step::Write { path, content } => {
                let entropy = context.effects().entropy;
                Ok(files::publish_file(path, content.as_bytes(), files::PUBLIC, ExistingFile::Replace, entropy)?)
            }
            Step::Remove(path) => Ok(files::remove(path)?),
            Step::Run(invocation) => self.output(invocation).map(drop),
        }
    }
}
