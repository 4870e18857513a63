//! A private certificate authority.
//!
//! [`x509`] has the types of certificates, [`issuance`] and [`lint`] the rules by which they are made, [`verify`] the path
//! validation, [`handshake`] the TLS sessions, [`store`] the CA on disk, and [`authority`] what changes it. [`keys`],
//! [`system`] and [`text`] serve them. [`app`] is what a command does, [`report`] how its result is shown, and [`cli`] the
//! command line. `docs/ARCHITECTURE.md` has the map, the import table and the steps of one `ca issue`.

pub mod text;

pub mod system;
pub mod x509;

pub mod keys;
pub mod lint;

pub mod clients;

pub mod issuance;
pub mod verify;

pub mod tls;

pub mod handshake;

pub mod store;

pub mod authority;

pub mod report;

pub mod app;

pub mod cli;
