//! The manual pages of `ca man`: one in section 1 for every command, and those of section 5 for the files that people write.
//!
//! They say nothing of their own: options and sentences are those of clap, examples and topics those of `ca help`, and
//! section 5 is made from docs/reference. Only this room uses clap_mangen and roff.

mod command_page;
mod file_page;
mod markdown;
mod page;

use std::io;

use clap::Command;

pub use page::ManualPage;

/// Returns every page; `whole` is the command line with every option.
///
/// # Errors
///
/// What clap_mangen could not write.
pub fn pages(whole: &Command) -> io::Result<Vec<ManualPage>> {
    let mut pages = command_page::pages(whole)?;
    pages.extend(file_page::pages());
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_line::CommandLine;

    fn texts() -> Vec<(String, String)> {
        let texts = pages(&CommandLine::whole()).unwrap().into_iter();
        texts.map(|page| (page.file, String::from_utf8(page.text).unwrap())).collect()
    }

    #[test]
    fn every_page_of_section_1_has_the_sections_that_people_look_for() {
        for (file, text) in texts().iter().filter(|(file, _)| file.ends_with(".1")) {
            for heading in
                ["NAME", "SYNOPSIS", "DESCRIPTION", "FILES", "ENVIRONMENT", "\"EXIT STATUS\"", "\"SEE ALSO\""]
            {
                assert!(text.contains(&format!("\n.SH {heading}\n")), "{file}: {heading}\n{text}");
            }
            assert!(file == "ca.1" || text.contains("\n.SH EXAMPLES\n"), "{file}");
        }
    }

    #[test]
    fn a_reference_to_another_page_leads_to_one() {
        let texts = texts();
        for (file, text) in &texts {
            for (_, names) in text.split(".SH \"SEE ALSO\"\n").skip(1).map(|section| ((), section)) {
                for name in names.split(|character: char| character.is_whitespace() || character == ',') {
                    let Some((name, rest)) = name.trim_start_matches("\\fB").split_once('(') else { continue };
                    let wanted = format!("{}.{}", name.replace("\\fR", "").replace("\\-", "-"), &rest[..1]);
                    assert!(texts.iter().any(|(other, _)| *other == wanted), "{file}: {wanted}");
                }
            }
        }
    }

    #[test]
    fn the_pages_of_section_5_have_every_key_of_the_reference() {
        let texts = texts();
        for (file, keys) in [
            ("ca.toml.5", ["[crl]", "template\\-dir", "[passphrase]", "location"]),
            ("ca-template.5", ["backdate", "allow\\-common\\-name", "path\\-length", "at\\-least"]),
        ] {
            let (_, text) = texts.iter().find(|(name, _)| name == file).unwrap();
            for key in keys {
                assert!(text.contains(key), "{file}: {key}\n{text}");
            }
        }
    }
}
