//! A private certificate authority.
//!
//! A certificate is words ([`x509`]), made under rules ([`issuance`], [`lint`]), judged ([`verify`]), proved
//! ([`handshake`]) and remembered ([`authority`]). Everything else is hands and mouth: [`keys`], [`system`], [`cli`].
//! `docs/ARCHITECTURE.md` has the map, who may know whom, and the walk of one `ca issue`.

pub mod x509;

pub mod keys;
pub mod lint;

pub mod issuance;
pub mod verify;

pub mod handshake;

pub mod authority;

pub mod cli;
pub mod document;
pub mod system;
