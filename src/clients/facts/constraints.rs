//! Name constraints (RFC 5280 §4.2.1.10), and the names below them.

use std::rc::Rc;

use super::constraint_match::{Base, Constraints, Name, read};
use super::subject_alt_names::{self, DIRECTORY, DNS, EMAIL, IP, OTHER_NAME, REGISTERED_ID, URI};
use crate::clients::fact::{self, Found, Subject, Word, words};
use crate::clients::raw::{RawCertificate, RawExtension, extension};
use crate::clients::raw_name::EMAIL as EMAIL_ATTRIBUTE;
use crate::clients::situation::Chain;
use crate::x509::{GeneralName, host_like};

words! {
    CRITICAL = "nc:critical", CA, "has critical name constraints", "RFC 5280 §4.2.1.10";
    NOT_CRITICAL = "nc:not-critical", CA, "has name constraints that are not critical", "RFC 5280 §4.2.1.10";
    EMPTY = "nc:empty", CA, "has name constraints without any", "RFC 5280 §4.2.1.10";
    EMPTY_LIST = "nc:empty-list", CA, "has name constraints with an empty list", "RFC 5280 §4.2.1.10";
    UNREADABLE = "unreadable:nc", CA, "has name constraints that cannot be read", "RFC 5280 §4.2.1.10";
    LEADING_DOT = "nc:leading-dot", CA, "has a constraint for DNS names with a leading dot", "RFC 5280 §4.2.1.10";
    WILDCARD = "nc:wildcard-as-constraint", CA, "has a constraint for DNS names with a wildcard", "RFC 5280 §4.2.1.10";
    PERMIT_EVERYTHING = "nc:permit-dns-everything", CA, "permits every DNS name, by an empty subtree", "RFC 5280 §4.2.1.10";
    EXCLUDE_EVERYTHING = "nc:exclude-dns-everything", CA, "excludes every DNS name, by an empty subtree", "RFC 5280 §4.2.1.10";
    IP_LENGTH = "nc:ip-length", CA, "has an address block that is not of 8 or 32 bytes", "RFC 5280 §4.2.1.10";
    IP_MASK_HOLES = "nc:ip-mask-holes", CA, "has an address block whose mask is not a prefix", "RFC 5280 §4.2.1.10";
    IP_APPLIES = "nc:ip:applies", CA, "limits IP addresses, and the leaf has one", "RFC 5280 §4.2.1.10";
    IP_ONLY = "nc:ip-only-and-dns-name", CA, "permits IP addresses alone, and the leaf has a DNS name", "RFC 5280 §4.2.1.10";
    EMAIL_IN_SUBJECT = "nc:email-and-dn-email", CA, "limits mailboxes, and the leaf has another one in its subject", "RFC 5280 §4.2.1.10";
    MINIMUM_0 = "nc:minimum-0", CA, "writes out the minimum 0 of a subtree", "RFC 5280 §4.2.1.10";
    MINIMUM_OTHER = "nc:minimum-other", CA, "has a subtree with a minimum other than 0", "RFC 5280 §4.2.1.10";
    HOST_OUTSIDE = "nc:cn-host-outside", CA, "limits DNS names, and the common name of the leaf is a host outside", "RFC 5280 §4.2.1.10";
    HOST_OUTSIDE_WITHOUT_DNS = "nc:cn-host-outside-without-dns", CA,
        "limits DNS names, and the leaf has none but a common name that is a host outside", "RFC 5280 §4.2.1.10";
    NO_SAN_INSIDE = "nc:dns-and-no-san:cn-inside", CA, "limits DNS names, and the leaf has none but its common name, which is inside",
        "RFC 5280 §4.2.1.10";
    NO_SAN_OUTSIDE = "nc:dns-and-no-san:cn-outside", CA, "limits DNS names, and the leaf has none but its common name, which is outside",
        "RFC 5280 §4.2.1.10";
    DNS_BY_NAME = "nc:dns:exclude:violated-by-name", CA, "excludes a DNS name of the leaf by a subtree that is not empty",
        "RFC 5280 §6.1.3 (c)";
    DNS_WILDCARD_COVERS = "nc:dns:exclude:wildcard-covers", CA, "excludes a DNS name that a wildcard of the leaf covers",
        "RFC 5280 §4.2.1.10";
    DNS_UNDERSCORE = "nc:dns-and-underscore", CA, "limits DNS names, and the leaf has one with an underscore", "RFC 1034 §3.5";
    OTHER_BYTES = "nc:dirname:other-octets", CA, "limits directory names, and the leaf's subject has other bytes", "RFC 5280 §7.1";
    VIOLATED_BY_CA = "nc:violated-by-intermediate", CA, "has name constraints that an intermediate violates", "RFC 5280 §6.1.3 (b)";
    VIOLATED_BY_SELF_ISSUED = "nc:violated-by-self-issued", CA, "has name constraints that a self-issued intermediate violates",
        "RFC 5280 §6.1.3 (b)";
    MANY = "nc:many-comparisons", CA, "has name constraints that take more than 250,000 comparisons", "RFC 5280 §6.1.3";
    IN_LEAF = "nc:in-leaf", LEAF, "has critical name constraints", "RFC 5280 §4.2.1.10";
    IN_LEAF_NOT_CRITICAL = "nc:in-leaf-not-critical", LEAF, "has name constraints that are not critical", "RFC 5280 §4.2.1.10";
}

/// The words about the subtrees of one kind of name.
struct KindWords {
    kind: u8,
    /// `None` for the kinds that no client compares.
    critical: Option<Word>,
    permitted: ListWords,
    excluded: ListWords,
}

struct ListWords {
    kept: Word,
    violated: Word,
    no_such_name: Word,
    no_such_name_but_dns: Word,
    no_such_name_but_ip: Word,
}

const fn word(code: &'static str, meaning: &'static str) -> Word {
    Word { code, subjects: fact::CA, meaning, citation: "RFC 5280 §4.2.1.10" }
}

macro_rules! list_words {
    ($kind:literal, $list:literal, $verb:literal, $noun:literal, $kept:literal, $violated:literal) => {
        ListWords {
            kept: word(concat!("nc:", $kind, ":", $list, ":kept"), concat!($verb, " ", $noun, ", and ", $kept)),
            violated: word(
                concat!("nc:", $kind, ":", $list, ":violated"),
                concat!($verb, " ", $noun, ", and ", $violated),
            ),
            no_such_name: word(
                concat!("nc:", $kind, ":", $list, ":no-such-name"),
                concat!($verb, " ", $noun, ", and the leaf has no alternative names"),
            ),
            no_such_name_but_dns: word(
                concat!("nc:", $kind, ":", $list, ":no-such-name-but-dns"),
                concat!($verb, " ", $noun, ", and the leaf has none, but a DNS name"),
            ),
            no_such_name_but_ip: word(
                concat!("nc:", $kind, ":", $list, ":no-such-name-but-ip"),
                concat!($verb, " ", $noun, ", and the leaf has none, but an IP address"),
            ),
        }
    };
}

macro_rules! kind_words {
    ($tag:expr, $kind:literal, $noun:literal, $critical:expr) => {
        KindWords {
            kind: $tag,
            critical: $critical,
            permitted: list_words!(
                $kind,
                "permit",
                "permits",
                $noun,
                "all of the leaf are inside",
                "one of the leaf is outside"
            ),
            excluded: list_words!(
                $kind,
                "exclude",
                "excludes",
                $noun,
                "none of the leaf is inside",
                "one of the leaf is inside"
            ),
        }
    };
}

macro_rules! critical {
    ($kind:literal, $noun:literal) => {
        Some(word(concat!("nc:", $kind, ":critical"), concat!("has critical name constraints on ", $noun)))
    };
}

static KINDS: [KindWords; 7] = [
    kind_words!(DNS, "dns", "DNS names", critical!("dns", "DNS names")),
    kind_words!(IP, "ip", "IP addresses", critical!("ip", "IP addresses")),
    kind_words!(EMAIL, "email", "mailboxes", critical!("email", "mailboxes")),
    kind_words!(URI, "uri", "URIs", critical!("uri", "URIs")),
    kind_words!(DIRECTORY, "dirname", "directory names", critical!("dirname", "directory names")),
    kind_words!(OTHER_NAME, "othername", "names of another form", None),
    kind_words!(REGISTERED_ID, "rid", "registered identifiers", None),
];

/// Returns the words about kinds of names.
pub fn kind_words() -> impl Iterator<Item = &'static Word> {
    KINDS.iter().flat_map(|kind| {
        let lists = [&kind.permitted, &kind.excluded].into_iter().flat_map(|list| {
            [&list.kept, &list.violated, &list.no_such_name, &list.no_such_name_but_dns, &list.no_such_name_but_ip]
        });
        kind.critical.iter().chain(lists)
    })
}

/// Returns whether a word depends on the names below the constraints, and not on the constraints alone.
pub fn is_about_names(word: &Word) -> bool {
    let special: [&Word; 14] = [
        &IP_APPLIES,
        &IP_ONLY,
        &EMAIL_IN_SUBJECT,
        &HOST_OUTSIDE,
        &HOST_OUTSIDE_WITHOUT_DNS,
        &NO_SAN_INSIDE,
        &NO_SAN_OUTSIDE,
        &DNS_BY_NAME,
        &DNS_WILDCARD_COVERS,
        &DNS_UNDERSCORE,
        &OTHER_BYTES,
        &VIOLATED_BY_CA,
        &VIOLATED_BY_SELF_ISSUED,
        &MANY,
    ];
    let lists = KINDS.iter().flat_map(|kind| [&kind.permitted, &kind.excluded]);
    let mut of_lists = lists.flat_map(|list| {
        [&list.kept, &list.violated, &list.no_such_name, &list.no_such_name_but_dns, &list.no_such_name_but_ip]
    });
    special.iter().any(|known| known.code == word.code) || of_lists.any(|known| known.code == word.code)
}

/// The most comparisons of a name with a subtree; Go and webpki stop there too.
const MOST_COMPARISONS: usize = 250_000;

pub fn find(chain: &Chain<'_>, found: &mut Found) {
    of_path(&chain.path, chain.is_complete, found);
}

/// Finds the constraints of a path, and the names below them.
pub fn of_path(path: &[Rc<RawCertificate<'_>>], is_complete: bool, found: &mut Found) {
    let Some(leaf) = path.first() else { return };
    if let Some(extension) = leaf.extension(extension::NAME_CONSTRAINTS) {
        found.add(Subject::Leaf, if extension.critical { &IN_LEAF } else { &IN_LEAF_NOT_CRITICAL });
    }
    if path.iter().skip(1).all(|ca| ca.extension(extension::NAME_CONSTRAINTS).is_none()) {
        return;
    }
    let names = Names::of(leaf);
    let last = path.len() - 1;
    for (index, ca) in path.iter().enumerate().skip(1) {
        let Some(extension) = ca.extension(extension::NAME_CONSTRAINTS) else { continue };
        let subject = if is_complete && index == last { Subject::Root } else { Subject::Intermediate };
        let Some(constraints) = read_for(subject, extension, found) else { continue };
        let bases = constraints.permitted.len() + constraints.excluded.len();
        if bases.saturating_mul(names.all.len()) > MOST_COMPARISONS {
            found.add(subject, &MANY);
            continue;
        }
        form(subject, &constraints, found);
        for kind in &KINDS {
            by_kind(subject, kind, extension.critical, &constraints, &names, found);
        }
        special(subject, leaf, &constraints, &names, found);
        intermediates(subject, &path[1..index], &constraints, found);
    }
}

/// Finds what a certificate shows without the names below it; of the words about names it has some that do not apply.
pub fn of_certificate(subject: Subject, certificate: &RawCertificate<'_>, found: &mut Found) {
    let Some(extension) = certificate.extension(extension::NAME_CONSTRAINTS) else { return };
    if subject == Subject::Leaf {
        return found.add(subject, if extension.critical { &IN_LEAF } else { &IN_LEAF_NOT_CRITICAL });
    }
    let Some(constraints) = read_for(subject, extension, found) else { return };
    form(subject, &constraints, found);
    let names = Names { has_extension: false, all: Vec::new() };
    for kind in &KINDS {
        by_kind(subject, kind, extension.critical, &constraints, &names, found);
    }
}

/// Reads the constraints of a CA, and finds whether there are any.
fn read_for<'a>(subject: Subject, extension: &RawExtension<'a>, found: &mut Found) -> Option<Constraints<'a>> {
    let Some(constraints) = read(extension.value) else {
        found.add(subject, &UNREADABLE);
        return None;
    };
    let is_limiting = !constraints.permitted.is_empty() || !constraints.excluded.is_empty();
    if is_limiting {
        found.add(subject, if extension.critical { &CRITICAL } else { &NOT_CRITICAL });
    } else if constraints.has_permitted || constraints.has_excluded {
        found.add(subject, &EMPTY_LIST);
    } else {
        found.add(subject, &EMPTY);
    }
    Some(constraints)
}

/// The names of the leaf that constraints limit.
struct Names<'a> {
    has_extension: bool,
    all: Vec<Name<'a>>,
}

impl<'a> Names<'a> {
    fn of(leaf: &RawCertificate<'a>) -> Self {
        let alternative = subject_alt_names::names(leaf);
        let has_extension = alternative.is_some();
        let alternative = alternative.unwrap_or_default().into_iter().map(|(kind, content)| Name::new(kind, content));
        let subject = (!leaf.subject.is_empty()).then(|| Name::new(DIRECTORY, leaf.subject.der));
        Self { has_extension, all: alternative.chain(subject).collect() }
    }

    fn of_kind(&self, kind: u8) -> impl Iterator<Item = &Name<'a>> {
        self.all.iter().filter(move |name| name.kind == kind)
    }

    fn has(&self, kind: u8) -> bool {
        self.of_kind(kind).next().is_some()
    }
}

/// The form of the subtrees.
fn form(subject: Subject, constraints: &Constraints<'_>, found: &mut Found) {
    let bases = || constraints.permitted.iter().chain(&constraints.excluded);
    let dns = |check: &dyn Fn(&[u8]) -> bool| bases().any(|base| base.kind == DNS && check(base.content));
    let ip = |check: &dyn Fn(&Base<'_>) -> bool| bases().any(|base| base.kind == IP && check(base));
    let is_everything = |base: &Base<'_>| base.kind == DNS && base.content.is_empty();
    let has_length = |base: &Base<'_>| matches!(base.content.len(), 8 | 32);
    let is_zero = |minimum: &[u8]| minimum.iter().all(|byte| *byte == 0);
    found.add_if(dns(&|base| base.starts_with(b".")), subject, &LEADING_DOT);
    found.add_if(dns(&|base| base.contains(&b'*')), subject, &WILDCARD);
    found.add_if(constraints.permitted.iter().any(is_everything), subject, &PERMIT_EVERYTHING);
    found.add_if(constraints.excluded.iter().any(is_everything), subject, &EXCLUDE_EVERYTHING);
    found.add_if(ip(&|base| !has_length(base)), subject, &IP_LENGTH);
    found.add_if(ip(&|base| has_length(base) && base.has_holes()), subject, &IP_MASK_HOLES);
    found.add_if(bases().any(|base| base.minimum.is_some_and(is_zero)), subject, &MINIMUM_0);
    found.add_if(bases().any(|base| base.minimum.is_some_and(|minimum| !is_zero(minimum))), subject, &MINIMUM_OTHER);
}

fn by_kind(
    subject: Subject,
    words: &'static KindWords,
    is_critical: bool,
    constraints: &Constraints<'_>,
    names: &Names<'_>,
    found: &mut Found,
) {
    let of_kind = |bases: &'_ [Base<'_>]| bases.iter().any(|base| base.kind == words.kind);
    let (permits, excludes) = (of_kind(&constraints.permitted), of_kind(&constraints.excluded));
    if let Some(critical) = &words.critical {
        found.add_if(is_critical && (permits || excludes), subject, critical);
    }
    let within =
        |bases: &[Base<'_>], name: &Name<'_>| bases.iter().any(|base| base.kind == name.kind && base.contains(name));
    // No client compares the names of these kinds, so none of them is outside.
    let is_compared = words.critical.is_some();
    let is_outside = |name: &Name<'_>| is_compared && !within(&constraints.permitted, name);
    let is_excluded = |name: &Name<'_>| is_compared && within(&constraints.excluded, name);
    for (applies, list, is_violated) in [
        (permits, &words.permitted, names.of_kind(words.kind).any(is_outside)),
        (excludes, &words.excluded, names.of_kind(words.kind).any(is_excluded)),
    ] {
        if !applies {
            continue;
        }
        let word = if names.has(words.kind) {
            if is_violated { &list.violated } else { &list.kept }
        } else if names.has(DNS) {
            &list.no_such_name_but_dns
        } else if names.has(IP) {
            &list.no_such_name_but_ip
        } else {
            &list.no_such_name
        };
        found.add(subject, word);
    }
}

fn special(
    subject: Subject,
    leaf: &RawCertificate<'_>,
    constraints: &Constraints<'_>,
    names: &Names<'_>,
    found: &mut Found,
) {
    let (permitted, excluded) = (&constraints.permitted, &constraints.excluded);
    let permits = |kind: u8| permitted.iter().any(|base| base.kind == kind);
    let excluding = || excluded.iter().filter(|base| base.kind == DNS && !base.content.is_empty());
    let dns = || names.of_kind(DNS).map(|name| name.content);
    found.add_if(excluding().any(|base| dns().any(|name| base.contains_dns(name))), subject, &DNS_BY_NAME);
    let covers = excluding().any(|base| dns().any(|name| base.is_covered_by_wildcard(name)));
    found.add_if(covers, subject, &DNS_WILDCARD_COVERS);
    found.add_if(permits(DNS) && dns().any(|name| name.contains(&b'_')), subject, &DNS_UNDERSCORE);
    found.add_if(permits(IP) && names.has(IP), subject, &IP_APPLIES);
    let ip_alone = permits(IP) && permitted.iter().all(|base| base.kind == IP);
    found.add_if(ip_alone && names.has(DNS), subject, &IP_ONLY);
    let has_bytes = |name: &Name<'_>| permitted.iter().any(|base| base.contains_bytes(name));
    found.add_if(permits(DIRECTORY) && !names.of_kind(DIRECTORY).all(has_bytes), subject, &OTHER_BYTES);
    let mut mailboxes = leaf.subject.attributes().filter(|attribute| attribute.oid == EMAIL_ATTRIBUTE);
    let is_permitted =
        |mailbox: &[u8]| permitted.iter().any(|base| base.kind == EMAIL && base.contains(&Name::new(EMAIL, mailbox)));
    let outside = permits(EMAIL) && mailboxes.any(|mailbox| !is_permitted(mailbox.value));
    found.add_if(outside, subject, &EMAIL_IN_SUBJECT);
    if permits(DNS) {
        let hosts = leaf.subject.common_names().flat_map(|name| host_like::names_in(&name));
        let mut hosts = hosts.filter_map(|name| match name {
            GeneralName::Dns(host) => Some(host),
            _ => None,
        });
        let is_outside =
            |host: String| !permitted.iter().any(|base| base.kind == DNS && base.contains_dns(host.as_bytes()));
        let is_host_outside = hosts.any(is_outside);
        match names.has_extension {
            true if names.has(DNS) => found.add_if(is_host_outside, subject, &HOST_OUTSIDE),
            true => found.add_if(is_host_outside, subject, &HOST_OUTSIDE_WITHOUT_DNS),
            false => found.add(subject, if is_host_outside { &NO_SAN_OUTSIDE } else { &NO_SAN_INSIDE }),
        }
    }
}

/// The names of the intermediates below (RFC 5280 §6.1.3 (b)), which exempts self-issued ones.
fn intermediates(subject: Subject, below: &[Rc<RawCertificate<'_>>], constraints: &Constraints<'_>, found: &mut Found) {
    let (permitted, excluded) = (&constraints.permitted, &constraints.excluded);
    let is_violated = |name: &Name<'_>| {
        let mut limits = permitted.iter().filter(|base| base.kind == name.kind).peekable();
        limits.peek().is_some() && !limits.any(|base| base.contains(name))
            || excluded.iter().any(|base| base.kind == name.kind && base.contains(name))
    };
    for ca in below.iter().filter(|ca| Names::of(ca).all.iter().any(is_violated)) {
        found.add(subject, if ca.is_self_issued() { &VIOLATED_BY_SELF_ISSUED } else { &VIOLATED_BY_CA });
    }
}
