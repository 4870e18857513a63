"""pkilint over many files in one process: pkilint_all.py FILE…

A certificate is linted against RFC 5280, that of a server against the Baseline Requirements too; a revocation list against
RFC 5280. Each finding is one JSON line: {"file", "linter", "severity", "code", "message"}.
"""

import contextlib
import csv
import io
import json
import re
import subprocess
import sys

from pkilint.bin import lint_cabf_serverauth_cert, lint_crl, lint_pkix_cert

COMMON = ["-s", "NOTICE", "-f", "CSV", "--document-format", "PEM"]


def findings(linter, words):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            linter.main(["lint", *words])
        except SystemExit:
            # Its exit status counts findings.
            pass
    return list(csv.DictReader(io.StringIO(said.getvalue())))


def main():
    linted = 0
    for file in sys.argv[1:]:
        with open(file) as opened:
            is_list = "X509 CRL" in opened.read()
        if is_list:
            kinds = {"crl": (lint_crl, ["-t", "CRL", "-p", "PKIX"])}
        else:
            kinds = {"pkix": (lint_pkix_cert, [])}
            text = subprocess.run(["openssl", "x509", "-in", file, "-noout", "-text"], capture_output=True, text=True).stdout
            if "TLS Web Server Authentication" in text and not re.search("CA:TRUE", text):
                kinds["baseline"] = (lint_cabf_serverauth_cert, ["-t", "DV-FINAL-CERTIFICATE", "-r"])
        for name, (linter, words) in kinds.items():
            linted += 1
            for finding in findings(linter, [*words, *COMMON, file]):
                print(json.dumps({"file": file, "linter": name, "severity": finding["severity"], "code": finding["code"],
                                  "message": finding["message"]}))
    print(json.dumps({"linted": linted}))


main()
