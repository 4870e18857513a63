//! TLS as it is on the wire: records, decryption with the session's own secrets, messages, and recordings for other tools.
//!
//! This room reads bytes that crossed a socket; it opens no socket and uses no TLS library. In reading order:
//!
//! - [`wire`]: records and flights
//! - [`registry`]: the numbers that IANA assigns, with their names
//! - [`decrypt`]: opens records with the secrets of the session
//! - [`message`], [`dissect`]: the messages and how they are read
//! - [`trace`]: from the bytes of a session to its messages
//! - [`recording`]: a session as a key log and a pcapng file

pub mod decrypt;
pub mod dissect;
pub mod message;
pub mod recording;
pub mod registry;
pub mod trace;
pub mod wire;

pub use decrypt::Secrets;
pub use message::{Body, Message};
pub use recording::Recording;
pub use registry::{Alert, CipherSuite, Group, NamedGroup, ProtocolVersion, SignatureScheme, TlsVersion};
pub use wire::{Flight, Side};
