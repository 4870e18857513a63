//! MEMORY: the CA on disk, and the acts that change it. Imports everything above and system.

pub mod index;
