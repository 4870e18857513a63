//! The file with passwords of PostgreSQL (`PGPASSFILE`, "The Password File" in its documentation): a line
//! `hostname:port:database:username:password` for each, of which the first that matches counts.

use crate::store::index::postgres_location::{PostgresLocation, Server};

/// What a line has for a server that is reached through a Unix socket.
const LOCAL: &str = "localhost";

/// Returns the password of the first line that matches; `None` when there is none.
pub fn password_for(content: &str, location: &PostgresLocation, user: &str) -> Option<String> {
    let (port, host) = (location.port.to_string(), host_of(location));
    let wanted = [host.as_str(), &port, &location.database, user];
    content.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let [fields @ .., password] = &fields_of(line)?;
        let is_match = fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        (is_match && !password.is_empty()).then(|| password.clone())
    })
}

fn host_of(location: &PostgresLocation) -> String {
    match &location.server {
        Server::Host(host) => host.clone(),
        Server::Socket(_) => LOCAL.to_owned(),
    }
}

/// Returns the five fields of a line, in which `\` stands before a colon or a backslash; `None` when it has fewer.
fn fields_of(line: &str) -> Option<[String; 5]> {
    let mut fields: [String; 5] = Default::default();
    let mut current = 0;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => fields[current].push(characters.next()?),
            // The password is the rest of the line.
            ':' if current < 4 => current += 1,
            character => fields[current].push(character),
        }
    }
    (current == 4).then_some(fields)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn password(content: &str, url: &str) -> Option<String> {
        password_for(content, &PostgresLocation::parse(url, Path::new("/")).unwrap(), "issuer")
    }

    #[test]
    fn the_first_line_that_matches_counts() {
        let file = "# comment:*:*:*:no\nother:5432:pki:issuer:one\ndb:*:pki:issuer:a\\:b\\\\c:d\n*:*:*:*:last\n";
        assert_eq!(password(file, "postgresql://db:6000/pki").as_deref(), Some("a:b\\c:d"));
        assert_eq!(password(file, "postgresql://other/pki").as_deref(), Some("one"));
        assert_eq!(password(file, "postgresql://third/pki").as_deref(), Some("last"));
        assert_eq!(password("localhost:5432:pki:issuer:s", "postgresql:///pki?host=/run").as_deref(), Some("s"));
        assert_eq!(password("db:5432:pki:other:s\nbroken", "postgresql://db/pki"), None);
    }
}
