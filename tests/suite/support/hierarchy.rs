//! What the peers are given: a CA made by the program, with a server, a client, and a stranger of the same name.

use std::path::PathBuf;

use super::program::Place;

/// A root, an issuing CA, a server `localhost` and a client `alice`.
pub struct Hierarchy {
    pub place: Place,
    pub root: PathBuf,
    pub server: Credential,
    pub client: Credential,
    /// A client with the same names from another CA with the same names: only the keys differ.
    pub stranger: Credential,
    pub other_root: PathBuf,
}

/// The four files of an issued certificate.
#[derive(Clone)]
pub struct Credential {
    pub cert: PathBuf,
    pub chain: PathBuf,
    pub fullchain: PathBuf,
    pub key: PathBuf,
}

impl Hierarchy {
    /// Every key of this algorithm.
    pub fn of(algorithm: &str) -> Self {
        let place = Place::new();
        for dir in ["ca", "other"] {
            place.done(&format!(
                "--dir {dir} init --name Interop-Root --intermediate --no-passphrase --key {algorithm}"
            ));
            place.done(&format!("--dir {dir} issue client alice --key {algorithm}"));
        }
        place.done(&format!("--dir ca issue server localhost --san 127.0.0.1 --key {algorithm}"));
        Self {
            root: place.path("ca/authorities/root/cert.pem"),
            server: Credential::of(&place, "ca/issued/localhost"),
            client: Credential::of(&place, "ca/issued/alice"),
            stranger: Credential::of(&place, "other/issued/alice"),
            other_root: place.path("other/authorities/root/cert.pem"),
            place,
        }
    }

    /// The issuing CA's certificate, for judges that want it apart.
    pub fn issuing(&self) -> PathBuf {
        self.place.path("ca/authorities/issuing/cert.pem")
    }
}

impl Credential {
    pub fn of(place: &Place, folder: &str) -> Self {
        let file = |name: &str| place.path(folder).join(name);
        Self {
            cert: file("cert.pem"),
            chain: file("chain.pem"),
            fullchain: file("fullchain.pem"),
            key: file("key.pem"),
        }
    }
}
