//! The passphrase of a PKCS#12 file: a given one, or a generated one in a file beside it.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::app::context::Context;
use crate::app::output_file::OutputFile;
use crate::keys::Passphrase;
use crate::keys::key_file::pkcs12::RANDOM_BYTES;
use crate::report::failure::Failure;
use crate::store::export::ExportError;
use crate::system::files::{self, FileError};
use crate::text::PathText;

/// What the name of the file of a generated passphrase has at its end.
const SUFFIX: &str = ".passphrase";

/// The characters of a generated passphrase: five bits each, without those that look alike.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// The number of its characters: 120 bits.
const CHARACTERS: usize = 24;
/// A hyphen stands after so many characters.
const GROUP: usize = 6;

/// The passphrase of a file that is about to be written.
pub struct StorePassphrase {
    pub passphrase: Passphrase,
    /// The file that has it, when it was not given.
    pub file: Option<PathBuf>,
    is_new: bool,
}

impl StorePassphrase {
    /// Takes the given passphrase; else the one in the file beside `out`, and else generates one.
    ///
    /// # Errors
    /// When none was given and there is no `out`, or other users can read the file beside it.
    pub fn choose(given: Option<Passphrase>, out: Option<&Path>, context: &Context<'_>) -> Result<Self, Failure> {
        let file = out.map(beside);
        let there = file.as_deref().map(|file| read(file, context)).transpose()?.flatten();
        match (given, file, there) {
            (Some(passphrase), file, there) => {
                if let (Some(file), Some(_)) = (file, there) {
                    let shown = file.escaped();
                    context.warn_at_end(format!("{shown} has another passphrase than the file beside it: remove it"));
                }
                Ok(Self { passphrase, file: None, is_new: false })
            }
            (None, Some(file), Some(passphrase)) => Ok(Self { passphrase, file: Some(file), is_new: false }),
            (None, Some(file), None) => Ok(Self { passphrase: generated(context)?, file: Some(file), is_new: true }),
            (None, None, _) => Err(ExportError::NoPassphrase.into()),
        }
    }

    /// A passphrase that the user chose.
    pub fn given(passphrase: Passphrase) -> Self {
        Self { passphrase, file: None, is_new: false }
    }

    /// Returns whether it was generated just now.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Writes the file of a generated passphrase. It is there before the file that the passphrase opens.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, context: &Context<'_>) -> Result<(), Failure> {
        let Some(file) = self.file.as_deref().filter(|_| self.is_new && !context.changes.dry_run) else {
            return Ok(());
        };
        let line = Zeroizing::new([self.passphrase.expose(), b"\n"].concat());
        let output = OutputFile { what: "the passphrase", content: &line, mode: files::SECRET, force: false };
        output.write(file, context).map(drop)
    }
}

/// Reads the passphrase in the first line of a file whose path is remembered.
///
/// # Errors
/// When it cannot be read, or is not a passphrase.
pub fn of_file(file: &Path, context: &Context<'_>) -> Result<Passphrase, Failure> {
    let content = Zeroizing::new(files::read(file, files::MAX_SMALL_FILE_BYTES)?);
    let line = content.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    if files::exposure(file).is_some() {
        context.warn_at_end(format!("other users can read or change the passphrase file {}", file.escaped()));
    }
    Passphrase::from_source(line.to_vec()).map_err(|error| {
        Failure::usage("bad-passphrase", format!("{} cannot be used as a passphrase: {error}", file.escaped()))
    })
}

/// Draws the randomness of a PKCS#12 file.
///
/// # Errors
/// When the system has none.
pub fn randomness(context: &Context<'_>) -> Result<[u8; RANDOM_BYTES], Failure> {
    let mut random = [0; RANDOM_BYTES];
    draw(&mut random, context)?;
    Ok(random)
}

fn draw(random: &mut [u8], context: &Context<'_>) -> Result<(), Failure> {
    let drawn = context.effects().entropy.fill(random);
    Ok(drawn.map_err(|cause| FileError { action: "draw", path: PathBuf::from("random bytes"), cause })?)
}

fn beside(out: &Path) -> PathBuf {
    let mut path = out.as_os_str().to_owned();
    path.push(SUFFIX);
    path.into()
}

/// Reads the file of an earlier generated passphrase; `None` when it is missing.
fn read(file: &Path, context: &Context<'_>) -> Result<Option<Passphrase>, Failure> {
    let path = context.world.resolve(file);
    let Some(stored) = files::read_regular(&path, files::MAX_SMALL_FILE_BYTES)? else { return Ok(None) };
    if stored.mode & 0o077 != 0 {
        return Err(Failure::refused(
            "loose-passphrase",
            format!("the passphrase in {} can be read by other users", file.escaped()),
        )
        .hint(format!("remove it, and a new passphrase is generated: rm {}", file.in_shell())));
    }
    let passphrase = Passphrase::from_source(stored.content).map_err(|error| {
        Failure::usage("bad-passphrase", format!("{} cannot be used as a passphrase: {error}", file.escaped()))
    })?;
    Ok(Some(passphrase))
}

fn generated(context: &Context<'_>) -> Result<Passphrase, Failure> {
    let mut random = Zeroizing::new([0; CHARACTERS]);
    draw(&mut *random, context)?;
    let mut text = Vec::with_capacity(CHARACTERS + CHARACTERS / GROUP);
    for (number, byte) in random.iter().enumerate() {
        if number > 0 && number % GROUP == 0 {
            text.push(b'-');
        }
        text.push(ALPHABET[usize::from(byte % 32)]);
    }
    Passphrase::from_source(text).map_err(|error| Failure::usage("no-passphrase", error.to_string()))
}
