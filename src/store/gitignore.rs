//! The `.gitignore` of a CA directory: keys and the index stay out of git; certificates, CRLs, settings and templates do not.

/// Ignores everything but what is public, so that a file that is added later is ignored, too.
pub const GITIGNORE: &str = "\
# Private keys and the index of this CA stay out of git.
# Certificates, CRLs, settings and templates may go in.
*
!/.gitignore
!/ca.toml
!/templates/
!/templates/*.toml
!/authorities/
!/authorities/*/
!/retired/
!/retired/*/
!/issued/
!/issued/*/
!cert.pem
!chain.pem
!fullchain.pem
!bundle.pem
!new-with-old.pem
!old-with-new.pem
!replaces
!request.pem
!crl.pem
!crl.der
/issued/.generations/
.staged-*
";
