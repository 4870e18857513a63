//! Name constraints (RFC 5280 §4.2.1.10): the names that a CA may issue certificates for.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::IpNet;

use super::general_name::{self, GeneralNameError};
use super::uri_host::uri_host;
use super::{DistinguishedName, GeneralName, der};
use crate::text;

/// The extension. Excluded names win over permitted ones.
///
/// Names of a kind for which no subtree is permitted are not restricted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameConstraints {
    pub permitted: Vec<Subtree>,
    pub excluded: Vec<Subtree>,
}

/// A set of names of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subtree {
    /// The host and everything below it; empty for every host. With a leading dot, which RFC 5280 does not define, a
    /// permitted one has only what is below, and an excluded one the host too: the narrow reading.
    Dns(String),
    /// The addresses that equal `address` in the bits of `mask`; both of one family.
    Ip { address: IpAddr, mask: IpAddr },
    /// One mailbox (`a@b`), all mailboxes on a host (`b`), or on all hosts below it (`.b`).
    Email(String),
    /// The host of a URI (`b`), or all hosts below it (`.b`).
    Uri(String),
    /// All directory names that begin with this one.
    Directory(DistinguishedName),
    /// A kind that this program cannot compare: the number of its tag and its DER.
    Other { tag: u8, der: Vec<u8> },
}

/// Why a name is outside the constraints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation<'a> {
    /// Subtrees of this kind are permitted, and the name is in none of them.
    NotPermitted(Vec<&'a Subtree>),
    /// The name is in this excluded subtree.
    Excluded(&'a Subtree),
    /// The name is a URI without a host name, which cannot be compared with this subtree.
    WithoutHost(&'a Subtree),
}

impl NameConstraints {
    pub fn is_empty(&self) -> bool {
        self.permitted.is_empty() && self.excluded.is_empty()
    }

    /// Checks a name, and returns the first violation (RFC 5280 §6.1.4 (g): exclusion wins).
    pub fn check(&self, name: &GeneralName) -> Result<(), Violation<'_>> {
        if let Some(subtree) = self.excluded.iter().find(|subtree| subtree.excludes(name)) {
            return Err(Violation::Excluded(subtree));
        }
        // Constraints on other names are not read: every other name counts as one of their kind.
        let kind = if matches!(name, GeneralName::Other { .. }) { "other" } else { name.kind() };
        let of_its_kind: Vec<_> = self.permitted.iter().filter(|subtree| subtree.kind() == kind).collect();
        if !of_its_kind.is_empty() && !of_its_kind.iter().any(|subtree| subtree.contains(name)) {
            return Err(Violation::NotPermitted(of_its_kind));
        }
        // "When a constraint is imposed on URIs, a certificate with a URI without a host name MUST be rejected" (§4.2.1.10).
        let without_host = matches!(name, GeneralName::Uri(uri) if uri_host(uri).is_none());
        match self.excluded.iter().find(|subtree| without_host && matches!(subtree, Subtree::Uri(_))) {
            Some(subtree) => Err(Violation::WithoutHost(subtree)),
            None => Ok(()),
        }
    }

    /// Returns the DER of the extension's value.
    pub fn to_der(&self) -> Vec<u8> {
        let subtrees = |tag, subtrees: &[Subtree]| match subtrees {
            [] => Vec::new(),
            some => {
                let encoded: Vec<_> = some.iter().map(|subtree| der::sequence(&[&subtree.to_der()])).collect();
                der::constructed(der::context_constructed(tag), &encoded.iter().map(Vec::as_slice).collect::<Vec<_>>())
            }
        };
        der::sequence(&[&subtrees(0, &self.permitted), &subtrees(1, &self.excluded)])
    }
}

/// Returns the bounds that are written in the value of a name constraints extension, each as its tag and its content:
/// `[0]` is a minimum, `[1]` a maximum. RFC 5280 §4.2.1.10 has no use for them.
pub fn written_bounds(value: &[u8]) -> Vec<(u8, &[u8])> {
    let children =
        |value| der::split_first(value).and_then(|(_, content, _)| der::children(content)).unwrap_or_default();
    let subtrees = children(value).into_iter().flat_map(children);
    let bounds = subtrees.flat_map(|subtree| children(subtree).into_iter().skip(1));
    bounds.filter_map(|bound| der::split_first(bound).map(|(tag, content, _)| (tag, content))).collect()
}

impl Subtree {
    /// Returns whether the mask of an address block is not a prefix.
    pub fn has_sparse_mask(&self) -> bool {
        match self {
            Self::Ip { mask: IpAddr::V4(mask), .. } => mask.to_bits().leading_ones() != mask.to_bits().count_ones(),
            Self::Ip { mask: IpAddr::V6(mask), .. } => mask.to_bits().leading_ones() != mask.to_bits().count_ones(),
            _ => false,
        }
    }

    /// Returns the kind of its names, as [`GeneralName::kind`].
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) => "dns",
            Self::Ip { .. } => "ip",
            Self::Email(_) => "email",
            Self::Uri(_) => "uri",
            Self::Directory(_) => "directory",
            Self::Other { .. } => "other",
        }
    }

    /// Returns whether `name` is of this kind and in the subtree.
    pub fn contains(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(base), GeneralName::Dns(name)) => match base.strip_prefix('.') {
                Some(_) => host_matches(name, base),
                None => is_at_or_below(name, base),
            },
            (Self::Ip { address, mask }, GeneralName::Ip(name)) => masked(*name, *mask) == masked(*address, *mask),
            (Self::Email(base), GeneralName::Email(name)) => match base.rsplit_once('@') {
                // The mailbox is compared exactly, the host without regard to case (RFC 5280 §7.5).
                Some((local, host)) => {
                    name.rsplit_once('@').is_some_and(|(l, h)| l == local && h.eq_ignore_ascii_case(host))
                }
                None => name.rsplit_once('@').is_some_and(|(_, host)| host_matches(host, base)),
            },
            (Self::Uri(base), GeneralName::Uri(name)) => uri_host(name).is_some_and(|host| host_matches(host, base)),
            (Self::Directory(base), GeneralName::Directory(name)) => {
                name.relative_names().starts_with(base.relative_names())
            }
            _ => false,
        }
    }

    /// Returns whether it excludes a name when it is an excluded subtree. An IPv4 address that is written as IPv6
    /// (`::ffff:10.0.0.1`, RFC 4291 §2.5.5.2) is that IPv4 address to the programs that connect to it, so both forms are
    /// excluded by a block in either form.
    pub fn excludes(&self, name: &GeneralName) -> bool {
        let is_mapped = || match (self.as_ipv4(), name) {
            (Some((address, mask)), GeneralName::Ip(name)) => {
                ipv4_of(*name).is_some_and(|name| name.to_bits() & mask.to_bits() == address.to_bits() & mask.to_bits())
            }
            _ => false,
        };
        let is_bare = || match (self, name) {
            (Self::Dns(base), GeneralName::Dns(name)) => {
                base.strip_prefix('.').is_some_and(|base| name.eq_ignore_ascii_case(base))
            }
            _ => false,
        };
        self.contains(name) || is_mapped() || is_bare()
    }

    /// Returns the block as a block of IPv4 addresses; `None` when it has other addresses too.
    fn as_ipv4(&self) -> Option<(Ipv4Addr, Ipv4Addr)> {
        match self {
            Self::Ip { address: IpAddr::V4(address), mask: IpAddr::V4(mask) } => Some((*address, *mask)),
            Self::Ip { address: IpAddr::V6(address), mask: IpAddr::V6(mask) }
                if mask.to_bits() >> 32 == u128::MAX >> 32 =>
            {
                Some((address.to_ipv4_mapped()?, Ipv4Addr::from_bits(mask.to_bits() as u32)))
            }
            _ => None,
        }
    }

    /// Returns whether every name in it is also in `wider`; `false` when that is unknown.
    pub fn is_within(&self, wider: &Self) -> bool {
        match (self, wider) {
            (Self::Dns(own), Self::Dns(base)) => match own.strip_prefix('.') {
                Some(own) => is_at_or_below(own, base.strip_prefix('.').unwrap_or(base)),
                None => wider.contains(&GeneralName::Dns(own.clone())),
            },
            (Self::Ip { address, mask }, Self::Ip { mask: wider_mask, .. }) => {
                masked(*mask, *wider_mask) == Some(bytes(*wider_mask)) && wider.contains(&GeneralName::Ip(*address))
            }
            (Self::Email(own), Self::Email(base)) | (Self::Uri(own), Self::Uri(base)) => {
                let host = own.rsplit_once('@').map_or(own.as_str(), |(_, host)| host);
                let below = base
                    .strip_prefix('.')
                    .is_some_and(|_| host.to_ascii_lowercase().ends_with(&base.to_ascii_lowercase()));
                own.eq_ignore_ascii_case(base) || below || host.eq_ignore_ascii_case(base)
            }
            _ => self == wider,
        }
    }

    fn to_der(&self) -> Vec<u8> {
        match self {
            Self::Email(base) => der::value(der::context(1), base.as_bytes()),
            Self::Dns(base) => der::value(der::context(2), base.as_bytes()),
            Self::Directory(base) => der::value(der::context_constructed(4), base.as_der()),
            Self::Uri(base) => der::value(der::context(6), base.as_bytes()),
            Self::Ip { address, mask } => der::value(der::context(7), &[bytes(*address), bytes(*mask)].concat()),
            Self::Other { der, .. } => der.clone(),
        }
    }
}

/// The form of the command line: `corp.test`, `10.0.0.0/8`, `email:corp.test`, `uri:.corp.test`.
impl fmt::Display for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(base) => write!(f, "dns:{}", text::escape(base)),
            Self::Email(base) => write!(f, "email:{}", text::escape(base)),
            Self::Uri(base) => write!(f, "uri:{}", text::escape(base)),
            Self::Directory(base) => write!(f, "directory:{base}"),
            Self::Ip { address, mask } => match IpNet::with_netmask(*address, *mask) {
                Ok(network) => write!(f, "ip:{network}"),
                Err(_) => write!(f, "ip:{address}/{mask}"),
            },
            Self::Other { tag, der } => write!(f, "[{tag}] {}", text::hex(der)),
        }
    }
}

/// Why a text is not a constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubtreeError {
    #[error(transparent)]
    Name(#[from] GeneralNameError),
    #[error("'{}' has bits set outside its prefix: did you mean {network}?", text::escape(given))]
    HostBits { given: String, network: IpNet },
    #[error("'{}' is not an address block: expected for example 10.0.0.0/8 or 2001:db8::/32", text::escape(.0))]
    Block(String),
    #[error("'{}': a constraint on DNS names covers all names below it; write '{without}'", text::escape(given))]
    Wildcard { given: String, without: String },
    #[error("'{}': a constraint on URIs covers those of a host: give uri: and its name, without scheme and path", text::escape(.0))]
    UriHost(String),
}

impl FromStr for Subtree {
    type Err = SubtreeError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let (forced, value) = match given.split_once(':') {
            Some((prefix, value)) if matches!(prefix.to_ascii_lowercase().as_str(), "dns" | "ip" | "email" | "uri") => {
                (prefix.to_ascii_lowercase(), value)
            }
            _ => (String::new(), given),
        };
        match forced.as_str() {
            "dns" => dns_subtree(value),
            "ip" => ip_subtree(value),
            "email" => email_subtree(value),
            "uri" => uri_subtree(value),
            _ if value.contains("://") => uri_subtree(value),
            _ if value.parse::<IpAddr>().is_ok() || value.contains('/') => ip_subtree(value),
            _ if value.contains('@') => email_subtree(value),
            _ => dns_subtree(value),
        }
    }
}

fn dns_subtree(given: &str) -> Result<Subtree, SubtreeError> {
    if let Some(without) = given.strip_prefix("*.") {
        return Err(SubtreeError::Wildcard { given: given.to_owned(), without: without.to_owned() });
    }
    // Many users write a leading dot for "everything below"; RFC 5280 has none.
    Ok(Subtree::Dns(general_name::dns(given.strip_prefix('.').unwrap_or(given))?))
}

fn ip_subtree(given: &str) -> Result<Subtree, SubtreeError> {
    let network = match given.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => given.parse::<IpNet>().map_err(|_| SubtreeError::Block(given.to_owned()))?,
    };
    if network != network.trunc() {
        return Err(SubtreeError::HostBits { given: given.to_owned(), network: network.trunc() });
    }
    Ok(Subtree::Ip { address: network.network(), mask: network.netmask() })
}

fn email_subtree(given: &str) -> Result<Subtree, SubtreeError> {
    if let Some(("", host)) = given.rsplit_once('@') {
        return Ok(Subtree::Email(general_name::dns(host)?));
    }
    if given.contains('@') {
        return match format!("email:{given}").parse()? {
            GeneralName::Email(mailbox) => Ok(Subtree::Email(mailbox)),
            _ => Err(SubtreeError::Name(GeneralNameError::Email { name: given.to_owned(), reason: "it has no '@'" })),
        };
    }
    host_or_below(given).map(Subtree::Email)
}

fn uri_subtree(given: &str) -> Result<Subtree, SubtreeError> {
    if given.contains('/') {
        return Err(SubtreeError::UriHost(given.to_owned()));
    }
    host_or_below(given).map(Subtree::Uri)
}

fn host_or_below(given: &str) -> Result<String, SubtreeError> {
    Ok(match given.strip_prefix('.') {
        Some(host) => format!(".{}", general_name::dns(host)?),
        None => general_name::dns(given)?,
    })
}

fn is_at_or_below(name: &str, base: &str) -> bool {
    base.is_empty()
        || name.eq_ignore_ascii_case(base)
        || name.len() > base.len()
            && name.is_char_boundary(name.len() - base.len())
            && name[name.len() - base.len()..].eq_ignore_ascii_case(base)
            && name[..name.len() - base.len()].ends_with('.')
}

/// Returns whether a host matches a constraint on e-mail addresses or URIs. With a leading dot, only hosts below it match
/// (RFC 5280 §4.2.1.10).
fn host_matches(host: &str, base: &str) -> bool {
    match base.strip_prefix('.') {
        Some(above) => !host.eq_ignore_ascii_case(above) && is_at_or_below(host, above),
        None => host.eq_ignore_ascii_case(base),
    }
}

fn bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn ipv4_of(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(address) => address.to_ipv4_mapped(),
    }
}

fn masked(address: IpAddr, mask: IpAddr) -> Option<Vec<u8>> {
    let (address, mask) = (bytes(address), bytes(mask));
    (address.len() == mask.len()).then(|| address.iter().zip(mask).map(|(byte, mask)| byte & mask).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(subtree: &str, name: &str) -> bool {
        subtree.parse::<Subtree>().unwrap().contains(&name.parse().unwrap())
    }

    #[test]
    fn a_dns_subtree_holds_the_host_and_everything_below_it() {
        assert!(contains("corp.test", "corp.test"));
        assert!(contains(".corp.test", "web.corp.test"));
        assert!(contains("corp.test", "*.a.corp.test"));
        assert!(!contains("corp.test", "evilcorp.test"));
        assert!(!contains("corp.test", "web.evil.test"));
        assert!(!contains("corp.test", "10.0.0.1"));
    }

    #[test]
    fn an_address_block_holds_its_family_only() {
        assert!(contains("10.0.0.0/8", "10.200.3.4"));
        assert!(!contains("10.0.0.0/8", "11.0.0.1"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("2001:db8::/32", "2001:db8::1"));
        assert!(contains("192.0.2.1", "192.0.2.1"));
    }

    /// What connects to `::ffff:10.0.0.1` connects to 10.0.0.1.
    #[test]
    fn a_block_excludes_its_ipv4_addresses_in_both_forms() {
        let excludes = |subtree: &str, name: &str| subtree.parse::<Subtree>().unwrap().excludes(&name.parse().unwrap());
        for (subtree, name) in [
            ("10.0.0.0/8", "::ffff:10.0.0.1"),
            ("::ffff:10.0.0.0/104", "10.200.0.1"),
            ("::ffff:10.0.0.0/104", "::ffff:10.200.0.1"),
            ("::ffff:0:0/96", "192.0.2.1"),
            ("0.0.0.0/0", "::ffff:192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::/0", "::ffff:10.0.0.1"),
        ] {
            assert!(excludes(subtree, name), "{subtree} {name}");
        }
        for (subtree, name) in [
            ("10.0.0.0/8", "::ffff:11.0.0.1"),
            ("10.0.0.0/8", "::10.0.0.1"),
            // A block of IPv6 addresses beside the mapped ones says nothing of IPv4.
            ("::/0", "10.0.0.1"),
            ("2001:db8::/32", "10.0.0.1"),
            ("::ffff:10.0.0.0/104", "11.0.0.1"),
        ] {
            assert!(!excludes(subtree, name), "{subtree} {name}");
        }
        // A mask of an encoded certificate can have any bits: this one covers more than the mapped addresses.
        let [address, mask] = ["::ffff:10.0.0.0", "ff00::"].map(|text| text.parse().unwrap());
        assert!(!Subtree::Ip { address, mask }.excludes(&"11.0.0.1".parse().unwrap()));
        // A permitted block is read as RFC 5280 says: OpenSSL and others know no other reading.
        assert!(!contains("10.0.0.0/8", "::ffff:10.0.0.1") && !contains("::ffff:10.0.0.0/104", "10.0.0.1"));
    }

    #[test]
    fn mailboxes_and_hosts_of_uris_follow_the_leading_dot() {
        assert!(contains("alice@corp.test", "alice@corp.test"));
        assert!(!contains("alice@corp.test", "Alice@corp.test"));
        assert!(contains("email:corp.test", "bob@corp.test"));
        assert!(!contains("email:corp.test", "bob@mail.corp.test"));
        assert!(contains("email:.corp.test", "bob@mail.corp.test"));
        assert!(!contains("email:.corp.test", "bob@mail.evil.test"));
        assert!(contains("@corp.test", "bob@corp.test"));
        assert!(contains("uri:corp.test", "spiffe://corp.test/web"));
        assert!(!contains("uri:.corp.test", "spiffe://corp.test/web"));
        assert!(contains("uri:.corp.test", "https://user@a.corp.test:8443/x"));
    }

    #[test]
    fn a_constraint_on_one_mailbox_holds_that_of_its_host_alone() {
        assert!(contains("alice@corp.test", "alice@CORP.test"));
        assert!(!contains("alice@corp.test", "alice@other.test"));
    }

    /// RFC 5280 §4.2.1.10: "The constraint MUST be specified as a fully qualified domain name"; an address is not one.
    #[test]
    fn a_uri_without_a_host_name_is_in_no_subtree() {
        let holds = |base: &str, uri: &str| Subtree::Uri(base.to_owned()).contains(&GeneralName::Uri(uri.to_owned()));
        assert!(!holds("10.0.0.1", "https://10.0.0.1/"));
        assert!(!holds("[", "https://[::1]/"));
        assert!(!holds("", "file:///etc"));
    }

    /// RFC 5280 does not define the form, and implementations differ: it permits less, and excludes more.
    #[test]
    fn a_dns_subtree_with_a_leading_dot_is_read_narrowly() {
        let subtree = |base: &str| Subtree::Dns(base.to_owned());
        let name = |name: &str| GeneralName::Dns(name.to_owned());
        let dotted = subtree(".corp.test");
        for (found, permitted, excluded) in [
            ("web.corp.test", true, true),
            ("*.corp.test", true, true),
            ("corp.test", false, true),
            ("CORP.test", false, true),
            ("xcorp.test", false, false),
        ] {
            assert_eq!(
                (dotted.contains(&name(found)), dotted.excludes(&name(found))),
                (permitted, excluded),
                "{found}"
            );
        }
        assert!(subtree(".").contains(&name("web.test")));
        let within = |own: &str, wider: &str| subtree(own).is_within(&subtree(wider));
        assert!(within(".corp.test", "corp.test") && within(".corp.test", ".corp.test"));
        assert!(within("web.corp.test", ".corp.test") && within(".web.corp.test", ".corp.test"));
        assert!(!within("corp.test", ".corp.test"));
    }

    #[test]
    fn an_empty_dns_subtree_holds_every_host_and_bytes_that_are_no_ascii_are_compared_as_they_stand() {
        let dns = |base: &str, name: &str| Subtree::Dns(base.to_owned()).contains(&GeneralName::Dns(name.to_owned()));
        assert!(dns("", "web.corp.test"));
        assert!(!dns("x", "a\u{e9}"));
    }

    #[test]
    fn constraints_are_empty_when_nothing_is_permitted_and_nothing_excluded() {
        let subtrees = || vec!["corp.test".parse().unwrap()];
        assert!(NameConstraints::default().is_empty());
        assert!(!NameConstraints { permitted: subtrees(), excluded: Vec::new() }.is_empty());
        assert!(!NameConstraints { permitted: Vec::new(), excluded: subtrees() }.is_empty());
    }

    #[test]
    fn a_subtree_lies_within_one_that_holds_all_its_names() {
        let within =
            |own: &str, wider: &str| own.parse::<Subtree>().unwrap().is_within(&wider.parse::<Subtree>().unwrap());
        for (own, wider) in [
            ("web.corp.test", "corp.test"),
            ("corp.test", "corp.test"),
            ("10.1.0.0/16", "10.0.0.0/8"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("ops@corp.test", "ops@CORP.test"),
            ("ops@corp.test", "email:corp.test"),
            ("ops@mail.corp.test", "email:.corp.test"),
            ("email:mail.corp.test", "email:.corp.test"),
            ("uri:a.corp.test", "uri:.corp.test"),
        ] {
            assert!(within(own, wider), "{own} {wider}");
        }
        for (own, wider) in [
            ("corp.test", "web.corp.test"),
            ("10.0.0.0/8", "10.0.0.0/16"),
            ("11.0.0.0/16", "10.0.0.0/8"),
            ("10.0.0.0/8", "::/0"),
            ("email:corp.test", "ops@corp.test"),
            ("bob@corp.test", "ops@corp.test"),
            ("ops@corp.test", "email:other.test"),
            ("ops@corp.test", "email:.corp.test"),
            ("email:.corp.test", "email:corp.test"),
            ("uri:corp.test", "corp.test"),
        ] {
            assert!(!within(own, wider), "{own} {wider}");
        }
    }

    #[test]
    fn exclusion_wins_and_other_kinds_stay_free() {
        let constraints = NameConstraints {
            permitted: vec!["corp.test".parse().unwrap()],
            excluded: vec!["secret.corp.test".parse().unwrap()],
        };
        assert_eq!(constraints.check(&"web.corp.test".parse().unwrap()), Ok(()));
        assert_eq!(constraints.check(&"10.0.0.1".parse().unwrap()), Ok(()));
        assert!(matches!(constraints.check(&"a.secret.corp.test".parse().unwrap()), Err(Violation::Excluded(_))));
        assert!(matches!(constraints.check(&"web.other.test".parse().unwrap()), Err(Violation::NotPermitted(_))));
    }

    #[test]
    fn constraints_that_would_surprise_are_refused_with_the_right_form() {
        let message = |given: &str| given.parse::<Subtree>().unwrap_err().to_string();
        assert!(message("10.0.0.1/8").contains("did you mean 10.0.0.0/8?"));
        assert!(message("*.corp.test").contains("write 'corp.test'"));
        assert!(message("10.0.0.0/33").contains("address block"));
        assert!(message("uri:https://a.test/").contains("without scheme"));
        assert!(message("spiffe://a.test/web").contains("give uri: and its name"));
        for given in ["corp.test", "10.0.0.0/8", "email:.corp.test", "uri:corp.test", "2001:db8::/32"] {
            let subtree: Subtree = given.parse().unwrap();
            assert_eq!(subtree.to_string().parse::<Subtree>().unwrap(), subtree);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_constraint_that_is_accepted_reads_the_same_again(given in "\\PC{0,40}|[a-z0-9.@:/-]{0,40}|[0-9.]{1,15}/[0-9]{1,3}") {
            if let Ok(subtree) = given.parse::<Subtree>() {
                proptest::prop_assert_eq!(subtree.to_string().parse::<Subtree>().ok(), Some(subtree));
            }
        }
    }
}
