//! The form of extensions, element by element: which values are there, in which order, with which tags.
//!
//! x509-parser passes over a wrong tag class, over elements that it does not know, and over the second of two lists. A
//! constraint that is passed over constrains nothing, so every extension that this program decodes has to be exactly what
//! its ASN.1 says (RFC 5280 appendix A). Two deviations from DER leave no doubt about the meaning, and are accepted: a
//! BOOLEAN that is written although it is FALSE, and zero bits at the end of a list of named bits.

use crate::x509::der::{self, context, context_constructed};

/// Checks the value of an extension. One that is not decoded here is not looked at.
pub fn check(oid: &[u8], value: &[u8]) -> Result<(), String> {
    // The arcs below id-ce, 2.5.29, and id-pe, 1.3.6.1.5.5.7.1.
    let form: fn(&[u8]) -> Result<(), String> = match oid {
        [0x55, 0x1d, 14] => |value| only(value, der::OCTET_STRING, "it").map(drop),
        [0x55, 0x1d, 15] => key_usage,
        [0x55, 0x1d, 17 | 18] => |value| general_names(only(value, der::SEQUENCE, "it")?, "it"),
        [0x55, 0x1d, 19] => basic_constraints,
        [0x55, 0x1d, 20 | 27 | 54] => |value| number(only(value, der::INTEGER, "it")?, "it"),
        [0x55, 0x1d, 21] => |value| number(only(value, der::ENUMERATED, "it")?, "it"),
        [0x55, 0x1d, 24] => |value| only(value, der::GENERALIZED_TIME, "it").map(drop),
        [0x55, 0x1d, 30] => name_constraints,
        [0x55, 0x1d, 32] => policies,
        [0x55, 0x1d, 33] => policy_mappings,
        [0x55, 0x1d, 35] => authority_key_id,
        [0x55, 0x1d, 36] => policy_constraints,
        [0x55, 0x1d, 37] => extended_key_usage,
        [0x2b, 6, 1, 5, 5, 7, 1, 1 | 11] => access_descriptions,
        _ => return Ok(()),
    };
    if !der::has_shortest_lengths(value) {
        return Err("a length in it takes more bytes than it has to, as in BER".to_owned());
    }
    form(value)
}

/// The elements of a constructed value that are still to be read.
struct Elements<'a> {
    /// What they belong to, for messages.
    place: &'static str,
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    fn new(place: &'static str, rest: &'a [u8]) -> Self {
        Self { place, rest }
    }

    /// Takes the content of the next element when it has this tag.
    fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, String> {
        if self.rest.first() != Some(&tag) {
            return Ok(None);
        }
        let (_, content, rest) = der::split_first(self.rest).ok_or_else(|| cut_off(self.place))?;
        self.rest = rest;
        Ok(Some(content))
    }

    fn required(&mut self, tag: u8) -> Result<&'a [u8], String> {
        match self.optional(tag)? {
            Some(content) => Ok(content),
            None => Err(match self.rest.first() {
                Some(found) => format!("in {}, the tag {tag:02x} was expected, and {found:02x} found", self.place),
                None => format!("in {}, an element with the tag {tag:02x} is missing", self.place),
            }),
        }
    }

    /// Takes the next element, whatever it is.
    fn any(&mut self) -> Result<(u8, &'a [u8]), String> {
        let (tag, content, rest) = der::split_first(self.rest).ok_or_else(|| cut_off(self.place))?;
        self.rest = rest;
        Ok((tag, content))
    }

    fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn end(self) -> Result<(), String> {
        match self.rest.first() {
            None => Ok(()),
            Some(tag) => {
                Err(format!("{} has an element with the tag {tag:02x} that does not belong there", self.place))
            }
        }
    }
}

fn cut_off(place: &str) -> String {
    format!("{place} is cut off, or an element is missing")
}

/// Returns the content of the only element.
fn only<'a>(value: &'a [u8], tag: u8, place: &'static str) -> Result<&'a [u8], String> {
    let mut elements = Elements::new(place, value);
    let content = elements.required(tag)?;
    elements.end()?;
    Ok(content)
}

fn boolean(content: &[u8], place: &str) -> Result<(), String> {
    match content {
        [0 | 0xff] => Ok(()),
        _ => Err(format!("{place} has a BOOLEAN that is neither 00 nor ff")),
    }
}

/// Checks a number that is not negative, in as few octets as possible (X.690 §8.3.2).
fn number(content: &[u8], place: &str) -> Result<(), String> {
    match content {
        [] => Err(format!("{place} has a number of no bytes")),
        [0x80..=0xff, ..] => Err(format!("{place} has a negative number")),
        [0, 0..0x80, ..] => Err(format!("{place} has a number that takes more bytes than it has to")),
        _ => Ok(()),
    }
}

/// Checks an object identifier (X.690 §8.19): subidentifiers that are complete, without leading zeros.
fn object_identifier(content: &[u8], place: &str) -> Result<(), String> {
    let ends = content.last().is_some_and(|last| last & 0x80 == 0);
    let padded = content.iter().enumerate().any(|(at, byte)| {
        *byte == 0x80 && at.checked_sub(1).and_then(|before| content.get(before)).is_none_or(|it| it & 0x80 == 0)
    });
    if ends && !padded { Ok(()) } else { Err(format!("{place} has an object identifier that is none")) }
}

fn key_usage(value: &[u8]) -> Result<(), String> {
    let content = only(value, der::BIT_STRING, "it")?;
    match content.split_first() {
        Some((0, [])) => Ok(()),
        Some((unused @ 0..8, [.., last])) if last.trailing_zeros() >= u32::from(*unused) => Ok(()),
        _ => Err("its bits do not end where they say".to_owned()),
    }
}

fn basic_constraints(value: &[u8]) -> Result<(), String> {
    let mut fields = Elements::new("it", only(value, der::SEQUENCE, "it")?);
    if let Some(content) = fields.optional(der::BOOLEAN)? {
        boolean(content, "it")?;
    }
    if let Some(content) = fields.optional(der::INTEGER)? {
        number(content, "its path length")?;
    }
    fields.end()
}

/// An empty list is not refused here: for each list of names there is a rule of its own.
fn general_names(content: &[u8], place: &'static str) -> Result<(), String> {
    let mut names = Elements::new(place, content);
    while !names.is_empty() {
        general_name(&mut names)?;
    }
    Ok(())
}

fn general_name(names: &mut Elements<'_>) -> Result<(), String> {
    const OTHER: u8 = context_constructed(0);
    const X400: u8 = context_constructed(3);
    const DIRECTORY: u8 = context_constructed(4);
    const EDI_PARTY: u8 = context_constructed(5);
    const REGISTERED_ID: u8 = context(8);
    match names.any()? {
        (OTHER, content) => {
            let mut fields = Elements::new("a name of form [0]", content);
            object_identifier(fields.required(der::OBJECT_IDENTIFIER)?, "a name of form [0]")?;
            let mut inner = Elements::new("a name of form [0]", fields.required(context_constructed(0))?);
            inner.any()?;
            inner.end()?;
            fields.end()
        }
        (DIRECTORY, content) => directory_name(content),
        (REGISTERED_ID, content) => object_identifier(content, "a name of form [8]"),
        (0x81 | 0x82 | 0x86 | 0x87 | X400 | EDI_PARTY, _) => Ok(()),
        (tag, _) => Err(format!("{} has a name with the tag {tag:02x}, which no form of name has", names.place)),
    }
}

fn directory_name(content: &[u8]) -> Result<(), String> {
    const PLACE: &str = "a directory name";
    let mut relative_names = Elements::new(PLACE, only(content, der::SEQUENCE, PLACE)?);
    while !relative_names.is_empty() {
        let mut attributes = Elements::new(PLACE, relative_names.required(der::SET)?);
        while !attributes.is_empty() {
            let mut parts = Elements::new(PLACE, attributes.required(der::SEQUENCE)?);
            object_identifier(parts.required(der::OBJECT_IDENTIFIER)?, PLACE)?;
            parts.any()?;
            parts.end()?;
        }
    }
    Ok(())
}

fn name_constraints(value: &[u8]) -> Result<(), String> {
    let mut lists = Elements::new("it", only(value, der::SEQUENCE, "it")?);
    for (tag, place) in [(0, "the list of permitted names"), (1, "the list of excluded names")] {
        if let Some(content) = lists.optional(context_constructed(tag))? {
            let mut subtrees = some_of(content, place)?;
            while !subtrees.is_empty() {
                let mut fields = Elements::new(place, subtrees.required(der::SEQUENCE)?);
                general_name(&mut fields)?;
                for bound in [0, 1] {
                    if let Some(content) = fields.optional(context(bound))? {
                        number(content, place)?;
                    }
                }
                fields.end()?;
            }
        }
    }
    lists.end()
}

/// For lists of which RFC 5280 says `SIZE (1..MAX)`.
fn some_of<'a>(content: &'a [u8], place: &'static str) -> Result<Elements<'a>, String> {
    if content.is_empty() {
        return Err(format!("{place} is empty"));
    }
    Ok(Elements::new(place, content))
}

/// An empty list is left to the rule about policies.
fn policies(value: &[u8]) -> Result<(), String> {
    let mut policies = Elements::new("it", only(value, der::SEQUENCE, "it")?);
    while !policies.is_empty() {
        let mut fields = Elements::new("a policy", policies.required(der::SEQUENCE)?);
        object_identifier(fields.required(der::OBJECT_IDENTIFIER)?, "a policy")?;
        if let Some(content) = fields.optional(der::SEQUENCE)? {
            let mut qualifiers = Elements::new("a policy", content);
            while !qualifiers.is_empty() {
                let mut fields = Elements::new("a policy qualifier", qualifiers.required(der::SEQUENCE)?);
                object_identifier(fields.required(der::OBJECT_IDENTIFIER)?, "a policy qualifier")?;
                fields.any()?;
                fields.end()?;
            }
        }
        fields.end()?;
    }
    Ok(())
}

fn policy_mappings(value: &[u8]) -> Result<(), String> {
    let mut mappings = some_of(only(value, der::SEQUENCE, "it")?, "it")?;
    while !mappings.is_empty() {
        let mut pair = Elements::new("a mapping", mappings.required(der::SEQUENCE)?);
        for _ in ["issuer's", "subject's"] {
            object_identifier(pair.required(der::OBJECT_IDENTIFIER)?, "a mapping")?;
        }
        pair.end()?;
    }
    Ok(())
}

/// RFC 5280 §4.2.1.11 leaves open what an empty one means; OpenSSL refuses it.
fn policy_constraints(value: &[u8]) -> Result<(), String> {
    let mut fields = some_of(only(value, der::SEQUENCE, "it")?, "it")?;
    for tag in [0, 1] {
        if let Some(content) = fields.optional(context(tag))? {
            number(content, "it")?;
        }
    }
    fields.end()
}

/// An empty list is left to a rule of its own.
fn extended_key_usage(value: &[u8]) -> Result<(), String> {
    let mut purposes = Elements::new("it", only(value, der::SEQUENCE, "it")?);
    while !purposes.is_empty() {
        object_identifier(purposes.required(der::OBJECT_IDENTIFIER)?, "it")?;
    }
    Ok(())
}

fn authority_key_id(value: &[u8]) -> Result<(), String> {
    let mut fields = Elements::new("it", only(value, der::SEQUENCE, "it")?);
    fields.optional(context(0))?;
    if let Some(content) = fields.optional(context_constructed(1))? {
        general_names(content, "its issuer")?;
    }
    fields.optional(context(2))?;
    fields.end()
}

fn access_descriptions(value: &[u8]) -> Result<(), String> {
    let mut descriptions = Elements::new("it", only(value, der::SEQUENCE, "it")?);
    while !descriptions.is_empty() {
        let mut fields = Elements::new("an access description", descriptions.required(der::SEQUENCE)?);
        object_identifier(fields.required(der::OBJECT_IDENTIFIER)?, "an access description")?;
        general_name(&mut fields)?;
        fields.end()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::lint::testing::{TestCa, TestCert};
    use crate::text::from_hex;
    use crate::x509::certificate::oid;
    use crate::x509::{Certificate, NameConstraints, der};

    fn with(oid: &str, value: Vec<u8>) -> Certificate {
        TestCa::root().issue(TestCert::ca("Sub").extension(oid, true, value))
    }

    /// Each is read by x509-parser as if the wrong part of it were not there.
    #[test]
    fn a_constraint_that_the_library_would_pass_over_is_malformed() {
        for (oid, value, what) in [
            (oid::NAME_CONSTRAINTS, "3013a011300f300d820b6578616d706c652e636f6d", "one SEQUENCE too many"),
            (oid::NAME_CONSTRAINTS, "3011a00f300d420b6578616d706c652e636f6d", "a base of the class APPLICATION"),
            (oid::NAME_CONSTRAINTS, "3011a00f300dc20b6578616d706c652e636f6d", "a base of the class PRIVATE"),
            (oid::NAME_CONSTRAINTS, "3011a00f300d020b6578616d706c652e636f6d", "a base that is an INTEGER"),
            (oid::NAME_CONSTRAINTS, "3011a00f300d0c0b6578616d706c652e636f6d", "a base that is a UTF8String"),
            (oid::NAME_CONSTRAINTS, "300fa20d300b8209676f6f642e74657374", "a list [2]"),
            (oid::NAME_CONSTRAINTS, "301ba10d300b8209676f6f642e74657374a10a30088206622e74657374", "two lists [1]"),
            (oid::NAME_CONSTRAINTS, "3004a0020500", "a subtree that is none"),
            (oid::NAME_CONSTRAINTS, "3004a0023000", "a subtree without a base"),
            (oid::NAME_CONSTRAINTS, "3002a000", "an empty list"),
            (oid::NAME_CONSTRAINTS, "3008a00630048201610500", "an element behind the base"),
            (oid::POLICY_CONSTRAINTS, "3005a003020100", "an explicit tag"),
            (oid::POLICY_CONSTRAINTS, "3000", "nothing"),
            (oid::POLICY_CONSTRAINTS, "3006800100800100", "one field twice"),
            (oid::POLICY_CONSTRAINTS, "3006810100800100", "fields in the wrong order"),
            (oid::POLICY_CONSTRAINTS, "3003400100", "a field of the class APPLICATION"),
            (oid::POLICY_CONSTRAINTS, "3002800 0", "a number of no bytes"),
            (oid::INHIBIT_ANY_POLICY, "420100", "the class APPLICATION"),
            (oid::INHIBIT_ANY_POLICY, "0200", "a number of no bytes"),
            (oid::INHIBIT_ANY_POLICY, "0201ff", "a negative number"),
            (oid::BASIC_CONSTRAINTS, "30050101ff0200", "a path length of no bytes"),
            (oid::BASIC_CONSTRAINTS, "30070101ff02020001", "a path length with a zero before it"),
            (oid::BASIC_CONSTRAINTS, "30060101ff800100", "a path length with another tag"),
            (oid::BASIC_CONSTRAINTS, "30090101ff020100020101", "two path lengths"),
            (oid::BASIC_CONSTRAINTS, "3003010101", "a BOOLEAN of BER"),
            (oid::POLICY_MAPPINGS, "300c300a06022a0306022a040500", "an element behind a pair"),
            (oid::POLICY_MAPPINGS, "3000", "no mapping"),
            (oid::KEY_USAGE, "0302 0107", "bits where there are none"),
            (oid::EXTENDED_KEY_USAGE, "300a46082b06010505070301", "a purpose of the class APPLICATION"),
            (oid::SUBJECT_ALT_NAME, "30044202612e", "a name of the class APPLICATION"),
            (oid::CERTIFICATE_POLICIES, "3008300606022a030500", "an element behind a policy"),
            (oid::AUTHORITY_KEY_ID, "3006800101800101", "two key identifiers"),
            (oid::SUBJECT_KEY_ID, "44020101", "the class APPLICATION"),
        ] {
            let value = from_hex(&value.replace(' ', "")).unwrap();
            let malformed = with(oid, value).malformed;
            assert!(matches!(&malformed[..], [(found, _)] if found == oid), "{oid}, {what}: {malformed:?}");
        }
    }

    /// OpenSSL and Go read these in the same way.
    #[test]
    fn what_is_no_der_but_has_one_meaning_is_read() {
        for (oid, value) in [
            (oid::BASIC_CONSTRAINTS, "3003010100"),
            (oid::KEY_USAGE, "03020006"),
            (oid::KEY_USAGE, "0303000600"),
            (oid::CERTIFICATE_POLICIES, "3000"),
        ] {
            assert_eq!(with(oid, from_hex(value).unwrap()).malformed, [], "{oid} {value}");
        }
    }

    fn sound() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
        let constraints = |permitted: &[&str], excluded: &[&str]| {
            let subtrees = |given: &[&str]| given.iter().map(|subtree| subtree.parse().unwrap()).collect();
            NameConstraints { permitted: subtrees(permitted), excluded: subtrees(excluded) }.to_der()
        };
        prop::sample::select(vec![
            (oid::NAME_CONSTRAINTS, constraints(&["corp.test", "10.0.0.0/8"], &["a.corp.test", "email:b.test"])),
            (oid::NAME_CONSTRAINTS, constraints(&[], &["uri:.corp.test"])),
            (oid::POLICY_CONSTRAINTS, from_hex("3006800100810102").unwrap()),
            (oid::INHIBIT_ANY_POLICY, from_hex("020103").unwrap()),
            (oid::BASIC_CONSTRAINTS, from_hex("30060101ff020105").unwrap()),
        ])
    }

    /// Returns the DER of what was decoded.
    fn encoded_again(oid: &str, certificate: &Certificate) -> Option<Vec<u8>> {
        let number = |tag: u8, number: u32| {
            let encoded = der::unsigned_integer(&number.to_be_bytes());
            der::value(tag, der::split_first(&encoded).unwrap().1)
        };
        let optional = |tag: u8, found: Option<u32>| found.map(|found| number(tag, found)).unwrap_or_default();
        Some(match oid {
            oid::NAME_CONSTRAINTS => certificate.name_constraints.as_ref()?.to_der(),
            oid::INHIBIT_ANY_POLICY => number(der::INTEGER, certificate.inhibit_any_policy?),
            oid::POLICY_CONSTRAINTS => {
                let found = certificate.policy_constraints?;
                let require = optional(der::context(0), found.require_explicit_policy);
                der::sequence(&[&require, &optional(der::context(1), found.inhibit_policy_mapping)])
            }
            _ => {
                let found = certificate.basic_constraints?;
                let ca: &[u8] = if found.ca { &[der::BOOLEAN, 1, 0xff] } else { &[] };
                der::sequence(&[ca, &optional(der::INTEGER, found.path_length)])
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]
        /// Whatever is done to the octets: what is read is all that stands there.
        #[test]
        fn what_is_read_encodes_to_the_same_octets(
            (oid, mut value) in sound(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![0_u8, 1, 0x20, 0x40, 0x80, 0xc0])), 0..3),
            repeated in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let (_, content, _) = der::split_first(&value).unwrap();
            if let (Some(at), Some(children)) = (repeated, der::children(content).filter(|it| !it.is_empty())) {
                // A second list of one tag, which some parsers drop.
                let again = children[at.index(children.len())];
                value = der::sequence(&[content, again]);
            }
            for (at, bits) in changes {
                let at = at.index(value.len());
                value[at] ^= bits;
            }
            let certificate = with(oid, value.clone());
            if certificate.malformed.is_empty() {
                // The two that are accepted although they are no DER.
                let minimum = value.windows(2).any(|pair| matches!(pair, [0x80 | 0x81, _])) && oid == oid::NAME_CONSTRAINTS;
                let written_false = value.windows(3).any(|three| three == [1, 1, 0]);
                if !minimum && !written_false {
                    prop_assert_eq!(encoded_again(oid, &certificate), Some(value));
                }
            }
        }
    }
}
