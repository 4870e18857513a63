//! The new root appears, and everything that the old one signed for an authority is signed by it too.

use std::path::PathBuf;

use time::OffsetDateTime;

use crate::authority::certify::{Certified, RecordAs, certify, certify_itself, commit_signed, record};
use crate::authority::hierarchy::ca_profile::{RecertifySettings, authority_profile, authority_request};
use crate::authority::hierarchy::rotation::error::RotationError;
use crate::authority::hierarchy::rotation::recertify::{
    Recertified, is_anything_left, put_in_place, recertify_the_rest,
};
use crate::authority::serial::{draw_serial, unused_serial};
use crate::clients::Fact;
use crate::issuance::{self, CaCertificate, Draft, Issuer, Profile, SignedBy};
use crate::keys::{Passphrase, PrivateKey};
use crate::store::Store;
use crate::store::approval::PlannedChange;
use crate::store::ca_certificates::{CaCertificates, ROOT, Rotation, read_certificate};
use crate::store::certificate_files::CERTIFICATE;
use crate::store::delivery::{Files, KeyText};
use crate::store::effects::Effects;
use crate::store::index::{EntryId, EventKind, Index, Transaction};
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::system::files::{self, StagedFolder};
use crate::text::{Lifetime, rfc3339};
use crate::x509::{AttributeType, Certificate, KeyAlgorithm, Validity, pem};

/// What the new root is to be, as far as it is not taken from the old one.
#[derive(Debug, Default)]
pub struct RootRotationOrder {
    /// Its common name; `None`: that of the old one with the mark of the next generation.
    pub name: Option<String>,
    /// `None`: the setting's.
    pub key: Option<KeyAlgorithm>,
    /// `None`: the setting's.
    pub lifetime: Option<Lifetime>,
    /// What its key is encrypted with; `None`: as the old root's is.
    pub protection: Option<Passphrase>,
    /// True: begin also when clients that trust only the old root will refuse what is issued from now on.
    pub without_cross_certificate: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct StartedRotation {
    pub old: String,
    pub new: String,
    pub old_certificate: Certificate,
    pub new_certificate: Certificate,
    /// True when clients that trust only the old root find a path to what is issued from now on.
    pub has_cross_certificate: bool,
    /// True when an earlier run made the new root.
    pub resumed: bool,
    /// The authorities that were recertified by the new root in this run.
    pub recertified: Vec<Recertified>,
    /// The authorities further below whose chains were updated.
    pub rechained: Vec<String>,
    /// The file with both roots, for clients that must trust both.
    pub bundle: PathBuf,
    /// True when `[issue] issuer` names the old root.
    pub old_issues: bool,
    /// The facts that the new root adds to the chains of TLS servers. Clients may refuse them because of these.
    pub client_facts: Vec<Fact>,
    /// True when the old root has a CRL: clients that check CRLs need one of the new root, too.
    pub has_crl: bool,
}

/// What the folder of a root that follows another holds besides the usual.
const NEW_WITH_OLD: &str = "new-with-old.pem";
const OLD_WITH_NEW: &str = "old-with-new.pem";
pub const BUNDLE: &str = "bundle.pem";

/// The template name of cross-certificates in the index. It is not the name of a template file, so no command issues by it.
pub const CROSS: &str = "cross-certificate";

/// Begins a rotation, or resumes one whose process died. `prompt` gives the passphrase of the old root, `prompt_new` that of a new
/// root that exists already.
///
/// # Errors
/// When a rotation is under way and nothing is left to do for it, a key is away or does not open, or something fails. The
/// same command completes what a failure left.
pub fn start(
    store: &Store,
    order: &RootRotationOrder,
    prompt: &mut PassphrasePrompt<'_>,
    prompt_new: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<StartedRotation, RotationError> {
    let work = RotationStart { store, authorities: store.ca_certificates(), now: effects.now(), effects };
    match work.authorities.rotation()? {
        Some(rotation) => work.resume(rotation, order, prompt_new),
        None => work.begin(order, prompt),
    }
}

struct RotationStart<'a> {
    store: &'a Store,
    authorities: &'a CaCertificates,
    now: OffsetDateTime,
    effects: &'a Effects<'a>,
}

/// The new root before it has a certificate.
struct NewRoot {
    name: String,
    profile: Profile,
    key: PrivateKey,
    request: issuance::CertificateRequest,
}

impl RotationStart<'_> {
    fn begin(
        &self,
        order: &RootRotationOrder,
        prompt: &mut PassphrasePrompt<'_>,
    ) -> Result<StartedRotation, RotationError> {
        let old_name = self.authorities.present_root()?.ok_or(RotationError::NoRoot)?;
        let facts = self.authorities.ca_certificate(&old_name)?;
        if let Some(why) = self.authorities.why_no_cross_certificate(&old_name, facts.certificate())?
            && !order.without_cross_certificate
        {
            return Err(RotationError::NoCrossCertificate(why));
        }
        // Everything that can be refused without signing is refused before the user is asked for a passphrase.
        let root = self.new_root(&old_name, facts.certificate(), order)?;
        let trial =
            Draft::new(&root.profile, &root.request, SignedBy::Itself(&root.key), self.now, self.serial(&root)?)?;
        if trial.subject == *facts.subject() {
            return Err(RotationError::SameSubject(trial.subject.to_string()));
        }
        let change = PlannedChange::new(format!("begin the rotation from '{old_name}' to '{}'", root.name));
        let change = change.fact("subject", &trial.subject).fact("expires", rfc3339(trial.validity.not_after));
        let change = match self.authorities.why_no_cross_certificate(&old_name, facts.certificate())? {
            Some(why) => change.asks(format!("clients that trust only the old root refuse new certificates: {why}")),
            None => change,
        };
        issuance::approve(trial, None)?;
        self.effects.approval.approve(change)?;

        let (old, old_passphrase) = self.authorities.unlock(facts, prompt)?;
        let passphrase = order.protection.as_ref().or(old_passphrase.as_ref());
        let text = KeyText::new(&root.key, passphrase, files::SECRET, self.effects.entropy)?;

        let mut locked = self.store.lock(self.effects.lock_timeout)?;
        files::remove_stale(self.store.home().folder())?;
        if let Some(Rotation { old, new, .. }) = self.authorities.rotation()? {
            return Err(RotationError::UnderWay { old, new });
        }
        let index = locked.index()?;
        let (new, recertified, client_facts) = self.make_root(index, &old, root, &text)?;
        let started = self.carry_on(
            index,
            (old_name, old.ca_certificate().certificate().clone()),
            new.ca_certificate(),
            recertified,
            false,
        )?;
        Ok(StartedRotation { client_facts, ..started })
    }

    fn resume(
        &self,
        rotation: Rotation,
        order: &RootRotationOrder,
        prompt_new: &mut PassphrasePrompt<'_>,
    ) -> Result<StartedRotation, RotationError> {
        let Rotation { old, new, .. } = rotation;
        if self.asks_for_another(order, &self.authorities.certificate(&new)?) {
            return Err(RotationError::UnderWay { old, new });
        }
        let (old_certificate, new_certificate) =
            (self.authorities.certificate(&old)?, self.authorities.certificate(&new)?);
        let change = PlannedChange::new(format!("go on with the rotation from '{old}' to '{new}'"));
        let index = self.store.index()?;
        if !is_anything_left(self.authorities, index, (&old_certificate, &new_certificate), self.now)? {
            if self.unmarked(index, &new)?.is_empty() {
                return Err(RotationError::UnderWay { old, new });
            }
            self.effects.approval.approve(change)?;
            // Without authorities below, the marks are all that such a run leaves to do: no key is needed for them.
            let facts = self.authorities.ca_certificate(&new)?;
            let mut locked = self.store.lock(self.effects.lock_timeout)?;
            files::remove_stale(self.store.home().folder())?;
            let index = locked.index()?;
            self.mark_the_root(index, &new)?;
            return self.carry_on(index, (old, old_certificate), &facts, Vec::new(), true);
        }
        self.effects.approval.approve(change)?;
        let (issuer, _) = self.authorities.unlock(self.authorities.ca_certificate(&new)?, prompt_new)?;
        let mut locked = self.store.lock(self.effects.lock_timeout)?;
        files::remove_stale(self.store.home().folder())?;
        let index = locked.index()?;
        self.mark_the_root(index, &new)?;
        let mut transaction = index.transaction(self.effects.event_context())?;
        let recertified = self.recertify(&mut transaction, (&old, &old_certificate), &issuer)?;
        commit_signed(transaction, &issuer)?;
        self.carry_on(index, (old, old_certificate), issuer.ca_certificate(), recertified, true)
    }

    /// Whether the order is for another root than the one that is there.
    fn asks_for_another(&self, order: &RootRotationOrder, new: &Certificate) -> bool {
        let is_other_name = order.name.as_deref().is_some_and(|name| new.subject.common_name() != Some(name));
        is_other_name || order.key.is_some_and(|key| key.name() != new.public_key.kind().to_string())
    }

    /// The marks of a root that a run put in place and died before it could say so.
    fn mark_the_root(&self, index: &mut Index, new: &str) -> Result<(), RotationError> {
        for row in self.unmarked(index, new)? {
            index.mark_delivered(row, self.now)?;
        }
        Ok(())
    }

    /// Returns the rows of the certificates in the folder of a new root that are not marked as delivered.
    fn unmarked(&self, index: &Index, new: &str) -> Result<Vec<EntryId>, RotationError> {
        let mut unmarked = Vec::new();
        for file in [CERTIFICATE.name, NEW_WITH_OLD, OLD_WITH_NEW] {
            let certificate = read_certificate(&self.store.home().authority(new).join(file))?;
            for row in index.by_serial(&certificate.serial)? {
                if row.fingerprint == certificate.fingerprint() && row.delivered_at.is_none() {
                    unmarked.push(row.id);
                }
            }
        }
        Ok(unmarked)
    }

    fn recertify(
        &self,
        transaction: &mut Transaction<'_>,
        old: (&str, &Certificate),
        new: &Issuer<'_>,
    ) -> Result<Vec<Recertified>, RotationError> {
        recertify_the_rest(self.store, transaction, old, new, self.now, self.effects)
    }

    /// With the new root in its place, on to the authorities below it.
    fn carry_on(
        &self,
        index: &mut Index,
        (old, old_certificate): (String, Certificate),
        new: &CaCertificate,
        recertified: Vec<Recertified>,
        resumed: bool,
    ) -> Result<StartedRotation, RotationError> {
        let rechained = put_in_place(self.authorities, index, &recertified, self.now, self.effects)?;
        let name = new.name().to_owned();
        Ok(StartedRotation {
            bundle: self.store.home().authority(&name).join(BUNDLE),
            has_crl: self.store.home().crl_der(&old).is_file(),
            old_issues: self.store.config().issue.issuer == old,
            old,
            old_certificate,
            new_certificate: new.certificate().clone(),
            new: name.clone(),
            resumed,
            has_cross_certificate: self.authorities.have_cross_certificate(new.certificate())?,
            recertified,
            rechained,
            client_facts: Vec::new(),
        })
    }

    /// The limits of the old root, the settings of the CA, and what was ordered.
    fn new_root(&self, old_name: &str, old: &Certificate, order: &RootRotationOrder) -> Result<NewRoot, RotationError> {
        let mut profile = authority_profile(ROOT, self.store.config())?;
        let RecertifySettings { serial_bytes, backdate } = RecertifySettings::read(self.store, ROOT, ROOT)?;
        (profile.serial_bytes, profile.backdate) = (serial_bytes, backdate);
        let algorithm = order.key.unwrap_or(self.store.config().root.key);
        profile.keys = vec![algorithm];
        if let Some(lifetime) = order.lifetime {
            profile.lifetime = lifetime;
            profile.longest = profile.longest.max(lifetime);
        }
        if let Some(rules) = &mut profile.authority {
            rules.constraints = old.name_constraints.clone().unwrap_or_default();
            let length = old.basic_constraints.and_then(|constraints| constraints.path_length);
            rules.path_length = length.map(|length| u8::try_from(length).unwrap_or(u8::MAX));
        }
        let common_name = order
            .name
            .clone()
            .unwrap_or_else(|| next_generation(old.subject.common_name().unwrap_or(&self.store.config().name)));
        let key = PrivateKey::generate(algorithm)?;
        let mut request = authority_request(&common_name, &profile, self.store.config(), &key)?;
        // Whatever made the old root: but for the common name, its subject stays.
        let kept = old.subject.attributes().filter(|attribute| attribute.kind != AttributeType::CommonName);
        request.subject = kept.map(|attribute| (attribute.kind.clone(), attribute.value.clone())).collect();
        request.subject.push((AttributeType::CommonName, common_name));
        request.clip = false;
        Ok(NewRoot { name: self.free_name(old_name)?, profile, key, request })
    }

    /// The name of the authority: `root`, `root-g2`, `root-g3`.
    fn free_name(&self, old: &str) -> Result<String, RotationError> {
        let (stem, number) = match old.rsplit_once("-g").and_then(|(stem, n)| Some((stem, n.parse::<u32>().ok()?))) {
            Some((stem, number)) => (stem, number),
            None => (old, 1),
        };
        let is_free = |name: &String| {
            let places = [self.store.home().authority(name), self.store.home().retired().join(name)];
            places.iter().all(|place| place.symlink_metadata().is_err())
        };
        let mut names = (number.saturating_add(1)..).map(|number| format!("{stem}-g{number}"));
        names.find(is_free).ok_or_else(|| RotationError::AuthorityTaken(old.to_owned()))
    }

    fn serial(&self, root: &NewRoot) -> Result<crate::x509::SerialNumber, RotationError> {
        Ok(draw_serial(root.profile.serial_bytes, self.effects.entropy)?)
    }

    /// Signed, recorded, and only then in its place: the root, and both cross-certificates, as one folder.
    fn make_root(
        &self,
        index: &mut Index,
        old: &Issuer<'_>,
        root: NewRoot,
        text: &KeyText,
    ) -> Result<(Issuer<'static>, Vec<Recertified>, Vec<Fact>), RotationError> {
        let bytes = root.profile.serial_bytes;
        let mut staged = StagedFolder::create(self.store.home().folder(), self.effects.entropy)?;
        text.stage(&mut staged, "".as_ref())?;

        let mut transaction = index.transaction(self.effects.event_context())?;
        let draw = |index: &Index| unused_serial(bytes, index, self.effects.entropy);
        let draft =
            Draft::new(&root.profile, &root.request, SignedBy::Itself(&root.key), self.now, draw(&transaction)?)?;
        let Certified { certificate, client_facts, .. } = certify_itself(draft, &root.key, self.now)?;
        let facts = CaCertificate::new(&root.name, certificate.clone(), Vec::new())?;
        let new = Issuer::new(facts, root.key)?;
        let old_certificate = old.ca_certificate().certificate();
        let validity = common_validity(old_certificate, &certificate);
        let cross = |subject: &Certificate, issuer: &Issuer<'_>, index: &Index| -> Result<Certificate, RotationError> {
            let by = SignedBy::Issuer(issuer.ca_certificate());
            let draft = issuance::recertify(subject, by, self.now, validity, draw(index)?)?;
            Ok(certify(draft, issuer, self.now)?.certificate)
        };
        let new_with_old = cross(&certificate, old, &transaction)?;
        let old_with_new = cross(old_certificate, &new, &transaction)?;

        let (old_name, new_name) = (old.ca_certificate().name(), root.name.as_str());
        let crosses = [format!("{new_name}-by-{old_name}"), format!("{old_name}-by-{new_name}")];
        let rows = [
            (&certificate, new_name, ROOT, new_name),
            (&new_with_old, &crosses[0], CROSS, old_name),
            (&old_with_new, &crosses[1], CROSS, new_name),
        ];
        let mut ids = Vec::new();
        for (certificate, name, template, authority) in rows {
            let record_as = RecordAs { event: EventKind::RootRotate, ..RecordAs::issued(name, template, authority) };
            ids.push(record(&mut transaction, record_as, certificate, self.now)?);
        }
        let recertified = self.recertify(&mut transaction, (old_name, old_certificate), &new)?;
        commit_signed(transaction, old)?;

        // Only now may they leave the process.
        let text = |certificate: &Certificate| pem::certificate(certificate.as_der());
        let bundle = format!("{}{}", text(&certificate), text(old_certificate));
        let crosses = [(NEW_WITH_OLD, text(&new_with_old)), (OLD_WITH_NEW, text(&old_with_new)), (BUNDLE, bundle)];
        let published = Files::new(&certificate, &[])
            .stage(&mut staged, "".as_ref(), false)
            .and_then(|()| crosses.iter().try_for_each(|(name, text)| staged.add(name, text.as_bytes(), files::PUBLIC)))
            .and_then(|()| staged.sync())
            .and_then(|()| staged.publish_new(&self.store.home().authority(new_name)));
        let serial = certificate.serial.to_string();
        published.map_err(|cause| RotationError::NotDelivered { serial, cause })?;
        for id in ids {
            index.mark_delivered(id, self.now)?;
        }
        Ok((new, recertified, client_facts))
    }
}

/// A cross-certificate is of use while both roots are valid.
pub(crate) fn common_validity(old: &Certificate, new: &Certificate) -> Validity {
    Validity {
        not_before: old.validity.not_before.max(new.validity.not_before),
        not_after: old.validity.not_after.min(new.validity.not_after),
    }
}

/// The common name of the root that follows: `Acme Root CA` → `Acme Root CA G2` → `Acme Root CA G3`.
pub(crate) fn next_generation(common_name: &str) -> String {
    let marked = common_name.rsplit_once(" G").and_then(|(before, number)| Some((before, number.parse::<u32>().ok()?)));
    match marked {
        Some((before, number)) => format!("{before} G{}", number.saturating_add(1)),
        None => format!("{common_name} G2"),
    }
}
