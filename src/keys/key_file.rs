//! PKCS#8, PKCS#1, SEC1, encrypted or not ↔ [`super::PrivateKey`]: octets, not files. The door to pkcs8, rsa and p256.
