//! Handshake tests with the certificates of a CA directory, of files, or issued for the test.

pub mod connect;
pub mod endpoints;
pub mod in_memory;
pub mod known_bad_clients;
pub mod listen;
pub mod recordings;
pub mod request;
