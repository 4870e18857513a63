//! The settings of a CA and of a run, each with its source.

use std::path::{Path, PathBuf};

use crate::app::context::Context;
use crate::authority::revocation::bundle::{self, Bundle};
use crate::report::failure::Failure;
use crate::store::config::{Config, WrittenSetting};
use crate::store::toml_file;
use crate::system::files;
use crate::text::toml_document::{self, quoted};
use crate::text::{Lifetime, PathText};

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The table and the key: `root.lifetime`.
    pub key: String,
    /// The value as TOML writes it.
    pub value: String,
    pub source: Source,
}

/// Where a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Default,
    /// The line of ca.toml, from 1.
    File {
        line: usize,
    },
    /// The name of the variable.
    Environment(&'static str),
    Flag(&'static str),
    /// The CA directory was found upwards from the working folder.
    Found,
    /// The index has it, because of this command.
    Index(&'static str),
}

/// Returns all settings, and the file they were read from; `None` where there is no CA.
///
/// # Errors
/// When the settings file cannot be read, or is invalid.
pub fn all(context: &Context<'_>) -> Result<(Option<PathBuf>, Vec<Setting>), Failure> {
    let mut settings = of_this_run(context);
    let home = context.folder_to_find().map(|_| context.home()).transpose()?;
    let Some(home) = home else {
        settings.extend(of_file(&Config::default(), ""));
        return Ok((None, settings));
    };
    let path = home.config();
    let text = read(&path)?;
    let config = Config::read(&path.escaped().to_string(), &text)?;
    settings.extend(of_file(&config, &text));
    settings.extend(bundles(context));
    Ok((Some(path), settings))
}

/// The CRL bundles that the index remembers. An index that cannot be read is reported by the commands that need it.
fn bundles(context: &Context<'_>) -> Vec<Setting> {
    let found = context.store().ok().and_then(|store| bundle::remembered(&store).ok()).unwrap_or_default();
    let setting = |(key, value): (&str, &str)| Setting {
        key: key.to_owned(),
        value: quoted(value),
        source: Source::Index("ca crl --all --bundle"),
    };
    let of = |bundle: &Bundle| {
        let path = bundle.path.to_string_lossy().into_owned();
        let hook = bundle.hook.as_ref().map(|hook| ("crl.bundle.hook", hook.command.clone()));
        let also = bundle.also.iter().map(|path| ("crl.bundle.also", path.to_string_lossy().into_owned()));
        let all = [("crl.bundle", path)].into_iter().chain(hook).chain(also);
        all.map(|(key, value)| setting((key, &value))).collect::<Vec<_>>()
    };
    found.iter().flat_map(of).collect()
}

fn read(path: &Path) -> Result<String, Failure> {
    let content = files::read(path, files::MAX_SMALL_FILE_BYTES).map_err(|error| Failure::unreadable(&error))?;
    Ok(toml_file::text(path, content, toml_file::SETTINGS)?)
}

/// The usual value of `--lock-timeout`, in seconds.
const USUAL_LOCK_TIMEOUT: u64 = 120;

/// What flags and the environment decide for a run.
fn of_this_run(context: &Context<'_>) -> Vec<Setting> {
    let setting = |key: &str, value: String, source| Setting { key: key.to_owned(), value, source };
    let folder = context.folder_to_find().map_or_else(String::new, |folder| folder.escaped().to_string());
    let folder_source = match (&context.folder, context.folder_variable) {
        (Some(_), Some(variable)) => Source::Environment(variable),
        (Some(_), None) => Source::Flag("--dir"),
        (None, _) => Source::Found,
    };
    let seconds = context.lock_timeout.as_secs();
    let timeout = Lifetime::from_seconds(seconds).map_or_else(|| format!("{seconds}s"), |timeout| timeout.to_string());
    let is_usual = seconds == USUAL_LOCK_TIMEOUT;
    let variable = |name: &'static str, usual: &str| match context.world.variable(name) {
        Some(value) => (value.to_string_lossy().into_owned(), Source::Environment(name)),
        None => (usual.to_owned(), Source::Default),
    };
    let (pager, pager_source) = variable("PAGER", "less");
    let (_, color_source) = variable("NO_COLOR", "");
    let color = if color_source == Source::Default { "auto" } else { "never" };
    vec![
        setting("dir", quoted(&folder), folder_source),
        setting(
            "lock-timeout",
            quoted(&timeout),
            if is_usual { Source::Default } else { Source::Flag("--lock-timeout") },
        ),
        setting("color", quoted(color), color_source),
        setting("pager", quoted(&pager), pager_source),
    ]
}

/// The settings of a file and the defaults of those that it does not set.
fn of_file(config: &Config, text: &str) -> Vec<Setting> {
    let lines = toml_document::lines_of_keys(text);
    let setting = |WrittenSetting { key, value }: WrittenSetting| {
        let source = lines.get(&key).map_or(Source::Default, |line| Source::File { line: *line });
        Setting { key, value, source }
    };
    config.written().into_iter().map(setting).collect()
}

/// Checks a settings file, by default that of the CA. Returns its path, and what is allowed and will not work.
///
/// # Errors
/// With every problem of the file at once.
pub fn check(file: Option<&Path>, context: &Context<'_>) -> Result<(PathBuf, Vec<String>), Failure> {
    let own = || context.folder_to_find().map(|folder| folder.join("ca.toml"));
    let path = match file {
        Some(file) => context.world.resolve(file),
        None => match own() {
            Some(path) => path,
            // The failure says where a CA directory was looked for.
            None => context.home()?.config(),
        },
    };
    let config = Config::read(&path.escaped().to_string(), &read(&path)?)?;
    let mut warnings = Vec::new();
    if own().is_some_and(|own| own == path) {
        let cas = context.ca_certificates()?;
        let issuer = &config.issue.issuer;
        if *issuer != Config::default().issue.issuer && !cas.exists(issuer) {
            let known = cas.names()?.join(", ");
            warnings.push(format!("issue.issuer names '{issuer}', which is not an authority of this CA: {known}"));
        }
        let passphrase = &config.passphrase.file;
        if !passphrase.is_empty() && !cas.home().resolve(passphrase).is_file() {
            warnings.push(format!("passphrase.file names '{passphrase}', which is not there"));
        }
    }
    Ok((path, warnings))
}
