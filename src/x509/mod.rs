//! Certificates, requests, CRLs, names and keys: the types of RFC 5280, decoded from DER and encoded to it.
//!
//! Everything here is a value: the room reads no clock, draws no random numbers and opens no file. [`decode`] decodes DER
//! and is the only user of x509-parser; [`der`] encodes the structures that the encoder library does not support.

pub mod canonical_name;
pub mod certificate;
pub mod certificate_file;
pub mod crl;
pub mod decode;
pub mod der;
pub mod der_form;
pub mod der_rules;
pub mod digest;
pub mod distribution_point;
pub mod file_kind;
pub mod general_name;
pub mod host_like;
pub mod key_names;
pub mod mailbox;
pub mod name;
pub mod name_constraints;
pub mod name_values;
pub mod other_name;
pub mod pem;
pub mod pkcs7;
mod plain_pem;
pub mod public_key;
pub mod seen;
pub mod serial;
pub mod serial_digits;
pub mod signature_algorithm;
pub mod signing_request;
pub mod tbs;
pub mod text_encoding;
pub mod uri_host;
pub mod usage;
pub mod validity;

pub use canonical_name::CanonicalName;
pub use certificate::{AuthorityKeyId, BasicConstraints, Certificate, Extension, PolicyConstraints};
pub use crl::Crl;
pub use decode::DecodeError;
pub use distribution_point::{DistributionPoint, IssuingDistributionPoint, PointName, ReasonFlags};
pub use general_name::GeneralName;
pub use name::{Attribute, AttributeType, DistinguishedName};
pub use name_constraints::NameConstraints;
pub use name_values::NameValue;
pub use public_key::{KeyAlgorithm, KeyKind, PublicKey};
pub use serial::SerialNumber;
pub use serial_digits::SerialDigits;
pub use signature_algorithm::SignatureAlgorithm;
pub use signing_request::SigningRequest;
pub use tbs::TbsFields;
pub use usage::{ExtendedKeyUsage, KeyUsage};
pub use validity::Validity;
