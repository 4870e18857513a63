//! RULES: from a wish to a signed certificate. Pure; imports x509, lint and keys.
