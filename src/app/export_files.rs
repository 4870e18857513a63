//! `ca export NAME --target PROGRAM --out DIR`: the files that a program needs, by its recipe. [`plan`] makes them in memory, and
//! [`ProgramExport::write`] writes what differs; both can be called again after a renewal.

use std::path::{Path, PathBuf};

use crate::app::closed_folder::to_enter;
use crate::app::collected_crls;
use crate::app::context::Context;
use crate::app::export::{located, warn_of_status};
use crate::app::key_input::{KeyFilePrompt, read_private_key};
use crate::app::resolve::resolve;
use crate::app::roots::roots_of;
use crate::app::store_passphrase::StorePassphrase;
use crate::authority::revocation::collected_crls::{CollectedCrls, authorities_in_order};
use crate::keys::{Passphrase, PrivateKey, Signer};
use crate::report::failure::Failure;
use crate::store::approval::{Approval, PlannedChange};
use crate::store::ca_certificates::read_certificates;
use crate::store::export::{ExportError, Material, Part};
use crate::store::index::Entry;
use crate::store::recipe::{
    Authority, Delivery, FileContent, FileState, PlannedFile, PlannedFiles, Purposes, Recipe, RecipeCrl,
    RecipeMaterial, RecipeOwner, Side,
};
use crate::store::{Store, StoreError};
use crate::system::files::{self, Ownership};
use crate::text::{PathText, escape, shell_word};
use crate::x509::Certificate;

/// The options of an export for a program.
pub struct ProgramOptions<'a> {
    /// The folder, as it was named.
    pub out: &'a Path,
    /// The user and the group of the files; they take the place of those of the recipe.
    pub user: Option<&'a str>,
    pub group: Option<&'a str>,
    /// Leaves out the CRLs.
    pub without_crls: bool,
    /// Leaves out the files that have something of the certificate.
    pub omits_certificate: bool,
}

/// The files of a certificate for a program, and what to do with them.
pub struct ProgramExport {
    pub entry: Entry,
    pub recipe: Recipe,
    /// Absolute.
    pub folder: PathBuf,
    pub planned: PlannedFiles,
    /// The CRLs in the files; empty when there are none.
    pub crls: CollectedCrls,
    pub access: FileAccess,
    ownership: Ownership,
    /// The CA directory.
    home: PathBuf,
}

/// Who can read the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileAccess {
    /// The program reads them as root, or as the user who starts it.
    Unchanged,
    /// They are given to this owner (`USER:GROUP`).
    Given(String),
    /// Another user has to be given them, with this command.
    Needs { owner: String, command: String, is_required: bool },
}

/// The hint of an export whose files are there already.
pub const TO_REPLACE: &str = "to replace the files of this export: --force";

/// Makes the files of a certificate for a program. `prompt` is called when its private key is encrypted.
///
/// # Errors
/// When the certificate is not known, has another purpose, or its files or an authority's CRL are missing.
pub fn plan(
    given: &str,
    recipe: Recipe,
    options: &ProgramOptions<'_>,
    prompt: &KeyFilePrompt<'_>,
    context: &mut Context<'_>,
) -> Result<ProgramExport, Failure> {
    let resolved = resolve(given, context)?;
    let store = context.store()?;
    let entry = resolved.current(&store)?;
    let certificate = store.index()?.certificate(&entry)?;
    check_purpose(&entry, &certificate, &recipe)?;
    let (recipe, paths) = if options.omits_certificate {
        (recipe.without_certificate_files(), None)
    } else {
        warn_of_status(&entry, context);
        warn_of_refused_key(&entry, &certificate, &recipe, context);
        (recipe, Some(located(&resolved, &entry, &certificate, &store)?))
    };
    let intermediates = paths.as_ref().map_or(Ok(Vec::new()), |paths| read_certificates(&paths.chain))?;
    let roots = roots_of(store.ca_certificates())?;
    let root_certificates: Vec<Certificate> = roots.iter().map(|root| root.certificate.clone()).collect();
    let purposes = Purposes::of(&certificate);
    let with_crls = recipe.uses_crls(purposes) && !options.without_crls;
    let authorities = authorities(&store, &entry.authority, context)?;
    let crls = if with_crls { crls_of(&store, &entry.authority, context)? } else { CollectedCrls::default() };
    let has_key = recipe.written_files(purposes, with_crls).any(|file| file.content.has_key());
    let key = if has_key {
        let path = paths.as_ref().and_then(|paths| paths.key.as_deref());
        Some(key_of(&entry, &certificate, path, &recipe, prompt, context)?)
    } else {
        None
    };
    let passphrases = passphrases(&recipe, purposes, with_crls, options.out, context)?;
    let material = RecipeMaterial {
        material: Material {
            name: &entry.name,
            certificate: &certificate,
            intermediates: &intermediates,
            roots: &root_certificates,
            key: key.as_ref(),
        },
        roots: &roots,
        authorities: &authorities,
        crls: &named_crls(&crls),
        with_crls,
        passphrases: &passphrases,
    };
    let folder = context.world.resolve(options.out);
    let planned = PlannedFiles::new(&recipe, &material, &folder)?;
    let (ownership, access) = access(&recipe, options, &folder)?;
    let home = store.home().folder().to_owned();
    Ok(ProgramExport { entry, recipe, folder, planned, crls, access, ownership, home })
}

fn check_purpose(entry: &Entry, certificate: &Certificate, recipe: &Recipe) -> Result<(), Failure> {
    let name = escape(&entry.name);
    if certificate.is_ca() {
        return Err(Failure::refused(
            "authority-key",
            format!("'{name}' is an authority: {} needs the certificate of a server or client", recipe.name),
        )
        .hint("what clients trust: ca roots --out roots.pem"));
    }
    let purposes = Purposes::of(certificate);
    if recipe.side.is_served_by(purposes) {
        return Ok(());
    }
    let (needed, template) = match recipe.side {
        Side::Server => ("a server", "server"),
        Side::Client => ("a client", "client"),
        Side::Peer => ("a server and a client", "peer"),
        Side::Either => ("a server or a client", "server"),
    };
    let has = match (purposes.server, purposes.client) {
        (true, _) => "is for servers only",
        (_, true) => "is for clients only",
        _ => "is for neither servers nor clients",
    };
    let program = &recipe.name;
    Err(Failure::refused("wrong-side", format!("the certificate of '{name}' {has}, and {program} is {needed}"))
        .hint(format!("issue one for it: ca issue {template} NAME"))
        .hint("the programs and their sides: ca recipe list"))
}

fn warn_of_refused_key(entry: &Entry, certificate: &Certificate, recipe: &Recipe, context: &Context<'_>) {
    let (kind, program) = (certificate.public_key.kind(), &recipe.name);
    if recipe.refuses(kind) {
        let name = shell_word(&entry.name);
        context.warn_at_end(format!("{program} refuses keys of the kind {kind}: ca rekey {name} --key ecdsa-p256"));
    }
}

fn key_of(
    entry: &Entry,
    certificate: &Certificate,
    path: Option<&Path>,
    recipe: &Recipe,
    prompt: &KeyFilePrompt<'_>,
    context: &mut Context<'_>,
) -> Result<PrivateKey, Failure> {
    let Some(path) = path else {
        let (name, program) = (escape(&entry.name), &recipe.name);
        let sentence = format!("{program} needs the private key of '{name}', which is not with its files");
        return Err(Failure::refused("no-private-key", sentence).hint("export where the private key is"));
    };
    let key = read_private_key(path, prompt, context)?;
    if *key.public_key() != certificate.public_key {
        return Err(ExportError::KeyMismatch(entry.name.clone()).into());
    }
    Ok(key)
}

/// Returns the authorities of the CA whose certificates have not expired, in the order of their CRLs.
fn authorities(store: &Store, issuer: &str, context: &Context<'_>) -> Result<Vec<Authority>, StoreError> {
    let mut found = Vec::new();
    for name in authorities_in_order(store, Some(issuer))? {
        let certificate = store.ca_certificates().certificate(&name)?;
        // Clients refuse everything that an expired one issued.
        if certificate.validity.not_after >= context.now() {
            found.push(Authority { name, certificate });
        }
    }
    Ok(found)
}

/// Returns the CRLs of the files: that of the issuer first, because some programs read the first CRL only.
fn crls_of(store: &Store, issuer: &str, context: &Context<'_>) -> Result<CollectedCrls, Failure> {
    let hint = "to export without CRLs, so that revoked certificates are accepted: --without-crls";
    collected_crls::collect(store, Some(issuer), context).map_err(|failure| match failure.code {
        "missing-crl" => failure.hint(hint),
        _ => failure,
    })
}

/// Returns the CRLs with the names of their own files. The name of a CA above is not a file name.
fn named_crls(crls: &CollectedCrls) -> Vec<RecipeCrl> {
    let mut named: Vec<RecipeCrl> = Vec::new();
    for crl in &crls.crls {
        let file_name = match &crl.added_from {
            None => crl.ca.clone(),
            Some(_) => {
                let is_free = |name: &String| {
                    crls.crls.iter().all(|other| other.ca != *name)
                        && named.iter().all(|other| other.file_name != *name)
                };
                (1..).map(|number| format!("also-{number}")).find(is_free).unwrap_or_default()
            }
        };
        named.push(RecipeCrl { file_name, ca: crl.ca.clone(), pem: crl.pem() });
    }
    named
}

/// Chooses the passphrase of each encrypted file: the one in the file beside it, else a generated one.
fn passphrases(
    recipe: &Recipe,
    purposes: Purposes,
    with_crls: bool,
    out: &Path,
    context: &Context<'_>,
) -> Result<Vec<(String, Passphrase)>, Failure> {
    let is_encrypted = |content: &FileContent| matches!(content, FileContent::Format(format) if format.is_encrypted());
    let encrypted = recipe.written_files(purposes, with_crls).filter(|file| is_encrypted(&file.content));
    encrypted
        .map(|file| {
            let chosen = StorePassphrase::choose(None, Some(&out.join(&file.name)), context)?;
            Ok((file.name.clone(), chosen.passphrase))
        })
        .collect()
}

/// Decides who owns the files. Only root can give files away: for other users, the command that root runs is returned.
fn access(recipe: &Recipe, options: &ProgramOptions<'_>, folder: &Path) -> Result<(Ownership, FileAccess), Failure> {
    let of_recipe = recipe.owner.as_ref().filter(|_| options.user.is_none() && options.group.is_none());
    let (user, group) = match of_recipe {
        Some(RecipeOwner { user, group, .. }) => (user.as_deref(), group.as_deref()),
        None => (options.user, options.group),
    };
    if user.is_none() && group.is_none() {
        return Ok((Ownership::default(), FileAccess::Unchanged));
    }
    let owner = match (user, group) {
        (Some(user), Some(group)) => format!("{user}:{group}"),
        (Some(user), None) => user.to_owned(),
        (None, group) => format!(":{}", group.unwrap_or_default()),
    };
    let ours = files::our_user();
    match (Ownership::of(user, group), of_recipe) {
        (Ok(ownership), None) => Ok((ownership, FileAccess::Given(owner))),
        (Err(unknown), None) => Err(unknown.into()),
        (Ok(ownership), Some(_)) if ours == 0 => Ok((ownership, FileAccess::Given(owner))),
        // The program runs as the user who exports.
        (Ok(_), Some(_))
            if user.is_some() && Ownership::of(user, None) == Ownership::of(Some(&ours.to_string()), None) =>
        {
            Ok((Ownership::default(), FileAccess::Unchanged))
        }
        // A recipe names the user of a package, which may be installed on another machine.
        (_, Some(RecipeOwner { is_required, .. })) => {
            let command = format!("chown -R {} {}", shell_word(&owner), folder.in_shell());
            Ok((Ownership::default(), FileAccess::Needs { owner, command, is_required: *is_required }))
        }
    }
}

impl ProgramExport {
    /// Writes the files that differ from those that are there; returns how each compared. Files with other content are replaced
    /// only with `force`.
    ///
    /// # Errors
    /// When other files are there that are not to be replaced, the change is not approved, or the system refuses.
    pub fn write(&self, force: bool, context: &Context<'_>) -> Result<Vec<FileState>, Failure> {
        let is_for_others = self.access != FileAccess::Unchanged;
        let delivery = Delivery { folder: &self.folder, ownership: self.ownership, is_for_others };
        let states = delivery.states(&self.planned.files)?;
        let with = |wanted: FileState| {
            let all = self.planned.files.iter().zip(&states);
            all.filter(move |(_, state)| **state == wanted).map(|(file, _)| file)
        };
        let other: Vec<&PlannedFile> = with(FileState::OtherContent).collect();
        if let (Some(first), false) = (other.first(), force) {
            let path = self.folder.join(&first.name);
            let sentence = match other.len() {
                1 => format!("{} is there already, with other content", path.escaped()),
                several => {
                    format!("{} and {} more files are there already, with other content", path.escaped(), several - 1)
                }
            };
            return Err(Failure::refused("exists", sentence).hint(TO_REPLACE));
        }
        let changed: Vec<&PlannedFile> = self
            .planned
            .files
            .iter()
            .zip(&states)
            .filter(|(_, state)| **state != FileState::Same)
            .map(|(file, _)| file)
            .collect();
        if changed.is_empty() {
            return Ok(states);
        }
        let (name, program) = (escape(&self.entry.name), &self.recipe.name);
        let what = format!("write {} of {name} for {program} to {}", counted(changed.len()), self.folder.escaped());
        let change = PlannedChange::new(what)
            .fact("files", changed.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", "));
        let change = match &self.access {
            FileAccess::Given(owner) => change.fact("owner", owner),
            _ => change,
        };
        let change = if other.is_empty() { change } else { change.asks("what these files have now") };
        context.approve(change).map_err(StoreError::from)?;
        delivery.write(&changed, context.effects().entropy)?;
        self.warn_of_closed_folder(context);
        Ok(states)
    }

    /// Warns when the user that the files were given to cannot reach them.
    fn warn_of_closed_folder(&self, context: &Context<'_>) {
        let FileAccess::Given(owner) = &self.access else { return };
        let closed =
            self.ownership.closed_to_user(&self.folder).or_else(|| self.ownership.closed_to_group(&self.folder));
        if let Some(closed) = closed {
            let (path, mode) = (closed.path.escaped(), closed.mode);
            let fix = to_enter(&closed, owner.strip_prefix(':'), &self.home);
            context.warn_at_end(format!(
                "{owner} cannot enter {path} (mode {mode:04o}), and so cannot read the files; {fix}"
            ));
        }
    }

    /// Returns the mark of the CRLs in the files; `None` without CRLs.
    pub fn crl_mark(&self) -> Option<i64> {
        (!self.crls.crls.is_empty()).then(|| self.crls.mark())
    }

    /// Returns what the file of a passphrase opens, or what a file has, for reports.
    pub fn contains(&self, file: &PlannedFile) -> String {
        if file.is_passphrase() {
            return "passphrase".to_owned();
        }
        let part = |part: &Part| match (part, &file.authority) {
            (Part::Roots, Some(_)) => "root",
            (Part::Intermediates, Some(_)) => "intermediate",
            (Part::Crls, Some(_)) => "CRL",
            (part, _) => part.name(),
        };
        let parts = file.parts.iter().map(part).collect::<Vec<_>>().join(", ");
        match &file.authority {
            Some(authority) => format!("{parts} '{}'", escape(authority)),
            None => parts,
        }
    }
}

fn counted(files: usize) -> String {
    if files == 1 { "a file".to_owned() } else { format!("{files} files") }
}
