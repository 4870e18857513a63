//! Any bytes as `ca.toml` and as a template. What is read can be written and read again; what is refused has the place of each
//! problem, also as a picture.

use ca::issuance::Profile;
use ca::store::config::Config;
use ca::text::toml_document::DocumentError;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Config::read("ca.toml", text) {
        Ok(config) => assert_eq!(Config::read("ca.toml", &config.to_toml()), Ok(config)),
        Err(error) => check(&error, text),
    }
    match Profile::read("web", "web.toml", text) {
        Ok(profile) => drop((profile.is_authority(), profile.uses())),
        Err(error) => check(&error, text),
    }
}

fn check(error: &DocumentError, text: &str) {
    assert!(!error.problems.is_empty());
    let lines = text.matches('\n').count() + 1;
    for problem in &error.problems {
        let (line, column) = error.line_and_column(&problem.place);
        assert!((1..=lines).contains(&line) && column >= 1, "{problem:?}");
        assert!(!problem.message.is_empty(), "{problem:?}");
    }
    let pictures = error.pictures().map(|(_, place, picture)| format!("{place}\n{}", picture.join("\n")));
    for shown in pictures.chain([error.to_string()]) {
        // Text of the file is escaped.
        assert!(!shown.contains('\0') && shown.contains(".toml"), "{shown:?}");
    }
}
