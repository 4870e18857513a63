//! System stores that are a folder of certificates and a bundle that a program makes of it.

use std::path::{Path, PathBuf};

use super::plan::{Invocation, Step, Tool};
use super::presence::{Presence, Wanted};
use super::roots::TrustRoot;
use crate::report::failure::Failure;
use crate::system::files;
use crate::x509::pem;

/// How the system store of a family of systems is built. The paths are relative to `/`.
#[derive(Debug)]
pub struct Layout {
    pub name: &'static str,
    /// The folder for certificates of the administrator.
    pub folder: &'static str,
    /// The ending of a certificate's file, without the dot.
    pub ending: &'static str,
    /// The file that programs read.
    pub bundle: &'static str,
    pub tool: Tool,
    /// The arguments of the tool after a certificate was added, and after one was removed.
    pub added: &'static [&'static str],
    pub removed: &'static [&'static str],
    /// True when the tool can be called for another folder than `/`.
    pub is_movable: bool,
}

/// The layouts. The first one whose folder and tool exist is that of the system.
pub const LAYOUTS: [Layout; 4] = [
    Layout {
        name: "fedora",
        folder: "etc/pki/ca-trust/source/anchors",
        ending: "pem",
        bundle: "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        tool: Tool::UpdateCaTrust,
        added: &["extract"],
        removed: &["extract"],
        is_movable: false,
    },
    Layout {
        name: "arch",
        folder: "etc/ca-certificates/trust-source/anchors",
        ending: "crt",
        bundle: "etc/ca-certificates/extracted/tls-ca-bundle.pem",
        tool: Tool::Trust,
        added: &["extract-compat"],
        removed: &["extract-compat"],
        is_movable: false,
    },
    Layout {
        name: "suse",
        folder: "etc/pki/trust/anchors",
        ending: "pem",
        bundle: "var/lib/ca-certificates/ca-bundle.pem",
        tool: Tool::UpdateCaCertificates,
        added: &[],
        removed: &[],
        is_movable: false,
    },
    Layout {
        name: "debian",
        folder: "usr/local/share/ca-certificates",
        ending: "crt",
        bundle: "etc/ssl/certs/ca-certificates.crt",
        tool: Tool::UpdateCaCertificates,
        added: &[],
        // Without it, the links to a removed certificate stay in /etc/ssl/certs.
        removed: &["--fresh"],
        is_movable: true,
    },
];

/// The PEM label of a certificate.
const LABEL: &str = "CERTIFICATE";

/// Finds the roots: in the bundle, and as files of the administrator's folder.
pub fn find(layout: &Layout, below: &Path, roots: &[TrustRoot]) -> Result<Vec<Presence>, Failure> {
    let bundle = below.join(layout.bundle);
    let content = files::read_if_exists(&bundle, files::MAX_FILE_BYTES)?.unwrap_or_default();
    let trusted = certificates(&content);
    let mut found: Vec<Presence> = roots
        .iter()
        .map(|root| Presence {
            is_trusted: trusted.iter().any(|der| der == root.certificate.as_der()),
            entries: Vec::new(),
        })
        .collect();
    let folder = below.join(layout.folder);
    for name in files::names_in(&folder)? {
        let path = folder.join(&name);
        if path.extension().is_none_or(|ending| ending != layout.ending) {
            continue;
        }
        // A file that cannot be read is not one that this program wrote.
        let Ok(Some(content)) = files::read_if_exists(&path, files::MAX_SMALL_FILE_BYTES) else { continue };
        let [only] = &certificates(&content)[..] else { continue };
        if let Some(at) = roots.iter().position(|root| root.certificate.as_der() == only) {
            found[at].entries.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

/// The certificates of a PEM text; a block that cannot be read is left out.
pub fn certificates(text: &[u8]) -> Vec<Vec<u8>> {
    let blocks = pem::parse_each(text).filter_map(Result::ok);
    blocks.filter(|block| block.label == LABEL).map(|block| block.content.to_vec()).collect()
}

pub fn install(layout: &Layout, below: &Path, wanted: &Wanted<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (_, root, presence) in wanted {
        if presence.entries.is_empty() {
            let path = below.join(layout.folder).join(format!("{}.{}", root.entry_name(), layout.ending));
            steps.push(Step::Write { path, content: root.pem() });
        }
    }
    steps.push(Step::Run(refresh(layout, below, layout.added)));
    steps
}

pub fn uninstall(layout: &Layout, below: &Path, wanted: &Wanted<'_>) -> Vec<Step> {
    let files = wanted.iter().flat_map(|(.., presence)| &presence.entries);
    let removals = files.map(|path| Step::Remove(PathBuf::from(path)));
    removals.chain([Step::Run(refresh(layout, below, layout.removed))]).collect()
}

fn refresh(layout: &Layout, below: &Path, arguments: &[&str]) -> Invocation {
    let mut arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    if below != Path::new("/") {
        // Only update-ca-certificates of Debian takes other folders.
        for (flag, path) in [
            ("--certsconf", "etc/ca-certificates.conf"),
            ("--certsdir", "usr/share/ca-certificates"),
            ("--localcertsdir", layout.folder),
            ("--etccertsdir", "etc/ssl/certs"),
            ("--hooksdir", "etc/ca-certificates/update.d"),
        ] {
            arguments.extend([flag.to_owned(), below.join(path).to_string_lossy().into_owned()]);
        }
    }
    Invocation { tool: layout.tool, arguments }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::trust::roots;
    use crate::authority::testing::{Ca, NOW};

    #[test]
    fn every_layout_gets_one_file_and_one_call_of_its_tool() {
        let ca = Ca::new();
        let root = ca.store().ca_certificates().roots().unwrap().remove(0);
        let root = roots::of(root.name, root.path, root.certificate, false, NOW);
        let absent = Presence::default();
        let there = Presence { is_trusted: true, entries: vec!["/x/by hand.crt".to_owned()] };
        let name = root.entry_name();
        let plan = |layout: &str, is_install: bool| {
            let layout = LAYOUTS.iter().find(|known| known.name == layout).unwrap();
            let steps = match is_install {
                true => install(layout, Path::new("/"), &[(0, &root, &absent)]),
                false => uninstall(layout, Path::new("/"), &[(0, &root, &there)]),
            };
            steps.iter().map(Step::sentence).collect::<Vec<_>>()
        };
        for (layout, folder, ending, tool) in [
            ("debian", "/usr/local/share/ca-certificates", "crt", "update-ca-certificates"),
            ("fedora", "/etc/pki/ca-trust/source/anchors", "pem", "update-ca-trust extract"),
            ("arch", "/etc/ca-certificates/trust-source/anchors", "crt", "trust extract-compat"),
            ("suse", "/etc/pki/trust/anchors", "pem", "update-ca-certificates"),
        ] {
            assert_eq!(plan(layout, true), [format!("write {folder}/{name}.{ending}"), format!("run {tool}")]);
            let after = if layout == "debian" { format!("{tool} --fresh") } else { tool.to_owned() };
            assert_eq!(plan(layout, false), ["remove /x/by hand.crt".to_owned(), format!("run {after}")]);
        }
    }
}
