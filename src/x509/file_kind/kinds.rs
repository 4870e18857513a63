//! The kinds of files that are known, one row each.

use super::kind::{Content, FileKind, Fix, Inside};

const fn own(name: &'static str, content: Content) -> FileKind {
    FileKind { name, content, fix: Fix::Expected, key_fix: None }
}

const fn other(name: &'static str, fix: Fix) -> FileKind {
    FileKind { name, content: Content::Other, fix, key_fix: None }
}

const fn convert(name: &'static str, inside: Inside, command: &'static str) -> FileKind {
    other(name, Fix::Convert(command, inside))
}

// --- What this program reads

pub static CERTIFICATE: FileKind = own("a certificate", Content::Certificate);
pub static REQUEST: FileKind = own("a certificate request", Content::Request);
pub static CRL: FileKind = own("a CRL", Content::Crl);
pub static PRIVATE_KEY: FileKind = own("a private key", Content::PrivateKey);
pub static PUBLIC_KEY: FileKind = own("a public key", Content::PublicKey);

// --- Containers

pub static PKCS12: FileKind = FileKind {
    name: "a PKCS#12 file (.p12, .pfx)",
    content: Content::Other,
    fix: Fix::Convert("openssl pkcs12 -in FILE -nokeys -out NEW.pem", Inside::Certificates),
    key_fix: Some(Fix::Convert("openssl pkcs12 -in FILE -nocerts -out NEW.key", Inside::Key)),
};
pub static PKCS7: FileKind = convert(
    "a PKCS#7 or CMS file (.p7b, .p7c)",
    Inside::CertificatesAndCrls,
    "openssl pkcs7 -inform DER -in FILE -print_certs -out NEW.pem",
);
pub static PKCS7_PEM: FileKind = convert(
    "a PKCS#7 or CMS file (.p7b, .p7c)",
    Inside::CertificatesAndCrls,
    "openssl pkcs7 -in FILE -print_certs -out NEW.pem",
);
pub static JKS: FileKind = convert(
    "a Java key store (JKS)",
    Inside::CertificatesAndKeys,
    "keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype PKCS12, then openssl pkcs12 -in NEW.p12 \
     -out NEW.pem",
);
pub static JCEKS: FileKind = convert(
    "a Java key store (JCEKS)",
    Inside::CertificatesAndKeys,
    "keytool -importkeystore -srckeystore FILE -srcstoretype JCEKS -destkeystore NEW.p12 -deststoretype PKCS12, then openssl \
     pkcs12 -in NEW.p12 -out NEW.pem",
);
pub static KUBERNETES_SECRET: FileKind = FileKind {
    name: "a Kubernetes Secret",
    content: Content::Other,
    fix: Fix::Convert(
        "sed -n 's/.*tls\\.crt\"\\{0,1\\}: *\"\\{0,1\\}\\([A-Za-z0-9+/=]*\\).*/\\1/p' FILE | base64 -d > NEW.pem",
        Inside::Certificates,
    ),
    key_fix: Some(Fix::Convert(
        "sed -n 's/.*tls\\.key\"\\{0,1\\}: *\"\\{0,1\\}\\([A-Za-z0-9+/=]*\\).*/\\1/p' FILE | base64 -d > NEW.key",
        Inside::Key,
    )),
};

// --- Private keys of other formats

pub static OPENSSH_PRIVATE: FileKind = convert(
    "a private key in the format of OpenSSH",
    Inside::Key,
    "ssh-keygen -p -m PKCS8 -f FILE (on a copy: it overwrites the file)",
);
pub static PUTTY: FileKind = convert(
    "a private key in the format of PuTTY (.ppk)",
    Inside::Key,
    "puttygen FILE -O private-openssh -o NEW.key, then ssh-keygen -p -m PKCS8 -f NEW.key",
);
pub static PVK: FileKind =
    convert("a Microsoft private key (PVK)", Inside::Key, "openssl rsa -inform PVK -in FILE -out NEW.key");
pub static MSBLOB: FileKind =
    convert("a Microsoft key blob", Inside::Key, "openssl rsa -inform MSBLOB -in FILE -out NEW.key");
pub static JWK: FileKind = FileKind {
    name: "a JSON Web Key (JWK)",
    content: Content::Other,
    fix: Fix::Convert(
        "node -p 'crypto.createPublicKey({key: JSON.parse(fs.readFileSync(process.argv[1])), format: \"jwk\"}).export({type: \
         \"spki\", format: \"pem\"})' FILE > NEW.pem",
        Inside::PublicKey,
    ),
    key_fix: Some(Fix::Convert(
        "node -p 'crypto.createPrivateKey({key: JSON.parse(fs.readFileSync(process.argv[1])), format: \"jwk\"}).export({type: \
         \"pkcs8\", format: \"pem\"})' FILE > NEW.key",
        Inside::Key,
    )),
};
pub static JWKS: FileKind = other(
    "a set of JSON Web Keys (JWKS)",
    Fix::Advice("write one key of its list \"keys\" to its own file; then its JWK can be converted"),
);
pub static DSA_KEY: FileKind = other(
    "a DSA private key",
    Fix::Advice("DSA is not used by TLS 1.3 or this program; make a new key: ca request NAME"),
);
pub static TPM_KEY: FileKind = other(
    "a key that stays in a TPM",
    Fix::Advice(
        "a key that stays in a TPM cannot be read; make a request with it: openssl req -provider tpm2 -new -key FILE",
    ),
);

// --- Public keys of other formats

pub static SSH_PUBLIC: FileKind =
    convert("a public key in the format of OpenSSH", Inside::PublicKey, "ssh-keygen -e -m PKCS8 -f FILE > NEW.pem");
pub static SSH2_PUBLIC: FileKind = convert(
    "a public key in the format of SSH (RFC 4716)",
    Inside::PublicKey,
    "ssh-keygen -i -f FILE > NEW.pub, then ssh-keygen -e -m PKCS8 -f NEW.pub > NEW.pem",
);
pub static RSA_PUBLIC_DER: FileKind = convert(
    "an RSA public key (PKCS#1)",
    Inside::PublicKey,
    "openssl rsa -RSAPublicKey_in -inform DER -in FILE -pubout -out NEW.pem",
);

// --- Other things of the same world

pub static PARAMETERS: FileKind = other(
    "a set of key parameters (curve or Diffie-Hellman group)",
    Fix::Advice("parameters are not a key or certificate; give the file that has those"),
);
pub static SSL_SESSION: FileKind = convert(
    "a TLS session of OpenSSL (SSL SESSION PARAMETERS)",
    Inside::Certificates,
    "openssl sess_id -in FILE -cert -noout -out NEW.pem (the certificate of the server)",
);
pub static ECH_CONFIG: FileKind = other(
    "a configuration of Encrypted Client Hello (ECHCONFIG)",
    Fix::Advice("it has keys for the names of TLS clients, and no certificate; give the certificate of the server"),
);
pub static OCSP_RESPONSE: FileKind = convert(
    "an OCSP response",
    Inside::Encoded,
    "openssl ocsp -respin FILE -noverify -text shows it; this program reads CRLs",
);
pub static ATTRIBUTE_CERTIFICATE: FileKind = other(
    "an attribute certificate (RFC 5755)",
    Fix::Advice("it has no public key; give the certificate of its holder"),
);
pub static OPENVPN_STATIC_KEY: FileKind = other(
    "a static key of OpenVPN (tls-auth, tls-crypt)",
    Fix::Advice("it is a shared secret of OpenVPN; give the files of its options ca, cert or key"),
);
pub static OPENSSL_TEXT: FileKind = other(
    "the text that openssl prints with -text, without the PEM",
    Fix::Advice("write it again without -noout, so that the PEM block follows the text"),
);
pub static KEYTOOL_TEXT: FileKind = other(
    "the text that keytool -list prints",
    Fix::Advice("write it again with keytool -list -rfc, which writes PEM"),
);

// --- Encodings of what this program reads

pub static BASE64_DER: FileKind =
    convert("base64 without its BEGIN and END lines", Inside::Encoded, "base64 -d FILE > NEW.der");
pub static HEX: FileKind = convert("hexadecimal text", Inside::Encoded, "xxd -r -p FILE NEW.der");
pub static COLON_HEX: FileKind = convert("hexadecimal text", Inside::Encoded, "tr -d ':' < FILE | xxd -r -p > NEW.der");
pub static ESCAPED_PEM: FileKind = convert(
    "PEM whose line breaks are written as \\n",
    Inside::Encoded,
    "sed 's/\\\\n/\\n/g; s/-----BEGIN/\\n&/g; s/-----END [A-Z0-9 ]*-----/&\\n/g' FILE > NEW.pem",
);
pub static INDENTED_PEM: FileKind =
    convert("PEM that is indented", Inside::Encoded, "sed 's/^[ \\t]*//' FILE > NEW.pem");
pub static QUOTED_PEM: FileKind = convert(
    "PEM behind other characters of its line",
    Inside::Encoded,
    "sed 's/^[^-A-Za-z0-9+/=]*//; s/^[^-]*-----BEGIN/-----BEGIN/' FILE > NEW.pem",
);

// --- What is not of this world

pub static EMPTY: FileKind = FileKind {
    name: "empty",
    content: Content::Nothing,
    fix: Fix::Advice("the program that wrote the file failed, or has not written it yet; write it again"),
    key_fix: None,
};
pub static HTML: FileKind = other(
    "a web page (HTML)",
    Fix::Advice(
        "the server answered with a page, such as a login or an error; open the address in a browser and download again",
    ),
);
pub static XML: FileKind = other("an XML file", Fix::None);
pub static JSON: FileKind =
    other("a JSON file", Fix::Advice("write the PEM text of one of its fields to a file: jq -r .FIELD"));
pub static GZIP: FileKind = convert("compressed with gzip", Inside::File, "gunzip -c FILE > NEW");
pub static BZIP2: FileKind = convert("compressed with bzip2", Inside::File, "bunzip2 -c FILE > NEW");
pub static XZ: FileKind = convert("compressed with xz", Inside::File, "xz -dc FILE > NEW");
pub static ZSTD: FileKind = convert("compressed with zstd", Inside::File, "zstd -dc FILE > NEW");
pub static ZIP: FileKind = convert("a ZIP archive", Inside::File, "unzip FILE");
pub static TAR: FileKind = convert("a tar archive", Inside::File, "tar xf FILE");
pub static AGE: FileKind = other(
    "encrypted with age",
    Fix::Advice("decrypt it first: age -d FILE > NEW; a backup of a CA is read by ca restore"),
);
pub static PGP: FileKind = convert("encrypted or signed with PGP", Inside::File, "gpg -d FILE > NEW");
pub static PGP_KEY: FileKind = other(
    "a PGP key",
    Fix::Advice("a PGP key has no X.509 certificate; give the certificate or key of the TLS server or client"),
);
pub static SQLITE: FileKind =
    other("an SQLite database", Fix::Advice("the certificates of an index are written with ca show NAME --pem"));
