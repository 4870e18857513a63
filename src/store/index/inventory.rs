//! The queries of `ca list`: certificates by many conditions, in any order, one by one.

use time::OffsetDateTime;

use crate::store::index::database::{DatabaseError, Value, values};
use crate::store::index::query::{FROM, SELECT, SELECT_COUNT, STATUS, conditions};
use crate::store::index::{Entry, Filter, Index, IndexError, NamePattern};
use crate::x509::{AttributeType, DistinguishedName, GeneralName, KeyKind, PublicKey};

/// The conditions of `ca list`.
#[derive(Debug, Clone, Default)]
pub struct InventoryFilter {
    pub filter: Filter,
    /// A pattern of subject alternative names, of one kind when it is given (`dns`, `ip`, `email`, `uri`).
    pub san_like: Option<(Option<&'static str>, NamePattern)>,
    /// The certificate is for this host, address, mailbox or URI: by a subject alternative name, by a wildcard, or, without any such
    /// name, by its common name.
    pub covers: Option<Covered>,
    /// Of each name, only the certificate that is deployed, and the latest one if its delivery is not recorded.
    pub current_only: bool,
}

impl InventoryFilter {
    /// Returns true when an index of the database finds the certificates, so that they are usually few.
    const fn selects_few(&self) -> bool {
        let Filter { expiring, san, key_fingerprint, name, .. } = &self.filter;
        expiring.is_some() || san.is_some() || key_fingerprint.is_some() || name.is_some()
    }

    /// Returns true when nothing but the deployment of a certificate can leave it out.
    const fn selects_all(&self) -> bool {
        let Filter { status, template, authority, .. } = &self.filter;
        let has_words = status.is_some() || template.is_some() || authority.is_some();
        !(has_words || self.selects_few() || self.san_like.is_some() || self.covers.is_some())
    }
}

/// What a certificate is to be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Covered {
    /// A host, address, mailbox or URI; also as a common name.
    Name(GeneralName),
    /// A text that can only be a common name.
    CommonName(String),
}

/// The order of `ca list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InventoryOrder {
    pub key: SortKey,
    pub is_descending: bool,
}

/// What `ca list` sorts by. The order of issue decides between equal ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    Issued,
    Expires,
    Name,
    Template,
    Issuer,
    Status,
}

impl SortKey {
    fn expression(self, now: i64) -> String {
        match self {
            Self::Issued => "c.id".to_owned(),
            Self::Expires => "c.not_after".to_owned(),
            Self::Name => "c.name".to_owned(),
            Self::Template => "c.template".to_owned(),
            Self::Issuer => "c.authority".to_owned(),
            Self::Status => format!("({})", STATUS.replace("?1", &now.to_string())),
        }
    }
}

/// Which certificates a limit keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The first ones of the order.
    First(u64),
    /// The last ones of the order.
    Last(u64),
    /// Those that expire first from now on; then those that expired last.
    MostUrgent(u64),
    All,
}

impl Keep {
    const fn limit(self) -> Option<u64> {
        match self {
            Self::First(limit) | Self::Last(limit) | Self::MostUrgent(limit) => Some(limit),
            Self::All => None,
        }
    }

    fn keeps_none(self) -> bool {
        self.limit() == Some(0)
    }
}

/// A certificate of the inventory.
#[derive(Debug, Clone)]
pub struct ListedEntry {
    pub entry: Entry,
    /// True when its files are deployed, as the index records it.
    pub deployed: bool,
    /// True when the index does not record the delivery of a certificate of this name, so that only its files tell what is deployed.
    pub has_unmarked: bool,
    /// The kind of its public key; `None` when it was not asked for.
    pub key: Option<KeyKind>,
}

/// 1 when the delivery of a certificate of this name is not recorded, for a list of so many certificates that it costs less to read
/// the deliveries of all once.
const HAS_UNMARKED_OF_ALL: &str = "c.name IN (SELECT u.name FROM certificate AS u WHERE u.delivered_at IS NULL)";

/// Returns the same for the certificates with these names: of each name, its certificates are asked for once.
fn has_unmarked_among(names: &str) -> String {
    format!("c.name IN (SELECT u.name FROM certificate AS u WHERE u.delivered_at IS NULL AND u.name IN ({names}))")
}

/// A list of more certificates counts as one of all.
const MANY: u64 = 10_000;

/// Returns the id of the certificate of a name that is deployed as the index records it, as a subquery: the rule of
/// [`super::placement::in_place`] in SQL. NULL when there is none.
fn deployed_of(name: &str) -> String {
    format!(
        "(SELECT CASE WHEN b.newest >= n.id
                       AND EXISTS (SELECT 1 FROM certificate AS x WHERE x.id = b.newest AND x.name = b.name)
                       AND EXISTS (SELECT 1 FROM certificate AS x WHERE x.id = b.certificate AND x.name = b.name)
                      THEN b.certificate ELSE n.id END
          FROM (SELECT max(d.id) AS id FROM certificate AS d WHERE d.name = {name} AND d.delivered_at IS NOT NULL) AS n
          LEFT JOIN rollback AS b
              ON b.id = (SELECT max(d.id) FROM rollback AS d WHERE d.name = {name} AND d.done_at IS NOT NULL))"
    )
}

/// What a query reads, and how it knows that a certificate is deployed.
struct Source {
    /// Tables that are made for the query.
    with: Vec<String>,
    from: String,
    /// The condition that a certificate is deployed.
    is_deployed: String,
}

impl Source {
    /// For a list of every certificate, the deployed ones are selected once for each name, and not again for each certificate.
    fn of(query: &InventoryQuery) -> Self {
        let shows_many = query.keep.limit().is_none_or(|limit| limit > MANY);
        if query.wanted.selects_all() && (shows_many || query.wanted.current_only) {
            let names = "(SELECT DISTINCT name FROM certificate) AS m";
            let deployed = format!(
                "deployed AS MATERIALIZED (SELECT CAST({} AS BIGINT) AS id FROM {names})",
                deployed_of("m.name")
            );
            let from = format!("{}\nLEFT JOIN deployed AS p ON p.id = c.id", *FROM);
            return Self { with: vec![deployed], from, is_deployed: "(p.id IS NOT NULL)".to_owned() };
        }
        let is_deployed = format!("(c.id IS NOT DISTINCT FROM {})", deployed_of("c.name"));
        Self { with: Vec::new(), from: FROM.clone(), is_deployed }
    }

    /// The condition that a certificate can stand for its name: the deployed one, and the latest if its delivery is not recorded.
    fn is_current(&self) -> String {
        format!(
            "({} OR (c.delivered_at IS NULL
             AND c.id = (SELECT max(o.id) FROM certificate AS o WHERE o.name = c.name)))",
            self.is_deployed
        )
    }

    /// The beginning of a statement, with one more table that is made for it.
    fn with(&self, another: Option<String>) -> String {
        let tables: Vec<String> = self.with.iter().cloned().chain(another).collect();
        if tables.is_empty() { String::new() } else { format!("WITH {}\n", tables.join(",\n")) }
    }
}

/// A query of the inventory.
#[derive(Debug, Clone)]
pub struct InventoryQuery {
    pub wanted: InventoryFilter,
    pub order: InventoryOrder,
    pub keep: Keep,
    /// True when the public keys of the certificates are read too.
    pub with_keys: bool,
}

/// The columns after those of an entry.
const DEPLOYED_COLUMN: usize = SELECT_COUNT;
const HAS_UNMARKED_COLUMN: usize = SELECT_COUNT + 1;
const TOTAL: usize = SELECT_COUNT + 2;
const DER: usize = SELECT_COUNT + 3;

impl Index {
    /// Calls `each` for every certificate that the query selects, in its order, and returns their number without the limit. The
    /// rows and their number are of one time. Rows are read one by one.
    ///
    /// # Errors
    /// When the index cannot be read; the first error of `each`.
    pub fn inventory<E: From<IndexError>>(
        &self,
        query: &InventoryQuery,
        now: OffsetDateTime,
        mut each: impl FnMut(ListedEntry) -> Result<(), E>,
    ) -> Result<u64, E> {
        let failed = |error: DatabaseError| E::from(self.place.error()(error));
        let source = Source::of(query);
        let (base, values) = base_conditions(&query.wanted, now);
        let conditions = if query.wanted.current_only { and(&base, &source.is_current()) } else { base.clone() };
        self.connection.read_much().map_err(failed)?;
        let statement =
            Statement { query, source: &source, base: &base, conditions: &conditions, now: now.unix_timestamp() };
        // Few certificates are usually fewer than the limit, and need no statement that counts and chooses: to plan that one takes
        // longer than to read them.
        if let (true, Some(limit @ 1..=MANY)) = (query.wanted.selects_few(), query.keep.limit()) {
            let _reading = self.connection.begin_reading_once().map_err(failed)?;
            let count = statement.count_up_to(limit + 1);
            let count: i64 =
                self.connection.query_row(&count, &Value::borrowed(&values), |row| row.get(0)).map_err(failed)?;
            if count.unsigned_abs() <= limit {
                return Ok(self.each_row(query, &statement.all(), &values, &mut each)?.0);
            }
        }
        let (read, mut selected) = self.each_row(query, &statement.text(), &values, &mut each)?;
        if query.keep.keeps_none() {
            let count = format!("{}SELECT count(*) {} {conditions}", source.with(None), source.from);
            selected =
                self.connection.query_row(&count, &Value::borrowed(&values), |row| row.get(0)).map_err(failed)?;
        }
        Ok(selected.map_or(read, i64::unsigned_abs))
    }

    /// Calls `each` for every row of a statement, and returns how many it read, and the `total` of the first one.
    fn each_row<E: From<IndexError>>(
        &self,
        query: &InventoryQuery,
        sql: &str,
        values: &[Value],
        mut each: impl FnMut(ListedEntry) -> Result<(), E>,
    ) -> Result<(u64, Option<i64>), E> {
        let failed = |error: DatabaseError| E::from(self.place.error()(error));
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let mut rows = statement.query(&Value::borrowed(values)).map_err(failed)?;
        let (mut read, mut selected) = (0, None);
        while let Some(row) = rows.next().map_err(failed)? {
            read += 1;
            if selected.is_none() {
                selected = row.get::<_, Option<i64>>(TOTAL).map_err(failed)?;
            }
            let entry = Entry::from_row(&row).map_err(failed)?;
            let deployed = row.get(DEPLOYED_COLUMN).map_err(failed)?;
            let has_unmarked = row.get(HAS_UNMARKED_COLUMN).map_err(failed)?;
            let key = match query.with_keys {
                true => {
                    let read = PublicKey::of_certificate(row.blob(DER).map_err(failed)?);
                    let key = read.map_err(|error| E::from(self.place.unreadable(&entry.serial, &error)))?;
                    Some(key.kind().clone())
                }
                false => None,
            };
            each(ListedEntry { entry, deployed, has_unmarked, key })?;
        }
        Ok((read, selected))
    }

    /// Returns whether a certificate was made from this template.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn knows_template(&self, template: &str) -> Result<bool, IndexError> {
        self.knows("template", template)
    }

    /// Returns whether an authority of this name signed a certificate.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn knows_authority(&self, authority: &str) -> Result<bool, IndexError> {
        self.knows("authority", authority)
    }

    fn knows(&self, column: &'static str, word: &str) -> Result<bool, IndexError> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM certificate WHERE {column} = ?1)");
        self.connection.query_row(&sql, values![word], |row| row.get(0)).map_err(self.place.error())
    }
}

/// A statement that selects certificates.
struct Statement<'a> {
    query: &'a InventoryQuery,
    source: &'a Source,
    /// The conditions but for the deployment.
    base: &'a str,
    conditions: &'a str,
    /// In seconds since 1970.
    now: i64,
}

impl Statement<'_> {
    /// The statement of the query. Each row has the number of them without the limit as `total`: the conditions are costly, and a
    /// second statement for the number would ask each of them again. Without a limit it is NULL.
    fn text(&self) -> String {
        let is_descending = self.query.order.is_descending;
        match self.query.keep {
            Keep::All => self.all(),
            Keep::First(limit) => self.chosen(&self.order(is_descending), limit),
            Keep::Last(limit) => self.chosen(&self.order(!is_descending), limit),
            Keep::MostUrgent(limit) => {
                let now = self.now;
                self.chosen(&format!("c.not_after < {now}, abs(c.not_after - {now}), c.id"), limit)
            }
        }
    }

    fn all(&self) -> String {
        let has_unmarked = match self.query.wanted.selects_few() {
            true => has_unmarked_among(&format!("SELECT c.name {}", self.base())),
            false => HAS_UNMARKED_OF_ALL.to_owned(),
        };
        format!(
            "{}{} {} {} ORDER BY {}",
            self.source.with(None),
            self.columns(&has_unmarked, "CAST(NULL AS BIGINT)"),
            self.source.from,
            self.conditions,
            self.order(self.query.order.is_descending)
        )
    }

    /// The first so many certificates of an order; they are put into the order that was asked for.
    fn chosen(&self, by: &str, limit: u64) -> String {
        let (from, conditions) = (&self.source.from, self.conditions);
        let of_chosen = "SELECT o.name FROM certificate AS o WHERE o.id IN (SELECT id FROM chosen)";
        let has_unmarked = if limit > MANY { HAS_UNMARKED_OF_ALL.to_owned() } else { has_unmarked_among(of_chosen) };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let chosen = format!(
            "chosen AS MATERIALIZED (
                SELECT c.id AS id, count(*) OVER () AS total {from} {conditions} ORDER BY {by} LIMIT {limit})"
        );
        format!(
            "{}{} {from} WHERE c.id IN (SELECT id FROM chosen) ORDER BY {}",
            self.source.with(Some(chosen)),
            self.columns(&has_unmarked, "(SELECT total FROM chosen LIMIT 1)"),
            self.order(self.query.order.is_descending)
        )
    }

    /// The number of certificates that meet the conditions but for their deployment, counted up to so many.
    fn count_up_to(&self, most: u64) -> String {
        format!("SELECT count(*) FROM (SELECT 1 {} LIMIT {most}) AS counted", self.base())
    }

    /// The certificates that meet the conditions but for their deployment. The status alone depends on another table.
    fn base(&self) -> String {
        let from = if self.query.wanted.filter.status.is_some() { &**FROM } else { "FROM certificate AS c" };
        format!("{from} {}", self.base)
    }

    fn columns(&self, has_unmarked: &str, total: &str) -> String {
        let is_deployed = &self.source.is_deployed;
        let der = if self.query.with_keys { ", c.der" } else { "" };
        format!("{SELECT}, {is_deployed} AS deployed, {has_unmarked} AS has_unmarked, {total} AS total{der}")
    }

    fn order(&self, is_descending: bool) -> String {
        let direction = if is_descending { "DESC" } else { "ASC" };
        match self.query.order.key {
            SortKey::Issued => format!("c.id {direction}"),
            key => format!("{} {direction}, c.id {direction}", key.expression(self.now)),
        }
    }
}

/// Returns a WHERE clause with one more condition.
fn and(clause: &str, condition: &str) -> String {
    format!("{clause} {} {condition}", if clause.is_empty() { "WHERE" } else { "AND" })
}

/// Returns the WHERE clause of the conditions, but for the deployment, and its values, which are all bound.
fn base_conditions(wanted: &InventoryFilter, now: OffsetDateTime) -> (String, Vec<Value>) {
    let (mut clause, mut values) = conditions(&wanted.filter, now);
    let mut demand = |condition: String| clause = and(&clause, &condition);
    let mut bind = |value: String| {
        values.push(Value::Text(value));
        format!("?{}", values.len())
    };
    if let Some((kind, pattern)) = &wanted.san_like {
        let of_kind = kind.map(|kind| format!(" AND kind = '{kind}'")).unwrap_or_default();
        let pattern = bind(pattern.for_like());
        demand(format!("c.id IN (SELECT certificate FROM san WHERE lower(value) LIKE {pattern} ESCAPE '!'{of_kind})"));
    }
    if let Some(covered) = &wanted.covers {
        let (value, kind) = match covered {
            Covered::Name(name) => (name.value(), name.kind()),
            Covered::CommonName(name) => (name.clone(), "other"),
        };
        let exact = bind(value.clone());
        let wildcard = match (covered, value.split_once('.')) {
            // A wildcard stands for one label (RFC 9525 §6.3).
            (Covered::Name(GeneralName::Dns(_)), Some((_, domain))) => {
                let wildcard = bind(format!("*.{domain}"));
                format!(" OR (value = {wildcard} COLLATE NOCASE AND kind = 'dns')")
            }
            _ => String::new(),
        };
        // As a subject shows it, which escapes some characters.
        let common_name = DistinguishedName::build(&[(AttributeType::CommonName, value.clone())]);
        let shown = common_name.map_or_else(|_| format!("CN={value}"), |name| name.to_string());
        let ends_with = bind(format!("%{}", like(&shown)));
        let has_within = bind(format!("%{}, %", like(&shown)));
        // Other tools do not write names in lower case; a client certificate may have its name in the common name alone.
        demand(format!(
            "(c.id IN (SELECT certificate FROM san WHERE (value = {exact} COLLATE NOCASE AND kind = '{kind}'){wildcard})
             OR (c.sans = '' AND (lower(c.subject) LIKE lower({ends_with}) ESCAPE '!'
                 OR lower(c.subject) LIKE lower({has_within}) ESCAPE '!')))"
        ));
    }
    (clause, values)
}

/// Returns a text for LIKE, in which no character stands for others.
fn like(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}
