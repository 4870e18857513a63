//! FORM: the rules that a certificate has to keep to, one file per rule, each with its citation and its test. Pure; imports x509.
