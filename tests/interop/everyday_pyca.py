"""pyca/cryptography about everyday chains, without a connection: its verifier takes certificates.

A list has lines with ID, PORT, HOST and the file of the roots; the chain is beside it. Prints "ID yes|no REASON" for each.
"""

import datetime
import ipaddress
import os
import pathlib
import sys
import warnings

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

warnings.simplefilter("ignore")


def subject(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def verify(host, roots, chain, at):
    store = Store(x509.load_pem_x509_certificates(roots))
    leaf, *rest = x509.load_pem_x509_certificates(chain)
    PolicyBuilder().store(store).time(at).build_server_verifier(subject(host)).verify(leaf, rest)


at = os.environ.get("CA_TEST_AT")
now = datetime.datetime.fromtimestamp(int(at), datetime.timezone.utc) if at else datetime.datetime.now(datetime.timezone.utc)
for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    number, _, host, roots = line.split("\t")
    chain = roots.replace(".root.pem", ".chain.pem")
    try:
        verify(host, pathlib.Path(roots).read_bytes(), pathlib.Path(chain).read_bytes(), now.replace(tzinfo=None))
        print(number, "yes")
    except (ValueError, x509.verification.VerificationError, x509.UnsupportedGeneralNameType) as error:
        print(number, "no", " ".join(str(error).split()))
