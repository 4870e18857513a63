//! Parses the identifiers of certificates on the command line: names and serial numbers.

use std::fmt;
use std::str::FromStr;

use crate::store::index::entry::Entry;
use crate::text;
use crate::x509::{GeneralName, SerialDigits, SerialNumber};

/// The reference of a caller to a certificate: `web.corp.test`, `3f8a01c2…`, `name:cafe`, `serial:cafe`, `dns:web.corp.test`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    Name(String),
    /// A whole serial number, as an entry has it.
    Serial(SerialNumber),
    /// The digits of a serial number, or the first ones of it.
    Digits(SerialDigits),
    /// Hexadecimal digits without a prefix can be a name or a serial number; the index decides.
    Either(String, SerialDigits),
    /// A name as certificates have it, with its kind: the name of an entry, or a subject alternative name.
    Alternative(String, GeneralName),
}

/// The reason why a text is neither a name nor a serial number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("the name is empty")]
    Empty,
    #[error("'{}' is not a serial number: expected hexadecimal digits", text::escape(.0))]
    Serial(String),
}

/// The prefixes of general names.
const KINDS: [&str; 4] = ["dns:", "ip:", "email:", "uri:"];

impl Reference {
    /// Returns true when the reference selected this certificate by its serial number and not by its name.
    pub fn is_serial_of(&self, found: &Entry) -> bool {
        match self {
            Self::Name(_) | Self::Alternative(..) => false,
            Self::Serial(_) | Self::Digits(_) => true,
            Self::Either(name, _) => !found.name.eq_ignore_ascii_case(name),
        }
    }

    /// Returns the name that the reference may be; `None` for a serial number.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) | Self::Either(name, _) | Self::Alternative(name, _) => Some(name),
            Self::Serial(_) | Self::Digits(_) => None,
        }
    }

    /// Returns the digits that the reference may be the first ones of.
    pub(super) fn digits(&self) -> Option<&SerialDigits> {
        match self {
            Self::Digits(digits) | Self::Either(_, digits) => Some(digits),
            Self::Name(_) | Self::Serial(_) | Self::Alternative(..) => None,
        }
    }

    /// Returns the serial number that the reference may be.
    pub(super) fn serial(&self) -> Option<SerialNumber> {
        match self {
            Self::Serial(serial) => Some(serial.clone()),
            _ => self.digits().and_then(SerialDigits::whole),
        }
    }
}

/// What the reference asks for, as a part of a sentence.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "the name '{}'", text::escape(name)),
            Self::Serial(serial) => write!(f, "the serial number {serial}"),
            Self::Digits(digits) => write!(f, "the serial number {digits}"),
            Self::Either(given, _) => write!(f, "the name or the serial number '{}'", text::escape(given)),
            Self::Alternative(_, name) => write!(f, "the name '{}'", text::escape(&name.to_string())),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        if let Some(serial) = given.strip_prefix("serial:") {
            return serial.parse().map(Self::Digits).map_err(|_| ReferenceError::Serial(serial.to_owned()));
        }
        if let Some(name) = given.strip_prefix("name:") {
            return if name.is_empty() { Err(ReferenceError::Empty) } else { Ok(Self::Name(name.to_owned())) };
        }
        if KINDS.iter().any(|kind| given.starts_with(kind))
            && let Ok(name) = given.parse()
        {
            return Ok(Self::Alternative(given.to_owned(), name));
        }
        match given.parse() {
            _ if given.is_empty() => Err(ReferenceError::Empty),
            Ok(digits) => Ok(Self::Either(given.to_owned(), digits)),
            Err(_) => Ok(Self::Name(given.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_can_be_either_and_a_prefix_decides() {
        let digits: SerialDigits = "cafe".parse().unwrap();
        assert_eq!("cafe".parse(), Ok(Reference::Either("cafe".to_owned(), digits.clone())));
        assert_eq!("CA:FE".parse(), Ok(Reference::Either("CA:FE".to_owned(), digits.clone())));
        assert_eq!("cafe…".parse(), Ok(Reference::Either("cafe…".to_owned(), "cafe…".parse().unwrap())));
        assert_eq!("serial:0xCAFE".parse(), Ok(Reference::Digits(digits)));
        assert_eq!("name:cafe".parse(), Ok(Reference::Name("cafe".to_owned())));
        assert_eq!("web.corp.test".parse(), Ok(Reference::Name("web.corp.test".to_owned())));
        let alternative = Reference::Alternative("dns:web.corp.test".to_owned(), "web.corp.test".parse().unwrap());
        assert_eq!("dns:web.corp.test".parse(), Ok(alternative));
        assert_eq!("dns:not a name".parse(), Ok(Reference::Name("dns:not a name".to_owned())));
    }

    #[test]
    fn nothing_is_neither() {
        for given in ["", "name:", "serial:", "serial:web"] {
            assert!(given.parse::<Reference>().is_err(), "{given}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_given_is_a_name_or_a_serial_number(given in "\\PC{0,20}|(name:|serial:|dns:|ip:)?(0x)?[0-9a-fA-F:.…]{0,20}") {
            match given.parse::<Reference>() {
                Ok(Reference::Name(name) | Reference::Either(name, _) | Reference::Alternative(name, _)) => {
                    proptest::prop_assert!(!name.is_empty() && given.ends_with(&name));
                }
                Ok(Reference::Digits(digits)) => {
                    proptest::prop_assert!(given.starts_with("serial:"));
                    proptest::prop_assert_eq!(digits.to_string().parse::<SerialDigits>().unwrap().to_string(), digits.to_string());
                }
                Ok(Reference::Serial(_)) => proptest::prop_assert!(false, "a typed serial number is digits"),
                Err(_) => {}
            }
        }
    }
}
