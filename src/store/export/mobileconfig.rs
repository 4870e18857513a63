//! A configuration profile of Apple with roots (Configuration Profile Reference, "Certificate Payload").

use crate::store::ca_certificates::Root;
use crate::text::hex;
use crate::x509::{Certificate, digest, pem};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">
<plist version=\"1.0\">
";

/// Returns the profile. Its identifiers come from the certificates, so that a device replaces the profile of the same root, and
/// the same roots give the same file.
pub(super) fn profile(roots: &[Root]) -> String {
    let payloads: String = roots.iter().map(|root| payload(&root.certificate)).collect();
    let first = roots.first().map(|root| root.certificate.fingerprint()).unwrap_or_default();
    let name = roots.first().map(|root| display_name(&root.certificate)).unwrap_or_default();
    let all: Vec<u8> = roots.iter().flat_map(|root| root.certificate.fingerprint()).collect();
    let about = entries("Configuration", &format!("ca.roots.{}", hex(&first[..8])), &digest::sha256(&all), &name);
    format!("{HEAD}<dict>\n{about}<key>PayloadContent</key>\n<array>\n{payloads}</array>\n</dict>\n</plist>\n")
}

fn payload(root: &Certificate) -> String {
    let fingerprint = root.fingerprint();
    let identifier = format!("ca.root.{}", hex(&fingerprint[..8]));
    let about = entries("com.apple.security.root", &identifier, &fingerprint, &display_name(root));
    let der = pem::encode_base64(root.as_der());
    format!("<dict>\n{about}<key>PayloadContent</key>\n<data>{}</data>\n</dict>\n", *der)
}

/// Returns the keys that the profile and each payload have.
fn entries(kind: &str, identifier: &str, digest: &[u8; 32], name: &str) -> String {
    let text = |key: &str, value: &str| format!("<key>{key}</key>\n<string>{}</string>\n", escaped(value));
    let version = "<key>PayloadVersion</key>\n<integer>1</integer>\n".to_owned();
    let uuid = uuid(digest);
    [
        text("PayloadType", kind),
        version,
        text("PayloadIdentifier", identifier),
        text("PayloadUUID", &uuid),
        text("PayloadDisplayName", name),
    ]
    .concat()
}

/// Returns a UUID of version 8 (RFC 9562 §5.8).
fn uuid(digest: &[u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes).to_uppercase();
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

fn display_name(root: &Certificate) -> String {
    root.subject.common_name().map_or_else(|| root.subject.to_string(), str::to_owned)
}

/// Escapes text for XML, and replaces the characters that XML 1.0 does not have.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place_and_uuids_have_their_version() {
        assert_eq!(escaped("<a>&\0\n"), "&lt;a&gt;&amp;\u{fffd}\u{fffd}");
        assert_eq!(uuid(&[0xff; 32]), "FFFFFFFF-FFFF-8FFF-BFFF-FFFFFFFFFFFF");
    }
}
