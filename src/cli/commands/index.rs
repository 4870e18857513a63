//! `ca index`: where the index is, its move into a server or a file, the migration of its tables, and what a role of the server needs.

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::authority::index_migration::{self, MigratedIndex};
use crate::authority::index_move::{self, MovedIndex};
use crate::cli::options::change::DryRunArgument;
use crate::report::failure::Failure;
use crate::report::json::{self, Hex};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::index::credentials::ServerVariables;
use crate::store::index::location::IndexLocation;
use crate::store::index::{LogHead, RoleRights, grants};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show where the index is, and how much is in it
    Show(ShowArguments),
    /// Copy the index to a PostgreSQL server or a file, compare every row, and use it there from then on
    Copy(CopyArguments),
    /// Bring the tables of an older index to the version of this program; in a server, as their owner
    Migrate(MigrateArguments),
    /// Print the SQL that gives a role of the server the rights that it needs
    Grants(GrantsArguments),
}

#[derive(Debug, Args)]
struct ShowArguments {}

#[derive(Debug, Args)]
struct CopyArguments {
    /// Where the index is to be: a file, or postgresql://HOST/DATABASE
    #[arg(long, value_name = "LOCATION", required = true)]
    to: String,
    #[command(flatten)]
    dry_run: DryRunArgument,
}

#[derive(Debug, Args)]
struct MigrateArguments {
    #[command(flatten)]
    dry_run: DryRunArgument,
}

#[derive(Debug, Args)]
struct GrantsArguments {
    /// The role that the machines connect as
    #[arg(long, value_name = "ROLE", required = true)]
    role: String,
    /// For a role that only reads: list, show, status, due, audit
    #[arg(long)]
    read_only: bool,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    match arguments.action {
        Action::Show(ShowArguments {}) => show(context),
        Action::Copy(CopyArguments { to, dry_run }) => {
            dry_run.apply(context);
            let store = context.store()?;
            let variables = ServerVariables::of(context.world);
            Ok(Box::new(MoveReport(index_move::move_index(&store, &to, &variables, &context.effects())?)))
        }
        Action::Migrate(MigrateArguments { dry_run }) => {
            dry_run.apply(context);
            let store = context.store()?;
            Ok(Box::new(MigrationReport(index_migration::migrate(&store, &context.effects())?)))
        }
        Action::Grants(arguments) => print_grants(&arguments, context),
    }
}

fn show(context: &Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let store = context.store()?;
    let index = store.index()?;
    let location = store.index_location();
    Ok(Box::new(IndexSummary {
        location: location.clone(),
        engine: index.engine()?,
        certificates: index.certificate_count()?,
        head: index.log_head()?,
    }))
}

fn print_grants(arguments: &GrantsArguments, context: &Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let store = context.store()?;
    let rights = if arguments.read_only { RoleRights::Read } else { RoleRights::Issue };
    Ok(Box::new(GrantStatements { sql: grants(store.index_location().schema(), &arguments.role, rights) }))
}

/// Returns a location for text: a path as it is shown, or the server.
fn place(location: &IndexLocation, page: &Page) -> String {
    location.path().map_or_else(|| location.shown(), |path| page.path(path))
}

struct IndexSummary {
    location: IndexLocation,
    engine: String,
    certificates: u64,
    head: Option<LogHead>,
}

/// `ca.index/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Index")]
pub struct IndexJson<'a> {
    /// The path of the file, or the server with its database and schema.
    location: String,
    /// True when several machines can use it.
    shared: bool,
    /// SQLite or PostgreSQL, and its version.
    engine: &'a str,
    certificate_count: u64,
    event_count: u64,
    /// The hash over all events; null when there is none.
    head: Option<Hex<[u8; 32]>>,
}

impl Report for IndexSummary {
    fn text(&self, page: &mut Page) {
        page.field("location", &place(&self.location, page));
        page.field("engine", &self.engine);
        page.field("certificates", &self.certificates.to_string());
        page.field("events", &self.head.as_ref().map_or(0, |head| head.count).to_string());
        if let Some(head) = &self.head {
            page.digest("head", &head.hash);
        }
    }

    fn json(&self) -> Value {
        let content = IndexJson {
            location: self.location.shown(),
            shared: self.location.is_shared(),
            engine: &self.engine,
            certificate_count: self.certificates,
            event_count: self.head.as_ref().map_or(0, |head| head.count),
            head: self.head.as_ref().map(|head| Hex(head.hash)),
        };
        json::document("ca.index/1", &content)
    }
}

struct MoveReport(MovedIndex);

/// `ca.index-copy/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "IndexCopy")]
pub struct IndexCopyJson {
    /// Where the index was, and is unchanged.
    from_location: String,
    /// Where it is now.
    to_location: String,
    /// True when several machines can use it there.
    shared: bool,
    certificate_count: u64,
    event_count: u64,
    /// The rows of all tables, each of which was compared.
    row_count: u64,
}

impl Report for MoveReport {
    fn text(&self, page: &mut Page) {
        let MovedIndex { from, to, rows } = &self.0;
        let (from, to) = (place(from, page), place(to, page));
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "Moved the index to "), (Tone::Strong, &to)]);
        page.field("certificates", &rows.certificates.to_string());
        page.field("events", &rows.events.to_string());
        page.field("compared", &format!("{} rows of all tables", rows.rows));
        page.field("no longer used", &from);
    }

    fn json(&self) -> Value {
        let MovedIndex { from, to, rows } = &self.0;
        let content = IndexCopyJson {
            from_location: from.shown(),
            to_location: to.shown(),
            shared: to.is_shared(),
            certificate_count: rows.certificates,
            event_count: rows.events,
            row_count: rows.rows,
        };
        json::document("ca.index-copy/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}

struct MigrationReport(MigratedIndex);

/// `ca.index-migrate/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "IndexMigrate")]
pub struct IndexMigrateJson {
    /// The path of the file, or the server with its database and schema.
    location: String,
    /// True when the index had an earlier version.
    migrated: bool,
    /// The version of its tables before. Files and servers are counted apart.
    tables_version_before: i64,
    /// The version of its tables now.
    tables_version: i64,
}

impl Report for MigrationReport {
    fn text(&self, page: &mut Page) {
        let MigratedIndex { location, version } = &self.0;
        let (place, current) = (place(location, page), version.current);
        if !version.is_older() {
            page.pieces(&[
                (Tone::Good, "= "),
                (Tone::Plain, "Nothing to migrate: the index "),
                (Tone::Strong, &place),
                (Tone::Plain, &format!(" has version {current} already")),
            ]);
            return;
        }
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "Migrated the index "), (Tone::Strong, &place)]);
        page.field("version", &format!("{current}, before {}", version.found));
        if location.is_shared() {
            // A migration can make tables, for which the roles have no rights yet.
            page.field("next", "ca index grants --role ROLE, for each role");
        }
    }

    fn json(&self) -> Value {
        let MigratedIndex { location, version } = &self.0;
        let content = IndexMigrateJson {
            location: location.shown(),
            migrated: version.is_older(),
            tables_version_before: version.found,
            tables_version: version.current,
        };
        json::document("ca.index-migrate/1", &content)
    }

    fn has_changed(&self) -> bool {
        self.0.version.is_older()
    }

    fn only_confirms(&self) -> bool {
        true
    }
}

struct GrantStatements {
    sql: String,
}

/// `ca.index-grants/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "IndexGrants")]
pub struct IndexGrantsJson<'a> {
    /// The statements, in their order.
    sql: Vec<&'a str>,
}

impl Report for GrantStatements {
    fn text(&self, page: &mut Page) {
        page.verbatim(&self.sql);
    }

    fn json(&self) -> Value {
        json::document("ca.index-grants/1", &IndexGrantsJson { sql: self.sql.lines().collect() })
    }
}
