//! Where CRLs are published, and what a CRL covers (RFC 5280 §4.2.1.13, §5.2.5).
//!
//! Read by hand and strictly: a value that cannot be read makes the extension malformed, since a scope that is read too
//! widely would let a revoked certificate pass.

use super::{DistinguishedName, der};

/// The reasons that a CRL covers, as bits: bit 1 is keyCompromise, bit 8 aACompromise (RFC 5280 §4.2.1.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReasonFlags(u16);

impl ReasonFlags {
    /// Every reason; bit 0 is unused.
    pub const ALL: Self = Self(0x1fe);
    pub const NONE: Self = Self(0);

    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The name of a distribution point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointName {
    /// The full names, each as DER: they are only compared.
    Full(Vec<Vec<u8>>),
    /// The DER of the attributes that follow the CRL issuer's name.
    Relative(Vec<u8>),
}

/// One distribution point of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistributionPoint {
    pub name: Option<PointName>,
    pub reasons: Option<ReasonFlags>,
    /// The directory names of the CRL issuer, when it is not the certificate's issuer (an indirect CRL).
    pub crl_issuer: Option<Vec<Vec<u8>>>,
}

/// The scope of a CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuingDistributionPoint {
    pub name: Option<PointName>,
    pub only_user_certificates: bool,
    pub only_ca_certificates: bool,
    pub only_attribute_certificates: bool,
    pub only_some_reasons: Option<ReasonFlags>,
    pub indirect: bool,
}

/// Reads the value of a `cRLDistributionPoints` extension.
pub(super) fn read_distribution_points(value: &[u8]) -> Option<Vec<DistributionPoint>> {
    let points = children_of(value, der::SEQUENCE)?;
    if points.is_empty() {
        return None;
    }
    points.into_iter().map(read_distribution_point).collect()
}

fn read_distribution_point(value: &[u8]) -> Option<DistributionPoint> {
    let mut point = DistributionPoint { name: None, reasons: None, crl_issuer: None };
    for field in in_order(children_of(value, der::SEQUENCE)?)? {
        let (tag, content, _) = der::split_first(field)?;
        match tag {
            0xa0 => point.name = Some(read_name(content)?),
            0x81 => point.reasons = Some(read_reasons(content)?),
            0xa2 => point.crl_issuer = Some(owned(der::children(content)?)?),
            _ => return None,
        }
    }
    Some(point)
}

/// Reads the value of an `issuingDistributionPoint` extension.
pub(super) fn read_issuing_distribution_point(value: &[u8]) -> Option<IssuingDistributionPoint> {
    let mut scope = IssuingDistributionPoint {
        name: None,
        only_user_certificates: false,
        only_ca_certificates: false,
        only_attribute_certificates: false,
        only_some_reasons: None,
        indirect: false,
    };
    for field in in_order(children_of(value, der::SEQUENCE)?)? {
        let (tag, content, _) = der::split_first(field)?;
        match tag {
            0xa0 => scope.name = Some(read_name(content)?),
            0x81 => scope.only_user_certificates = read_boolean(content)?,
            0x82 => scope.only_ca_certificates = read_boolean(content)?,
            0x83 => scope.only_some_reasons = Some(read_reasons(content)?),
            0x84 => scope.indirect = read_boolean(content)?,
            0x85 => scope.only_attribute_certificates = read_boolean(content)?,
            _ => return None,
        }
    }
    Some(scope)
}

fn children_of(value: &[u8], expected: u8) -> Option<Vec<&[u8]>> {
    match der::split_first(value)? {
        (tag, content, []) if tag == expected => der::children(content),
        _ => None,
    }
}

/// Returns the fields, whose tag numbers must increase.
fn in_order(fields: Vec<&[u8]>) -> Option<Vec<&[u8]>> {
    let numbers: Vec<u8> = fields.iter().map(|field| field[0] & 0x1f).collect();
    numbers.windows(2).all(|pair| pair[0] < pair[1]).then_some(fields)
}

fn read_name(value: &[u8]) -> Option<PointName> {
    match der::split_first(value)? {
        (0xa0, content, []) => Some(PointName::Full(owned(der::children(content)?)?)),
        (0xa1, content, []) => Some(PointName::Relative(content.to_vec())),
        _ => None,
    }
}

fn owned(names: Vec<&[u8]>) -> Option<Vec<Vec<u8>>> {
    (!names.is_empty()).then(|| names.into_iter().map(<[u8]>::to_vec).collect())
}

fn read_boolean(content: &[u8]) -> Option<bool> {
    match content {
        [0] => Some(false),
        [0xff] => Some(true),
        _ => None,
    }
}

fn read_reasons(content: &[u8]) -> Option<ReasonFlags> {
    let (unused, bytes) = content.split_first()?;
    if *unused > 7 || bytes.len() > 2 || bytes.is_empty() {
        return None;
    }
    let bits = (0..).zip(bytes).fold(0_u16, |bits, (index, byte)| bits | u16::from(byte.reverse_bits()) << (8 * index));
    Some(ReasonFlags(bits & 0x1fe))
}

/// Returns the DER of a `directoryName`: the name of the CRL issuer, and the relative name of the point at its end.
pub fn complete_relative_name(issuer: &DistinguishedName, attributes: &[u8]) -> Option<Vec<u8>> {
    let (_, names, _) = der::split_first(issuer.as_der())?;
    let name = der::sequence(&[names, &der::value(der::SET, attributes)]);
    Some(der::value(der::context_constructed(4), &name))
}

/// Returns the directory name in the value of a `certificateIssuer` entry extension (RFC 5280 §5.3.3), when it has exactly
/// one.
pub(super) fn read_certificate_issuer(value: &[u8]) -> Option<DistinguishedName> {
    let mut names = children_of(value, der::SEQUENCE)?.into_iter().filter_map(directory_name);
    match (names.next(), names.next()) {
        (Some(name), None) => Some(name),
        _ => None,
    }
}

/// Returns the directory name in the DER of a `GeneralName`; `None` when it is of another kind.
pub fn directory_name(general_name: &[u8]) -> Option<DistinguishedName> {
    match der::split_first(general_name)? {
        (0xa4, content, []) => DistinguishedName::from_der(content).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_field_by_field() {
        let scope = read_issuing_distribution_point(&der::sequence(&[&[0x81, 1, 0xff], &[0x83, 2, 6, 0x40]])).unwrap();
        assert!(scope.only_user_certificates && !scope.indirect);
        assert_eq!(scope.only_some_reasons, Some(ReasonFlags(0b10)));
        // The first bit is unused and has no meaning.
        let scope = read_issuing_distribution_point(&der::sequence(&[&[0x83, 2, 6, 0xc0]])).unwrap();
        assert_eq!(scope.only_some_reasons, Some(ReasonFlags(0b10)));
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_no_limit() {
        for fields in [
            &[0x84, 1, 1][..],
            &[0x86, 1, 0xff],
            &[0x83, 1, 0],
            &[0x83, 2, 8, 0x40],
            &[0x83, 4, 0, 0x40, 0, 0],
            &[0x81, 0],
            &[0x82, 1, 0xff, 0x81, 1, 0xff],
        ] {
            assert_eq!(read_issuing_distribution_point(&der::sequence(&[fields])), None, "{fields:?}");
        }
        assert_eq!(read_distribution_points(&der::sequence(&[])), None);
        assert_eq!(read_distribution_points(&[0x30, 1]), None);
    }

    #[test]
    fn points_have_names_reasons_and_issuers() {
        let url = der::value(der::context(6), b"http://a.test/crl");
        let name = der::value(0xa0, &der::value(0xa0, &url));
        let points = read_distribution_points(&der::sequence(&[&der::sequence(&[&name])])).unwrap();
        assert_eq!(points[0].name, Some(PointName::Full(vec![url])));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            fields in proptest::collection::vec((0x81_u8..0x87, proptest::collection::vec(proptest::prop_oneof![0_u8..8, 0_u8..], 0..4)), 0..3),
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
        ) {
            let fields: Vec<Vec<u8>> = fields.iter().map(|(tag, content)| der::value(*tag, content)).collect();
            let fields = der::sequence(&fields.iter().map(Vec::as_slice).collect::<Vec<_>>());
            for value in [&fields, &der::sequence(&[&fields]), &bytes] {
                if let Some(scope) = read_issuing_distribution_point(value) {
                    let reasons = scope.only_some_reasons.unwrap_or(ReasonFlags::NONE);
                    proptest::prop_assert!(ReasonFlags::ALL.contains(reasons));
                }
                if let Some(points) = read_distribution_points(value) {
                    proptest::prop_assert!(!points.is_empty());
                }
                read_certificate_issuer(value);
                directory_name(value);
            }
        }
    }
}
