//! The path as a whole (RFC 5280 §6.1): its links, its length and its anchor.

use std::rc::Rc;

use super::basic_constraints::path_length;
use super::key_usage;
use crate::clients::fact::{Found, Subject, words};
use crate::clients::raw::RawCertificate;
use crate::clients::situation::Chain;

words! {
    ISSUER_MISSING = "chain:issuer-missing", CHAIN, "no certificate that the client trusts is reached", "RFC 5280 §6.1";
    SIGNATURE_INVALID = "chain:signature-invalid", CHAIN, "a signature is not one of the issuer's key", "RFC 5280 §6.1.3 (a)(1)";
    DEPTH_7 = "depth:7-10", CHAIN, "the path has 7 to 10 certificates below the root", "RFC 5280 §6.1";
    DEPTH_OVER_10 = "depth:over-10", CHAIN, "the path has more than 10 certificates below the root", "RFC 5280 §6.1";
    DEPTH_OVER_13 = "depth:over-13", CHAIN, "the path has more than 13 certificates below the root", "RFC 5280 §6.1";
    ANCHOR_LEAF = "anchor:leaf", CHAIN, "the client trusts the leaf itself, and no issuer of it", "RFC 5280 §6.1.1 (d)";
    ANCHOR_SELF_SIGNED_LEAF = "anchor:self-signed-leaf", CHAIN, "the leaf is self-signed, and the client trusts it", "RFC 5280 §6.1.1 (d)";
    ANCHOR_WITHOUT_CERT_SIGN = "anchor:self-signed-leaf-without-cert-sign", CHAIN,
        "the client trusts the self-signed leaf, whose key usage does not allow it to sign itself", "RFC 5280 §4.2.1.3";
    ANCHOR_NOT_SELF_SIGNED = "anchor:not-self-signed", CHAIN, "the client trusts the intermediate, and not the root",
        "RFC 5280 §6.1.1 (d)";
    SELF_ISSUED = "inter-self-issued", CHAIN, "an intermediate has the name of its issuer", "RFC 5280 §6.1";
    LEAF_NAMED_AS_ISSUER = "leaf-named-as-issuer", CHAIN, "the leaf has the name of its issuer", "RFC 5280 §6.1.3 (b)";
    FORM_TYPE = "issuer-name-form:type", CHAIN, "an issuer name has another string type than the name of the CA", "RFC 5280 §7.1";
    FORM_CASE = "issuer-name-form:case", CHAIN, "an issuer name differs in case from the name of the CA", "RFC 5280 §7.1";
    FORM_SPACES = "issuer-name-form:spaces", CHAIN, "an issuer name differs in spaces from the name of the CA", "RFC 5280 §7.1";
    FORM_ORDER = "issuer-name-form:order", CHAIN, "an issuer name has the parts of the CA's name in another order", "RFC 5280 §6.1.3 (a)(4)";
    NAME_WRONG = "issuer-name-wrong", CHAIN, "an issuer name is not the name of the CA that signed", "RFC 5280 §6.1.3 (a)(4)";
    SAME_SERIAL = "same-serial-in-chain", CHAIN, "two certificates of the path have one serial number", "RFC 5280 §4.1.2.2";
    PATH_LENGTH_VIOLATED = "pathlen:violated", CA, "has a path length that is exceeded", "RFC 5280 §6.1.4 (l)";
    PATH_LENGTH_BY_SELF_ISSUED = "pathlen:violated-by-self-issued", CA,
        "has a path length that is exceeded only when self-issued certificates count", "RFC 5280 §6.1.4 (l)";
}

pub fn find(chain: &Chain<'_>, found: &mut Found) {
    let mut add = |condition: bool, word| found.add_if(condition, Subject::Chain, word);
    let path = &chain.path;
    add(!chain.is_complete, &ISSUER_MISSING);
    add(chain.has_wrong_signature, &SIGNATURE_INVALID);
    // The certificates that the server sends, without the root.
    let depth = path.len() - usize::from(chain.root().is_some());
    match depth {
        0..7 => {}
        7..=10 => add(true, &DEPTH_7),
        depth => {
            add(true, &DEPTH_OVER_10);
            add(depth > 13, &DEPTH_OVER_13);
        }
    }
    if let (true, [leaf]) = (chain.is_complete, path.as_slice()) {
        let is_self_signed = leaf.is_self_issued();
        add(true, if is_self_signed { &ANCHOR_SELF_SIGNED_LEAF } else { &ANCHOR_LEAF });
        add(is_self_signed && !key_usage::allows_cert_sign(leaf), &ANCHOR_WITHOUT_CERT_SIGN);
    }
    add(chain.root().is_some() && !chain.ends_self_signed && !chain.has_anchors_above, &ANCHOR_NOT_SELF_SIGNED);
    let below = &path[..depth];
    add(below.iter().skip(1).any(|intermediate| intermediate.is_self_issued()), &SELF_ISSUED);
    let is_trusted_leaf = chain.is_complete && path.len() == 1;
    add(!is_trusted_leaf && path.first().is_some_and(|leaf| leaf.is_self_issued()), &LEAF_NAMED_AS_ISSUER);
    for pair in path.windows(2) {
        let [child, issuer] = pair else { continue };
        if child.issuer.der == issuer.subject.der {
            continue;
        }
        match child.issuer.form(&issuer.subject) {
            None => add(true, &NAME_WRONG),
            Some(form) => {
                add(form.string_type, &FORM_TYPE);
                add(form.case, &FORM_CASE);
                add(form.spaces, &FORM_SPACES);
                add(form.order, &FORM_ORDER);
            }
        }
    }
    let mut serials: Vec<_> = path.iter().map(|certificate| certificate.serial).collect();
    serials.sort_unstable();
    add(serials.windows(2).any(|two| two[0] == two[1]), &SAME_SERIAL);
    path_lengths(&chain.path, chain.is_complete, found);
}

/// Finds the path lengths that the path exceeds.
pub fn path_lengths(path: &[Rc<RawCertificate<'_>>], is_complete: bool, found: &mut Found) {
    for (index, certificate) in path.iter().enumerate().skip(1) {
        let Some(most) = path_length(certificate) else { continue };
        let is_root = is_complete && index + 1 == path.len();
        let subject = if is_root { Subject::Root } else { Subject::Intermediate };
        let below = &path[1..index];
        let counted = below.iter().filter(|intermediate| !intermediate.is_self_issued()).count();
        if counted > most {
            found.add(subject, &PATH_LENGTH_VIOLATED);
        } else {
            found.add_if(below.len() > most, subject, &PATH_LENGTH_BY_SELF_ISSUED);
        }
    }
}
