//! The options of `ca apply`.

use std::num::NonZeroUsize;

use crate::app::key_input::CaKeyPrompt;

/// The options of `ca apply`.
pub struct ApplyRequest<'a> {
    /// Removes what the manifests declared earlier and no longer name.
    pub prune: bool,
    /// The number of threads that generate keys and read folders.
    pub jobs: NonZeroUsize,
    pub skip_hooks: bool,
    /// The variable with the passphrase of the CA key.
    pub secret: Option<&'a str>,
    pub ca_key_prompt: &'a CaKeyPrompt<'a>,
}
