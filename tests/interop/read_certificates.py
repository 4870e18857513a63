"""Reads certificates with pyca/cryptography, and prints what `ca --json inspect` should say of them.

read_certificates.py OUT FOLDER...

Every certificate in a PEM or DER file below the folders, each once, is written to OUT/N.der; a line is printed for it, as JSON: the
file, the number, and the fields under their names in `ca inspect`. A field that pyca cannot read is {"unreadable": REASON}.
"""

import datetime
import hashlib
import json
import pathlib
import sys
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

warnings.simplefilter("ignore")

TYPES = {
    "2.5.4.3": "common-name",
    "2.5.4.4": "surname",
    "2.5.4.5": "serial-number",
    "2.5.4.6": "country",
    "2.5.4.7": "locality",
    "2.5.4.8": "state",
    "2.5.4.9": "street-address",
    "2.5.4.10": "organization",
    "2.5.4.11": "organizational-unit",
    "2.5.4.12": "title",
    "2.5.4.17": "postal-code",
    "2.5.4.42": "given-name",
    "0.9.2342.19200300.100.1.1": "user-id",
    "0.9.2342.19200300.100.1.25": "domain-component",
    "1.2.840.113549.1.9.1": "email-address",
}
PURPOSES = {
    "1.3.6.1.5.5.7.3.1": "server-auth",
    "1.3.6.1.5.5.7.3.2": "client-auth",
    "1.3.6.1.5.5.7.3.3": "code-signing",
    "1.3.6.1.5.5.7.3.4": "email-protection",
    "1.3.6.1.5.5.7.3.8": "time-stamping",
    "1.3.6.1.5.5.7.3.9": "ocsp-signing",
    "2.5.29.37.0": "any",
}
USAGES = {
    "digital_signature": "digital-signature",
    "content_commitment": "content-commitment",
    "key_encipherment": "key-encipherment",
    "data_encipherment": "data-encipherment",
    "key_agreement": "key-agreement",
    "key_cert_sign": "key-cert-sign",
    "crl_sign": "crl-sign",
    "encipher_only": "encipher-only",
    "decipher_only": "decipher-only",
}
CURVES = {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384", "secp521r1": "ecdsa-p521"}


def utc(when):
    return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def serial(number):
    """Returns the number in hexadecimal, with whole bytes and a sign when it is negative."""
    length = max(1, (abs(number).bit_length() + 7) // 8)
    return ("-" if number < 0 else "") + abs(number).to_bytes(length, "big").hex()


def attributes(name):
    found = []
    for position, relative in enumerate(name.rdns):
        for attribute in relative:
            value = attribute.value
            oid = attribute.oid.dotted_string
            if isinstance(value, bytes):
                # RFC 4514 section 2.4: the DER of a value that is not text; pyca has its content.
                value = "#" + bytes([attribute._type.value, len(value)]).hex() + value.hex()
            found.append({"type": TYPES.get(oid, oid), "value": value, "position": position})
    return found


def key(certificate):
    """Returns the kind where it has a name in `ca inspect`, and the fingerprint."""
    public = certificate.public_key()
    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if isinstance(public, rsa.RSAPublicKey):
        kind = f"rsa-{public.key_size}"
    elif isinstance(public, ec.EllipticCurvePublicKey):
        kind = CURVES.get(public.curve.name)
    elif isinstance(public, ed25519.Ed25519PublicKey):
        kind = "ed25519"
    else:
        kind = None
    named = {"algorithm": kind} if kind else {}
    return {**named, "fingerprint_sha256": hashlib.sha256(spki).hexdigest()}


def general(name):
    if isinstance(name, x509.DNSName):
        return {"type": "dns", "value": name.value}
    if isinstance(name, x509.RFC822Name):
        return {"type": "email", "value": name.value}
    if isinstance(name, x509.UniformResourceIdentifier):
        return {"type": "uri", "value": name.value}
    if isinstance(name, x509.IPAddress):
        return {"type": "ip", "value": str(name.value)}
    if isinstance(name, x509.DirectoryName):
        return {"type": "directory"}
    return {"type": "other"}


def urls(points):
    found = []
    for point in points:
        for name in point.full_name or []:
            if isinstance(name, x509.UniformResourceIdentifier):
                found.append(name.value)
    return found


def access(extension, method):
    found = []
    for description in extension or []:
        location = description.access_location
        if description.access_method == method and isinstance(location, x509.UniformResourceIdentifier):
            found.append(location.value)
    return found


def usages(usage):
    found = []
    for name, word in USAGES.items():
        # What only counts beside key agreement is not asked for without it.
        if name in ("encipher_only", "decipher_only") and not usage.key_agreement:
            continue
        if getattr(usage, name):
            found.append(word)
    return found


def authority(identifier):
    names = identifier.authority_cert_issuer is not None or identifier.authority_cert_serial_number is not None
    return {
        "key_id": identifier.key_identifier.hex() if identifier.key_identifier is not None else None,
        "names_issuer_and_serial": names,
    }


def fields(certificate, der):
    got = {}

    def field(name, read):
        try:
            got[name] = read()
        except Exception as error:  # pyca reads fields when they are asked for, and raises many kinds of errors.
            got[name] = {"unreadable": f"{type(error).__name__}: {error}"}

    def extension(kind, shown):
        try:
            return shown(certificate.extensions.get_extension_for_class(kind).value)
        except x509.ExtensionNotFound:
            return None

    field("version", lambda: certificate.version.value + 1)
    field("serial", lambda: serial(certificate.serial_number))
    field("subject_attributes", lambda: attributes(certificate.subject))
    field("issuer_attributes", lambda: attributes(certificate.issuer))
    field("not_before", lambda: utc(certificate.not_valid_before_utc))
    field("not_after", lambda: utc(certificate.not_valid_after_utc))
    field("public_key", lambda: key(certificate))
    field("signature", lambda: {"oid": certificate.signature_algorithm_oid.dotted_string, "value": certificate.signature.hex()})
    field("key_usage", lambda: extension(x509.KeyUsage, usages))
    # Their order means nothing; the known ones come first in `ca inspect`.
    purposes = lambda value: sorted(PURPOSES.get(it.dotted_string, it.dotted_string) for it in value)
    field("extended_key_usage", lambda: extension(x509.ExtendedKeyUsage, purposes))
    constraints = lambda value: {"ca": value.ca, "path_length": value.path_length}
    field("basic_constraints", lambda: extension(x509.BasicConstraints, constraints))
    field("sans", lambda: extension(x509.SubjectAlternativeName, lambda value: [general(name) for name in value]))
    field("subject_key_id", lambda: extension(x509.SubjectKeyIdentifier, lambda value: value.digest.hex()))
    field("authority_key_id", lambda: extension(x509.AuthorityKeyIdentifier, authority))
    field("crl_urls", lambda: extension(x509.CRLDistributionPoints, urls) or [])
    methods = x509.oid.AuthorityInformationAccessOID
    field("ocsp_urls", lambda: extension(x509.AuthorityInformationAccess, lambda value: access(value, methods.OCSP)) or [])
    field("ca_issuer_urls", lambda: extension(x509.AuthorityInformationAccess, lambda value: access(value, methods.CA_ISSUERS)) or [])
    identifiers = lambda value: [policy.policy_identifier.dotted_string for policy in value]
    field("policies", lambda: extension(x509.CertificatePolicies, identifiers) or [])
    field(
        "extensions",
        lambda: [{"oid": it.oid.dotted_string, "critical": it.critical} for it in certificate.extensions],
    )
    got["fingerprint_sha256"] = hashlib.sha256(der).hexdigest()
    got["fingerprint_sha1"] = hashlib.sha1(der).hexdigest()
    return got


def certificates(path):
    """Yields the DER of the certificates in a file, as pyca takes them."""
    content = path.read_bytes()
    if b"-----BEGIN CERTIFICATE-----" in content:
        end = b"-----END CERTIFICATE-----"
        for block in content.split(b"-----BEGIN CERTIFICATE-----")[1:]:
            text = b"-----BEGIN CERTIFICATE-----" + block.split(end)[0] + end + b"\n"
            try:
                yield x509.load_pem_x509_certificate(text).public_bytes(serialization.Encoding.DER)
            except (ValueError, x509.InvalidVersion):
                continue
    else:
        try:
            x509.load_der_x509_certificate(content)
        except (ValueError, x509.InvalidVersion):
            return
        yield content


def main(out, *folders):
    seen = set()
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.suffix not in (".pem", ".der", ".crt", ".cer") or not path.is_file():
                continue
            for der in certificates(path):
                if der in seen:
                    continue
                number = len(seen)
                seen.add(der)
                (pathlib.Path(out) / f"{number}.der").write_bytes(der)
                certificate = x509.load_der_x509_certificate(der)
                print(json.dumps({"file": str(path), "number": number, "fields": fields(certificate, der)}))


main(*sys.argv[1:])
