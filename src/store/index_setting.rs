//! `[index] location` in the text of `ca.toml`.

use crate::text::toml_document::{Document, DocumentError, quoted};

/// Returns the text of a `ca.toml` with another location of the index, and otherwise unchanged.
///
/// # Errors
/// When the text is not valid TOML.
pub fn with_location(file: &str, text: &str, location: &str) -> Result<String, DocumentError> {
    let document = Document::new(file, text);
    let mut top = document.top();
    let section = top.section("index").map(|mut section| {
        let written = section.take::<String>("location").map(|location| location.place);
        (written, section.place())
    });
    drop(top);
    document.finish()?;
    let (line, mut text) = (format!("location = {}\n", quoted(location)), text.to_owned());
    match section {
        Some((Some(written), _)) => text.replace_range(written, &quoted(location)),
        // The header of the table ends its line.
        Some((None, header)) => match text[header.start..].find('\n') {
            Some(length) => text.insert_str(header.start + length + 1, &line),
            None => text.push_str(&format!("\n{line}")),
        },
        None => {
            let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            text.push_str(&format!("{gap}\n[index]\n{line}"));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::config::Config;

    #[test]
    fn only_the_location_changes() {
        for (before, after) in [
            (
                "name = \"X\"\n[index] # here\nlocation = 'a.db' # old\n",
                "name = \"X\"\n[index] # here\nlocation = \"b\" # old\n",
            ),
            (
                "[index] # here\n[issue]\nissuer = \"root\"\n",
                "[index] # here\nlocation = \"b\"\n[issue]\nissuer = \"root\"\n",
            ),
            ("[index]", "[index]\nlocation = \"b\"\n"),
            ("name = \"X\"", "name = \"X\"\n\n[index]\nlocation = \"b\"\n"),
            ("", "\n[index]\nlocation = \"b\"\n"),
        ] {
            let written = with_location("ca.toml", before, "b").unwrap();
            assert_eq!(written, after);
            assert_eq!(Config::read("ca.toml", &written).unwrap().index.location, "b");
        }
        let usual = Config::default().to_toml();
        let moved = with_location("ca.toml", &usual, "postgresql://db/pki").unwrap();
        assert_eq!(with_location("ca.toml", &moved, "index.db").unwrap(), usual);
        assert!(with_location("ca.toml", "[index", "b").is_err());
    }
}
