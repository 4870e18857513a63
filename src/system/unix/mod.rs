//! Everything that is specific to Unix: permissions, owners, links, locks, pipes, process groups, sockets, terminals.
//!
//! The rest of the program calls these functions and names neither `std::os::unix` nor rustix. Another system gets a
//! module beside this one with the same functions.

pub mod attributes;
pub mod file_system;
pub mod folder;
pub mod identity;
pub mod limits;
pub mod pipe;
pub mod process;
pub mod socket;
pub mod standard_streams;
pub mod terminal;
pub mod write;
