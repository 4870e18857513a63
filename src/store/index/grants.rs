//! The SQL that gives a role of PostgreSQL what it needs, and no more.

/// What a role may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleRights {
    /// Issue, revoke and sign CRLs: INSERT, and UPDATE of the marks and settings. No record can be changed or removed.
    Issue,
    /// List, show, status, due and audit: SELECT.
    Read,
}

/// The tables with records. None of their rows is ever removed.
const RECORDS: [&str; 9] = [
    "certificate",
    "san",
    "revocation",
    "revocation_list",
    "rollback",
    "event",
    "imported_revocation",
    "imported_serial",
    "export",
];

/// The columns of records that a row gets later.
const MARKS: [(&str, &str); 5] = [
    ("certificate", "delivered_at, delivered_check"),
    ("revocation", "released_at"),
    ("revocation_list", "published_at, published_check"),
    ("rollback", "done_at, done_check"),
    ("export", "removed_at, certificate, certificate_check, crls, crls_check"),
];

/// The tables with settings of names, whose rows are overwritten and removed. Each change has its event.
const SETTINGS: [&str; 4] = ["hook", "file_rules", "crl_bundle", "declaration"];

/// Returns the statements, one on each line.
pub fn grants(schema: &str, role: &str, rights: RoleRights) -> String {
    let role = format!("\"{}\"", role.replace('"', "\"\""));
    let all =
        |tables: &[&str]| tables.iter().map(|table| format!("\"{schema}\".{table}")).collect::<Vec<_>>().join(", ");
    let mut lines = vec![
        format!("REVOKE ALL ON ALL TABLES IN SCHEMA \"{schema}\" FROM {role};"),
        format!("REVOKE ALL ON ALL SEQUENCES IN SCHEMA \"{schema}\" FROM {role};"),
        format!("GRANT USAGE ON SCHEMA \"{schema}\" TO {role};"),
        format!("GRANT SELECT ON ALL TABLES IN SCHEMA \"{schema}\" TO {role};"),
    ];
    if rights == RoleRights::Issue {
        lines.push(format!("GRANT USAGE ON ALL SEQUENCES IN SCHEMA \"{schema}\" TO {role};"));
        lines.push(format!("GRANT INSERT ON {} TO {role};", all(&RECORDS)));
        for (table, columns) in MARKS {
            lines.push(format!("GRANT UPDATE ({columns}) ON \"{schema}\".{table} TO {role};"));
        }
        lines.push(format!("GRANT INSERT, UPDATE, DELETE ON {} TO {role};", all(&SETTINGS)));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::mark::Mark;

    #[test]
    fn a_role_that_issues_removes_no_record_and_sets_every_mark() {
        let sql = grants("ca", "web\"one", RoleRights::Issue);
        for line in sql.lines() {
            assert!(
                !line.contains("DELETE") || RECORDS.iter().all(|table| !line.contains(&format!(".{table},"))),
                "{line}"
            );
            assert!(line.ends_with("\"web\"\"one\";"), "{line}");
        }
        for mark in Mark::ALL {
            let (table, column, check) = mark.columns();
            let granted = MARKS.iter().find(|(of, _)| *of == table).map(|(_, columns)| *columns).unwrap_or_default();
            assert!(granted.contains(column) && granted.contains(check), "{table}: {granted}");
        }
    }

    #[test]
    fn a_role_that_reads_changes_nothing() {
        let sql = grants("ca", "reader", RoleRights::Read);
        for word in ["INSERT", "UPDATE", "DELETE", "SEQUENCES IN SCHEMA \"ca\" TO"] {
            assert!(!sql.contains(word), "{sql}");
        }
    }
}
