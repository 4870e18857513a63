//! The fields of a `TBSCertificate` (RFC 5280 §4.1) as bytes, to replace some and keep the others as they are.

use super::{SignatureAlgorithm, der};

/// The fields of a `TBSCertificate`, each with its tag and length, and none of them encoded again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TbsFields {
    /// `[0]`, absent in version 1.
    pub version: Vec<u8>,
    pub serial: Vec<u8>,
    pub signature_algorithm: Vec<u8>,
    pub issuer: Vec<u8>,
    pub validity: Vec<u8>,
    pub subject: Vec<u8>,
    pub public_key: Vec<u8>,
    /// `[1]`, `[2]` and `[3]`: the unique identifiers of version 2, and the extensions.
    pub rest: Vec<u8>,
}

impl TbsFields {
    /// Splits the DER of a `TBSCertificate` into its fields; `None` when it is something else.
    pub fn split(tbs: &[u8]) -> Option<Self> {
        let (der::SEQUENCE, content, []) = der::split_first(tbs)? else { return None };
        let fields = der::children(content)?;
        let (version, fields) = match fields.split_first()? {
            (version, fields) if version.first() == Some(&der::context_constructed(0)) => (version.to_vec(), fields),
            _ => (Vec::new(), fields.as_slice()),
        };
        let [serial, signature_algorithm, issuer, validity, subject, public_key, rest @ ..] = fields else {
            return None;
        };
        Some(Self {
            version,
            serial: serial.to_vec(),
            signature_algorithm: signature_algorithm.to_vec(),
            issuer: issuer.to_vec(),
            validity: validity.to_vec(),
            subject: subject.to_vec(),
            public_key: public_key.to_vec(),
            rest: rest.concat(),
        })
    }

    /// Returns the DER of the whole structure.
    pub fn join(&self) -> Vec<u8> {
        der::sequence(&[
            &self.version,
            &self.serial,
            &self.signature_algorithm,
            &self.issuer,
            &self.validity,
            &self.subject,
            &self.public_key,
            &self.rest,
        ])
    }
}

/// Joins what is signed, the algorithm and the signature to one certificate, CRL or request: all three have the same
/// structure.
pub fn assemble(tbs: &[u8], algorithm: &SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    der::sequence(&[tbs, &algorithm.der, &der::bit_string(signature)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_apart_can_be_put_together_again() {
        let field = |byte| der::value(der::OCTET_STRING, &[byte]);
        let version = der::value(der::context_constructed(0), &[2, 1, 2]);
        let fields: Vec<_> = (1..=7).map(field).collect();
        let with_version = der::sequence(&[&version, &fields.concat()]);
        let split = TbsFields::split(&with_version).unwrap();
        assert_eq!((split.version.as_slice(), split.serial.as_slice()), (version.as_slice(), field(1).as_slice()));
        assert_eq!(split.rest, field(7));
        assert_eq!(split.join(), with_version);

        let without = der::sequence(&[&fields.concat()]);
        assert_eq!(TbsFields::split(&without).unwrap().join(), without);
        assert_eq!(TbsFields::split(&der::sequence(&[&field(1)])), None);
    }
}
