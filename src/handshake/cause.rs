//! Why a side gave up: the TLS library's errors as causes with a stable word, a sentence and a cure.

use rustls::{AlertDescription, CertificateError, Error};

use super::registry;
use super::wire::Side;

/// Why a side ended the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// A stable word, as in JSON: `certificate-expired`.
    pub code: &'static str,
    /// What was found.
    pub sentence: String,
}

impl Cause {
    fn new(code: &'static str, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }

    /// Neither side gave up, and yet not everything that was said arrived.
    pub(super) fn unanswered() -> Self {
        Self::new("no-answer", "the handshake ended without an error, but the application data did not arrive")
    }

    /// Somebody else's server said so over HTTP, after the handshake.
    pub(super) fn http(status: &str) -> Option<Self> {
        // nginx answers a missing or bad client certificate with 400, and names the kinds 495 and 496 in its log.
        let code = match status {
            "400" => "http-400",
            "495" => "http-495",
            "496" => "http-496",
            _ => return None,
        };
        Some(Self::new(code, format!("the server answered with HTTP status {status} after the handshake")))
    }

    /// The other side hung up.
    pub(super) fn closed(by: Side) -> Self {
        Self::new("closed", format!("the {by} closed the connection without an alert and without an answer"))
    }

    /// Somebody else's server refused, in whatever way servers do; why, only its log knows.
    pub fn is_of_another_server(&self) -> bool {
        self.code == ALERT_RECEIVED || self.code == "closed" || self.code.starts_with("http-")
    }

    /// What to do about it when it was not meant to happen.
    pub fn cure(&self) -> Option<&'static str> {
        Some(match self.code {
            NO_CERTIFICATE => "give the client a certificate and its key",
            UNKNOWN_ISSUER => {
                "give the root that issued it with --roots, and the intermediates in chain.pem or fullchain.pem"
            }
            BAD_SIGNATURE => "check that key.pem belongs to cert.pem, and that the root is the one that issued it",
            EXPIRED => "issue the certificate again, and check the clock",
            NOT_YET_VALID => "wait, or check the clock",
            WRONG_PURPOSE => "issue it from the template for its use: server, client, or peer for both",
            WRONG_NAME => "ask for a name that the certificate vouches for with --hostname, or issue it for this name",
            REVOKED => "issue a new certificate",
            NOT_A_CA => "let only a CA certificate issue others",
            NO_COMMON_GROUND => "try the other TLS version with --tls, or another kind of key",
            _ => return None,
        })
    }
}

pub(super) const ALERT_RECEIVED: &str = "alert-received";
pub(super) const NO_CERTIFICATE: &str = "no-certificate";
pub(super) const UNKNOWN_ISSUER: &str = "unknown-issuer";
pub(super) const BAD_SIGNATURE: &str = "bad-signature";
pub(super) const EXPIRED: &str = "certificate-expired";
pub(super) const NOT_YET_VALID: &str = "certificate-not-yet-valid";
pub(super) const WRONG_PURPOSE: &str = "wrong-purpose";
pub(super) const WRONG_NAME: &str = "wrong-name";
pub(super) const REVOKED: &str = "certificate-revoked";
pub(super) const NOT_A_CA: &str = "issuer-not-a-ca";
pub(super) const NO_COMMON_GROUND: &str = "nothing-in-common";

/// What an error of the TLS library means.
pub(super) fn of(error: &Error) -> Cause {
    match error {
        Error::NoCertificatesPresented => Cause::new(NO_CERTIFICATE, "the client showed no certificate"),
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::AlertReceived(alert) => {
            Cause::new(ALERT_RECEIVED, format!("the other side sent the alert {}", alert_name(*alert)))
        }
        Error::PeerIncompatible(what) => {
            Cause::new(NO_COMMON_GROUND, format!("the two sides have nothing in common ({what:?})"))
        }
        Error::PeerMisbehaved(what) => {
            Cause::new("misbehaviour", format!("the other side broke the protocol ({what:?})"))
        }
        Error::InvalidCertRevocationList(what) => {
            Cause::new("bad-revocation-list", format!("the revocation list cannot be used ({what:?})"))
        }
        Error::DecryptError => Cause::new("decrypt-error", "a record does not open with the session's keys"),
        other => Cause::new("tls-error", other.to_string()),
    }
}

fn of_certificate(error: &CertificateError) -> Cause {
    use CertificateError as E;
    match error {
        E::UnknownIssuer => Cause::new(UNKNOWN_ISSUER, "no trusted root issued the certificate"),
        E::BadSignature => Cause::new(
            BAD_SIGNATURE,
            "a signature does not verify: the certificate was altered, its issuer holds another key, or the sender does not hold the certificate's key",
        ),
        // A signature that an elliptic curve made can never be that of an RSA key: the signer was somebody else.
        E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            Cause::new(BAD_SIGNATURE, "the certificate was signed by another kind of key than its issuer holds")
        }
        E::Expired | E::ExpiredContext { .. } => Cause::new(EXPIRED, "the certificate has expired"),
        E::NotValidYet | E::NotValidYetContext { .. } => Cause::new(NOT_YET_VALID, "the certificate is not valid yet"),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            Cause::new(WRONG_PURPOSE, "the certificate was not issued for this use (extended key usage)")
        }
        E::NotValidForName => Cause::new(WRONG_NAME, "the certificate does not vouch for the name that was asked for"),
        E::NotValidForNameContext { expected, presented } => {
            let presented = if presented.is_empty() { "no name at all".to_owned() } else { presented.join(", ") };
            Cause::new(
                WRONG_NAME,
                format!(
                    "the certificate does not vouch for {}, only for {}",
                    expected.to_str(),
                    shown_names(&presented)
                ),
            )
        }
        E::Revoked => Cause::new(REVOKED, "the certificate has been revoked"),
        E::UnknownRevocationStatus => {
            Cause::new("revocation-unknown", "no revocation list says whether the certificate was revoked")
        }
        E::ExpiredRevocationList | E::ExpiredRevocationListContext { .. } => {
            Cause::new("revocation-list-expired", "the revocation list is out of date")
        }
        E::BadEncoding => Cause::new("bad-encoding", "the certificate is not encoded as it must be"),
        E::UnhandledCriticalExtension => {
            Cause::new("unknown-critical-extension", "the certificate has a critical extension that is not understood")
        }
        // The chain verifier's own words reach us only as text.
        E::Other(inner) => match inner.to_string().as_str() {
            "EndEntityUsedAsCa" => Cause::new(NOT_A_CA, "a certificate in the chain was issued by one that is no CA"),
            "CaUsedAsEndEntity" => Cause::new("ca-as-leaf", "a CA certificate was shown where a leaf is expected"),
            "NameConstraintViolation" => {
                Cause::new("name-not-permitted", "a name lies outside what the CA may vouch for (name constraints)")
            }
            "PathLenConstraintViolated" => {
                Cause::new("path-too-long", "there are more intermediates than the CA allows (path length)")
            }
            "UnsupportedCertVersion" => Cause::new("bad-version", "the certificate is not of version 3"),
            other => Cause::new("certificate-refused", format!("the certificate was refused ({other})")),
        },
        other => Cause::new("certificate-refused", format!("the certificate was refused ({other})")),
    }
}

/// `DnsName("web.test")` as the verifier writes it: `web.test`.
fn shown_names(presented: &str) -> String {
    presented.replace("DnsName(\"", "").replace("IpAddress(", "").replace("\")", "").replace(')', "")
}

fn alert_name(alert: AlertDescription) -> String {
    registry::alert(u8::from(alert))
}
