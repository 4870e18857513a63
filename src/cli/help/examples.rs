//! The examples at the end of every command's help. A test of the suite runs each of them.

/// A command line, and what it does.
pub struct Example {
    /// What it does, as a phrase.
    pub does: &'static str,
    /// What is typed, as in a shell.
    pub typed: &'static str,
}

const fn example(does: &'static str, typed: &'static str) -> Example {
    Example { does, typed }
}

/// The examples by the path of their command, such as `root renew`.
pub const ALL: &[(&str, &[Example])] = &[
    (
        "quickstart",
        &[
            example("make a CA in a new folder, issue, verify and test", "ca quickstart"),
            example("the same in a folder of another name", "ca quickstart try-ca"),
        ],
    ),
    (
        "init",
        &[
            example("make a CA in ./ca; asks for a passphrase", "ca init --name \"Corp Root CA\""),
            example(
                "a CA that may only issue for corp.test, with an intermediate",
                "ca init --intermediate --permit corp.test --passphrase-file ca.pass",
            ),
            example("import the CA of another tool", "ca init --cert old-ca.pem --key-file old-ca.key --no-passphrase"),
        ],
    ),
    (
        "import",
        &[
            example("show what is in the folder of easy-rsa, and change nothing", "ca import --dry-run easy-rsa"),
            example("import it into ./ca, with the CA key unencrypted", "ca import easy-rsa --no-passphrase"),
            example(
                "the CA of openssl ca, with an encrypted key, into another folder",
                "ca --dir new-ca import --from openssl demoCA --key-passphrase-file ca.pass --passphrase-file ca.pass",
            ),
        ],
    ),
    (
        "issue",
        &[
            example(
                "a server certificate for two names and an address",
                "ca issue server www.corp.test --san api.corp.test --san 10.0.0.7",
            ),
            example("a client certificate for 30 days", "ca issue client anna --for 30d"),
            example(
                "in a script, every night: issue only when it is due, then reload",
                "ca issue server mail.corp.test --if-due --hook \"echo reload nginx\"",
            ),
            example(
                "for a service of another user, whose group reads the private key",
                "ca issue server db.corp.test --mode 0640 --out db",
            ),
        ],
    ),
    (
        "apply",
        &[
            example("what would be done for the certificates that a file declares", "ca apply fleet.toml --plan"),
            example("every night: what is missing, due or different", "ca apply fleet.toml"),
            example("remove what the file no longer names", "ca apply fleet.toml --prune"),
        ],
    ),
    (
        "request",
        &[
            example("a key and a certificate request for another CA", "ca request db.corp.test"),
            example(
                "with another name and an RSA key",
                "ca request db.corp.test --san db2.corp.test --key rsa-2048 --out db-request",
            ),
        ],
    ),
    (
        "sign",
        &[
            example("show what would be signed", "ca sign router.csr --dry-run"),
            example("sign the request of a client for a year", "ca sign router.csr --template client --for 1y"),
        ],
    ),
    (
        "renew",
        &[
            example("the next certificate of a name, for the same key", "ca renew www.corp.test"),
            example("from cron: everything that is due", "ca renew --due --no-input"),
            example("every deployed certificate, due or not", "ca renew --all --dry-run"),
            example("the next certificate of an intermediate, for the same key", "ca renew issuing"),
        ],
    ),
    (
        "rekey",
        &[
            example("the next certificate of a name, with a new key", "ca rekey www.corp.test"),
            example("a new intermediate with a new key, which issues from then on", "ca rekey issuing --dry-run"),
        ],
    ),
    (
        "export",
        &[
            example(
                "the files of nginx, and the lines of its configuration",
                "ca export www.corp.test --target nginx --without-crls --out tls",
            ),
            example(
                "PKCS#12 for a browser, Windows or Java; the passphrase is in www.p12.passphrase",
                "ca export www.corp.test --as p12 --out www.p12",
            ),
            example(
                "private key, certificate and intermediates in one file for haproxy; ca renew writes it again",
                "ca export www.corp.test --as combined --out www.pem",
            ),
            example("a manifest of Kubernetes", "ca export www.corp.test --as k8s-secret | cat > secret.yaml"),
            example("the index of an authority for openssl ocsp", "ca export root --as openssl-index --out index.txt"),
        ],
    ),
    (
        "recipe",
        &[
            example("the programs that ca export --target knows", "ca recipe list"),
            example("what a recipe says", "ca recipe show nginx"),
        ],
    ),
    ("recipe list", &[example("the programs, their side and what they are", "ca recipe list")]),
    (
        "recipe show",
        &[
            example("the text of a recipe", "ca recipe show postgres"),
            example("to change it for this CA", "mkdir -p ca/recipes && ca recipe show nginx > ca/recipes/nginx.toml"),
        ],
    ),
    ("recipe check", &[example("every problem of a recipe", "ca recipe check nginx")]),
    (
        "template",
        &[
            example("the templates of this CA", "ca template list"),
            example("what a template says, with what it inherits", "ca template show server --effective"),
            example("one of your own, based on 'server'", "ca template new shop --base server"),
        ],
    ),
    ("template list", &[example("the templates and where they are", "ca template list")]),
    (
        "template show",
        &[
            example("the text of a template", "ca template show client"),
            example("what has an effect, without the file's comments", "ca template show client --effective"),
        ],
    ),
    (
        "template new",
        &[
            example("a commented copy of the template 'server'", "ca template new shop"),
            example("a template that sets only what differs", "ca template new intranet --base server"),
        ],
    ),
    ("template check", &[example("every problem of a template", "ca template check server")]),
    (
        "template try",
        &[
            example("two certificates that would be made", "ca template try server www.corp.test api.corp.test"),
            example("with another name and lifetime", "ca template try server www.corp.test --san 10.0.0.7 --for 30d"),
        ],
    ),
    (
        "settings",
        &[
            example("every setting and where it comes from", "ca settings show"),
            example("every problem of ca.toml", "ca settings check"),
        ],
    ),
    (
        "settings show",
        &[
            example("every setting and where it comes from", "ca settings show"),
            example("a settings file with every setting and a comment", "ca settings show --example"),
        ],
    ),
    ("settings check", &[example("every problem of ca.toml", "ca settings check")]),
    (
        "status",
        &[
            example("what needs attention today", "ca status"),
            example("from a monitoring script: exit status 1 when anything does", "ca status --quiet"),
        ],
    ),
    (
        "due",
        &[
            example("what is in the last third of its lifetime", "ca due"),
            example("what expires within 60 days", "ca due --within 60d"),
        ],
    ),
    ("rollback", &[example("put the files of the previous certificate back", "ca rollback www.corp.test")]),
    (
        "tree",
        &[
            example("the authorities and what each may issue for", "ca tree"),
            example("the same facts for a script", "ca tree --json"),
        ],
    ),
    ("history", &[example("every certificate of a name", "ca history www.corp.test")]),
    (
        "revoke",
        &[
            example("revoke a certificate, and sign the CRL at once", "ca revoke laptop --reason key-compromise --crl"),
            example("revoke a certificate by its file", "ca revoke cert.pem --reason superseded"),
            example("suspend a certificate until it is released", "ca revoke anna --reason hold"),
        ],
    ),
    (
        "crl",
        &[
            example("sign the CRL of the issuing CA", "ca crl"),
            example(
                "from cron: sign only when it is due, with a copy for a web server",
                "ca crl --ensure --out issuing.crl",
            ),
            example("the CRL of the root", "ca crl --authority root"),
            example(
                "every CRL in one file, for servers that check whole chains; reload them when it changes",
                "ca crl --all --bundle crls.pem --hook \"echo reload nginx\"",
            ),
        ],
    ),
    (
        "intermediate",
        &[
            example(
                "make a key and a request for the certificate of an authority",
                "ca intermediate request branch --no-passphrase",
            ),
            example(
                "install the certificate that the other CA signed",
                "ca intermediate install branch branch.pem --chain corp-root.pem --add-root corp",
            ),
        ],
    ),
    ("intermediate request", &[example("a key and a request", "ca intermediate request branch --no-passphrase")]),
    (
        "intermediate install",
        &[example(
            "the certificate, and the root above it as a root of this CA",
            "ca intermediate install branch branch.pem --chain corp-root.pem --add-root corp",
        )],
    ),
    (
        "root",
        &[
            example("a new certificate for the same key of the root", "ca root renew"),
            example("replace the root by a new one: start, then status, then finish", "ca root rotate start"),
        ],
    ),
    ("root renew", &[example("for 15 years", "ca root renew --for 15y")]),
    (
        "root rotate",
        &[
            example("make the new root", "ca root rotate start"),
            example("what still depends on the old root", "ca root rotate status"),
        ],
    ),
    ("root rotate start", &[example("make the new root", "ca root rotate start")]),
    ("root rotate status", &[example("what still depends on the old root", "ca root rotate status")]),
    ("root rotate finish", &[example("stop trusting the old root", "ca root rotate finish")]),
    (
        "roots",
        &[
            example("the CA certificates that clients must trust", "ca roots"),
            example("in a file for curl", "ca roots --out roots.pem"),
            example(
                "a trust store for Java, with a generated passphrase in trust.p12.passphrase",
                "ca roots --as truststore --out trust.p12",
            ),
        ],
    ),
    (
        "trust",
        &[
            example("where the roots are trusted", "ca trust check --nss-db nssdb"),
            example("make programs of this machine trust them; asks first", "ca trust install"),
            example("see what would be done", "ca trust install --dry-run"),
        ],
    ),
    (
        "trust install",
        &[
            example("in every trust store that is found; asks first", "ca trust install"),
            example("as root, in the store of the system", "ca trust install --store system"),
            example(
                "in a database of NSS and a key store of Java",
                "ca trust install --nss-db nssdb --java-keystore store.p12",
            ),
        ],
    ),
    (
        "trust uninstall",
        &[
            example("the roots of this CA, from every store", "ca trust uninstall"),
            example("after a rotation: only the old root", "ca trust uninstall --retired"),
        ],
    ),
    (
        "trust check",
        &[
            example("every store that is found; exit status 1 when one does not trust the roots", "ca trust check"),
            example("one database of NSS", "ca trust check --nss-db nssdb"),
        ],
    ),
    (
        "key",
        &[example("change the passphrase of the root's key", "ca key passphrase root --new-passphrase-file ca.pass")],
    ),
    (
        "key passphrase",
        &[
            example("encrypt the key of the root", "ca key passphrase root --new-passphrase-file ca.pass"),
            example("store it without encryption", "ca key passphrase root --remove"),
        ],
    ),
    (
        "index",
        &[
            example("where the index is, and how much is in it", "ca index show"),
            example("move it to another file", "ca index copy --to moved.db"),
        ],
    ),
    ("index show", &[example("for a script", "ca index show --json")]),
    ("index copy", &[example("show what would be moved to another file", "ca index copy --to moved.db --dry-run")]),
    (
        "index migrate",
        &[example("show whether the tables of the index have to be migrated", "ca index migrate --dry-run")],
    ),
    ("index grants", &[example("the SQL for a role that only reads", "ca index grants --role ca_reader --read-only")]),
    (
        "backup",
        &[
            example("write an encrypted backup", "ca backup ca.age --passphrase-file backup.pass"),
            example("test it", "ca backup test monday.age --passphrase-file backup.pass"),
        ],
    ),
    (
        "backup test",
        &[example(
            "restore it in private, and issue from it",
            "ca backup test monday.age --passphrase-file backup.pass",
        )],
    ),
    (
        "restore",
        &[example("make the CA directory of a backup", "ca restore monday.age restored --passphrase-file backup.pass")],
    ),
    (
        "verify",
        &[
            example("the chain of a server, for its host name", "ca verify fullchain.pem --hostname www.corp.test"),
            example(
                "with other trust anchors, and for clients that will connect",
                "ca verify fullchain.pem --roots roots.pem --purpose server --client chrome --client go",
            ),
            example(
                "before a deploy: fail when it expires within 30 days",
                "ca --quiet verify fullchain.pem --as-served --expires-in 30d && echo deploy",
            ),
            example("what a running server sends", "ca verify --connect www.corp.test:443"),
            example("a mail server, which begins TLS when it is asked", "ca verify --connect mail.corp.test:587"),
        ],
    ),
    (
        "lint",
        &[
            example("check a certificate against RFC 5280", "ca lint cert.pem"),
            example("against the rules of Apple's platforms", "ca lint cert.pem --profile apple"),
            example("every certificate of this CA", "ca lint '*'"),
        ],
    ),
    (
        "handshake-test",
        &[
            example("a mutual TLS handshake, and what must be refused", "ca handshake-test"),
            example("with your certificates", "ca handshake-test --server www.corp.test --client anna"),
            example("every message of one handshake", "ca handshake-test --tls 1.3 --no-refusals --trace"),
            example("against a running server", "ca handshake-test --connect www.corp.test:443 --client anna"),
        ],
    ),
    (
        "audit",
        &[
            example("compare the index, the event log and the files", "ca audit"),
            example("repair modes and missing copies", "ca audit --fix"),
        ],
    ),
    ("audit head", &[example("keep this in another place, for 'ca audit --head'", "ca audit head")]),
    (
        "list",
        &[
            example("every certificate", "ca list"),
            example("what expires within 30 days", "ca list --expiring 30d"),
            example("all valid certificates as JSON, for a script", "ca --json list --status valid > valid.json"),
        ],
    ),
    ("show", &[example("a certificate by its name", "ca show www.corp.test"), example("an authority", "ca show root")]),
    (
        "log",
        &[
            example("the events of the last week", "ca log --since 7d"),
            example("the events of one name", "ca log --name www.corp.test"),
        ],
    ),
    (
        "inspect",
        &[
            example("what a file contains", "ca inspect cert.pem"),
            example("from standard input", "ca inspect - < router.csr"),
        ],
    ),
    (
        "explain",
        &[
            example("a code of 'ca verify' or 'ca lint'", "ca explain no-subject-alt-name"),
            example("a code of a failure", "ca explain key-away"),
            example("every code that is about CRLs", "ca explain --search CRL"),
        ],
    ),
    ("help", &[example("the help of a command", "ca help root renew"), example("a topic", "ca help templates")]),
    (
        "schema",
        &[
            example("the JSON Schema of 'ca --json issue'", "ca schema issue"),
            example("every JSON document and the commands that print it", "ca schema"),
        ],
    ),
    ("version", &[example("the version of ca", "ca version")]),
    (
        "completions",
        &[
            example("a script for bash; source it from ~/.bashrc", "ca completions bash > ca.bash"),
            example("write the file that the shell reads", "ca completions --install bash"),
        ],
    ),
    ("man", &[example("write the manual pages, and read one", "ca man man1")]),
];

/// Returns the examples of a command.
pub fn of(path: &str) -> &'static [Example] {
    ALL.iter().find(|(command, _)| *command == path).map_or(&[], |(_, examples)| examples)
}

/// Returns what stands at the end of a command's help: its examples, and where the options of all commands are explained.
pub fn epilogue(path: &str) -> String {
    let mut text = String::new();
    for (number, Example { does, typed }) in of(path).iter().enumerate() {
        let head = if number == 0 { "Examples:\n" } else { "" };
        text.push_str(&format!("{head}  # {does}\n  {typed}\n"));
    }
    let gap = if text.is_empty() { "" } else { "\n" };
    format!("{text}{gap}Global options: --dir --json --quiet --color --no-input --lock-timeout (ca help options)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_line::CommandLine;

    fn paths(command: &clap::Command, above: &str) -> Vec<String> {
        let below = |inner: &clap::Command| {
            let path = format!("{above}{}", inner.get_name());
            [vec![path.clone()], paths(inner, &format!("{path} "))].concat()
        };
        command.get_subcommands().flat_map(below).collect()
    }

    #[test]
    fn every_command_has_examples_and_every_example_is_of_a_command() {
        let known = paths(&CommandLine::whole(), "");
        let with_examples: Vec<&str> = ALL.iter().map(|(path, _)| *path).collect();
        for path in &known {
            assert!(with_examples.contains(&path.as_str()), "{path} has no example");
        }
        for (path, examples) in ALL {
            assert!(known.iter().any(|known| known == path), "{path}");
            for Example { typed, .. } in *examples {
                assert!(path.split(' ').all(|word| typed.split(' ').any(|typed| typed == word)), "{path}: {typed}");
            }
        }
    }

    #[test]
    fn every_global_option_is_named() {
        for argument in CommandLine::whole().get_arguments().filter(|argument| argument.is_global_set()) {
            let long = format!("--{}", argument.get_long().unwrap());
            assert!(epilogue("issue").contains(&long), "{long}");
        }
    }
}
