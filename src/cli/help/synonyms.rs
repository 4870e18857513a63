//! Words that people bring from other tools (openssl, step, cfssl, mkcert, easy-rsa, certtool, git), and what `ca` calls it.

/// Words of other tools for a command, and the line to type here.
struct Command {
    words: &'static [&'static str],
    answer: &'static str,
}

const fn command(words: &'static [&'static str], answer: &'static str) -> Command {
    Command { words, answer }
}

const COMMANDS: &[Command] = &[
    command(&["ls", "certificates", "certs", "inventory"], "ca list"),
    command(
        &["rm", "del", "delete", "remove", "drop"],
        "ca revoke NAME (a record of an issued certificate is never deleted)",
    ),
    command(
        &["new", "create", "gen", "generate", "add", "cert", "certificate", "gencert", "make", "build-key"],
        "ca issue server NAME",
    ),
    command(&["server", "build-server-full"], "ca issue server NAME"),
    command(&["client", "build-client-full", "user"], "ca issue client NAME"),
    command(&["batch", "bulk", "fleet", "ensure", "reconcile"], "ca apply MANIFEST"),
    command(&["build-serverClient-full"], "ca issue peer NAME"),
    command(&["csr", "req", "gen-req", "genreq", "gencsr", "keygen", "genkey", "genrsa"], "ca request NAME"),
    command(&["sign-req", "sign-csr", "signcsr", "sign-cert"], "ca sign FILE"),
    command(&["p12", "pkcs12", "pfx", "export-p12"], "ca export NAME --as p12 --out NAME.p12"),
    command(&["cacert", "ca-cert", "bundle", "anchors"], "ca roots --out roots.pem"),
    command(&["install", "update-ca-certificates", "update-ca-trust", "add-trusted-cert"], "ca trust install"),
    command(&["uninstall", "untrust"], "ca trust uninstall"),
    command(&["combined", "pem", "fullchain"], "ca export NAME --as combined --out NAME.pem"),
    command(
        &["truststore", "jks", "keytool", "keystore", "cacerts"],
        "ca roots --as truststore --out truststore.p12 (for Java; a key store: ca export NAME --as p12)",
    ),
    command(&["mobileconfig"], "ca roots --as mobileconfig --out roots.mobileconfig"),
    command(&["p7b", "pkcs7", "crl2pkcs7"], "ca export NAME --as pkcs7 --out NAME.p7b"),
    command(&["secret", "kubectl", "k8s", "kubernetes"], "ca export NAME --as k8s-secret"),
    command(&["ovpn", "openvpn"], "ca export NAME --as openvpn --out NAME.ovpn"),
    command(&["ocsp", "index.txt", "updatedb"], "ca export AUTHORITY --as openssl-index --out index.txt"),
    command(&["check", "validate", "verify-cert", "verify-chain"], "ca verify FILE"),
    command(&["find", "search", "grep", "query", "lookup", "which", "where"], "ca list --covers HOST"),
    command(&["describe", "details", "fingerprint", "get"], "ca show NAME"),
    command(&["show-crl", "certinfo", "cert-info", "asn1parse", "certificate-info"], "ca inspect FILE"),
    command(&["show-revoke", "show-revoked", "revoked"], "ca list --status revoked"),
    command(
        &["clean", "cleanup", "clean-all", "purge", "prune", "tidy", "gc", "vacuum", "expire"],
        "ca list --status expired (the record of an issued certificate is never deleted)",
    ),
    command(&["suspend", "hold", "disable", "pause"], "ca revoke NAME --reason hold"),
    command(&["unhold", "release", "unrevoke", "reinstate", "unsuspend", "enable"], "ca revoke NAME --reason release"),
    command(&["renew-all", "renewall"], "ca renew --all"),
    command(&["auto-renew", "autorenew", "cron", "renew-due"], "ca renew --due"),
    command(&["needs-renewal", "renewable", "show-renew"], "ca due"),
    command(&["rebuild", "new-key", "newkey", "change-key"], "ca rekey NAME"),
    command(&["rotate", "rollover", "rotate-root"], "ca root rotate start"),
    command(&["root-ca", "selfsign", "self-signed", "selfsigned"], "ca init"),
    command(&["certonly", "enroll", "enrol", "request-cert"], "ca issue server NAME"),
    command(&["import-req", "sign-request"], "ca sign FILE"),
    command(&["genpkey", "ecparam", "gen-key"], "ca request NAME"),
    command(
        &["dhparam", "gen-dh", "gendh", "dh"],
        "ca issue server NAME (TLS with these certificates needs no DH parameters)",
    ),
    command(&["compare", "diff"], "ca verify --connect HOST:PORT FILE"),
    command(&["hook", "hooks", "deploy"], "ca renew NAME --hook 'systemctl reload nginx'"),
    command(&["benchmark", "bench", "speed"], "ca handshake-test --repeat 1000"),
    command(&["completion", "autocomplete", "complete"], "ca completions --install"),
    command(&["save", "snapshot", "archive"], "ca backup FILE"),
    command(&["recover"], "ca restore FILE"),
    command(&["vars", "env", "set-vars", "options"], "ca settings show"),
    command(&["intermediate-ca", "issuing-ca"], "ca issue intermediate NAME"),
    command(&["print-defaults"], "ca template show server"),
    command(
        &["view", "cat", "info", "print", "decode", "dump", "x509", "parse", "show-cert", "show-req", "read"],
        "ca inspect FILE",
    ),
    command(&["build-ca", "init-pki", "initca", "newca", "new-ca", "create-ca", "setup", "bootstrap"], "ca init"),
    command(&["adopt"], "ca import DIR"),
    command(&["gen-crl", "gencrl", "update-crl"], "ca crl"),
    command(&["show-expire", "expiring", "expires", "expired", "outdated"], "ca due"),
    command(&["health", "attention", "todo", "dashboard"], "ca status"),
    command(&["hierarchy", "authorities", "cas"], "ca tree"),
    command(&["reissue", "refresh", "update", "extend"], "ca renew NAME"),
    command(&["undo", "restore-cert", "revert"], "ca rollback NAME"),
    command(&["s_client", "connect", "probe"], "ca verify --connect HOST:PORT"),
    command(&["s_server", "serve", "tls", "handshake", "test", "mtls"], "ca handshake-test"),
    command(&["config", "conf", "configuration"], "ca settings show"),
    command(&["templates", "profile", "profiles"], "ca template list"),
    command(
        &["password", "passwd", "passphrase", "change-pass", "set-pass", "set-rsa-pass", "set-ec-pass"],
        "ca key passphrase AUTHORITY",
    ),
    command(&["events", "journal"], "ca log"),
    command(&["doctor", "fsck"], "ca audit"),
    command(&["docs", "manual", "usage", "commands"], "ca help --all"),
    command(&["subca", "sub-ca", "build-subca"], "ca issue intermediate NAME"),
];

/// Words of other tools for an option, and the options here, of which a command has one.
struct Flag {
    words: &'static [&'static str],
    options: &'static [(&'static str, &'static str)],
}

const fn flag(words: &'static [&'static str], options: &'static [(&'static str, &'static str)]) -> Flag {
    Flag { words, options }
}

const FLAGS: &[Flag] = &[
    flag(
        &[
            "--days",
            "-days",
            "--duration",
            "--validity",
            "--valid-for",
            "--ttl",
            "--expiry",
            "--expires",
            "--expire",
            "--lifetime",
        ],
        &[
            ("for", "--for 90d"),
            ("expiring", "--expiring 30d"),
            ("within", "--within 30d"),
            ("expires-in", "--expires-in 30d"),
        ],
    ),
    flag(
        &[
            "--dns",
            "--domain",
            "-d",
            "--domains",
            "--host",
            "--hosts",
            "--sans",
            "--alt-name",
            "--alt-names",
            "--subject-alt-name",
            "-addext",
            "--ip",
            "--uri",
            "--email",
        ],
        &[("san", "--san NAME"), ("hostname", "--hostname NAME")],
    ),
    flag(
        &["-subj", "--subj", "--dn", "--org", "--organization", "--country", "--ou"],
        &[("subject", "--subject organization=Acme")],
    ),
    flag(&["--cn", "-cn", "--common-name"], &[("subject", "--subject common-name=TEXT"), ("name", "--name TEXT")]),
    flag(
        &[
            "--output",
            "-o",
            "-out",
            "--outdir",
            "--out-dir",
            "--outfile",
            "--dest",
            "-outdir",
            "-keyout",
            "--cert-file",
            "-cert-file",
        ],
        &[("out", "--out PATH")],
    ),
    flag(
        &[
            "--ca",
            "--cafile",
            "--ca-file",
            "-CAfile",
            "-cafile",
            "--cacert",
            "--CAfile",
            "--root",
            "--trust",
            "--trusted",
            "--anchor",
            "-trusted",
            "--load-ca-certificate",
        ],
        &[("roots", "--roots FILE")],
    ),
    flag(
        &["-untrusted", "--chain", "--intermediate", "--intermediates", "-cert_chain"],
        &[("untrusted", "--untrusted FILE")],
    ),
    flag(
        &[
            "--key-type",
            "--keytype",
            "--kty",
            "--key-algorithm",
            "--algo",
            "--algorithm",
            "--bits",
            "--key-size",
            "--size",
            "-newkey",
            "--curve",
            "--crv",
            "-ecdsa",
            "--ecdsa",
            "--rsa",
            "-algorithm",
        ],
        &[("key", "--key ecdsa-p256, --key rsa-3072")],
    ),
    flag(
        &[
            "--password",
            "--passphrase",
            "--pass",
            "--pw",
            "-passin",
            "--passin",
            "-passout",
            "--passout",
            "-p",
            "--password-file",
            "--provisioner-password-file",
        ],
        &[("passphrase-file", "--passphrase-file FILE"), ("key-passphrase-file", "--key-passphrase-file FILE")],
    ),
    flag(
        &["--nodes", "-nodes", "--nopass", "--no-password", "--unencrypted", "-noenc"],
        &[("no-passphrase", "--no-passphrase")],
    ),
    flag(
        &["--yes", "-y", "--assume-yes", "--batch", "-batch", "--non-interactive", "--noninteractive"],
        &[("yes", "--yes"), ("no-input", "--no-input")],
    ),
    flag(
        &["--until", "--valid-until", "--end-date", "-enddate", "--enddate", "--expires-at", "--expiry-time"],
        &[("not-after", "--not-after 2027-06-01T00:00:00Z"), ("for", "--for 90d")],
    ),
    flag(&["--hostname", "--host-name", "--for-host"], &[("covers", "--covers HOST")]),
    flag(&["--expired", "--revoked", "--valid", "--held"], &[("status", "--status expired, --status revoked")]),
    flag(&["--everything", "-a", "--history"], &[("all", "--all")]),
    flag(
        &[
            "--verify_hostname",
            "-verify_hostname",
            "--servername",
            "-servername",
            "--sni",
            "--server-name",
            "--verify-hostname",
        ],
        &[("hostname", "--hostname NAME")],
    ),
    flag(&["--silent", "-q", "-s"], &[("quiet", "--quiet")]),
    flag(&["--overwrite", "-f", "--replace", "--clobber"], &[("force", "--force")]),
    flag(&["--dryrun", "-n", "--check-only", "--simulate"], &[("dry-run", "--dry-run")]),
    flag(
        &["--home", "--ca-dir", "--directory", "--pki-dir", "--pki", "-C", "-CAROOT", "--caroot", "--path"],
        &[("dir", "--dir DIR")],
    ),
    flag(&["-CRLfile", "--crl-file", "-crl_check", "--crls"], &[("crl", "--crl FILE")]),
    flag(&["-attime", "--time", "--date", "--attime"], &[("at", "--at 2027-03-01T12:00:00Z")]),
    flag(&["-connect", "--url", "--remote"], &[("connect", "--connect HOST:PORT")]),
    flag(&["--output-format", "--format", "-json", "-j"], &[("json", "--json")]),
    flag(&["--post-hook", "--deploy-hook", "--exec", "--reload", "--renew-hook"], &[("hook", "--hook CMD")]),
    flag(&["-purpose", "--usage", "--eku"], &[("purpose", "--purpose server")]),
    flag(
        &["--expiring-in", "--soon", "--expiring", "--expires-in", "--within", "--in"],
        &[("within", "--within 30d"), ("for", "--for 90d")],
    ),
    flag(&["-crl_reason", "-reason"], &[("reason", "--reason key-compromise")]),
    flag(
        &["--issuer-name", "--signer", "--ca-name"],
        &[("issuer", "--issuer AUTHORITY"), ("authority", "--authority AUTHORITY")],
    ),
];

/// Returns the line to type for a word that another tool has as a command.
pub fn for_command(word: &str) -> Option<&'static str> {
    COMMANDS.iter().find(|command| command.words.contains(&word)).map(|command| command.answer)
}

/// Words of other tools for an option that is an argument here: the command, the words, and the line to type.
const ARGUMENTS: &[(&str, &[&str], &str)] = &[
    ("renew", &["--force-renewal", "--force", "-f"], "no option: ca renew NAME renews it, due or not"),
    ("lint", &["--recursive", "-r", "-R"], "a pattern: ca lint 'DIR/*/*.pem'"),
    ("verify", &["--recursive", "-r", "-R"], "a pattern: ca verify 'DIR/*/fullchain.pem'"),
    (
        "issue",
        &["--template", "-t", "--profile", "--type", "-extensions", "--kind"],
        "the template as first argument: ca issue server NAME",
    ),
    ("issue", &["--server", "-server"], "ca issue server NAME"),
    ("issue", &["--client", "-client"], "ca issue client NAME"),
    ("issue", &["--name", "--hostname", "--csr"], "NAME without an option: ca issue server NAME"),
    ("request", &["--name", "--hostname"], "NAME without an option: ca request NAME"),
    (
        "sign",
        &["--csr", "--in", "-in", "--req", "--request", "-infiles", "--file", "--load-request"],
        "FILE without an option: ca sign FILE",
    ),
    (
        "verify",
        &["--cert", "--in", "-in", "--file", "--infile", "--certificate"],
        "FILE without an option: ca verify FILE",
    ),
    (
        "inspect",
        &["--cert", "--in", "-in", "--file", "--infile", "--certificate"],
        "FILE without an option: ca inspect FILE",
    ),
    ("lint", &["--cert", "--in", "-in", "--file", "--infile", "--certificate"], "FILE without an option: ca lint FILE"),
    (
        "revoke",
        &["--name", "--serial", "--cert", "--id", "--certificate", "--serial-number"],
        "NAME or serial number without an option: ca revoke NAME",
    ),
    (
        "show",
        &["--name", "--serial", "--cert", "--id", "--certificate", "--serial-number"],
        "NAME or serial number without an option: ca show NAME",
    ),
    (
        "renew",
        &["--name", "--serial", "--cert", "--id", "--cert-name", "--certificate"],
        "NAME or serial number without an option: ca renew NAME",
    ),
    (
        "rekey",
        &["--name", "--serial", "--cert", "--id", "--cert-name", "--certificate"],
        "NAME or serial number without an option: ca rekey NAME",
    ),
];

/// Returns what to type for an option of another tool that is an argument of this command.
pub fn for_argument(command: &str, word: &str) -> Option<&'static str> {
    ARGUMENTS.iter().find(|(known, words, _)| *known == command && words.contains(&word)).map(|(.., answer)| *answer)
}

/// Returns the option to type for one of another tool, of those that the command has; `has` knows them by their long names.
pub fn for_flag(word: &str, has: impl Fn(&str) -> bool) -> Option<&'static str> {
    let known = FLAGS.iter().filter(|flag| flag.words.contains(&word)).flat_map(|flag| flag.options);
    known.into_iter().find(|(long, _)| has(long)).map(|(_, answer)| *answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_line::CommandLine;

    #[test]
    fn every_answer_is_a_command_of_this_program() {
        let whole = CommandLine::whole();
        for Command { words, answer } in COMMANDS {
            let mut typed = answer.split(' ');
            let program = typed.next();
            let is_ours =
                program == Some("ca") && typed.next().is_some_and(|word| whole.find_subcommand(word).is_some());
            assert!(is_ours, "{answer}");
            for word in *words {
                assert!(whole.find_subcommand(word).is_none(), "{word} is a command of this program");
            }
        }
    }

    #[test]
    fn no_word_stands_twice_and_every_answer_is_an_option_of_a_command() {
        fn longs(command: &clap::Command, found: &mut Vec<String>) {
            found.extend(command.get_arguments().filter_map(|argument| argument.get_long()).map(str::to_owned));
            command.get_subcommands().for_each(|inner| longs(inner, found));
        }
        let mut known = Vec::new();
        longs(&CommandLine::whole(), &mut known);
        for (long, answer) in FLAGS.iter().flat_map(|flag| flag.options) {
            assert!(known.iter().any(|known| known == long) && answer.contains(&format!("--{long}")), "{answer}");
        }
        for mut words in [
            COMMANDS.iter().flat_map(|command| command.words).collect::<Vec<_>>(),
            FLAGS.iter().flat_map(|flag| flag.words).collect(),
        ] {
            words.sort_unstable();
            let twice: Vec<_> = words.windows(2).filter(|pair| pair[0] == pair[1]).collect();
            assert!(twice.is_empty(), "{twice:?}");
        }
    }

    #[test]
    fn no_command_has_an_option_that_is_called_an_argument() {
        let whole = CommandLine::whole();
        for (command, words, answer) in ARGUMENTS {
            let command = whole.find_subcommand(command).unwrap();
            for word in *words {
                let long = word.strip_prefix("--").unwrap_or(word);
                assert!(command.get_arguments().all(|known| known.get_long() != Some(long)), "{word}: {answer}");
            }
        }
        assert_eq!(for_argument("issue", "--template"), Some("the template as first argument: ca issue server NAME"));
        assert_eq!(for_argument("list", "--template"), None);
    }

    #[test]
    fn the_answer_is_an_option_that_the_command_has() {
        assert_eq!(for_flag("--days", |long| long == "for"), Some("--for 90d"));
        assert_eq!(for_flag("--days", |long| long == "expiring"), Some("--expiring 30d"));
        assert_eq!(for_flag("--days", |_| false), None);
        // certbot, lego and acme.sh.
        assert_eq!(for_flag("-d", |long| long == "for" || long == "san"), Some("--san NAME"));
    }
}
