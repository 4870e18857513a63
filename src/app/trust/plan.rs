//! What is to be done to a trust store: files and programs, without their effects.

use std::path::PathBuf;

use crate::text::{PathText, shell_word};

/// The steps for one store.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The positions of the roots that it is about.
    pub roots: Vec<usize>,
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Writes a file with one certificate.
    Write {
        path: PathBuf,
        content: String,
    },
    Remove(PathBuf),
    Run(Invocation),
}

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    pub tool: Tool,
    pub arguments: Vec<String>,
}

/// The programs that own trust stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    UpdateCaCertificates,
    UpdateCaTrust,
    /// p11-kit.
    Trust,
    /// macOS.
    Security,
    Certutil,
    Keytool,
}

impl Tool {
    /// Returns the name of the program.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UpdateCaCertificates => "update-ca-certificates",
            Self::UpdateCaTrust => "update-ca-trust",
            Self::Trust => "trust",
            Self::Security => "security",
            Self::Certutil => "certutil",
            Self::Keytool => "keytool",
        }
    }

    /// Returns how it is installed.
    pub const fn package(self) -> &'static str {
        match self {
            Self::UpdateCaCertificates => "apt-get install ca-certificates",
            Self::UpdateCaTrust => "dnf install ca-certificates",
            Self::Trust => "pacman -S p11-kit",
            Self::Security => "it is a part of macOS",
            Self::Certutil => "apt-get install libnss3-tools, or dnf install nss-tools",
            Self::Keytool => "install a Java runtime, or set JAVA_HOME",
        }
    }
}

impl Invocation {
    pub fn new<const N: usize>(tool: Tool, arguments: [&str; N]) -> Self {
        Self { tool, arguments: arguments.map(str::to_owned).into() }
    }

    /// Returns it as a line for a shell.
    pub fn command(&self) -> String {
        let words = self.arguments.iter().map(|word| shell_word(word).to_string());
        std::iter::once(self.tool.name().to_owned()).chain(words).collect::<Vec<_>>().join(" ")
    }
}

impl Step {
    /// Returns what it does, as a phrase.
    pub fn sentence(&self) -> String {
        match self {
            Self::Write { path, .. } => format!("write {}", path.escaped()),
            Self::Remove(path) => format!("remove {}", path.escaped()),
            Self::Run(invocation) => format!("run {}", invocation.command()),
        }
    }

    /// Returns the line for a shell that does the same; empty for a file that is written.
    pub fn command(&self) -> String {
        match self {
            Self::Write { .. } => String::new(),
            Self::Remove(path) => format!("rm {}", path.in_shell()),
            Self::Run(invocation) => invocation.command(),
        }
    }
}
