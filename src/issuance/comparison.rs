//! A request compared with the certificate that was issued for it: every item is taken, changed or dropped, and reported.

use std::collections::BTreeSet;

use super::verified_csr::VerifiedCsr;
use crate::text;
use crate::x509::certificate::oid;
use crate::x509::{
    AttributeType, BasicConstraints, Certificate, DistinguishedName, Extension, GeneralName, SigningRequest,
};

/// One item that a request asked for, or that the certificate has in addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub kind: AskedKind,
    /// Which of its kind: `dns`, `organization`, an object identifier.
    pub what: String,
    /// The value in the request; `None` when the request does not have the item.
    pub asked: Option<String>,
    /// The value in the certificate; `None` when the certificate does not have the item.
    pub issued: Option<String>,
}

/// The kinds of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedKind {
    Key,
    /// A subject alternative name.
    Name,
    /// An attribute of the subject.
    Attribute,
    Extension,
    /// An attribute of the request itself, such as a challenge password.
    RequestAttribute,
}

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Taken,
    Changed,
    Dropped,
    /// The item is not in the request: a flag or the template added it.
    Added,
}

/// All items of a request and its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    pub items: Vec<Compared>,
    /// The subject of the request and that of the certificate, when their DER differs: in an attribute, in the order, or in the
    /// type of a string.
    pub subjects: Option<(String, String)>,
}

impl AskedKind {
    /// Returns the word for the kind in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Name => "name",
            Self::Attribute => "attribute",
            Self::Extension => "extension",
            Self::RequestAttribute => "request-attribute",
        }
    }
}

impl Fate {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Taken, Self::Changed, Self::Dropped, Self::Added];

    /// Returns the word for it in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Changed => "changed",
            Self::Dropped => "dropped",
            Self::Added => "added",
        }
    }
}

impl Compared {
    pub fn fate(&self) -> Fate {
        match (&self.asked, &self.issued) {
            (Some(asked), Some(issued)) if asked == issued => Fate::Taken,
            (Some(_), Some(_)) => Fate::Changed,
            (Some(_), None) => Fate::Dropped,
            (None, _) => Fate::Added,
        }
    }
}

impl Comparison {
    /// Compares a request with the certificate for it, signed or not.
    pub fn of(csr: &VerifiedCsr, certificate: &Certificate) -> Self {
        let request = csr.request();
        let key = Compared {
            kind: AskedKind::Key,
            what: request.public_key.kind().to_string(),
            asked: Some(text::hex(&csr.public_key().fingerprint())),
            issued: Some(text::hex(&certificate.public_key.fingerprint())),
        };
        let mut all = vec![key];
        all.extend(names(request, certificate));
        all.extend(attributes(&request.subject, &certificate.subject));
        let others = request.requested_extensions.iter().filter(|extension| extension.oid != oid::SUBJECT_ALT_NAME);
        all.extend(others.map(|extension| compare_extension(request, extension, certificate)));
        all.extend(request.other_attributes.iter().map(|oid| Compared {
            kind: AskedKind::RequestAttribute,
            what: oid.clone(),
            asked: Some("present".to_owned()),
            issued: None,
        }));
        let (asked, issued) = (&request.subject, &certificate.subject);
        let subjects = (asked.as_der() != issued.as_der()).then(|| (asked.to_string(), issued.to_string()));
        Self { items: all, subjects }
    }

    /// Returns the items to which this happened.
    pub fn with(&self, fate: Fate) -> impl Iterator<Item = &Compared> {
        self.items.iter().filter(move |compared| compared.fate() == fate)
    }

    /// Returns whether the certificate has exactly what was asked for: the key, the alternative names, the subject byte for byte,
    /// and every extension and attribute of the request.
    pub fn is_exact(&self) -> bool {
        self.subjects.is_none() && self.items.iter().all(|compared| compared.fate() == Fate::Taken)
    }
}

/// Compares the names that were asked for with those in the certificate.
fn names(request: &SigningRequest, certificate: &Certificate) -> Vec<Compared> {
    let mut granted: Vec<&GeneralName> = certificate.names().iter().collect();
    let mut compared = Vec::new();
    let mut seen = BTreeSet::new();
    for asked in request.subject_alt_names.iter().flatten() {
        let plain = plain(asked);
        if !seen.insert(plain.to_string()) {
            continue;
        }
        let issued = certificate.names().iter().find(|name| **name == plain);
        granted.retain(|name| **name != plain);
        compared.push(Compared {
            kind: AskedKind::Name,
            what: asked.kind().to_owned(),
            asked: Some(asked.value()),
            issued: issued.map(GeneralName::value),
        });
    }
    // Without the extension, the common name asks for a name, and is reported as an attribute.
    let common_name = request.subject.common_name().and_then(|name| name.parse::<GeneralName>().ok());
    let by_common_name = common_name.filter(|_| request.subject_alt_names.is_none());
    granted.retain(|name| Some(*name) != by_common_name.as_ref());
    compared.extend(granted.into_iter().map(|name| Compared {
        kind: AskedKind::Name,
        what: name.kind().to_owned(),
        asked: None,
        issued: Some(name.value()),
    }));
    compared
}

/// Returns a host name in the form that certificates use.
fn plain(name: &GeneralName) -> GeneralName {
    match name {
        GeneralName::Dns(_) | GeneralName::Email(_) => name.to_string().parse().unwrap_or_else(|_| name.clone()),
        _ => name.clone(),
    }
}

fn attributes(asked: &DistinguishedName, issued: &DistinguishedName) -> Vec<Compared> {
    let mut left: Vec<_> = issued.attributes().collect();
    // Equal attributes are paired first, so that each of two units is compared with its own.
    let same: Vec<bool> = asked
        .attributes()
        .map(|attribute| {
            let at = left.iter().position(|other| *other == attribute);
            at.map(|at| left.remove(at)).is_some()
        })
        .collect();
    let compare = |(attribute, same): (&crate::x509::Attribute, bool)| {
        let other = || left.iter().position(|other| other.kind == attribute.kind);
        let issued = if same { Some(attribute.value.clone()) } else { other().map(|at| left.remove(at).value.clone()) };
        // What was dropped was not checked.
        let issued = issued.map(|value| text::escape(&value));
        Compared {
            kind: AskedKind::Attribute,
            what: label(&attribute.kind),
            asked: Some(text::escape(&attribute.value)),
            issued,
        }
    };
    asked.attributes().zip(same).map(compare).collect()
}

fn label(kind: &AttributeType) -> String {
    kind.long_label().to_owned()
}

fn compare_extension(request: &SigningRequest, asked: &Extension, certificate: &Certificate) -> Compared {
    let issued = certificate.extension(&asked.oid);
    let described = |critical: bool, content: String| if critical { format!("critical, {content}") } else { content };
    let (what_asked, what_issued) = match asked.oid.as_str() {
        oid::BASIC_CONSTRAINTS => {
            (request.basic_constraints.map(constraints), certificate.basic_constraints.map(constraints))
        }
        oid::KEY_USAGE => {
            let list = |usage: crate::x509::KeyUsage| usage.names().join(", ");
            (request.key_usage.map(list), certificate.key_usage.map(list))
        }
        oid::EXTENDED_KEY_USAGE => {
            let list = |purposes: &Vec<crate::x509::ExtendedKeyUsage>| {
                let mut names: Vec<String> = purposes.iter().map(ToString::to_string).collect();
                names.sort();
                names.join(", ")
            };
            (request.extended_key_usage.as_ref().map(list), certificate.extended_key_usage.as_ref().map(list))
        }
        _ => (None, None),
    };
    let bytes = |extension: &Extension| shortened(&extension.value);
    Compared {
        kind: AskedKind::Extension,
        what: asked.oid.clone(),
        asked: Some(described(asked.critical, what_asked.unwrap_or_else(|| bytes(asked)))),
        issued: issued.map(|issued| described(issued.critical, what_issued.unwrap_or_else(|| bytes(issued)))),
    }
}

fn constraints(found: BasicConstraints) -> String {
    match found {
        BasicConstraints { ca: false, .. } => "CA:FALSE".to_owned(),
        BasicConstraints { ca: true, path_length: None } => "CA:TRUE".to_owned(),
        BasicConstraints { ca: true, path_length: Some(length) } => format!("CA:TRUE, path length {length}"),
    }
}

/// Returns the bytes in hexadecimal. Long values are cut and end with their digest, so that different values look
/// different.
fn shortened(bytes: &[u8]) -> String {
    const MOST: usize = 64;
    match bytes.split_at_checked(MOST) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} … (SHA-256 {})", text::hex(first), text::hex(&crate::x509::digest::sha256(bytes)))
        }
        _ => text::hex(bytes),
    }
}

impl Compared {
    /// `dropped: extension extended key usage: client-auth`.
    pub fn sentence(&self) -> String {
        format!("{}: {}", self.fate().word(), self.content())
    }

    /// Returns the sentence about the item, without what happened to it.
    pub fn content(&self) -> String {
        let kind = match self.kind {
            AskedKind::Key => return format!("the public key ({})", self.what),
            AskedKind::Name => "name",
            AskedKind::Attribute => "subject",
            AskedKind::Extension => "extension",
            AskedKind::RequestAttribute => return format!("attribute of the request: {}", self.shown()),
        };
        let what = self.shown();
        match (&self.asked, &self.issued) {
            (Some(asked), Some(issued)) if asked == issued => format!("{kind} {what}: {asked}"),
            (Some(asked), Some(issued)) => format!("{kind} {what}: {asked} → {issued}"),
            (Some(only), None) | (None, Some(only)) => format!("{kind} {what}: {only}"),
            (None, None) => format!("{kind} {what}"),
        }
    }

    /// Returns the name of the item, or the kind where it has no name.
    pub fn shown(&self) -> &str {
        /// Attributes of requests that occur in practice (RFC 2985 §5.4; Microsoft's certreq).
        const ATTRIBUTES: [(&str, &str); 5] = [
            ("1.2.840.113549.1.9.2", "unstructured name"),
            ("1.2.840.113549.1.9.7", "challenge password"),
            ("1.2.840.113549.1.9.8", "unstructured address"),
            ("1.3.6.1.4.1.311.13.2.3", "operating system version"),
            ("1.3.6.1.4.1.311.21.20", "client information"),
        ];
        match self.kind {
            AskedKind::Extension => oid::name(&self.what).unwrap_or(&self.what),
            AskedKind::RequestAttribute => {
                ATTRIBUTES.into_iter().find(|(oid, _)| *oid == self.what).map_or(self.what.as_str(), |(_, name)| name)
            }
            _ => &self.what,
        }
    }
}
