//! Serial numbers (RFC 5280 §4.1.2.2): random and never used twice.

use super::error::CertifyError;
use crate::store::Index;
use crate::system::Entropy;
use crate::x509::SerialNumber;

/// A number of this many random bytes is zero or already used less than once in 2^60 draws.
const MOST_DRAWS: usize = 100;

/// Draws a serial number of `bytes` random bytes.
///
/// # Errors
/// When the system gives no random bytes.
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

/// Draws a serial number of `bytes` random bytes that no certificate of the index has.
///
/// # Errors
/// When the system gives no random bytes, the index cannot be read, or every drawn number is already used.
pub fn unused_serial(bytes: usize, index: &Index, entropy: &dyn Entropy) -> Result<SerialNumber, CertifyError> {
    for _ in 0..MOST_DRAWS {
        let serial = draw_serial(bytes, entropy)?;
        if !index.serial_is_used(&serial)? {
            return Ok(serial);
        }
    }
    Err(CertifyError::NoFreeSerial)
}
