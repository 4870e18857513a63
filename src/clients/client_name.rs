//! Names of clients as a user writes them: `python@3.12`, `chrome,firefox`, `all`, `browsers`.

use crate::text;

use super::table::{Client, Table, table};

/// A client that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientChoice<'t> {
    pub client: &'t Client,
    /// `None` for the newest measured version.
    pub version: Option<String>,
}

/// The groups and their members; `all` is every client.
const ALL: &str = "all";
const BROWSERS: &str = "browsers";
const BROWSER_NAMES: [&str; 3] = ["chrome", "firefox", "apple"];

/// Why a text is not the name of a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientNameError {
    #[error("unknown client '{}'{}", text::escape(given), text::did_you_mean(given, known.iter().map(String::as_str)))]
    Unknown { given: String, known: Vec<String> },
    #[error("'{}' is not a version: expected numbers with dots between them, as in python@3.12", text::escape(.0))]
    Version(String),
}

/// A value of `--client`: a list of names with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientList(pub Vec<ClientChoice<'static>>);

impl std::str::FromStr for ClientList {
    type Err = ClientNameError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        ClientChoice::parse_list(table(), given).map(Self)
    }
}

impl<'t> ClientChoice<'t> {
    /// Reads a list of names with commas between them.
    ///
    /// # Errors
    /// When one of them is neither a client nor a group, or has a version that is not numbers with dots.
    pub fn parse_list(table: &'t Table, given: &str) -> Result<Vec<Self>, ClientNameError> {
        let mut choices: Vec<Self> = Vec::new();
        for name in given.split(',').map(str::trim) {
            for choice in Self::parse(table, name)? {
                if !choices.contains(&choice) {
                    choices.push(choice);
                }
            }
        }
        Ok(choices)
    }

    fn parse(table: &'t Table, given: &str) -> Result<Vec<Self>, ClientNameError> {
        let newest = |client| Self { client, version: None };
        match given {
            ALL => return Ok(table.clients().iter().map(newest).collect()),
            BROWSERS => return Ok(BROWSER_NAMES.iter().filter_map(|name| table.client(name)).map(newest).collect()),
            _ => {}
        }
        let (name, version) = given.split_once('@').map_or((given, None), |(name, version)| (name, Some(version)));
        let Some(client) = table.client(&name.to_ascii_lowercase()) else {
            return Err(ClientNameError::Unknown { given: name.to_owned(), known: Self::names(table) });
        };
        let is_number =
            |part: &str| !part.is_empty() && part.len() < 9 && part.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(version) = version.filter(|version| !version.split('.').all(is_number)) {
            return Err(ClientNameError::Version(version.to_owned()));
        }
        Ok(vec![Self { client, version: version.map(str::to_owned) }])
    }

    /// Returns every name that can be given, without other names of a client.
    pub fn names(table: &Table) -> Vec<String> {
        let groups = [ALL, BROWSERS].map(str::to_owned);
        table.clients().iter().map(|client| client.name.clone()).chain(groups).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(given: &str) -> Result<Vec<String>, ClientNameError> {
        let shown = |choice: ClientChoice<'_>| {
            format!("{}{}", choice.client.name, choice.version.map(|it| format!("@{it}")).unwrap_or_default())
        };
        ClientChoice::parse_list(table(), given).map(|choices| choices.into_iter().map(shown).collect())
    }

    #[test]
    fn a_list_names_clients_versions_and_groups() {
        assert_eq!(parse("python@3.12, go,go").unwrap(), ["python@3.12", "go"]);
        assert_eq!(parse("browsers").unwrap(), ["chrome", "firefox", "apple"]);
        assert_eq!(parse("Chromium").unwrap(), ["chrome"]);
        assert_eq!(parse("all").unwrap().len(), table().clients().len());
    }

    #[test]
    fn what_is_not_a_client_is_refused_with_the_nearest_name() {
        assert!(parse("pyton").unwrap_err().to_string().contains("did you mean 'python'"));
        for given in ["", "go,", "python@", "python@x", "python@3..1"] {
            assert!(parse(given).is_err(), "{given}");
        }
    }
}
