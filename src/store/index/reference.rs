//! Parses NAME|SERIAL of the command line.

use std::str::FromStr;

use crate::store::index::entry::Entry;
use crate::text;
use crate::x509::SerialNumber;

/// The reference of a caller to a certificate: `web.corp.test`, `3f8a01c2…`, `name:cafe`, `serial:cafe`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    Name(String),
    Serial(SerialNumber),
    /// Hexadecimal digits without a prefix can be a name or a serial number; the index decides.
    Either(String, SerialNumber),
}

/// The reason why a text is neither a name nor a serial number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("the name is empty")]
    Empty,
    #[error("'{}' is not a serial number: expected hexadecimal digits", text::escape(.0))]
    Serial(String),
}

impl Reference {
    /// Returns true when the reference selected this certificate by its serial number and not by its name.
    pub fn is_serial_of(&self, found: &Entry) -> bool {
        match self {
            Self::Name(_) => false,
            Self::Serial(_) => true,
            Self::Either(name, _) => !found.name.eq_ignore_ascii_case(name),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        if let Some(serial) = given.strip_prefix("serial:") {
            return serial.parse().map(Self::Serial).map_err(|_| ReferenceError::Serial(serial.to_owned()));
        }
        let (name, forced) = match given.strip_prefix("name:") {
            Some(name) => (name, true),
            None => (given, false),
        };
        match name.parse() {
            _ if name.is_empty() => Err(ReferenceError::Empty),
            Ok(serial) if !forced => Ok(Self::Either(name.to_owned(), serial)),
            _ => Ok(Self::Name(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_can_be_either_and_a_prefix_decides() {
        let serial: SerialNumber = "cafe".parse().unwrap();
        assert_eq!("cafe".parse(), Ok(Reference::Either("cafe".to_owned(), serial.clone())));
        assert_eq!("CA:FE".parse(), Ok(Reference::Either("CA:FE".to_owned(), serial.clone())));
        assert_eq!("serial:0xCAFE".parse(), Ok(Reference::Serial(serial)));
        assert_eq!("name:cafe".parse(), Ok(Reference::Name("cafe".to_owned())));
        assert_eq!("web.corp.test".parse(), Ok(Reference::Name("web.corp.test".to_owned())));
    }

    #[test]
    fn nothing_is_neither() {
        for given in ["", "name:", "serial:", "serial:web"] {
            assert!(given.parse::<Reference>().is_err(), "{given}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_given_is_a_name_or_a_serial_number(given in "\\PC{0,20}|(name:|serial:)?(0x)?[0-9a-fA-F:]{0,20}") {
            match given.parse::<Reference>() {
                Ok(Reference::Name(name) | Reference::Either(name, _)) => {
                    proptest::prop_assert!(!name.is_empty() && given.ends_with(&name));
                }
                Ok(Reference::Serial(serial)) => {
                    proptest::prop_assert!(given.starts_with("serial:"));
                    proptest::prop_assert_eq!(format!("serial:{serial}").parse(), Ok(Reference::Serial(serial)));
                }
                Err(_) => {}
            }
        }
    }
}
