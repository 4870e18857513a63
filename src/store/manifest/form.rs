//! The form of a manifest, for the JSON Schema that editors read. Nothing has these types: they only describe the file, and a test
//! compares their keys with those that are read.
#![expect(dead_code, reason = "the fields are read by the derive of the schema")]

use schemars::JsonSchema;

/// A manifest of `ca apply`: the certificates that should exist.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Manifest")]
pub struct ManifestForm {
    /// What holds for every certificate that does not say otherwise.
    defaults: Option<SettingsForm>,
    /// Certificates with settings of their own.
    #[schemars(default)]
    group: Vec<GroupForm>,
    #[schemars(default)]
    certificate: Vec<CertificateForm>,
}

/// A table `[[group]]`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "ManifestGroup")]
struct GroupForm {
    #[schemars(flatten)]
    settings: SettingsForm,
    certificate: Vec<CertificateForm>,
}

/// A table `[[certificate]]`: one certificate, or many alike.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "ManifestCertificate")]
struct CertificateForm {
    /// The name of the certificate: a host name for a server, the owner for a client.
    name: Option<String>,
    /// Instead of `name`: a certificate for each of these names.
    #[schemars(default)]
    names: Vec<String>,
    /// With `{{ n }}` in `name`: a certificate for each number from 1 to this one.
    count: Option<u64>,
    /// With `{{ n }}` in `name`: a certificate for each number of this range, such as `001-040`.
    range: Option<String>,
    #[schemars(flatten)]
    settings: SettingsForm,
}

/// The settings of a certificate, a group, and `[defaults]`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "ManifestSettings")]
struct SettingsForm {
    template: Option<String>,
    /// Subject alternative names beside the name; `{{ name }}` and `{{ n }}` are replaced.
    #[schemars(default)]
    sans: Vec<String>,
    /// The lifetime: 45s 30m 12h 90d 2w 1y.
    #[schemars(rename = "for")]
    lifetime: Option<String>,
    #[schemars(extend("enum" = ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096"]))]
    key: Option<String>,
    /// The authority that issues.
    issuer: Option<String>,
    /// The folder of the files instead of issued/NAME, relative to that of the manifest.
    out: Option<String>,
    /// The user that the files are given to.
    owner: Option<String>,
    /// The group that the files are given to.
    group: Option<String>,
    /// The mode of the private key.
    #[schemars(extend("enum" = ["0600", "0640", "0400", "0440"]))]
    mode: Option<String>,
    /// Files for other programs, which are written again with every certificate of the name.
    #[schemars(default)]
    export: Vec<ExportForm>,
    /// What runs with sh after the files changed: once for all certificates with the same command.
    hook: Option<String>,
}

/// An export: `{ as = "p12", out = "web.p12" }`, or `{ target = "nginx", out = "nginx" }`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "ManifestExport")]
struct ExportForm {
    /// The format of one file.
    #[schemars(rename = "as")]
    #[schemars(extend("enum" = ["pem", "combined", "der", "p12", "pkcs7", "k8s-secret", "openvpn"]))]
    format: Option<String>,
    /// The recipe of a program; with `as = "p12"`: apple, windows, java or nss.
    target: Option<String>,
    /// The file, or the folder of a recipe, relative to that of the manifest.
    out: String,
}
