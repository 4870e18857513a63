//! `ca version`: the version of this program and the facts of its build. `ca --version` prints the same, `ca -V` its first
//! line.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::Report;
use crate::report::page::Page;
use crate::store::index;

#[derive(Debug, Args)]
pub struct Arguments {}

/// What a bug report needs to know about this program. `.cargo/build.rs` finds the facts; an unknown one is `None`.
pub struct Version {
    /// The commit that was built, followed by `-modified` if a tracked file differed from it.
    commit: Option<&'static str>,
    /// The day of the commit, or of `SOURCE_DATE_EPOCH`, as `YYYY-MM-DD` in UTC.
    date: Option<String>,
    /// The target triple, as rustc names it.
    target: Option<&'static str>,
    /// Names and versions of the libraries, in the order of the output.
    libraries: Vec<(&'static str, &'static str)>,
}

pub fn run(_: &Arguments) -> Result<Box<dyn Report>, Failure> {
    Ok(Box::new(Version::of_this_build()))
}

/// The first line: what `ca -V` prints.
pub const FIRST_LINE: &str = concat!("ca ", env!("CARGO_PKG_VERSION"));

impl Version {
    pub fn of_this_build() -> Self {
        Self {
            commit: known(env!("CA_BUILD_COMMIT")),
            date: day(env!("CA_BUILD_SECONDS")),
            target: known(env!("CA_BUILD_TARGET")),
            libraries: [
                ("rustls", env!("CA_BUILD_RUSTLS")),
                ("rustls-webpki", env!("CA_BUILD_RUSTLS_WEBPKI")),
                ("aws-lc-rs", env!("CA_BUILD_AWS_LC_RS")),
                ("aws-lc-sys", env!("CA_BUILD_AWS_LC_SYS")),
                ("SQLite", index::sqlite_version()),
            ]
            .into_iter()
            .filter(|(_, version)| !version.is_empty())
            .collect(),
        }
    }

    /// Returns the day of the commit, or of `SOURCE_DATE_EPOCH`, if the build knew it.
    pub fn date(&self) -> Option<String> {
        self.date.clone()
    }

    /// The facts below the first line, as they are printed.
    pub fn lines(&self) -> Vec<String> {
        let commit = [self.commit, self.date.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let mut rows = vec![("commit", commit.as_str()), ("target", self.target.unwrap_or_default())];
        rows.extend(self.libraries.iter().copied());
        rows.retain(|(_, value)| !value.is_empty());
        rows.into_iter().map(|(name, value)| format!("{name:<16}{value}")).collect()
    }
}

/// `ca.version/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Version")]
pub struct VersionJson<'a> {
    version: &'static str,
    /// `null`, as the next two, when the build did not know it.
    commit: Option<&'a str>,
    date: Option<&'a str>,
    target: Option<&'a str>,
    /// The libraries by name, and their versions.
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    libraries: Map<String, Value>,
}

impl Report for Version {
    fn text(&self, page: &mut Page) {
        page.line(FIRST_LINE);
        for line in self.lines() {
            page.line(&line);
        }
    }

    fn json(&self) -> Value {
        let libraries = self.libraries.iter().map(|(name, version)| (name.to_lowercase(), (*version).into()));
        let content = VersionJson {
            version: env!("CARGO_PKG_VERSION"),
            commit: self.commit,
            date: self.date.as_deref(),
            target: self.target,
            libraries: libraries.collect(),
        };
        json::document("ca.version/1", &content)
    }
}

/// Returns `None` for a fact that the build did not know.
fn known(fact: &'static str) -> Option<&'static str> {
    Some(fact).filter(|fact| !fact.is_empty())
}

/// Returns `YYYY-MM-DD` in UTC of a time in seconds since 1970.
fn day(seconds: &str) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(seconds.parse().ok()?).ok()?;
    Some(time.date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_day_in_utc() {
        assert_eq!(day("0").as_deref(), Some("1970-01-01"));
        assert_eq!(day("1795996799").as_deref(), Some("2026-11-29"));
        assert_eq!(day("1795996800").as_deref(), Some("2026-11-30"));
        assert_eq!((day(""), day("tomorrow")), (None, None));
    }

    #[test]
    fn an_unknown_fact_is_left_out_of_the_text_and_null_in_json() {
        let version = Version { commit: None, date: None, target: Some("x"), libraries: vec![("SQLite", "3.1")] };
        assert_eq!(version.lines(), ["target          x", "SQLite          3.1"]);
        assert_eq!(version.json()["commit"], Value::Null);
        assert_eq!(version.json()["libraries"]["sqlite"], "3.1");
    }

    #[test]
    fn the_versions_of_the_libraries_are_those_of_the_lock_file() {
        let lock = include_str!("../../../Cargo.lock");
        for (name, version) in Version::of_this_build().libraries {
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(name == "SQLite" || lock.contains(&entry), "{entry}");
        }
    }
}
