//! PROOF: a real TLS exchange with the certificates in question, and the refusal of the wrong ones. The door to rustls.
