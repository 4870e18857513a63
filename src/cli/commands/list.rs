//! `ca list`: the certificates of this CA.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::context::Context;
use crate::app::public_key;
use crate::cli::options::number::whole_number;
use crate::cli::reports::list::{Column, List, ListFormat};
use crate::report::failure::Failure;
use crate::report::output::{OutputFormat, Report};
use crate::store::error::TemplateError;
use crate::store::index::{
    CertificateStatus, Covered, Filter, InventoryFilter, InventoryOrder, InventoryQuery, Keep, NamePattern, SortKey,
};
use crate::store::{Store, StoreError, templates};
use crate::text::{self, Lifetime};
use crate::x509::{GeneralName, general_name};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Show every certificate of each name, not only the deployed one; JSON, NDJSON and CSV always have all
    #[arg(long)]
    all: bool,
    /// Show those with this status now; revoked, held and not-delivered ones also when another has replaced them
    #[arg(long, value_enum, default_value_t = Wanted::All)]
    status: Wanted,
    /// Show those that expire within this time, the first one first
    #[arg(long, visible_alias = "within", value_name = "D")]
    expiring: Option<Lifetime>,
    /// Show those with this subject alternative name; * stands for any characters, ? for one
    #[arg(long, value_name = "NAME", value_parser = alternative_name)]
    san: Option<SanFilter>,
    /// Show those that are for this host, address, mailbox or URI: also wildcard certificates, and the common names of clients
    #[arg(long, value_name = "HOST", value_parser = covered_name)]
    covers: Option<Covered>,
    /// Show those made from this template
    #[arg(long, value_name = "T")]
    template: Option<String>,
    /// Show those signed by this authority
    #[arg(long, visible_alias = "authority", value_name = "AUTHORITY")]
    issuer: Option<String>,
    /// Show all those for the key in this file: a key, a certificate or a signing request
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    key: Option<PathBuf>,
    /// Sort by expires, issued, name, template, issuer or status; - in front for the other direction
    #[arg(long, value_name = "KEY", value_parser = sort_order, allow_hyphen_values = true)]
    sort: Option<InventoryOrder>,
    /// Choose the columns of the table or of CSV, with commas between them
    #[arg(long, value_name = "COLUMN", value_enum, value_delimiter = ',')]
    columns: Vec<Column>,
    /// Choose how the list is written
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<ListFormat>,
    /// Show at most this many [default: 1000 in a table, those that expire first; else all]
    #[arg(long, value_name = "N", value_parser = whole_number::<u64>)]
    limit: Option<u64>,
}

/// The values of `--status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    All,
    Valid,
    Expired,
    Revoked,
    Held,
    NotYetValid,
    NotDelivered,
}

impl Wanted {
    fn status(self) -> Option<CertificateStatus> {
        match self {
            Self::All => None,
            Self::Valid => Some(CertificateStatus::Valid),
            Self::Expired => Some(CertificateStatus::Expired),
            Self::Revoked => Some(CertificateStatus::Revoked),
            Self::Held => Some(CertificateStatus::Held),
            Self::NotYetValid => Some(CertificateStatus::NotYetValid),
            Self::NotDelivered => Some(CertificateStatus::NotDelivered),
        }
    }

    /// Whether a certificate with this status counts although another one of its name is deployed.
    fn is_about_every_generation(self) -> bool {
        matches!(self, Self::Revoked | Self::Held | Self::NotDelivered)
    }
}

/// The value of `--san`.
#[derive(Debug, Clone)]
enum SanFilter {
    Exact(GeneralName),
    /// Of one kind, when there is a prefix.
    Like(Option<&'static str>, NamePattern),
}

fn alternative_name(given: &str) -> Result<SanFilter, String> {
    let kinds = ["dns", "ip", "email", "uri", "upn", "kerberos"];
    let prefix = kinds.into_iter().find_map(|kind| Some((kind, given.strip_prefix(kind)?.strip_prefix(':')?)));
    let (kind, value) = prefix.map_or((None, given), |(kind, value)| (Some(kind), value));
    match NamePattern::of(value) {
        Some(pattern) => Ok(SanFilter::Like(kind, pattern)),
        None => given.parse().map(SanFilter::Exact).map_err(|error: general_name::GeneralNameError| error.to_string()),
    }
}

fn covered_name(given: &str) -> Result<Covered, String> {
    if given.contains('*') {
        return Err("expected a host; for a pattern of names: --san".to_owned());
    }
    if given.is_empty() {
        return Err("expected a host, address, mailbox, URI or common name".to_owned());
    }
    // A dot at the end says that the name is absolute; certificates are without.
    let name = given.strip_suffix('.').unwrap_or(given).parse();
    Ok(name.map_or_else(|_: general_name::GeneralNameError| Covered::CommonName(given.to_owned()), Covered::Name))
}

fn sort_order(given: &str) -> Result<InventoryOrder, String> {
    const KEYS: [(&str, SortKey); 6] = [
        ("expires", SortKey::Expires),
        ("issued", SortKey::Issued),
        ("name", SortKey::Name),
        ("template", SortKey::Template),
        ("issuer", SortKey::Issuer),
        ("status", SortKey::Status),
    ];
    let (word, is_descending) = given.strip_prefix('-').map_or((given, false), |word| (word, true));
    let known = KEYS.into_iter().find(|(name, _)| *name == word);
    known.map(|(_, key)| InventoryOrder { key, is_descending }).ok_or_else(|| {
        let names = KEYS.map(|(name, _)| name);
        format!("expected {}{}", names.join(", "), text::did_you_mean(word, names))
    })
}

/// The most rows of a table, unless `--limit` says another number.
const MOST_ROWS: u64 = 1000;

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let format = format(&arguments, context.format)?;
    let is_table = format == ListFormat::Table;
    let key_fingerprint = match &arguments.key {
        Some(path) => Some(public_key::read(path, context)?.fingerprint()),
        None => None,
    };
    let store = context.store()?;
    check_words(&arguments, &store)?;
    let (san, san_like) = match arguments.san.clone() {
        None => (None, None),
        Some(SanFilter::Exact(name)) => (Some(name), None),
        Some(SanFilter::Like(kind, pattern)) => (None, Some((kind, pattern))),
    };
    let filter = Filter {
        status: arguments.status.status(),
        expiring: arguments.expiring,
        san,
        template: arguments.template.clone(),
        authority: arguments.issuer.clone(),
        key_fingerprint,
        name: None,
        limit: None,
    };
    let is_of_every_generation =
        arguments.all || arguments.status.is_about_every_generation() || arguments.key.is_some();
    let wanted = InventoryFilter {
        filter,
        san_like,
        covers: arguments.covers.clone(),
        current_only: is_table && !is_of_every_generation,
    };
    let columns = match (arguments.columns.as_slice(), format) {
        ([], ListFormat::Csv) => Column::OF_CSV.to_vec(),
        ([], _) => Column::OF_TABLE.to_vec(),
        (chosen, _) => chosen.to_vec(),
    };
    let is_json = matches!(format, ListFormat::Json | ListFormat::Ndjson);
    let (order, keep) = order_and_limit(&arguments, is_table);
    let query = InventoryQuery {
        wanted,
        order,
        keep,
        with_keys: is_json || columns.iter().any(|column| column.needs_certificate()),
    };
    let authorities = store.ca_certificates().names()?.into_iter().map(|name| name.to_ascii_lowercase()).collect();
    let list = List {
        store,
        query,
        format,
        columns,
        authorities,
        without_delivered: arguments.status == Wanted::NotDelivered,
        rows: Vec::new(),
        total: 0,
        now: context.now(),
    };
    Ok(Box::new(if is_table { list.read()? } else { list }))
}

fn format(arguments: &Arguments, output: OutputFormat) -> Result<ListFormat, Failure> {
    let format = match (arguments.format, output) {
        (None | Some(ListFormat::Json), OutputFormat::Json) => ListFormat::Json,
        (Some(_), OutputFormat::Json) => {
            return Err(Failure::usage("bad-arguments", "--json and --format ask for two formats")
                .hint("leave out one of them"));
        }
        (chosen, OutputFormat::Text) => chosen.unwrap_or(ListFormat::Table),
    };
    if !arguments.columns.is_empty() && matches!(format, ListFormat::Json | ListFormat::Ndjson) {
        return Err(Failure::usage("bad-arguments", "--columns is for a table or CSV; JSON has every field"));
    }
    Ok(format)
}

/// A program reads in the order of issue, and a limit keeps the latest; a person reads what expires first. What was asked for
/// with `--sort` or `--expiring` is kept from its beginning.
fn order_and_limit(arguments: &Arguments, is_table: bool) -> (InventoryOrder, Keep) {
    let by = |key| InventoryOrder { key, is_descending: false };
    let is_by_expiry = is_table || arguments.expiring.is_some();
    let usual = if is_by_expiry { by(SortKey::Expires) } else { by(SortKey::Issued) };
    let keep = match arguments.limit {
        None if is_table => Keep::MostUrgent(MOST_ROWS),
        None => Keep::All,
        Some(limit) if arguments.sort.is_some() || arguments.expiring.is_some() => Keep::First(limit),
        Some(limit) if is_table => Keep::MostUrgent(limit),
        Some(limit) => Keep::Last(limit),
    };
    (arguments.sort.unwrap_or(usual), keep)
}

/// Refuses a template or an authority that neither the CA directory nor the index has: a mistyped word would select nothing.
fn check_words(arguments: &Arguments, store: &Store) -> Result<(), Failure> {
    if let Some(template) = &arguments.template {
        let known = templates::names(&store.template_folder()).map_err(StoreError::from)?;
        if !known.contains(template) && !store.index()?.knows_template(template)? {
            let nearest = text::nearest(template, known.iter().map(String::as_str)).map(str::to_owned);
            return Err(TemplateError::Unknown { name: template.clone(), nearest, known }.into());
        }
    }
    if let Some(authority) = &arguments.issuer {
        let known = store.ca_certificates().names()?;
        if !known.contains(authority) && !store.index()?.knows_authority(authority)? {
            return Err(StoreError::UnknownAuthority { name: authority.clone(), known }.into());
        }
    }
    Ok(())
}
