//! The cases in which an endpoint has or shows a wrong certificate or key.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use time::Duration;

use super::super::cause;
use super::super::error::SetUpError;
use super::super::scenario::{self, Identity};
use super::case::{Case, by_client, by_server};
use super::forged_peer::{CaseNotPlayed, from_unknown_ca};
use super::lookalike_ca::{CopyChanges, Purpose};
use crate::x509::{Certificate, ExtendedKeyUsage};

/// All cases; first those that a server must refuse.
pub(in super::super) const CASES: [Case; 23] = [
    by_server("no-client-certificate", "client without certificate", cause::NO_CERTIFICATE, |forged, scenario| {
        forged.client()?;
        scenario.client = None;
        Ok(())
    }),
    by_server("client-of-another-ca", "client of another CA", cause::UNKNOWN_ISSUER, |forged, scenario| {
        scenario.client = Some(from_unknown_ca("client", forged.client()?.endpoint, forged.test.roots)?);
        Ok(())
    }),
    by_server("client-of-namesake-ca", "client of a CA of the same name", cause::BAD_SIGNATURE, |forged, scenario| {
        scenario.client = Some(forged.client()?.copy(CopyChanges::default())?);
        Ok(())
    }),
    by_server("expired-client", "client that has expired", cause::EXPIRED, |forged, scenario| {
        scenario.server_trust.at = after(forged.client()?.endpoint.certificate())?;
        Ok(())
    }),
    by_server("not-yet-valid-client", "client not valid yet", cause::NOT_YET_VALID, |forged, scenario| {
        scenario.server_trust.at = before(forged.client()?.endpoint.certificate())?;
        Ok(())
    }),
    by_server("revoked-client", "client that was revoked", cause::REVOKED, |forged, scenario| {
        let (identity, crl) = forged.client()?.revoked(forged.test)?;
        scenario.client = Some(identity);
        scenario.server_trust.roots = scenario::roots(&[forged.client()?.hierarchy.root()])?;
        scenario.server_trust.crls = vec![crl];
        Ok(())
    }),
    by_server(
        "server-certificate-as-client",
        "client with server certificate",
        cause::WRONG_PURPOSE,
        |forged, scenario| {
            forged.client()?;
            let server = forged.test.server;
            if !allows_purpose(server.certificate(), &ExtendedKeyUsage::ClientAuth) {
                scenario.client = Some(scenario.server.clone());
            } else {
                // The certificate is valid for both purposes: use a copy that is valid for servers only.
                let changes = CopyChanges { purpose: Some(Purpose::Server), ..CopyChanges::default() };
                scenario.client = Some(forged.server.copy(changes)?);
                scenario.server_trust.roots = scenario::roots(&[forged.server.hierarchy.root()])?;
            }
            Ok(())
        },
    ),
    by_server(
        "client-without-intermediate",
        "client without its intermediate",
        cause::UNKNOWN_ISSUER,
        |forged, scenario| {
            forged.client()?;
            scenario.client = scenario.client.as_ref().map(without_intermediate).transpose()?;
            Ok(())
        },
    ),
    by_server("client-with-wrong-key", "client with another's key", cause::BAD_SIGNATURE, |forged, scenario| {
        scenario.client = Some(forged.client()?.with_wrong_key()?);
        Ok(())
    }),
    by_server("tampered-client", "client with altered certificate", cause::BAD_SIGNATURE, |forged, scenario| {
        scenario.client = Some(forged.client()?.tampered()?);
        Ok(())
    }),
    by_server("client-issued-by-leaf", "client issued by a leaf", cause::NOT_A_CA, |forged, scenario| {
        scenario.client = Some(forged.client()?.issued_by_leaf()?);
        scenario.server_trust.roots = scenario::roots(&[forged.client()?.hierarchy.root()])?;
        Ok(())
    }),
    by_server(
        "client-outside-name-constraints",
        "client outside name constraints",
        cause::NAME_NOT_PERMITTED,
        |forged, scenario| {
            let (identity, root) = forged.client()?.outside_name_constraints(forged.test.roots)?;
            scenario.client = Some(identity);
            scenario.server_trust.roots = scenario::roots(&[&root])?;
            Ok(())
        },
    ),
    by_client("wrong-host-name", "server of another host name", cause::WRONG_NAME, |_, scenario| {
        // `.invalid` is reserved (RFC 6761 §6.4): no certificate has such a name.
        scenario.host_name = ServerName::try_from("wrong-host.invalid")
            .map_err(|_| SetUpError::Library("it does not know host names".to_owned()))?;
        Ok(())
    }),
    by_client("server-of-another-ca", "server of another CA", cause::UNKNOWN_ISSUER, |forged, scenario| {
        scenario.server = from_unknown_ca("server", forged.test.server, forged.test.roots)?;
        Ok(())
    }),
    by_client("expired-server", "server that has expired", cause::EXPIRED, |forged, scenario| {
        scenario.client_trust.at = after(forged.test.server.certificate())?;
        Ok(())
    }),
    by_client("not-yet-valid-server", "server not valid yet", cause::NOT_YET_VALID, |forged, scenario| {
        scenario.client_trust.at = before(forged.test.server.certificate())?;
        Ok(())
    }),
    by_client("revoked-server", "server that was revoked", cause::REVOKED, |forged, scenario| {
        let (identity, crl) = forged.server.revoked(forged.test)?;
        scenario.server = identity;
        scenario.client_trust.roots = scenario::roots(&[forged.server.hierarchy.root()])?;
        scenario.client_trust.crls = vec![crl];
        Ok(())
    }),
    by_client(
        "client-certificate-as-server",
        "server with client certificate",
        cause::WRONG_PURPOSE,
        |forged, scenario| {
            // A copy with the server's names: a wrong name would be refused for another reason.
            let changes = CopyChanges { purpose: Some(Purpose::Client), ..CopyChanges::default() };
            scenario.server = forged.server.copy(changes)?;
            scenario.client_trust.roots = scenario::roots(&[forged.server.hierarchy.root()])?;
            Ok(())
        },
    ),
    by_client(
        "server-without-intermediate",
        "server without its intermediate",
        cause::UNKNOWN_ISSUER,
        |_, scenario| {
            scenario.server = without_intermediate(&scenario.server)?;
            Ok(())
        },
    ),
    by_client("server-with-wrong-key", "server with another's key", cause::BAD_SIGNATURE, |forged, scenario| {
        scenario.server = forged.server.with_wrong_key()?;
        Ok(())
    }),
    by_client("tampered-server", "server with altered certificate", cause::BAD_SIGNATURE, |forged, scenario| {
        scenario.server = forged.server.tampered()?;
        Ok(())
    }),
    by_client("server-issued-by-leaf", "server issued by a leaf", cause::NOT_A_CA, |forged, scenario| {
        scenario.server = forged.server.issued_by_leaf()?;
        scenario.client_trust.roots = scenario::roots(&[forged.server.hierarchy.root()])?;
        Ok(())
    }),
    by_client(
        "server-outside-name-constraints",
        "server outside name constraints",
        cause::NAME_NOT_PERMITTED,
        |forged, scenario| {
            let (identity, root) = forged.server.outside_name_constraints(forged.test.roots)?;
            scenario.server = identity;
            scenario.client_trust.roots = scenario::roots(&[&root])?;
            Ok(())
        },
    ),
];

fn without_intermediate(identity: &Identity) -> Result<Identity, CaseNotPlayed> {
    match identity.cert.as_slice() {
        [leaf, _, ..] => Ok(Arc::new(CertifiedKey::new(vec![leaf.clone()], identity.key.clone()))),
        _ => Err(CaseNotPlayed::Untried(
            "a root issued it directly, so there is no intermediate to leave \
             out"
            .to_owned(),
        )),
    }
}

/// Returns whether the TLS library accepts the certificate for this purpose; without the extension it accepts any
/// purpose.
pub(in super::super) fn allows_purpose(certificate: &Certificate, purpose: &ExtendedKeyUsage) -> bool {
    certificate.extended_key_usage.as_ref().is_none_or(|purposes| purposes.contains(purpose))
}

/// Returns the second after not_after; the latest time of RFC 5280 (§4.1.2.5) has none.
fn after(certificate: &Certificate) -> Result<time::OffsetDateTime, CaseNotPlayed> {
    certificate
        .validity
        .not_after
        .checked_add(Duration::SECOND)
        .ok_or_else(|| CaseNotPlayed::Untried("the certificate never expires".to_owned()))
}

/// Returns the second before not_before.
fn before(certificate: &Certificate) -> Result<time::OffsetDateTime, CaseNotPlayed> {
    certificate
        .validity
        .not_before
        .checked_sub(Duration::SECOND)
        .filter(|at| *at >= time::OffsetDateTime::UNIX_EPOCH)
        .ok_or_else(|| {
            CaseNotPlayed::Untried("the certificate is older than the time the TLS library knows".to_owned())
        })
}
