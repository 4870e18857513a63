//! The settings in a backup: the index and the templates are in their usual places there.

use crate::store::config::Config;
use crate::text::toml_document::{Document, DocumentError, quoted};

/// Where the index and the templates of a CA are, when they are not in their usual places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MovedPlaces {
    pub index_location: Option<String>,
    pub template_dir: Option<String>,
}

/// Compares settings with the usual places.
pub fn moved_places(config: &Config) -> MovedPlaces {
    let usual = Config::default();
    let moved = |setting: &String, usual: String| Some(setting.clone()).filter(|setting| *setting != usual);
    MovedPlaces {
        index_location: moved(&config.index.location, usual.index.location),
        template_dir: moved(&config.issue.template_dir, usual.issue.template_dir),
    }
}

/// Returns the text of a `ca.toml` with the usual places, otherwise unchanged: a CA that is restored must not use the index
/// of the CA that the backup was made of.
///
/// # Errors
/// When the text is not valid TOML.
pub fn in_usual_places(file: &str, text: &str) -> Result<String, DocumentError> {
    let usual = Config::default();
    let document = Document::new(file, text);
    let mut top = document.top();
    let mut found = Vec::new();
    if let Some(location) = top.section("index").and_then(|mut section| section.take::<String>("location")) {
        found.push((location.place, usual.index.location));
    }
    if let Some(folder) = top.section("issue").and_then(|mut section| section.take::<String>("template-dir")) {
        found.push((folder.place, usual.issue.template_dir));
    }
    drop(top);
    document.finish()?;
    found.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut text = text.to_owned();
    for (place, value) in found {
        text.replace_range(place, &quoted(&value));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_places_change() {
        let text =
            "name = \"X\" # ours\n[issue]\ntemplate-dir = '/etc/ca' # shared\n[index]\nlocation=\"/var/lib/ca.db\"\n";
        assert_eq!(
            in_usual_places("ca.toml", text).unwrap(),
            "name = \"X\" # ours\n[issue]\ntemplate-dir = \"templates\" # shared\n[index]\nlocation=\"index.db\"\n"
        );
        for unchanged in ["", "name = \"X\"\n", &Config::default().to_toml()] {
            assert_eq!(in_usual_places("ca.toml", unchanged).unwrap(), unchanged);
        }
        let moved = moved_places(&Config::read("ca.toml", text).unwrap());
        assert_eq!(moved.index_location.as_deref(), Some("/var/lib/ca.db"));
        assert_eq!(moved.template_dir.as_deref(), Some("/etc/ca"));
        assert_eq!(moved_places(&Config::default()), MovedPlaces::default());
        assert!(in_usual_places("ca.toml", "[index").is_err());
    }
}
