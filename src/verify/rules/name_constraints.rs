//! RFC 5280 §4.2.1.10, §6.1.3 (b), (c): the names of a certificate are within the name constraints of every CA above
//! it.

use crate::verify::budget::{Budget, MOST_COMPARISONS};
use crate::verify::candidate::Candidate;
use crate::verify::cert_path::CertPath;
use crate::verify::code::{Code, Rank};
use crate::verify::verdict::{Problem, Role};
use crate::x509::certificate::oid;
use crate::x509::name_constraints::{self, Subtree};
use crate::x509::uri_host::{is_plain_host, uri_host};
use crate::x509::{AttributeType, CanonicalName, GeneralName, der, mailbox};

pub const NAME_CONSTRAINT_VIOLATED: Code = Code {
    code: "name-constraint-violated",
    rank: Rank::NameConstraintViolated,
    citation: "RFC 5280 §4.2.1.10, §6.1.3 (b), (c)",
    requirement: "Every name of a certificate is within the name constraints of all CAs above it",
    example: "dns:web.other.test is not within what CN=Corp Root CA (root.pem#1) permits: dns:corp.test",
    fix: "issue the certificate without this name, or from a CA that may issue for it",
};

pub const NAME_CONSTRAINT_UNPROCESSABLE: Code = Code {
    code: "name-constraint-unprocessable",
    rank: Rank::Unranked,
    citation: "RFC 5280 §4.2.1.10",
    requirement: "A certificate is invalid if a name constraint on its kind of name cannot be processed",
    example: "uri:urn:uuid:1 cannot be compared with the constraint uri:corp.test of CN=Corp Root CA (root.pem#1)",
    fix: "issue the CA certificate again with constraints on DNS names, addresses, mailboxes, URIs or directory names",
};

/// The content of the OID of SmtpUTF8Mailbox, 1.3.6.1.5.5.7.8.9: a mailbox with characters beyond ASCII. Constraints on
/// mailboxes apply to it too (RFC 9598 §6), but comparing it is not implemented.
const SMTP_UTF8_MAILBOX: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 8, 9];

/// The number of bytes that cost as much of the budget as one comparison.
const BYTES_PER_COMPARISON: usize = 128;

/// Adds every name that is outside of the constraints of a CA above it.
pub fn check(path: &CertPath<'_>, budget: &Budget, problems: &mut Vec<Problem>) {
    for (above, ca) in path.certificates.iter().enumerate().filter(|(index, _)| path.role(*index) != Role::Leaf) {
        let Some(constraints) = Constraints::of(ca) else { continue };
        if let Some(reason) = &constraints.unprocessable {
            problems.push(Problem::error(&NAME_CONSTRAINT_UNPROCESSABLE, ca, reason.clone()));
        }
        for (index, candidate) in path.certificates.iter().enumerate().skip(above + 1) {
            if path.is_exempt(index) {
                continue;
            }
            if !budget.may_compare(constraints.price(candidate)) {
                let message =
                    format!("there are more than {MOST_COMPARISONS} pairs of a name and a constraint to compare");
                problems.push(Problem::error(&NAME_CONSTRAINT_UNPROCESSABLE, ca, message));
                return;
            }
            let names = names_of(candidate);
            if let Some(problem) = names.iter().find_map(|name| constraints.check_name(name, candidate, ca)) {
                problems.push(problem);
            }
        }
    }
}

/// The constraints of one CA, with their directory names prepared for comparison.
pub struct Constraints<'a> {
    permitted: Vec<Prepared<'a>>,
    excluded: Vec<Prepared<'a>>,
    unprocessable: Option<String>,
    /// The length of the extension.
    bytes: usize,
}

pub struct Prepared<'a> {
    pub subtree: &'a Subtree,
    directory: Option<CanonicalName>,
}

/// A name that constraints apply to.
pub struct Name {
    pub name: GeneralName,
    pub directory: Option<CanonicalName>,
}

/// Whether a name lies in a subtree.
#[derive(PartialEq, Eq)]
enum Relation {
    Inside,
    Outside,
    /// Unknown, because the name or the subtree is of a form that is not compared here.
    Unknown,
}

impl<'a> Constraints<'a> {
    pub fn of(ca: &'a Candidate) -> Option<Self> {
        let constraints = ca.certificate.name_constraints.as_ref()?;
        let prepare = |subtrees: &'a [Subtree]| {
            let directory = |subtree: &Subtree| match subtree {
                Subtree::Directory(name) => Some(CanonicalName::of(name)),
                _ => None,
            };
            subtrees.iter().map(|subtree| Prepared { subtree, directory: directory(subtree) }).collect()
        };
        let all = || constraints.permitted.iter().chain(&constraints.excluded);
        let unprocessable = if has_bounds(ca) {
            Some("a subtree has a minimum or maximum, which RFC 5280 does not use".to_owned())
        } else {
            all()
                .find(|subtree| subtree.has_sparse_mask())
                .map(|subtree| format!("the mask of the address block {subtree} has holes"))
        };
        Some(Self {
            permitted: prepare(&constraints.permitted),
            excluded: prepare(&constraints.excluded),
            unprocessable,
            bytes: ca.certificate.extension(oid::NAME_CONSTRAINTS).map_or(0, |extension| extension.value.len()),
        })
    }

    pub fn all(&self) -> impl Iterator<Item = &Prepared<'a>> {
        self.permitted.iter().chain(&self.excluded)
    }

    /// Returns how many comparisons the names of a certificate take; long names count more.
    fn price(&self, candidate: &Candidate) -> usize {
        let certificate = &candidate.certificate;
        let names = certificate.names().len() + certificate.subject.attributes().count();
        let (own, others) = (self.bytes, certificate.subject.as_der().len() + alternative_names(candidate));
        let subtrees = self.permitted.len() + self.excluded.len();
        names * subtrees.max(1) + (own.saturating_mul(names) + others.saturating_mul(subtrees)) / BYTES_PER_COMPARISON
    }

    pub fn check_name(&self, name: &Name, candidate: &Candidate, ca: &Candidate) -> Option<Problem> {
        let whose = format!("{} ({})", ca.certificate.subject, ca.position);
        let unknown = |subtree: &Subtree| {
            let message = format!("{} cannot be compared with the constraint {subtree} of {whose}", name.name);
            let problem = Problem::error(&NAME_CONSTRAINT_UNPROCESSABLE, candidate, message);
            match &name.name {
                // The constraint is at fault.
                _ if !is_comparable(subtree) => problem,
                GeneralName::Other { .. } => problem.hint("issue the certificate without this name"),
                GeneralName::Email(name) if mailbox::split(name).is_none() => {
                    problem.hint("issue the certificate with a mailbox in this place: LOCAL-PART@HOST, once")
                }
                _ => problem.hint(
                    "issue the certificate without this name, or with its host written plainly: letters, digits, '-' and \
                     single dots between them",
                ),
            }
        };
        for excluded in &self.excluded {
            match excluded.relation(name, true) {
                Relation::Inside => {
                    let message = format!("{} is in {}, which {whose} excludes", name.name, excluded.subtree);
                    return Some(Problem::error(&NAME_CONSTRAINT_VIOLATED, candidate, message));
                }
                Relation::Unknown => return Some(unknown(excluded.subtree)),
                Relation::Outside => {}
            }
        }
        let of_its_kind: Vec<_> = self.permitted.iter().filter(|permitted| permitted.is_of_kind(name)).collect();
        let relations: Vec<_> = of_its_kind.iter().map(|permitted| permitted.relation(name, false)).collect();
        if relations.is_empty() || relations.contains(&Relation::Inside) {
            return None;
        }
        if let Some(at) = relations.iter().position(|relation| *relation == Relation::Unknown) {
            return of_its_kind.get(at).map(|permitted| unknown(permitted.subtree));
        }
        let shown: Vec<_> = of_its_kind.iter().take(5).map(|permitted| permitted.subtree.to_string()).collect();
        let more = if of_its_kind.len() > 5 { format!(" and {} more", of_its_kind.len() - 5) } else { String::new() };
        let message = format!("{} is not within what {whose} permits: {}{more}", name.name, shown.join(", "));
        Some(Problem::error(&NAME_CONSTRAINT_VIOLATED, candidate, message))
    }
}

impl Prepared<'_> {
    fn is_of_kind(&self, name: &Name) -> bool {
        match (self.subtree, &name.name) {
            (Subtree::Other { tag, der }, GeneralName::Other { tag: found, der: value }) => {
                tag == found && type_of_other(*tag, der) == type_of_other(*tag, value)
            }
            (Subtree::Email(_), GeneralName::Other { tag, der }) => {
                type_of_other(*tag, der).is_some_and(|found| found == SMTP_UTF8_MAILBOX)
            }
            (Subtree::Other { .. }, _) | (_, GeneralName::Other { .. }) => false,
            (subtree, name) => subtree.kind() == name.kind(),
        }
    }

    fn relation(&self, name: &Name, excluding: bool) -> Relation {
        if !self.is_of_kind(name) {
            return Relation::Outside;
        }
        if !is_comparable(self.subtree) || !is_comparable_name(&name.name, self.subtree) {
            return Relation::Unknown;
        }
        let inside = match (self.subtree, &name.name) {
            (Subtree::Directory(_), _) => match (&name.directory, &self.directory) {
                (Some(name), Some(base)) => name.is_within(base),
                _ => return Relation::Unknown,
            },
            // A wildcard above an excluded subtree matches names inside of it.
            (Subtree::Dns(base), GeneralName::Dns(found)) if excluding && found.starts_with("*.") => {
                self.subtree.contains(&name.name) || is_one_label_below(base, &found[2..])
            }
            (subtree, name) if excluding => subtree.excludes(name),
            (subtree, name) => subtree.contains(name),
        };
        if inside { Relation::Inside } else { Relation::Outside }
    }
}

/// Returns the length of the extension with the alternative names.
fn alternative_names(candidate: &Candidate) -> usize {
    candidate.certificate.extension(oid::SUBJECT_ALT_NAME).map_or(0, |extension| extension.value.len())
}

/// Returns all names of a certificate that constraints apply to: alternative names, the subject, mailboxes in the
/// subject.
fn names_of(candidate: &Candidate) -> Vec<Name> {
    let certificate = &candidate.certificate;
    let mut names: Vec<Name> = certificate
        .names()
        .iter()
        .map(|name| Name {
            directory: match name {
                GeneralName::Directory(name) => Some(CanonicalName::of(name)),
                _ => None,
            },
            name: name.clone(),
        })
        .collect();
    if !names.iter().any(|name| matches!(name.name, GeneralName::Email(_))) {
        // RFC 5280 §4.2.1.10: emailAddress in the subject counts when there is no mailbox among the alternative names.
        let mailboxes = certificate.subject.attributes().filter(|it| it.kind == AttributeType::EmailAddress);
        names.extend(mailboxes.map(|it| Name { name: GeneralName::Email(it.value.clone()), directory: None }));
    }
    if !certificate.subject.is_empty() {
        let subject = GeneralName::Directory(certificate.subject.clone());
        names.push(Name { name: subject, directory: Some(candidate.subject.clone()) });
    }
    names
}

/// Returns the type of an `otherName`, since constraints on one type do not apply to another.
fn type_of_other(tag: u8, name: &[u8]) -> Option<Vec<u8>> {
    if tag != 0 {
        return None;
    }
    let (_, content, _) = der::split_first(name)?;
    let (_, identifier, _) = der::split_first(content)?;
    Some(identifier.to_vec())
}

/// Returns whether the wildcard `*.parent` matches `base`: exactly one label below `parent`.
fn is_one_label_below(base: &str, parent: &str) -> bool {
    let base = base.strip_prefix('.').unwrap_or(base);
    base.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
}

/// Returns whether a subtree is encoded like the names that it is compared with. Another encoding would contain no
/// name, and so exclude none.
fn is_comparable(subtree: &Subtree) -> bool {
    let above_or_host = |base: &str| is_plain_host(base.strip_prefix('.').unwrap_or(base));
    match subtree {
        // The empty subtree contains every name; other implementations read a single dot so too.
        Subtree::Dns(base) => matches!(base.as_str(), "" | ".") || above_or_host(base),
        Subtree::Email(base) => match base.rsplit_once('@') {
            Some((mailbox, host)) => is_plain_mailbox(mailbox) && is_plain_host(host),
            None => above_or_host(base),
        },
        Subtree::Uri(base) => above_or_host(base),
        Subtree::Ip { .. } | Subtree::Directory(_) => true,
        Subtree::Other { .. } => false,
    }
}

/// Returns whether all implementations agree which subtrees contain the name.
fn is_comparable_name(name: &GeneralName, subtree: &Subtree) -> bool {
    match name {
        GeneralName::Dns(name) => is_plain_host(name.strip_prefix("*.").unwrap_or(name)),
        // In what is not a mailbox, implementations find different hosts. An address in place of the host is below no host
        // name.
        GeneralName::Email(name) => mailbox::split(name).is_some_and(|(local, _)| {
            let by_mailbox = matches!(subtree, Subtree::Email(base) if base.contains('@'));
            !by_mailbox || is_plain_mailbox(local)
        }),
        // RFC 5280 §4.2.1.10: a URI without a host name, under a constraint on URIs, MUST be rejected.
        GeneralName::Uri(uri) => uri_host(uri).is_some(),
        GeneralName::Ip(_) | GeneralName::Directory(_) => true,
        GeneralName::Other { .. } => false,
    }
}

/// Returns whether a mailbox has one encoding only: quotes and backslashes allow several (RFC 5321 §4.1.2).
fn is_plain_mailbox(mailbox: &str) -> bool {
    !mailbox.is_empty() && !mailbox.contains(['"', '\\'])
}

/// RFC 5280 §4.2.1.10: "minimum MUST be zero, and maximum MUST be absent"; zero is the default, which DER leaves out.
fn has_bounds(ca: &Candidate) -> bool {
    let extension = ca.certificate.extension(oid::NAME_CONSTRAINTS);
    extension.is_some_and(|extension| !name_constraints::written_bounds(&extension.value).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{TestCert, empty_name, name, object_identifier};
    use crate::verify::tests::{TestPki, server};
    use crate::x509::{DistinguishedName, NameConstraints};

    fn errors(ca: TestCert, leaf: TestCert) -> Vec<&'static str> {
        TestPki::with(ca).case(leaf).errors()
    }

    #[test]
    fn what_is_no_mailbox_passes_no_constraint_on_mailboxes() {
        let errors =
            |ca: TestCert, mailbox: &str| errors(ca, server().general_names(&[GeneralName::Email(mailbox.to_owned())]));
        for permitted in ["email:corp.test", "email:.test"] {
            for wrong in ["a@evil.test@corp.test", "b@evil.test, a@corp.test", "@corp.test", "Alice <a@corp.test"] {
                let found = errors(TestCert::ca("A").permit(&[permitted]), wrong);
                assert_eq!(found, [NAME_CONSTRAINT_UNPROCESSABLE.code], "{permitted} {wrong}");
            }
        }
        // Nor is it known to be outside of what is excluded.
        let excluded = TestCert::ca("A").exclude(&["email:evil.test"]);
        assert_eq!(errors(excluded, "a@evil.test, b@corp.test"), [NAME_CONSTRAINT_UNPROCESSABLE.code]);
        // A quoted local part is a legal one.
        assert_eq!(errors(TestCert::ca("A").permit(&["email:corp.test"]), "\"a@evil.test\"@corp.test"), [""; 0]);
    }

    #[test]
    fn a_permitted_subtree_with_a_leading_dot_leaves_the_bare_domain_outside() {
        let dotted =
            || NameConstraints { permitted: vec![Subtree::Dns(".corp.test".to_owned())], excluded: Vec::new() };
        let errors = |name: &str| errors(TestCert::ca("A").name_constraints(&dotted()), server().names(&[name]));
        assert_eq!(errors("corp.test"), [NAME_CONSTRAINT_VIOLATED.code]);
        assert_eq!(errors("web.corp.test"), [""; 0]);
    }

    #[test]
    fn a_name_outside_of_what_is_permitted_or_inside_of_what_is_excluded_is_found() {
        let violated = [NAME_CONSTRAINT_VIOLATED.code];
        assert_eq!(errors(TestCert::ca("A").permit(&["other.test"]), server()), violated);
        assert_eq!(errors(TestCert::ca("A").exclude(&["corp.test"]), server()), violated);
        let wildcard = || server().names(&["*.corp.test"]);
        assert_eq!(errors(TestCert::ca("A").exclude(&["secret.corp.test"]), wildcard()), violated);
        // The wildcard matches one label, and so no name of the subtree.
        assert_eq!(errors(TestCert::ca("A").exclude(&["deep.secret.corp.test"]), wildcard()), [""; 0]);
    }

    #[test]
    fn a_constraint_that_cannot_be_processed_is_found() {
        let unprocessable = [NAME_CONSTRAINT_UNPROCESSABLE.code];
        let subtree = |fields: &[&[u8]]| {
            let list = der::value(der::context_constructed(0), &der::sequence(fields));
            TestCert::ca("A").extension(oid::NAME_CONSTRAINTS, true, der::sequence(&[&list]))
        };
        let dns = der::value(der::context(2), b"corp.test");
        assert_eq!(errors(subtree(&[&dns, &[0x80, 1, 1]]), server()), unprocessable);
        assert_eq!(errors(subtree(&[&dns, &[0x81, 1, 5]]), server()), unprocessable);
        let holes = der::value(der::context(7), &[10, 0, 0, 0, 255, 0, 255, 0]);
        assert_eq!(errors(subtree(&[&holes]), server()), unprocessable);
        // A registered identifier is a form that nothing here compares.
        let registered = der::value(der::context(8), &[0x2a, 3]);
        let other = GeneralName::Other { tag: 8, der: registered.clone() };
        assert_eq!(errors(subtree(&[&registered]), server().general_names(&[other])), unprocessable);
        assert_eq!(errors(subtree(&[&registered]), server()), [""; 0]);
        assert_eq!(
            errors(TestCert::ca("A").permit(&["uri:corp.test"]), server().names(&["urn:uuid:1"])),
            unprocessable
        );
    }

    #[test]
    fn a_mailbox_beyond_ascii_escapes_no_constraint_on_mailboxes() {
        let other = |arc: &str, mailbox: &str| {
            let value = der::value(der::context_constructed(0), &der::value(der::UTF8_STRING, mailbox.as_bytes()));
            let identifier = object_identifier(&format!("1.3.6.1.5.5.7.8.{arc}"));
            GeneralName::Other { tag: 0, der: der::constructed(der::context_constructed(0), &[&identifier, &value]) }
        };
        let leaf = |arc: &str| server().general_names(&[other(arc, "jürgen@corp.test")]);
        for ca in
            [|| TestCert::ca("A").permit(&["email:corp.test"]), || TestCert::ca("A").exclude(&["email:corp.test"])]
        {
            assert_eq!(errors(ca(), leaf("9")), [NAME_CONSTRAINT_UNPROCESSABLE.code]);
            // Another form of name.
            assert_eq!(errors(ca(), leaf("7")), [""; 0]);
        }
        assert_eq!(errors(TestCert::ca("A").permit(&["10.0.0.0/8"]), leaf("9")), [""; 0]);
    }

    #[test]
    fn a_name_that_is_spelled_otherwise_than_it_is_compared_escapes_no_constraint() {
        let (dns, email, uri) = (GeneralName::Dns, GeneralName::Email, GeneralName::Uri);
        for (subtree, odd) in [
            ("corp.test", dns("web.corp.test.".to_owned())),
            ("corp.test", dns("*.corp.test.".to_owned())),
            ("corp.test", dns("web.corp.test\0.a.test".to_owned())),
            ("corp.test", dns("wéb.corp.test".to_owned())),
            ("corp.test", dns(String::new())),
            ("email:corp.test", email("corp.test".to_owned())),
            ("email:corp.test", email("a@corp.test.".to_owned())),
            ("a@corp.test", email("\"a\"@corp.test".to_owned())),
            ("uri:corp.test", uri("https://corp.test./".to_owned())),
            ("uri:corp.test", uri("https://corp%2etest/".to_owned())),
            ("uri:corp.test", uri("https://corp.test\\@a.test/".to_owned())),
        ] {
            for ca in [TestCert::ca("A").permit(&[subtree]), TestCert::ca("A").exclude(&[subtree])] {
                let found = errors(ca, server().general_names(std::slice::from_ref(&odd)));
                assert!(found.contains(&NAME_CONSTRAINT_UNPROCESSABLE.code), "{odd:?}: {found:?}");
            }
        }
        let literal = server().general_names(&[email("a@[10.0.0.1]".to_owned())]);
        assert_eq!(errors(TestCert::ca("A").exclude(&["email:corp.test"]), literal), [""; 0]);
    }

    #[test]
    fn a_constraint_that_is_spelled_otherwise_than_names_are_excludes_no_less() {
        let (dns, email, uri) = (Subtree::Dns, Subtree::Email, Subtree::Uri);
        for (odd, name) in [
            (dns("corp.test.".to_owned()), "web.corp.test"),
            (dns("*.corp.test".to_owned()), "web.corp.test"),
            (dns("corp test".to_owned()), "web.corp.test"),
            (email(String::new()), "a@corp.test"),
            (email("@corp.test".to_owned()), "a@corp.test"),
            (uri(String::new()), "https://corp.test/"),
            (uri("https://corp.test".to_owned()), "https://corp.test/"),
            (uri("corp.test:443".to_owned()), "https://corp.test:443/"),
        ] {
            let constraints = NameConstraints { permitted: Vec::new(), excluded: vec![odd] };
            let found = errors(TestCert::ca("A").name_constraints(&constraints), server().names(&[name]));
            assert_eq!(found, [NAME_CONSTRAINT_UNPROCESSABLE.code], "{constraints:?}");
        }
    }

    #[test]
    fn names_within_and_names_of_other_kinds_are_right() {
        assert_eq!(errors(TestCert::ca("A").permit(&["corp.test"]), server()), [""; 0]);
        assert_eq!(errors(TestCert::ca("A").permit(&["10.0.0.0/8"]).exclude(&["other.test"]), server()), [""; 0]);
        assert_eq!(errors(TestCert::ca("A").permit(&["email:else.test"]), server()), [""; 0]);
        let directory = Subtree::Directory(DistinguishedName::from_der(&name("Else")).unwrap());
        let excluded = NameConstraints { permitted: Vec::new(), excluded: vec![directory] };
        assert_eq!(errors(TestCert::ca("A").name_constraints(&excluded), server()), [""; 0]);
    }

    /// All names that a wildcard matches must be permitted, and none may be excluded.
    #[test]
    fn a_wildcard_needs_every_name_that_it_stands_for() {
        let violated = [NAME_CONSTRAINT_VIOLATED.code];
        let wildcard = || server().names(&["*.corp.test"]);
        assert_eq!(errors(TestCert::ca("A").permit(&["web.corp.test"]), wildcard()), violated);
        assert_eq!(errors(TestCert::ca("A").permit(&["corp.test"]), wildcard()), [""; 0]);
        for (excluded, expected) in [
            ("corp.test", &violated[..]),
            ("test", &violated),
            ("web.corp.test", &violated),
            // What lies deeper it does not reach.
            ("a.web.corp.test", &[]),
            ("other.test", &[]),
            ("evilcorp.test", &[]),
        ] {
            assert_eq!(errors(TestCert::ca("A").exclude(&[excluded]), wildcard()), expected, "{excluded}");
        }
        // A name that is not a wildcard matches itself only.
        assert_eq!(errors(TestCert::ca("A").exclude(&["secret.corp.test"]), server().names(&["a.corp.test"])), [""; 0]);
    }

    /// RFC 5280 §4.2.1.10: such a URI MUST be rejected, whether its hosts are permitted or excluded.
    #[test]
    fn a_uri_without_a_host_name_cannot_be_held_against_constraints_on_uris() {
        let unprocessable = [NAME_CONSTRAINT_UNPROCESSABLE.code];
        for uri in ["urn:uuid:1", "file:///etc", "https://10.0.0.1/", "https://[::1]/", "https://user@:80/"] {
            let leaf = || server().general_names(&[GeneralName::Uri(uri.to_owned())]);
            assert_eq!(errors(TestCert::ca("A").permit(&["uri:corp.test"]), leaf()), unprocessable, "{uri}");
            assert_eq!(errors(TestCert::ca("A").exclude(&["uri:corp.test"]), leaf()), unprocessable, "{uri}");
            assert_eq!(errors(TestCert::ca("A").permit(&["corp.test"]), leaf()), [""; 0], "{uri}");
        }
    }

    #[test]
    fn the_issuer_refuses_every_uri_that_is_refused_here() {
        let constraints = [("uri:corp.test", true), ("uri:.corp.test", true), ("uri:corp.test", false)];
        let uris = [
            "https://corp.test/",
            "https://a.corp.test:8443/x",
            "https://evil.test/",
            "urn:uuid:1",
            "https://10.0.0.1/",
            "https://corp.test./",
            "https://corp%2etest/",
            "https://corp.test\\@evil.test/",
            "https://evil.test\\@corp.test/",
            "https://evil.test@corp.test/",
        ];
        for (subtree, is_permitted) in constraints {
            let parsed = vec![subtree.parse().unwrap()];
            let (permitted, excluded) = if is_permitted { (parsed, Vec::new()) } else { (Vec::new(), parsed) };
            let constraints = NameConstraints { permitted, excluded };
            for uri in uris {
                let name = GeneralName::Uri(uri.to_owned());
                let found = errors(
                    TestCert::ca("A").name_constraints(&constraints),
                    server().general_names(std::slice::from_ref(&name)),
                );
                assert_eq!(
                    constraints.check(&name).is_err(),
                    !found.is_empty(),
                    "{subtree} {is_permitted} {uri}: {found:?}"
                );
            }
        }
    }

    /// A constraint of a form that is not compared applies to names of its own form and type only.
    #[test]
    fn a_constraint_on_one_form_says_nothing_of_another() {
        let other_name = |kind: &str| {
            let value = der::value(der::context_constructed(0), &der::value(der::UTF8_STRING, b"x"));
            let der = der::value(der::context_constructed(0), &[object_identifier(kind), value].concat());
            GeneralName::Other { tag: 0, der }
        };
        let registered = |bytes: &[u8]| GeneralName::Other { tag: 8, der: der::value(der::context(8), bytes) };
        let x400 = GeneralName::Other { tag: 3, der: der::value(der::context_constructed(3), &[]) };
        let under = |constraint: &GeneralName, found: &GeneralName| {
            let GeneralName::Other { tag, der } = constraint.clone() else { unreachable!() };
            let excluded = vec![Subtree::Other { tag, der }];
            let ca = TestCert::ca("A").name_constraints(&NameConstraints { permitted: Vec::new(), excluded });
            errors(ca, server().general_names(std::slice::from_ref(found)))
        };
        let unprocessable = [NAME_CONSTRAINT_UNPROCESSABLE.code];
        assert_eq!(under(&other_name("1.2.3"), &other_name("1.2.3")), unprocessable);
        assert_eq!(under(&other_name("1.2.3"), &other_name("1.2.4")), [""; 0]);
        assert_eq!(under(&registered(&[0x2a, 3]), &registered(&[0x2a, 4])), unprocessable);
        assert_eq!(under(&registered(&[0x2a, 3]), &x400), [""; 0]);
    }

    /// RFC 5280 §4.2.1.10: a mailbox in the subject counts where there is none among the alternative names.
    #[test]
    fn a_mailbox_in_the_subject_counts_where_there_is_no_other() {
        let subject = [
            (AttributeType::CommonName, "web.corp.test".to_owned()),
            (AttributeType::EmailAddress, "ops@other.test".to_owned()),
        ];
        let subject = DistinguishedName::build(&subject).unwrap();
        let leaf = |names: &[&str]| server().subject(subject.as_der()).names(names);
        let ca = || TestCert::ca("A").permit(&["email:corp.test"]);
        assert_eq!(errors(ca(), leaf(&["web.corp.test"])), [NAME_CONSTRAINT_VIOLATED.code]);
        assert_eq!(errors(ca(), leaf(&["web.corp.test", "ops@corp.test"])), [""; 0]);
    }

    /// RFC 5280 §6.1.3 (b): "if the subject is non-empty"; §6.1.4 (g): the name constraints of a leaf have no effect.
    #[test]
    fn an_empty_subject_and_the_constraints_of_a_leaf_are_passed_over() {
        let permitted = vec![Subtree::Directory(DistinguishedName::from_der(&name("Corp")).unwrap())];
        let ca = || {
            TestCert::ca("A").name_constraints(&NameConstraints { permitted: permitted.clone(), ..Default::default() })
        };
        let nameless = server().subject(&empty_name()).critical(oid::SUBJECT_ALT_NAME, true);
        assert_eq!(errors(ca(), nameless), [""; 0]);
        assert_eq!(errors(ca(), server()), [NAME_CONSTRAINT_VIOLATED.code]);
        let dns = der::value(der::context(2), b"corp.test");
        let list = der::value(der::context_constructed(0), &der::sequence(&[&dns, &[0x80, 1, 1]]));
        let odd = server().extension(oid::NAME_CONSTRAINTS, true, der::sequence(&[&list]));
        assert_eq!(errors(TestCert::ca("A"), odd), [""; 0]);
    }
}
