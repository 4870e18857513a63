//! The likely cause for which a server of another program refused the client. Its alert says little; but this program has the
//! client's certificate, and the server's request says of which CAs it accepts certificates.

use time::OffsetDateTime;

use crate::text::rfc3339;
use crate::tls::{Body, Message, Side};
use crate::x509::{Certificate, ExtendedKeyUsage};

/// Why a server refuses a certificate with this content, whatever its alert says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LikelyCause {
    /// The certificate is for another purpose.
    WrongPurpose,
    Expired(OffsetDateTime),
    NotYetValid(OffsetDateTime),
    /// The chain ends below a CA whose certificate the client did not send. Servers do not fetch it.
    IntermediateNotSent {
        issuer: String,
    },
    /// None of the CAs that the server requests is above the certificate (RFC 8446 §4.2.4, RFC 5246 §7.4.4).
    OtherCas {
        requested: Vec<String>,
        issuer: String,
    },
}

/// The most CAs that a sentence names.
const MOST_NAMED: usize = 3;

impl LikelyCause {
    /// Returns the finding as a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::WrongPurpose => "the client's certificate is not for clients (extended key usage)".to_owned(),
            Self::Expired(at) => format!("the client's certificate expired at {}", rfc3339(*at)),
            Self::NotYetValid(at) => format!("the client's certificate is not valid before {}", rfc3339(*at)),
            Self::IntermediateNotSent { issuer } => {
                format!("the client did not send the certificate of {issuer}, which issued what it sent last")
            }
            Self::OtherCas { requested, issuer } => {
                let more = match requested.len().saturating_sub(MOST_NAMED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                let named = requested[..requested.len().min(MOST_NAMED)].join("; ");
                format!(
                    "the server requests certificates of another CA: {named}{more}. The client's was issued below {issuer}"
                )
            }
        }
    }

    /// Returns what the user can do.
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::WrongPurpose => "issue the client's certificate from the template client or peer",
            Self::Expired(_) => "renew the client's certificate: ca renew NAME",
            Self::NotYetValid(_) => "wait, or check the clock",
            Self::IntermediateNotSent { .. } => "show fullchain.pem, which has the intermediates, instead of cert.pem",
            Self::OtherCas { .. } => {
                "let the server trust the root of the client's certificate (ca roots), or show a certificate of a CA that it \
                 requests"
            }
        }
    }
}

/// Finds the likely cause; `None` when nothing in the certificate explains the refusal. `roots` are those that the client trusts.
pub(super) fn find(
    chain: &[Certificate],
    roots: &[Certificate],
    at: OffsetDateTime,
    messages: &[Message],
) -> Option<LikelyCause> {
    let (leaf, last) = (chain.first()?, chain.last()?);
    let requested = messages.iter().find_map(|message| match &message.body {
        Body::CertificateRequest { authorities, .. } if message.from == Side::Server => Some(authorities.as_slice()),
        _ => None,
    });
    // A server that requests no certificate did not see this one.
    let requested = requested?;
    let is_for_clients = |purposes: &Vec<ExtendedKeyUsage>| purposes.contains(&ExtendedKeyUsage::ClientAuth);
    if leaf.extended_key_usage.as_ref().is_some_and(|purposes| !is_for_clients(purposes)) {
        return Some(LikelyCause::WrongPurpose);
    }
    if leaf.validity.not_after < at {
        return Some(LikelyCause::Expired(leaf.validity.not_after));
    }
    if leaf.validity.not_before > at {
        return Some(LikelyCause::NotYetValid(leaf.validity.not_before));
    }
    let requests = |name: &str| requested.iter().any(|requested| requested == name);
    if chain.iter().any(|sent| requests(&sent.issuer.to_string()) || requests(&sent.subject.to_string())) {
        return None;
    }
    let is_whole = roots.iter().any(|root| root.subject == last.issuer) || last.is_self_issued();
    let trusts_a_root = requested.is_empty() || roots.iter().any(|root| requests(&root.subject.to_string()));
    let issuer = last.issuer.to_string();
    match (is_whole, trusts_a_root) {
        (false, true) => Some(LikelyCause::IntermediateNotSent { issuer }),
        (_, false) => Some(LikelyCause::OtherCas { requested: requested.to_vec(), issuer }),
        (true, true) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fixtures::{Hierarchy, Kind, NOW, certificate};
    use super::*;
    use crate::keys::PrivateKey;
    use crate::x509::KeyAlgorithm;

    fn request(authorities: &[&str]) -> Vec<Message> {
        let authorities = authorities.iter().map(ToString::to_string).collect();
        let body = Body::CertificateRequest { signature_schemes: Vec::new(), authorities };
        vec![Message { from: Side::Server, body, bytes: 0, encrypted: false, at: Duration::ZERO }]
    }

    #[test]
    fn the_cas_that_the_server_requests_are_compared_with_the_chain_of_the_client() {
        let key = || PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let (root_key, upper_key, leaf_key) = (key(), key(), key());
        let root = certificate("Root", "Root", 1, &root_key, &root_key, &Kind::Authority);
        let upper = certificate("Upper", "Root", 2, &upper_key, &root_key, &Kind::Authority);
        let leaf = certificate("anna", "Upper", 3, &leaf_key, &upper_key, &Kind::Client);
        let roots = [root];
        let find = |chain: &[Certificate], requested: &[&str]| find(chain, &roots, NOW, &request(requested));
        let whole = [leaf, upper];
        let alone = &whole[..1];
        let other = |issuer: &str| {
            Some(LikelyCause::OtherCas { requested: vec!["CN=Other".to_owned()], issuer: issuer.to_owned() })
        };
        let not_sent = Some(LikelyCause::IntermediateNotSent { issuer: "CN=Upper".to_owned() });
        for requested in [&["CN=Root"][..], &["CN=Other", "CN=Root"], &["CN=Upper"], &[]] {
            assert_eq!(find(&whole, requested), None, "{requested:?}");
        }
        assert_eq!(find(&whole, &["CN=Other"]), other("CN=Root"));
        assert_eq!(find(alone, &["CN=Other"]), other("CN=Upper"));
        assert_eq!(find(alone, &["CN=Root"]), not_sent);
        assert_eq!(find(alone, &[]), not_sent);
        // Without the request, the server did not see it.
        assert_eq!(super::find(alone, &roots, NOW, &[]), None);
    }

    #[test]
    fn the_purpose_and_the_validity_come_before_the_cas() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let (roots, asked) = ([hierarchy.root.clone()], request(&["CN=Other"]));
        assert_eq!(find(hierarchy.server.chain(), &roots, NOW, &asked), Some(LikelyCause::WrongPurpose));
        let validity = hierarchy.client.certificate().validity;
        let at = |at| find(hierarchy.client.chain(), &roots, at, &asked);
        assert_eq!(at(validity.not_after + time::Duration::DAY), Some(LikelyCause::Expired(validity.not_after)));
        assert_eq!(at(validity.not_before - time::Duration::DAY), Some(LikelyCause::NotYetValid(validity.not_before)));
    }
}
