pub mod x509;
