//! JUDGEMENT: whether a chain holds. Pure; the time is an argument; imports x509 and lint.
