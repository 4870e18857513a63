//! Handshake tests with the certificates of a CA directory, of files, or issued for the test.

pub mod endpoints;
pub mod known_bad_clients;
pub mod recordings;
