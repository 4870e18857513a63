//! `ca request`: a key and a certificate request, for a CA elsewhere.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::authority::leaf::request::{self, CreatedCsr, CsrOrder};
use crate::cli::options::change::ConfirmForceArguments;
use crate::cli::options::key_value::{key_and_value, subject_attribute};
use crate::cli::options::passphrase::{KEY_FLAG, PassphraseArguments, key_file_prompt};
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex, NameJson, Shown};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::Store;
use crate::store::certificate_files::KEY;
use crate::store::entry_name::EntryName;
use crate::store::home::{Home, HomeError};
use crate::store::index::credentials::ServerVariables;
use crate::x509::{AttributeType, DistinguishedName, GeneralName, KeyAlgorithm, KeyKind};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The name of the certificate: a host name for a server, the owner for a client
    name: String,
    /// Choose the template of the request: server, client, peer, intermediate, or one of your own
    #[arg(long, value_name = "TEMPLATE", default_value = "server")]
    template: String,
    /// Request another alternative name: DNS, IP, e-mail or URI, recognised from the value, or upn:… or kerberos:…; repeatable
    #[arg(long = "san", value_name = "NAME")]
    sans: Vec<GeneralName>,
    /// Choose the kind of key [default: the template's first]
    #[arg(long, value_name = "ALG")]
    key: Option<KeyAlgorithm>,
    /// Set an attribute of the subject, as organization=Acme; repeatable
    #[arg(long, value_name = "K=V", value_parser = subject_attribute)]
    subject: Vec<(AttributeType, String)>,
    /// Give a value for the placeholders of the template; repeatable
    #[arg(long, value_name = "K=V", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// Write key.pem and request.pem to this folder [default: ./NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace an existing request; its key stays
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    confirm: ConfirmForceArguments,
    /// Encrypt the new private key; asks for its passphrase, or takes --key-passphrase-file
    #[arg(long)]
    encrypt_key: bool,
    /// Encrypt the new private key, or decrypt the existing one, with the first line of a file
    #[arg(long, value_name = "FILE")]
    key_passphrase_file: Option<PathBuf>,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { name, template, sans, key, subject, set, out, force, confirm, encrypt_key, key_passphrase_file } =
        arguments;
    let dry_run = confirm.apply(context);
    let name: EntryName = name.parse()?;
    let store = store(context)?;
    let folder = out.unwrap_or_else(|| PathBuf::from(name.folder()));
    let folder = context.world.resolve(&folder);
    let flags = PassphraseArguments { passphrase_file: key_passphrase_file, ..PassphraseArguments::default() };
    let key_is_there = KEY.path_in(&folder).exists();
    if flags.is_given() && !encrypt_key && !key_is_there {
        return Err(Failure::usage(
            "passphrase-unused",
            "--key-passphrase-file without --encrypt-key: the new key is not encrypted",
        )
        .hint("add --encrypt-key, or leave the passphrase out"));
    }
    let protection = if encrypt_key && !key_is_there && !dry_run {
        Some(flags.choose(context, &format!("Passphrase for the new key of '{name}': "), KEY_FLAG)?)
    } else {
        None
    };
    let wanted = CsrOrder {
        template,
        name,
        names: sans,
        key,
        subject,
        set: set.into_iter().collect(),
        folder,
        replace: force,
        // A passphrase that opens nothing would be without effect.
        encrypted: encrypt_key || flags.is_given(),
        protection,
    };
    let mut ask = key_file_prompt(flags.passphrase_file.as_deref(), context);
    let made = request::request(store.as_ref(), wanted, &mut ask, &context.effects())?;
    Ok(Box::new(RequestReport { made }))
}

/// The CA directory, if there is one: its templates and settings count then.
fn store(context: &Context<'_>) -> Result<Option<Store>, Failure> {
    let named = context.folder.as_ref().map(|folder| context.world.resolve(folder));
    match Home::find(named.as_deref(), &context.world.working_folder) {
        Ok(home) => Ok(Some(Store::open_with(home, &ServerVariables::of(context.world))?)),
        Err(HomeError::NoneFound(_)) => Ok(None),
        Err(error) => Err(context.no_home(error)),
    }
}

struct RequestReport {
    made: CreatedCsr,
}

/// `ca.request/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Request")]
pub struct RequestJson<'a> {
    name: &'a str,
    template: &'a str,
    subject: Shown<&'a DistinguishedName>,
    sans: Vec<NameJson<'a>>,
    /// As `key_algorithm`.
    #[schemars(extend("deprecated" = true))]
    key: Shown<&'a KeyKind>,
    key_algorithm: Shown<&'a KeyKind>,
    key_fingerprint_sha256: Hex<[u8; 32]>,
    /// key.pem was used as it was found.
    key_was_there: bool,
    files: RequestFilesJson<'a>,
}

/// The files of a request.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RequestFiles")]
struct RequestFilesJson<'a> {
    key: FilePath<&'a PathBuf>,
    request: FilePath<&'a PathBuf>,
}

impl Report for RequestReport {
    fn text(&self, page: &mut Page) {
        let CreatedCsr { name, template, request, request_path, key_path, key_was_there } = &self.made;
        page.pieces(&[
            (Tone::Good, "✓ "),
            (Tone::Plain, "Made a request for "),
            (Tone::Strong, name.as_str()),
            (Tone::Dim, &format!("  {template}")),
        ]);
        page.field("subject", &request.subject.to_string());
        let names: Vec<_> = request.subject_alt_names.iter().flatten().map(GeneralName::value).collect();
        if !names.is_empty() {
            page.rows("names", &names);
        }
        page.field("key", &request.public_key.kind().to_string());
        let stays = if *key_was_there { "existing key, kept; " } else { "" };
        page.field("private key", &format!("{} ({stays}keep it secret)", page.path(key_path)));
        page.field("request", &format!("{} (for the CA)", page.path(request_path)));
    }

    fn json(&self) -> Value {
        let CreatedCsr { name, template, request, request_path, key_path, key_was_there } = &self.made;
        let content = RequestJson {
            name: name.as_str(),
            template,
            subject: Shown(&request.subject),
            sans: NameJson::all(request.subject_alt_names.iter().flatten()),
            key: Shown(request.public_key.kind()),
            key_algorithm: Shown(request.public_key.kind()),
            key_fingerprint_sha256: Hex(request.public_key.fingerprint()),
            key_was_there: *key_was_there,
            files: RequestFilesJson { key: FilePath(key_path), request: FilePath(request_path) },
        };
        json::document("ca.request/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
