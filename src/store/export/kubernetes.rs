//! A manifest of Kubernetes with a secret of the type `kubernetes.io/tls`.

use zeroize::Zeroizing;

use super::material::{ExportError, joined};
use crate::x509::pem;

/// The longest name of an object: a DNS subdomain of RFC 1123.
const MOST_NAME_CHARACTERS: usize = 253;
/// The name of an object when nothing is left of that of the certificate.
const USUAL_NAME: &str = "certificate";

/// Returns the manifest. Its keys are those that ingress controllers read: `tls.crt` and `tls.key` for the server, `ca.crt` for
/// the clients that it lets in.
pub(super) fn secret(name: &str, roots: &str, chain: &str, key: &str) -> Result<Zeroizing<Vec<u8>>, ExportError> {
    let name = object_name(name);
    let (roots, chain) = (pem::encode_base64(roots.as_bytes()), pem::encode_base64(chain.as_bytes()));
    let key = pem::encode_base64(key.as_bytes());
    let head = format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\ntype: kubernetes.io/tls\ndata:\n");
    Ok(joined(&[&head, "  ca.crt: ", &roots, "\n  tls.crt: ", &chain, "\n  tls.key: ", &key, "\n"]))
}

/// Returns the manifest of a config map with the roots; with CRLs under a second key, when there are any.
pub(super) fn config_map(name: &str, roots: &str, crls: &str) -> String {
    let block = |key: &str, text: &str| {
        let lines: String = text.lines().map(|line| format!("    {line}\n")).collect();
        format!("  {key}: |\n{lines}")
    };
    let crls = if crls.is_empty() { String::new() } else { block("ca.crl", crls) };
    let roots = block("ca.crt", roots);
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n{crls}{roots}")
}

/// Returns the name of a certificate as Kubernetes allows it: labels of lower-case letters, digits and hyphens, with dots
/// between them. A label does not begin or end with a hyphen.
pub fn object_name(name: &str) -> String {
    let allowed = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '.') => c,
        _ => '-',
    };
    let name: String = name.replace('*', "wildcard").chars().map(allowed).take(MOST_NAME_CHARACTERS).collect();
    let labels: Vec<&str> =
        name.split('.').map(|label| label.trim_matches('-')).filter(|label| !label.is_empty()).collect();
    if labels.is_empty() { USUAL_NAME.to_owned() } else { labels.join(".") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_object_is_a_subdomain() {
        for (name, object) in [
            ("www.corp.test", "www.corp.test"),
            ("*.corp.test", "wildcard.corp.test"),
            ("Anna Müller", "anna-m-ller"),
            ("anna@corp.test", "anna-corp.test"),
            ("spiffe://corp/web", "spiffe---corp-web"),
            ("-a-.-.b-", "a.b"),
            ("ü", "certificate"),
        ] {
            assert_eq!(object_name(name), object);
        }
        assert_eq!(object_name(&"a".repeat(300)).len(), MOST_NAME_CHARACTERS);
    }
}
