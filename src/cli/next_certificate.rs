//! What `ca renew` and `ca rekey` share: the flags of the next certificate of a name, and the command itself.

use std::path::PathBuf;

use clap::Args;
use time::OffsetDateTime;

use super::next_authority::{self, NextAuthorities};
use super::options::change::{DryRunArgument, ExitChangedArgument};
use super::options::file_rules::FileRuleArguments;
use super::options::hook::HookArguments;
use super::options::key_value::key_and_value;
use super::options::passphrase::{PassphraseArguments, key_file_prompt, warn_if_short};
use super::reports::issue::finish;
use super::reports::many;
use crate::app::after_issue::After;
use crate::app::context::Context;
use crate::app::resolve::{Patterns, is_not_revoked, resolve_all};
use crate::authority::leaf::renew::{self, NextKey, RenewOrder};
use crate::issuance::Expiry;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::store::index::Reference;
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseCache};
use crate::text::{Lifetime, parse_time};

/// What a pattern of names leaves out.
pub const NOT_FOLLOWED: &str = "authorities, and revoked certificates";

/// What may be different the next time.
#[derive(Debug, Args)]
pub struct NextCertificateOptions {
    /// Choose how long the next one is valid [default: as long as this one]
    #[arg(long = "for", value_name = "D")]
    lifetime: Option<Lifetime>,
    /// Choose when it expires, as RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "lifetime")]
    not_after: Option<OffsetDateTime>,
    /// Shorten a certificate that would expire after its issuer
    #[arg(long)]
    pub clip: bool,
    /// Give a value for the placeholders of the template outside the subject; repeatable
    #[arg(long, value_name = "K=V", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// Decrypt the existing key with the first line of a file; a new key is encrypted with the same
    #[arg(long, value_name = "FILE")]
    pub key_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    dry_run: DryRunArgument,
    #[command(flatten)]
    exit_changed: ExitChangedArgument,
    #[command(flatten)]
    files: FileRuleArguments,
    #[command(flatten)]
    pub hook: HookArguments,
    #[command(flatten)]
    pub passphrase: PassphraseArguments,
}

impl NextCertificateOptions {
    /// Applies the flags about changes. Returns whether this is a dry run.
    pub fn apply(&self, context: &mut Context<'_>) -> bool {
        self.exit_changed.apply(context);
        self.dry_run.apply(context)
    }

    fn expiry(&self) -> Option<Expiry> {
        self.lifetime.map(Expiry::For).or(self.not_after.map(Expiry::At))
    }

    /// Refuses what is not for authorities.
    fn check_for_authorities(&self, names: &[String], are_alone: bool) -> Result<(), Failure> {
        let name = names.first().map_or("", String::as_str);
        if !are_alone {
            let sentence = format!("'{name}' is an authority, and other names are not");
            return Err(Failure::usage("bad-arguments", sentence).hint("name authorities in a command of their own"));
        }
        let given = [
            ("--set", !self.set.is_empty()),
            ("--hook", self.hook.hook.is_some()),
            ("--owner", self.files.owner.owner.is_some()),
            ("--group", self.files.owner.group.is_some()),
            ("--mode", self.files.mode.is_some()),
            ("--key-passphrase-file", self.key_passphrase_file.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => {
                let sentence = format!("'{name}' is an authority, and {flag} is for other certificates");
                Err(Failure::usage("bad-arguments", sentence).hint(format!("leave {flag} out")))
            }
            None => Ok(()),
        }
    }
}

/// Issues the certificates that follow others, one after the other. All are resolved before the first is issued, and each
/// passphrase is asked for once.
pub fn follow(
    certificates: &[String],
    key: NextKey,
    next: &NextCertificateOptions,
    context: &mut Context<'_>,
) -> Result<Box<dyn Report>, Failure> {
    let dry_run = next.apply(context);
    let resolved = resolve_all(certificates, Patterns::Usable(&is_not_revoked, NOT_FOLLOWED), context)?;
    let store = context.store()?;
    let (authorities, others): (Vec<_>, Vec<_>) =
        resolved.iter().partition(|resolved| store.ca_certificates().exists(&resolved.entry.name));
    if !authorities.is_empty() {
        let names: Vec<String> = authorities.into_iter().map(|resolved| resolved.entry.name.clone()).collect();
        next.check_for_authorities(&names, others.is_empty())?;
        let (expiry, clip, passphrase) = (next.expiry(), next.clip, &next.passphrase);
        return next_authority::follow(names, &NextAuthorities { key, expiry, clip, passphrase }, context);
    }
    let each = resolved.into_iter().map(|resolved| (resolved.given.clone(), resolved.name_reference())).collect();
    let (mut of_issuers, mut of_keys) = (PassphraseCache::default(), PassphraseCache::default());
    let many = if key == NextKey::Same { "ca.renew-many/1" } else { "ca.rekey-many/1" };
    many::for_each(many, each, |reference| {
        follow_one(reference, key, next, dry_run, (&mut of_issuers, &mut of_keys), context)
    })
}

fn follow_one(
    reference: Reference,
    key: NextKey,
    next: &NextCertificateOptions,
    dry_run: bool,
    (of_issuers, of_keys): (&mut PassphraseCache, &mut PassphraseCache),
    context: &mut Context<'_>,
) -> Result<Box<dyn Report>, Failure> {
    let store = context.store()?;
    let renewal = RenewOrder {
        reference,
        key,
        expiry: next.expiry(),
        clip: next.clip,
        set: next.set.iter().cloned().collect(),
        files: next.files.change(),
        encrypted: next.key_passphrase_file.is_some(),
        only_if: None,
        dry_run,
    };
    let mut prompt = key_file_prompt(next.key_passphrase_file.as_deref(), context);
    let mut ask_for_key = |encrypted: &EncryptedKey| {
        of_keys.get(encrypted, &mut |encrypted: &EncryptedKey| {
            prompt(encrypted).inspect(|passphrase| {
                // A new key is encrypted with the passphrase of the one that it follows.
                if key != NextKey::Same {
                    warn_if_short(passphrase, context);
                }
            })
        })
    };
    let mut prompt_for_issuer = next.passphrase.prompt(&store, context);
    let mut ask = |issuer: &EncryptedKey| of_issuers.get(issuer, &mut prompt_for_issuer);
    let outcome = renew::renew(&store, &renewal, &mut ask, &mut ask_for_key, &context.effects())?;
    drop((prompt, prompt_for_issuer));
    let (action, schema) = if key == NextKey::Same { ("renew", "ca.renew/1") } else { ("rekey", "ca.rekey/1") };
    let after = After { action, hook: next.hook.options(), secret: next.passphrase.passphrase_env.as_deref() };
    finish(&after, &store, outcome, schema, context)
}
