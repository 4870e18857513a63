//! Serial numbers (RFC 5280 §4.1.2.2): drawn at random, and never twice.

use super::error::CertifyError;
use crate::store::Index;
use crate::system::Entropy;
use crate::x509::SerialNumber;

/// A number of so many random octets is used already, or zero, less than once in 2^60 draws.
const MOST_DRAWS: usize = 100;

/// Draws a serial number of this many random octets.
///
/// # Errors
/// When there is no randomness.
pub fn draw_serial(bytes: usize, entropy: &dyn Entropy) -> Result<SerialNumber, CertifyError> {
    let mut random = vec![0; bytes];
    for _ in 0..MOST_DRAWS {
        entropy.fill(&mut random).map_err(|_| CertifyError::NoFreeSerial)?;
        if let Some(serial) = SerialNumber::from_random(&random) {
            return Ok(serial);
        }
    }
    Err(CertifyError::NoFreeSerial)
}

/// Draws a serial number that no certificate of the index has.
///
/// # Errors
/// When there is no randomness, the index cannot be read, or every number that is drawn is used.
pub fn unused_serial(bytes: usize, index: &Index, entropy: &dyn Entropy) -> Result<SerialNumber, CertifyError> {
    for _ in 0..MOST_DRAWS {
        let serial = draw_serial(bytes, entropy)?;
        if !index.serial_is_used(&serial)? {
            return Ok(serial);
        }
    }
    Err(CertifyError::NoFreeSerial)
}
