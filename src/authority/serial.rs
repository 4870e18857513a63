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

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::authority::testing::Ca;

    /// Gives the same bytes so many times, then others.
    #[derive(Debug)]
    struct Repeating(Vec<u8>, AtomicUsize);

    impl Entropy for Repeating {
        fn fill(&self, buffer: &mut [u8]) -> io::Result<()> {
            buffer.copy_from_slice(&self.0);
            match self.1.load(Ordering::Relaxed) {
                0 => buffer[1] ^= 1,
                left => self.1.store(left - 1, Ordering::Relaxed),
            }
            Ok(())
        }
    }

    #[test]
    fn a_number_that_a_certificate_has_is_drawn_again() {
        let ca = Ca::new();
        let used = ca.history("root")[0].serial.clone();
        let bytes = used.as_der_content().to_vec();
        let repeating = |times| Repeating(bytes.clone(), AtomicUsize::new(times));
        assert_eq!(draw_serial(bytes.len(), &repeating(1)).unwrap(), used);
        assert_ne!(unused_serial(bytes.len(), &ca.index(), &repeating(3)).unwrap(), used);
        let never = unused_serial(bytes.len(), &ca.index(), &repeating(usize::MAX));
        assert!(matches!(never, Err(CertifyError::NoFreeSerial)));
    }
}
