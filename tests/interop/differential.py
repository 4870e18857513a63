"""Other judges over the chains that the library's tests make: differential.py JUDGE FOLDER

JUDGE is openssl, gnutls or cryptography. For each case of FOLDER (written by src/verify/tests/record.rs) one JSON line:
{"case": FILE, "valid": bool | null, "said": TEXT}; null where the judge cannot be asked the question.
"""

import concurrent.futures
import ctypes
import datetime
import ipaddress
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

PURPOSES = {"server": b"1.3.6.1.5.5.7.3.1", "client": b"1.3.6.1.5.5.7.3.2"}


def openssl(case):
    """`openssl verify` at its strictest."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["openssl", "verify", "-x509_strict", "-check_ss_sig", "-policy_check", "-policy", "anyPolicy", "-attime", str(case["at"]),
                 "-no-CAfile", "-no-CApath", "-no-CAstore", "-partial_chain"]

        def file(name, texts):
            path = os.path.join(folder, name)
            Path(path).write_text("".join(texts))
            return path

        words += ["-trusted", file("roots", case["roots"])]
        if case["untrusted"]:
            words += ["-untrusted", file("untrusted", case["untrusted"])]
        if case["purpose"] != "any":
            words += ["-purpose", "ssl" + case["purpose"]]
        if case["check_revocation"]:
            words += ["-crl_check_all", "-extended_crl", "-use_deltas"]
        if case["lists"]:
            words += ["-CRLfile", file("lists", case["lists"])]
        if case["max_path_length"] is not None:
            return None, "counts otherwise"
        flags = {"dns": "-verify_hostname", "ip": "-verify_ip", "email": "-verify_email"}
        kinds = [name["kind"] for name in case["names"]]
        if len(kinds) != len(set(kinds)) or set(kinds) - set(flags):
            return None, "one name of a kind"
        for name in case["names"]:
            words += [flags[name["kind"]], name["value"]]
        done = subprocess.run([*words, file("leaf", [case["leaf"]])], capture_output=True, text=True, env={
            "PATH": os.environ["PATH"], "OPENSSL_CONF": "/dev/null"})
        found = re.search(r"error \d+ at \d+ depth lookup: *(.*)", done.stdout + done.stderr)
        return done.returncode == 0, found[1] if found else "gives up"


class Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_uint)]


class Wanted(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_uint), ("data", ctypes.c_char_p), ("size", ctypes.c_uint)]


def gnutls_judge():
    """The library itself, since certtool cannot be told the time."""
    library = ctypes.CDLL("libgnutls.so.30")
    now = [0]
    clock = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p)(lambda _: now[0])
    library.gnutls_global_set_time_function(clock)
    pem = 1

    def judge(case, _clock=clock):  # which must not be collected
        if case["max_path_length"] is not None:
            return None, "counts otherwise"
        if case["check_revocation"]:
            return None, "does without lists that are missing"
        names = case["names"]
        if len(names) > 1 or any(name["kind"] not in ("dns", "ip", "email") for name in names):
            return None, "one name"
        now[0] = case["at"]
        trusted = ctypes.c_void_p()
        library.gnutls_x509_trust_list_init(ctypes.byref(trusted), 0)
        try:
            roots = "".join(case["roots"]).encode()
            library.gnutls_x509_trust_list_add_trust_mem(trusted, ctypes.byref(Datum(roots, len(roots))), None, pem, 0, 0)
            certificates, count = ctypes.c_void_p(), ctypes.c_uint()
            chain = "".join([case["leaf"], *case["untrusted"]]).encode()
            read = library.gnutls_x509_crt_list_import2(ctypes.byref(certificates), ctypes.byref(count),
                                                        ctypes.byref(Datum(chain, len(chain))), pem, 0)
            if read < 0:
                return False, "cannot be read"
            wanted = []
            if case["purpose"] != "any":
                wanted.append(Wanted(2, PURPOSES[case["purpose"]], 0))
            for name in names:
                value = name["value"].encode()
                if name["kind"] == "ip":
                    packed = ipaddress.ip_address(name["value"]).packed
                    wanted.append(Wanted(4, packed, len(packed)))
                else:
                    wanted.append(Wanted({"dns": 1, "email": 3}[name["kind"]], value, 0))
            status = ctypes.c_uint()
            done = library.gnutls_x509_trust_list_verify_crt2(
                trusted, certificates, min(count.value, 16), (Wanted * len(wanted))(*wanted), len(wanted), 0,
                ctypes.byref(status), None)
            if done < 0:
                return False, "gives up"
            said = Datum()
            library.gnutls_certificate_verification_status_print(status, 1, ctypes.byref(said), 0)
            text = (said.data or b"").decode()
            text = text.removeprefix("The certificate is NOT trusted. ").strip()
            return status.value == 0, text
        finally:
            library.gnutls_x509_trust_list_deinit(trusted, 1)

    return judge


def cryptography_judge():
    """The path validation of Python's `cryptography`, which is made for servers and clients."""
    from cryptography import x509
    from cryptography.x509 import verification

    def judge(case):
        names = case["names"]
        if case["purpose"] == "any" or case["check_revocation"] or case["max_path_length"] is not None:
            return None, "only servers and clients, without lists"
        try:
            load = lambda texts: [x509.load_pem_x509_certificate(text.encode()) for text in texts]
            leaf, untrusted, roots = load([case["leaf"]])[0], load(case["untrusted"]), load(case["roots"])
            at = datetime.datetime.fromtimestamp(case["at"], datetime.timezone.utc).replace(tzinfo=None)
            builder = verification.PolicyBuilder().store(verification.Store(roots)).time(at)
            if case["purpose"] == "client":
                if names:
                    return None, "no names of clients"
                builder.build_client_verifier().verify(leaf, untrusted)
            else:
                kinds = {"dns": x509.DNSName, "ip": lambda value: x509.IPAddress(ipaddress.ip_address(value))}
                if len(names) != 1 or names[0]["kind"] not in kinds:
                    return None, "one name of a host"
                name = kinds[names[0]["kind"]](names[0]["value"])
                builder.build_server_verifier(name).verify(leaf, untrusted)
            return True, ""
        except x509.verification.VerificationError as error:
            text = str(error).removeprefix("validation failed: ")
            inner = re.search(r"candidates exhausted: (.*)", text)
            text = inner[1] if inner else text
            return False, re.sub(r" \(encountered processing .*", "", text)
        except Exception as error:
            # InvalidVersion, DuplicateExtension: each has its own place in the hierarchy.
            return False, f"cannot be read: {type(error).__name__}"

    return judge


def main():
    warnings.simplefilter("ignore")
    judge, folder = sys.argv[1], Path(sys.argv[2])
    ask = {"openssl": lambda: openssl, "gnutls": gnutls_judge, "cryptography": cryptography_judge}[judge]()
    files = sorted(folder.iterdir())
    cases = [json.loads(file.read_text()) for file in files]
    threads = os.cpu_count() if judge == "openssl" else 1
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for file, (valid, said) in zip(files, pool.map(ask, cases)):
            print(json.dumps({"case": file.name, "valid": valid, "said": said}))


main()
