//! The CRLs of the authorities: the file in place is the newest recorded one, and says what the index says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::authority::audit::crl_content;
use crate::authority::audit::finding::{Findings, Repair, Severity};
use crate::authority::audit::subject::{Subject, unreadable};
use crate::authority::signed_by::has_signed_crl;
use crate::store::StoreError;
use crate::store::index::StoredCrl;
use crate::system::files;
use crate::text::PathText;
use crate::x509::{Crl, digest, pem};

const SIGN_AGAIN: &str = "sign the next one: ca crl --authority NAME";

/// Checks the CRL files of every authority.
///
/// # Errors
/// When the index cannot be read.
pub fn check(subject: &Subject<'_>, findings: &mut Findings) -> Result<(), StoreError> {
    let home = subject.store.home();
    let mut recorded: BTreeMap<String, Vec<StoredCrl>> = BTreeMap::new();
    for crl in subject.index.crls_possibly_published()? {
        recorded.entry(crl.authority.clone()).or_default().push(crl);
    }
    for name in files::names_in(&home.authorities()).unwrap_or_default() {
        let possible = recorded.remove(&name).unwrap_or_default();
        check_authority(subject, &name, [home.crl_der(&name), home.crl_pem(&name)], &possible, false, findings)?;
    }
    for name in files::names_in(&home.retired()).unwrap_or_default() {
        let possible = recorded.remove(&name).unwrap_or_default();
        let paths = [home.crl_der(&name), home.crl_pem(&name)];
        let paths = paths.map(|path| home.retired().join(&name).join(path.file_name().unwrap_or_default()));
        check_authority(subject, &name, paths, &possible, true, findings)?;
    }
    Ok(())
}

/// Checks the two files of one authority. `possible` has the CRLs that may be in place, the newest last: the newest that was
/// published, and those after it. The files of a retired authority may be missing.
fn check_authority(
    subject: &Subject<'_>,
    name: &str,
    [der_path, pem_path]: [PathBuf; 2],
    possible: &[StoredCrl],
    is_retired: bool,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let mut read = |path: &PathBuf| match files::read_if_exists(path, files::MAX_FILE_BYTES) {
        Ok(content) => content,
        Err(error) => {
            unreadable(path, &error, findings);
            None
        }
    };
    let (der, text) = (read(&der_path), read(&pem_path));
    let from_pem = text.as_ref().and_then(|text| pem::parse_all(text).ok()).and_then(|blocks| {
        let mut blocks = blocks.into_iter().filter(|block| block.label == pem::CRL_LABEL);
        blocks.next().map(|block| block.content.to_vec())
    });
    let published = possible.first().filter(|first| first.is_published);
    // Several machines share the index, and the newest CRL is on the one that signed it.
    let is_shared = subject.store.index_location().is_shared();
    let severity = if is_shared { Severity::Note } else { Severity::Error };
    for (path, content, is_there) in
        [(&der_path, der.as_ref(), der.is_some()), (&pem_path, from_pem.as_ref(), text.is_some())]
    {
        let object = path.escaped().to_string();
        if !is_there {
            if let Some(published) = published.filter(|_| !is_retired) {
                let message = format!(
                    "the CRL number {} of '{name}' is recorded as published, but it is not here",
                    published.number
                );
                let repair = copy(path, &der_path, der.as_ref().or(from_pem.as_ref()), possible);
                findings.repairable(severity, "crl-missing", object, message, SIGN_AGAIN, repair);
            }
            continue;
        }
        let fingerprint = content.map(|content| digest::sha256(content));
        if possible.iter().any(|crl| fingerprint.is_some_and(|found| crl.fingerprint == found)) {
            continue;
        }
        let found = content.and_then(|content| Crl::from_der(content).ok());
        let (code, message) = match &found {
            None => ("crl-differs", "it is not a CRL".to_owned()),
            Some(found) if !is_signed(subject, name, found) => {
                ("crl-differs", format!("it is not a CRL that '{name}' signed"))
            }
            Some(found) => match subject.index.crl_with_fingerprint(name, &fingerprint.unwrap_or_default())? {
                Some(old) => {
                    let newest = possible.last().map_or(0, |newest| newest.number);
                    ("crl-outdated", format!("it is the CRL number {}, but number {newest} was published", old.number))
                }
                None => {
                    let number = found.number.as_deref().map(crate::text::hex).unwrap_or_default();
                    let newest = subject.index.latest_crl(name)?.map_or(0, |crl| crl.number);
                    let is_above =
                        found.number.as_deref().and_then(crl_content::number_of).is_none_or(|it| it > newest);
                    let why = match newest {
                        _ if !is_above => "gave this number to another CRL, or to none".to_owned(),
                        0 => "has none: the index is older".to_owned(),
                        newest => format!("ends with number 0x{newest:x}: the index is older"),
                    };
                    (
                        "crl-unknown",
                        format!(
                            "'{name}' signed it (number 0x{number}), but the index does not have it; the index {why}"
                        ),
                    )
                }
            },
        };
        if code == "crl-outdated" && is_shared {
            let fix = format!("copy the file from the machine that signed it, or {SIGN_AGAIN}");
            findings.add(severity, code, object, message, fix);
            continue;
        }
        let fix = format!("if an older index was restored, restore the newer one; else {SIGN_AGAIN}");
        findings.error(code, object, message, fix);
    }
    let mut checked: Option<[u8; 32]> = None;
    for (path, content) in [(&der_path, der), (&pem_path, from_pem)] {
        let Some(content) = content else { continue };
        let fingerprint = digest::sha256(&content);
        let is_its = |content: &[u8]| Crl::from_der(content).is_ok_and(|crl| is_signed(subject, name, &crl));
        if checked.replace(fingerprint) != Some(fingerprint) && is_its(&content) {
            crl_content::check(subject, name, path, content, &fingerprint, findings)?;
        }
    }
    Ok(())
}

/// The copy of a CRL file that is missing, from the other file.
fn copy(path: &PathBuf, der_path: &PathBuf, content: Option<&Vec<u8>>, possible: &[StoredCrl]) -> Option<Repair> {
    let der = content.filter(|der| possible.iter().any(|crl| crl.fingerprint == digest::sha256(der)))?;
    let content = if path == der_path { der.clone() } else { pem::encode(pem::CRL_LABEL, der).into_bytes() };
    Some(Repair::Write { path: path.clone(), content, mode: files::PUBLIC })
}

fn is_signed(subject: &Subject<'_>, name: &str, crl: &Crl) -> bool {
    let mut of_name = subject.authorities.iter().filter(|authority| authority.name == name);
    of_name.any(|authority| has_signed_crl(&authority.certificate, crl))
}
