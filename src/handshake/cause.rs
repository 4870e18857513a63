//! Why an endpoint ended the exchange: the TLS library's errors as causes with a stable code, a sentence and a fix.

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible, PeerMisbehaved};
use time::OffsetDateTime;

use super::error::ExchangeError;
use crate::text::{escape, rfc3339};
use crate::tls::{Alert, CipherSuite, ProtocolVersion, Side, registry};
use crate::verify::reason::{Reason, reason};

/// The cause for which an endpoint ended the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// A stable code, as in JSON: `certificate-expired`.
    pub code: &'static str,
    /// The finding as a sentence.
    pub sentence: String,
    /// The date in the certificate that caused it; `None` when the cause is not a date.
    pub date: Option<OffsetDateTime>,
}

impl Cause {
    fn new(code: &'static str, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into(), date: None }
    }

    /// Adds the date in the certificate that caused it.
    fn of_date(self, date: UnixTime) -> Self {
        Self { date: as_date(date), ..self }
    }

    /// No endpoint reported an error, but not all application data arrived.
    pub(super) fn unanswered() -> Self {
        Self::new("no-answer", "the handshake ended without an error, but the application data did not arrive")
    }

    /// The server did not resume the session.
    pub(super) fn not_resumed() -> Self {
        Self::new("not-resumed", "the server did not take up the session of the ticket, but began a new one")
    }

    /// The server accepted one of the client's first key shares, and the test expects that it requests another.
    pub(super) fn not_retried() -> Self {
        Self::new("not-retried", "the server did not ask for another key share, but took one of the first")
    }

    /// The server refused with an HTTP status after the handshake; `None` for a status that is not used for this.
    pub(super) fn http(status: &str) -> Option<Self> {
        // nginx answers a missing or invalid client certificate with 400; its log has the codes 495 and 496.
        let code = match status {
            "400" => "http-400",
            "495" => "http-495",
            "496" => "http-496",
            _ => return None,
        };
        Some(Self::new(code, format!("the server answered with HTTP status {status} after the handshake")))
    }

    /// The server refused with HTTP status 401 or 403, which it did not give to the good client; `None` for another status.
    pub(super) fn http_denied(status: &str) -> Option<Self> {
        let code = match status {
            "401" => "http-401",
            "403" => "http-403",
            _ => return None,
        };
        let sentence =
            format!("the server answered with HTTP status {status} after the handshake, and let the good client in");
        Some(Self::new(code, sentence))
    }

    /// The server refused with a status of its protocol after the handshake.
    pub(super) fn by_protocol(said: &str) -> Self {
        let said: String = said.chars().take(200).collect();
        Self::new(REFUSED_BY_PROTOCOL, format!("the server answered after the handshake: {}", escape(&said)))
    }

    /// The endpoint `by` closed the connection.
    pub(super) fn closed(by: Side) -> Self {
        Self::new(CLOSED, format!("the {by} closed the connection without an alert and without an answer"))
    }

    /// This program ended the exchange, because the endpoint `by` exceeded a limit or the socket failed.
    pub(super) fn cut_short(by: Side, error: &ExchangeError) -> Self {
        match error {
            ExchangeError::TooLong(limit) => {
                Self::new(TIMED_OUT, format!("the {by} did not go on within {} seconds", limit.as_secs_f32()))
            }
            ExchangeError::TooMuch => {
                Self::new("too-much-data", format!("the {by} sent more than any handshake needs"))
            }
            ExchangeError::NoMemoryLeft => Self::new("no-memory-left", error.to_string()),
            other => Self::new("connection-failed", other.to_string()),
        }
    }

    /// Returns a more exact cause, given the first bytes from the other endpoint.
    pub(super) fn with_first_bytes(self, first: &[u8]) -> Self {
        let is_http = [&b"HTTP/"[..], b"GET ", b"HEAD ", b"POST ", b"PUT ", b"OPTIONS "];
        if self.code == NOT_TLS && is_http.iter().any(|beginning| first.starts_with(beginning)) {
            return Self::new(NOT_TLS, "the other side speaks HTTP in the clear, without TLS");
        }
        self
    }

    /// Returns a more exact cause, given the TLS versions that the client offered. Of a client that has only old ones the TLS
    /// library reports what else its hello lacks.
    pub(super) fn with_offered_versions(self, versions: &[ProtocolVersion]) -> Self {
        let is_old = |version: &ProtocolVersion| version.0 < ProtocolVersion::TLS12.0;
        match versions.iter().max_by_key(|version| version.0) {
            Some(newest) if versions.iter().all(is_old) => Self::new(
                NO_COMMON_VERSION,
                format!("the client offers {newest} at most, and TLS 1.2 is the oldest version that is spoken here"),
            ),
            _ => self,
        }
    }

    /// Returns a more exact cause, given the cipher suites that the client offered. The TLS library reports the first
    /// item that is missing; for a client without Diffie-Hellman that is the group, whatever its cipher suites are.
    pub(super) fn with_offered_suites(self, cipher_suites: &[CipherSuite]) -> Self {
        if matches!(self.code, NO_COMMON_GROUP | NO_COMMON_CIPHER_SUITE) && registry::all_static_rsa(cipher_suites) {
            return Self::new(
                NO_COMMON_CIPHER_SUITE,
                "the client offers only static RSA key exchange, which has no forward secrecy and is refused here",
            );
        }
        self
    }

    /// Returns whether a server that is not part of this program refused: with an alert, an HTTP status, or by closing.
    /// Only its log has the reason.
    pub fn may_come_from_other_server(&self) -> bool {
        [ALERT_RECEIVED, CLOSED, REFUSED_BY_PROTOCOL].contains(&self.code) || self.code.starts_with("http-")
    }

    /// Returns what the user can do, for a handshake that should succeed.
    pub fn fix(&self) -> &'static str {
        match self.code {
            NO_CERTIFICATE => "give the client a certificate and its key",
            UNKNOWN_ISSUER => {
                "give the root that issued it with --roots, and the intermediates in chain.pem or fullchain.pem"
            }
            BAD_SIGNATURE => "check that key.pem belongs to cert.pem, and that the root is the one that issued it",
            EXPIRED => "renew it ('ca renew'), have the new one loaded, and check the clock",
            NOT_YET_VALID => "wait, or check the clock",
            WRONG_PURPOSE => "issue it from the template for its use: server, client, or peer for both",
            WRONG_NAME => "require a name of the certificate with --hostname, or issue the certificate for this name",
            REVOKED => "issue a new certificate",
            NOT_A_CA => "issue certificates with a CA certificate only",
            NAME_NOT_PERMITTED => "issue it for a permitted name, or by a CA that may issue for it",
            "revocation-list-expired" => "sign a new list with 'ca crl', and hand it out",
            TIMED_OUT => "check that TLS is spoken on this port; --timeout says how long to wait",
            NOT_TLS => "check the port: TLS must begin with the first byte; else give --starttls PROTOCOL",
            "http-400" | "http-495" | "http-496" => {
                "look into the server's log: nginx answers so when it refuses the client's certificate"
            }
            "http-401" | "http-403" => {
                "look into the server's log: it may refuse the certificate, or the path (--path)"
            }
            REFUSED_BY_PROTOCOL => "look into the server's log: it has the reason",
            ALERT_RECEIVED => "read the log of the other side: only it knows the reason",
            NO_COMMON_VERSION => "try the other TLS version with --tls",
            NO_COMMON_CIPHER_SUITE => {
                "let the other side offer cipher suites with ECDHE and an AEAD cipher, or TLS 1.3"
            }
            NO_COMMON_GROUP => "let the other side offer X25519, secp256r1 or secp384r1 for the key exchange",
            NO_COMMON_SIGNATURE => {
                "use a certificate with another kind of key: every client accepts ecdsa-p256 and rsa-2048"
            }
            NO_COMMON_GROUND => "try the other TLS version with --tls, or another kind of key",
            // Rare causes.
            _ => "read the log of the other side, and check the port",
        }
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
pub(super) const NAME_NOT_PERMITTED: &str = "name-not-permitted";
pub(super) const REVOCATION_UNKNOWN: &str = "revocation-unknown";
pub(super) const BAD_ENCODING: &str = "bad-encoding";
pub(super) const UNKNOWN_CRITICAL_EXTENSION: &str = "unknown-critical-extension";
pub(super) const CA_AS_LEAF: &str = "ca-as-leaf";
pub(super) const PATH_TOO_LONG: &str = "path-too-long";
pub(super) const BAD_VERSION: &str = "bad-version";
pub(super) const CERTIFICATE_REFUSED: &str = "certificate-refused";
pub(super) const NO_COMMON_GROUND: &str = "nothing-in-common";
pub(super) const NO_COMMON_GROUP: &str = "no-common-group";
pub(super) const NO_COMMON_SIGNATURE: &str = "no-common-signature-scheme";
pub(super) const NO_COMMON_VERSION: &str = "no-common-version";
pub(super) const NO_COMMON_CIPHER_SUITE: &str = "no-common-cipher-suite";
pub(super) const NOT_TLS: &str = "not-tls";
pub(super) const TIMED_OUT: &str = "timed-out";

/// The code of a connection that the peer closed without an alert.
pub(super) const CLOSED: &str = "closed";
pub(super) const REFUSED_BY_PROTOCOL: &str = "refused-by-protocol";

/// Returns the cause for an error of the TLS library.
pub(super) fn of(error: &Error) -> Cause {
    match error {
        Error::NoCertificatesPresented => Cause::new(NO_CERTIFICATE, "the client showed no certificate"),
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::AlertReceived(alert) => {
            Cause::new(ALERT_RECEIVED, format!("the other side sent the alert {}", alert_name(*alert)))
        }
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => Cause::new(NO_COMMON_VERSION, "the two sides speak no common version of TLS"),
        Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon)
        | Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite) => Cause::new(
            NO_COMMON_CIPHER_SUITE,
            "the two sides have no cipher suite in common; static RSA key exchange is not one that is acceptable here",
        ),
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            Cause::new(NOT_TLS, "the other side sent something that is not TLS")
        }
        Error::InvalidMessage(what) => {
            Cause::new("bad-message", format!("the other side sent something that is not a TLS message ({what:?})"))
        }
        Error::PeerIncompatible(
            PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NamedGroupsExtensionRequired
            | PeerIncompatible::KeyShareExtensionRequired,
        ) => Cause::new(NO_COMMON_GROUP, "the two sides have no group for the Diffie-Hellman exchange in common"),
        Error::PeerIncompatible(
            PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired,
        ) => Cause::new(NO_COMMON_SIGNATURE, "the other side accepts no signature that the certificate's key can make"),
        Error::PeerIncompatible(what) => {
            Cause::new(NO_COMMON_GROUND, format!("the two sides have nothing in common ({what:?})"))
        }
        Error::PeerMisbehaved(what) => {
            Cause::new("misbehaviour", format!("the other side violated the protocol ({what:?})"))
        }
        Error::InvalidCertRevocationList(what) => {
            Cause::new("bad-revocation-list", format!("the CRL cannot be used ({what:?})"))
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
            "a signature is invalid: the certificate was changed, its issuer has another key, or the sender \
                 does not have the certificate's key",
        ),
        // The algorithm of the signature does not fit the issuer's key, so another key made it.
        E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            Cause::new(BAD_SIGNATURE, "the certificate was signed with another kind of key than that of its issuer")
        }
        E::Expired => Cause::new(EXPIRED, "the certificate has expired"),
        E::ExpiredContext { time, not_after } => Cause::new(
            EXPIRED,
            format!("the certificate expired on {}, and it is {}", shown_time(*not_after), shown_time(*time)),
        )
        .of_date(*not_after),
        E::NotValidYet => Cause::new(NOT_YET_VALID, "the certificate is not valid yet"),
        E::NotValidYetContext { time, not_before } => Cause::new(
            NOT_YET_VALID,
            format!("the certificate is valid from {} on, and it is {}", shown_time(*not_before), shown_time(*time)),
        )
        .of_date(*not_before),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            Cause::new(WRONG_PURPOSE, "the certificate was not issued for this use (extended key usage)")
        }
        E::NotValidForName => Cause::new(WRONG_NAME, "the certificate is not issued for the requested name"),
        E::NotValidForNameContext { expected, presented } => {
            let presented = if presented.is_empty() { "no name at all".to_owned() } else { presented.join(", ") };
            Cause::new(
                WRONG_NAME,
                format!(
                    "the certificate is not issued for {}, only for {}",
                    expected.to_str(),
                    shown_names(&presented)
                ),
            )
        }
        E::Revoked => Cause::new(REVOKED, "the certificate has been revoked"),
        E::UnknownRevocationStatus => Cause::new(REVOCATION_UNKNOWN, "no CRL covers the certificate"),
        E::ExpiredRevocationList | E::ExpiredRevocationListContext { .. } => {
            Cause::new("revocation-list-expired", "the CRL has expired")
        }
        E::BadEncoding => Cause::new(BAD_ENCODING, "the certificate is not encoded as it must be"),
        E::UnhandledCriticalExtension => unknown_critical_extension(),
        E::Other(OtherError(inner)) => match reason(inner.as_ref()) {
            Some(Reason::IssuerNotCa) => {
                Cause::new(NOT_A_CA, "a certificate in the chain was issued by a certificate that is not a CA")
            }
            Some(Reason::CaAsLeaf) => Cause::new(CA_AS_LEAF, "a CA certificate was shown where a leaf is expected"),
            Some(Reason::NameNotPermitted) => {
                Cause::new(NAME_NOT_PERMITTED, "a name is outside the name constraints of the CA")
            }
            Some(Reason::PathTooLong) => {
                Cause::new(PATH_TOO_LONG, "there are more intermediates than the CA allows (path length)")
            }
            Some(Reason::UnknownCriticalExtension) => unknown_critical_extension(),
            Some(Reason::UnsupportedVersion) => Cause::new(BAD_VERSION, "the certificate is not of version 3"),
            None => Cause::new(CERTIFICATE_REFUSED, format!("the certificate was refused ({inner})")),
        },
        other => Cause::new(CERTIFICATE_REFUSED, format!("the certificate was refused ({other})")),
    }
}

fn unknown_critical_extension() -> Cause {
    Cause::new(UNKNOWN_CRITICAL_EXTENSION, "the certificate has a critical extension that is not understood")
}

/// Returns `web.test` for `DnsName("web.test")`, as the verifier writes it.
fn shown_names(presented: &str) -> String {
    presented.replace("DnsName(\"", "").replace("IpAddress(", "").replace("\")", "").replace(')', "")
}

/// Returns `None` for times after the year 9999.
fn as_date(time: UnixTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(time.as_secs()).ok()?).ok()
}

fn shown_time(time: UnixTime) -> String {
    as_date(time).map_or_else(|| format!("second {} of 1970", time.as_secs()), rfc3339)
}

fn alert_name(alert: AlertDescription) -> String {
    Alert(u8::from(alert)).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use rustls::CertRevocationListError;
    use rustls::pki_types::ServerName;

    use super::super::endpoint::Endpoint;
    use super::super::fixtures::{Hierarchy, Kind, certificate};
    use super::super::good_case::HandshakeTest;
    use super::super::session::run;
    use super::*;
    use crate::keys::PrivateKey;
    use crate::tls::{CipherSuite, TlsVersion};
    use crate::x509::KeyAlgorithm;

    #[test]
    fn every_error_of_the_library_has_its_code() {
        use PeerIncompatible as P;
        for (error, code) in [
            (Error::NoCertificatesPresented, "no-certificate"),
            (Error::AlertReceived(AlertDescription::AccessDenied), "alert-received"),
            (P::Tls12NotOffered.into(), "no-common-version"),
            (P::Tls12NotOfferedOrEnabled.into(), "no-common-version"),
            (P::SupportedVersionsExtensionRequired.into(), "no-common-version"),
            (P::ServerDoesNotSupportTls12Or13.into(), "no-common-version"),
            (P::ServerTlsVersionIsDisabledByOurConfig.into(), "no-common-version"),
            (P::NoCipherSuitesInCommon.into(), "no-common-cipher-suite"),
            (PeerMisbehaved::SelectedUnofferedCipherSuite.into(), "no-common-cipher-suite"),
            (InvalidMessage::InvalidContentType.into(), "not-tls"),
            (InvalidMessage::UnknownProtocolVersion.into(), "not-tls"),
            (InvalidMessage::InvalidCcs.into(), "bad-message"),
            (P::NoKxGroupsInCommon.into(), "no-common-group"),
            (P::NamedGroupsExtensionRequired.into(), "no-common-group"),
            (P::KeyShareExtensionRequired.into(), "no-common-group"),
            (P::NoSignatureSchemesInCommon.into(), "no-common-signature-scheme"),
            (P::NoCertificateRequestSignatureSchemesInCommon.into(), "no-common-signature-scheme"),
            (P::SignatureAlgorithmsExtensionRequired.into(), "no-common-signature-scheme"),
            (P::NullCompressionRequired.into(), "nothing-in-common"),
            (PeerMisbehaved::SelectedUnofferedKxGroup.into(), "misbehaviour"),
            (Error::InvalidCertRevocationList(CertRevocationListError::ParseError), "bad-revocation-list"),
            (Error::DecryptError, "decrypt-error"),
            (Error::HandshakeNotComplete, "tls-error"),
        ] {
            assert_eq!(of(&error).code, code, "{error:?}");
        }
    }

    #[test]
    fn every_error_about_a_certificate_has_its_code() {
        use CertificateError as E;
        let time = UnixTime::since_unix_epoch(Duration::ZERO);
        let wrapped = |error: webpki::Error| E::Other(OtherError(Arc::new(error)));
        for (error, code) in [
            (E::UnknownIssuer, "unknown-issuer"),
            (E::BadSignature, "bad-signature"),
            (E::Expired, "certificate-expired"),
            (E::NotValidYet, "certificate-not-yet-valid"),
            (E::InvalidPurpose, "wrong-purpose"),
            (E::NotValidForName, "wrong-name"),
            (E::Revoked, "certificate-revoked"),
            (E::UnknownRevocationStatus, "revocation-unknown"),
            (E::ExpiredRevocationList, "revocation-list-expired"),
            (E::ExpiredRevocationListContext { time, next_update: time }, "revocation-list-expired"),
            (E::BadEncoding, "bad-encoding"),
            (E::UnhandledCriticalExtension, "unknown-critical-extension"),
            (wrapped(webpki::Error::EndEntityUsedAsCa), "issuer-not-a-ca"),
            (wrapped(webpki::Error::CaUsedAsEndEntity), "ca-as-leaf"),
            (wrapped(webpki::Error::NameConstraintViolation), "name-not-permitted"),
            (wrapped(webpki::Error::PathLenConstraintViolated), "path-too-long"),
            (wrapped(webpki::Error::UnsupportedCriticalExtension), "unknown-critical-extension"),
            (wrapped(webpki::Error::UnsupportedCertVersion), "bad-version"),
            (wrapped(webpki::Error::MaximumPathBuildCallsExceeded), "certificate-refused"),
            (E::ApplicationVerificationFailure, "certificate-refused"),
        ] {
            assert_eq!(of(&error.clone().into()).code, code, "{error:?}");
        }
    }

    /// rustls wraps these errors of webpki.
    #[test]
    fn refusals_that_rustls_passes_on_from_webpki_have_distinct_codes() {
        let versions = [TlsVersion::Tls13];
        let others = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let key = || PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let (root_key, upper_key, lower_key) = (key(), key(), key());
        let root = certificate("Root", "Root", 1, &root_key, &root_key, &Kind::Authority);
        for (upper, leaf, code) in [
            (Kind::Authority, Kind::Authority, CA_AS_LEAF),
            (Kind::Authority, Kind::StrangeServer, UNKNOWN_CRITICAL_EXTENSION),
            (Kind::LastAuthority, Kind::Server, PATH_TOO_LONG),
        ] {
            let leaf_key = key();
            let upper = certificate("Upper", "Root", 2, &upper_key, &root_key, &upper);
            let lower = certificate("Lower", "Upper", 3, &lower_key, &upper_key, &Kind::Authority);
            let leaf = certificate("localhost", "Lower", 4, &leaf_key, &lower_key, &leaf);
            let server = Endpoint::new(vec![leaf, lower, upper], leaf_key).unwrap();
            let roots = [root.clone()];
            let test = HandshakeTest { server: &server, client: None, roots: &roots, ..others.test(&versions) };
            let report = run(&test).unwrap();
            let found = report.sessions[0].failure.as_ref().unwrap();
            assert_eq!((found.by, found.cause.code), (Side::Client, code), "{found:?}");
        }
    }

    #[test]
    fn dates_and_names_of_a_certificate_are_reported() {
        use CertificateError as E;
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expired = of(&E::ExpiredContext { time: at(86_400), not_after: at(60) }.into());
        assert_eq!(
            (expired.code, expired.sentence.as_str(), expired.date.map(rfc3339)),
            (
                EXPIRED,
                "the certificate expired on 1970-01-01T00:01:00Z, and it is 1970-01-02T00:00:00Z",
                Some("1970-01-01T00:01:00Z".to_owned())
            )
        );
        let early = of(&E::NotValidYetContext { time: at(60), not_before: at(86_400) }.into());
        assert_eq!(
            (early.code, early.sentence.as_str(), early.date.map(rfc3339)),
            (
                NOT_YET_VALID,
                "the certificate is valid from 1970-01-02T00:00:00Z on, and it is 1970-01-01T00:01:00Z",
                Some("1970-01-02T00:00:00Z".to_owned())
            )
        );
        let named = |presented: &[&str]| {
            let expected = ServerName::try_from("web.test").unwrap();
            let presented = presented.iter().map(ToString::to_string).collect();
            of(&E::NotValidForNameContext { expected, presented }.into()).sentence
        };
        let start = "the certificate is not issued for web.test, only for";
        assert_eq!(named(&["DnsName(\"db.test\")", "IpAddress(10.0.0.1)"]), format!("{start} db.test, 10.0.0.1"));
        assert_eq!(named(&[]), format!("{start} no name at all"));
    }

    #[test]
    fn every_common_cause_has_a_fix_of_its_own() {
        let common = [
            NO_CERTIFICATE,
            UNKNOWN_ISSUER,
            BAD_SIGNATURE,
            EXPIRED,
            NOT_YET_VALID,
            WRONG_PURPOSE,
            WRONG_NAME,
            REVOKED,
            NOT_A_CA,
            NAME_NOT_PERMITTED,
            "revocation-list-expired",
            TIMED_OUT,
            NOT_TLS,
            "http-400",
            ALERT_RECEIVED,
            NO_COMMON_VERSION,
            NO_COMMON_CIPHER_SUITE,
            NO_COMMON_GROUP,
            NO_COMMON_SIGNATURE,
            NO_COMMON_GROUND,
            // The fix of all rare causes.
            "tls-error",
        ];
        let fix = |code| Cause::new(code, "what was found").fix();
        let mut fixes = common.map(fix).to_vec();
        fixes.sort_unstable();
        assert!(fixes.iter().all(|fix| !fix.is_empty()), "{fixes:?}");
        assert!(fixes.is_sorted_by(|one, next| one < next), "two causes have the same fix: {fixes:?}");
        assert_eq!([fix("http-495"), fix("http-496")], [fix("http-400"); 2]);
    }

    #[test]
    fn a_status_of_http_is_a_refusal_only_where_servers_refuse_with_it() {
        for (status, code) in [("400", "http-400"), ("495", "http-495"), ("496", "http-496")] {
            assert_eq!(Cause::http(status).map(|cause| cause.code), Some(code));
        }
        for status in ["200", "404", "500", ""] {
            assert_eq!(Cause::http(status), None, "{status}");
        }
    }

    #[test]
    fn plain_http_is_recognized_by_its_first_bytes() {
        let not_tls = of(&InvalidMessage::InvalidContentType.into());
        for first in ["HTTP/1.1 400", "GET / ", "HEAD / ", "POST / ", "PUT / ", "OPTIONS * "] {
            assert!(
                not_tls.clone().with_first_bytes(first.as_bytes()).sentence.contains("HTTP in the clear"),
                "{first}"
            );
        }
        assert_eq!(not_tls.clone().with_first_bytes(b"220 mail.test ESMTP"), not_tls);
        let expired = of(&CertificateError::Expired.into());
        assert_eq!(expired.clone().with_first_bytes(b"GET / "), expired);
    }

    #[test]
    fn an_exchange_that_was_cut_short_says_what_was_too_much() {
        let code = |error| Cause::cut_short(Side::Server, &error).code;
        assert_eq!(code(ExchangeError::TooLong(Duration::from_secs(1))), TIMED_OUT);
        assert_eq!(code(ExchangeError::TooMuch), "too-much-data");
        assert_eq!(code(ExchangeError::NoMemoryLeft), "no-memory-left");
        assert_eq!(code(ExchangeError::Library("broken".to_owned())), "connection-failed");
    }

    fn offered(suites: &[u16]) -> Vec<CipherSuite> {
        suites.iter().copied().map(CipherSuite).collect()
    }

    /// The TLS library reports that the groups are missing; the fix concerns the cipher suites.
    #[test]
    fn a_client_with_static_rsa_only_has_that_cause_whatever_the_library_reports() {
        let offers = [0x2a2a, 0x009d, 0x002f, 0x00ff];
        for missed in [PeerIncompatible::NoKxGroupsInCommon, PeerIncompatible::NoCipherSuitesInCommon] {
            let cause = of(&Error::PeerIncompatible(missed)).with_offered_suites(&offered(&offers));
            assert_eq!(cause.code, NO_COMMON_CIPHER_SUITE);
            assert!(
                cause.sentence.starts_with("the client offers only static RSA") && cause.fix().contains("ECDHE"),
                "{cause:?}"
            );
        }
        let one_that_would_do = [&offers[..], &[0xc02f]].concat();
        let cause = of(&Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon));
        assert_eq!(cause.clone().with_offered_suites(&offered(&one_that_would_do)).code, NO_COMMON_GROUP);
        assert_eq!(cause.with_offered_suites(&[]).code, NO_COMMON_GROUP);
        let expired = Cause::new(EXPIRED, "it has expired");
        assert_eq!(expired.clone().with_offered_suites(&offered(&offers)), expired);
    }
}
