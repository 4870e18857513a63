"""`benches/run big`: ten thousand certificates at once, and an index of a million, in one run on one file system.

    benches/run big                            everything (about half an hour, 3 GB)
    benches/run big --count 500 --rows 20000   smaller; the ratios say less then
    benches/run big --folder DIR               the file system that is measured; the temporary folder without it

mkcert and `openssl ca` run as often as there is time for, and count per certificate. `peak` is the greatest resident memory of the
process.
"""

import argparse
import json
import os
import shutil
import sqlite3
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def timed(command, cwd, bench, statuses=(0,), output=subprocess.DEVNULL):
    """Runs one process; returns its wall clock in seconds and its greatest resident memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], cwd=cwd, env=bench.ENVIRONMENT, stdin=subprocess.DEVNULL,
                               stdout=output, stderr=subprocess.PIPE)
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in statuses:
        sys.exit(f"{command}: exit status {process.returncode}\n{said}")
    return wall, usage.ru_maxrss / 1024


def settle():
    """Lets one measurement not wait for the files of the one before."""
    os.sync()


def bulk(ca, tool, cwd, count, bench, table):
    table.head(f"{count:,} new P-256 server certificates: key, certificate, chain and full chain each, durable at the end")
    (cwd / "fleet.toml").write_text(
        f'[[certificate]]\ntemplate = "server"\nname = "n{{{{ n }}}}.example"\ncount = {count}\n')
    rates = {}

    def row(name, seconds, number, peak=None):
        rates[name] = number / seconds
        shown = f"   peak {peak:6.0f} MB" if peak else ""
        print(f"  {name:<36} {rates[name]:8.0f} a second   {seconds:8.2f} s for {number:,}{shown}", flush=True)

    settle()
    row("bare program, one syncfs", *timed([tool, "bare", "bare", count], cwd, bench)[:1], count)
    settle()
    wall, peak = timed([ca, "--dir", "ca", "apply", "fleet.toml", "--quiet"], cwd, bench)
    row("ca apply", wall, count, peak)
    settle()
    renewed, renew_peak = timed([ca, "--dir", "ca", "renew", "--due", "--within", "2y", "--quiet"], cwd, bench)
    row("ca renew --due", renewed, count, renew_peak)
    settle()
    sample = min(count, 400)
    if shutil.which("mkcert") and shutil.which("openssl"):
        names = "".join(f"x-{number}.example\n" for number in range(sample))
        started = time.perf_counter()
        subprocess.run(["xargs", "-P2", "-n1", "mkcert", "-ecdsa"], cwd=cwd, env=bench.ENVIRONMENT, input=names.encode(),
                       check=True, capture_output=True)
        row("mkcert, xargs -P2", time.perf_counter() - started, sample)
    if shutil.which("openssl"):
        sample = min(count, 100)
        loop = bench.issuers(ca)["openssl req + openssl ca"]
        started = time.perf_counter()
        for number in range(sample):
            for command in loop(number):
                bench.run(command, cwd)
        row("openssl req + openssl ca, a loop", time.perf_counter() - started, sample)
    settle()
    plan, plan_peak = timed([ca, "--dir", "ca", "apply", "fleet.toml", "--plan"], cwd, bench)
    print(f"  {'ca apply --plan, nothing to do':<36} {plan * 1e3:8.0f} ms   peak {plan_peak:6.0f} MB\n")
    table.target("bare program / ca apply", rates["bare program, one syncfs"] / rates["ca apply"], 1 / 0.7)
    if "mkcert, xargs -P2" in rates:
        table.target("mkcert / ca apply", rates["mkcert, xargs -P2"] / rates["ca apply"], 1 / 15)
    if "openssl req + openssl ca, a loop" in rates:
        table.target("openssl ca / ca apply", rates["openssl req + openssl ca, a loop"] / rates["ca apply"], 1 / 60)
    table.target("peak memory of ca apply in MB", peak, 200)
    table.target("peak memory of ca renew --due in MB", renew_peak, 200)
    table.target("ca apply --plan in seconds", plan, 1)


def median_of(command, cwd, bench, runs, statuses=(0,)):
    return statistics.median(timed(command, cwd, bench, statuses)[0] for _ in range(runs))


def million(ca, tool, cwd, rows, bench, table):
    """An index of `rows` certificates of a fiftieth as many names, with real keys, signatures and events. Their files are not
    written: `ca status` reports that, with exit status 1."""
    table.head(f"an index of {rows:,} certificates")
    for name in ("small", "great"):
        bench.run([ca, "--dir", name, "init", "--name", "Bench", "--key", "ecdsa-p256", "--no-passphrase"], cwd)
    made, _ = timed([tool, "index", "great", rows, max(1, rows // 50)], cwd, bench)
    size = (cwd / "great/index.db").stat().st_size / 1e6
    print(f"  made in {made:.0f} s, {size:,.0f} MB\n", flush=True)
    index = sqlite3.connect(cwd / "great/index.db")
    serial, key, der = index.execute(
        "SELECT hex(serial), hex(key_fingerprint), der FROM certificate ORDER BY id LIMIT 1 OFFSET ?", (rows // 2,)).fetchone()
    index.close()
    (cwd / "one.pem").write_text(ssl.DER_cert_to_PEM_cert(der))
    settle()
    found = bench.measure({
        name: lambda n, name=name: [[ca, "--dir", name, "issue", "server", f"new-{n}.example"]] for name in ("small", "great")
    }, 40, cwd)
    for name, figures in found.items():
        table.row(f"ca issue, {name} index", *figures)
    print()
    table.target("ca issue with it / with an empty index", found["great"][0] / found["small"][0], 1.1)
    great, database = [ca, "--dir", "great"], "great/index.db"
    has_sqlite = shutil.which("sqlite3") is not None
    queries = [
        ("show SERIAL", [*great, "show", serial], f"SELECT * FROM certificate WHERE serial = x'{serial}'"),
        ("list --san", [*great, "list", "--san", "n7.example", "--all"],
         "SELECT c.* FROM certificate AS c JOIN san ON san.certificate = c.id WHERE san.value = 'n7.example' AND kind = 'dns'"),
        ("list --key", [*great, "list", "--key", "one.pem"],
         f"SELECT * FROM certificate WHERE key_fingerprint = x'{key}'"),
        ("list --expiring", [*great, "list", "--expiring", "1h"],
         "SELECT * FROM certificate WHERE not_after BETWEEN unixepoch() AND unixepoch() + 3600"),
    ]
    print()
    for name, command, sql in queries:
        own = median_of(command, cwd, bench, 9)
        if has_sqlite:
            other = median_of(["sqlite3", database, sql], cwd, bench, 9)
            print(f"  {name:<36} {own * 1e3:8.1f} ms   sqlite3 {other * 1e3:8.1f} ms", flush=True)
            table.target(f"{name} / sqlite3", own / other, 1.0)
        else:
            print(f"  {name:<36} {own * 1e3:8.1f} ms", flush=True)
    settle()
    wall, peak = timed([*great, "list", "--format", "json"], cwd, bench)
    print(f"  {'list --format json of all':<36} {wall:8.2f} s    peak {peak:6.0f} MB", flush=True)
    if has_sqlite:
        other, _ = timed(["sqlite3", "-json", database, "SELECT * FROM certificate"], cwd, bench)
        table.target("list --format json / sqlite3 -json", wall / other, 0.6)
    for name, statuses, most in (("due", (0, 1), 2), ("status", (0, 1, 10), 2), ("audit", (0, 1, 3, 10), 20)):
        settle()
        wall, peak = timed([*great, name], cwd, bench, statuses)
        print(f"  {'ca ' + name:<36} {wall:8.2f} s    peak {peak:6.0f} MB", flush=True)
        table.target(f"ca {name} in seconds", wall, most)


def build(bench):
    built = subprocess.run(["cargo", "build", "--release", "--quiet", "--bench", "bulk", "--message-format", "json",
                            "--target-dir", "target/bench"], cwd=bench.TOP, check=True, stdout=subprocess.PIPE, text=True)
    messages = (json.loads(line) for line in built.stdout.splitlines())
    return next(it["executable"] for it in messages if it.get("executable") and it["target"]["name"] == "bulk")


def main(bench, words):
    parser = argparse.ArgumentParser(prog="benches/run big", description="Measure many certificates and a great index")
    parser.add_argument("--count", type=int, default=10_000, help="certificates that are issued at once")
    parser.add_argument("--rows", type=int, default=1_000_000, help="certificates of the great index; 0 leaves it out")
    parser.add_argument("--folder", type=Path, help="where everything is made")
    parser.add_argument("--binary", type=Path, default=bench.TOP / "target/release/ca")
    parser.add_argument("--bulk", type=Path, help="the built benches/bulk.rs")
    options = parser.parse_args(words)
    if options.binary == bench.TOP / "target/release/ca":
        subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=bench.TOP, check=True)
    tool = options.bulk.resolve() if options.bulk else build(bench)
    table = bench.Table()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory(prefix="ca-bench-", dir=options.folder) as folder:
        cwd = Path(folder)
        ca, tool = bench.installed(options.binary.resolve(), cwd), bench.installed(tool, cwd)
        bench.prepare(ca, cwd)
        bulk(ca, tool, cwd, options.count, bench, table)
        if options.rows:
            million(ca, tool, cwd, options.rows, bench, table)
    left_out = [name for name in ("openssl", "mkcert", "sqlite3") if not shutil.which(name)]
    if left_out:
        print(f"\nnot installed, and skipped: {', '.join(left_out)}")
    print(f"\n{table.missed} targets missed" if table.missed else "\nall targets met")
