"""`benches/run postgresql`: an index in a PostgreSQL server of its own, compared with a file and with psql, in one run.

    benches/run postgresql                 everything (about a quarter of an hour, 4 GB)
    benches/run postgresql --rows 20000    a smaller index; 0 leaves it out

The server listens on a Unix socket, and has the settings of its installation. A machine is a CA directory.
"""

import argparse
import os
import re
import shutil
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# PostgreSQL does not run as root; this is the user nobody.
OTHER_USER = 65534
# How many processes issue at once, and how many certificates all of them issue.
PROCESSES, ISSUED = 8, 160


class Server:
    """A server in a folder, until it is stopped."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        folder.mkdir(mode=0o755)
        if os.geteuid() == 0:
            os.chown(folder, OTHER_USER, OTHER_USER)
        self.run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-D", folder / "data")
        self.run("pg_ctl", "-D", folder / "data", "-w", "-o", f"-k {folder} -c listen_addresses=''", "-l", folder / "log", "start")

    def line(self, program, *words):
        as_other = ["setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups", "--"]
        return [*(as_other if os.geteuid() == 0 else []), str(self.programs / program), *map(str, words)]

    def run(self, program, *words):
        environment = dict(os.environ, LC_ALL="C.UTF-8", PGHOST=str(self.folder))
        done = subprocess.run(self.line(program, *words), cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL)
        if done.returncode != 0:
            sys.exit(f"{program}: exit status {done.returncode}\n{(done.stderr or b'').decode()}")

    def database(self, name):
        self.run("createdb", "-U", "postgres", name)
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def psql(self, database, sql):
        return [str(self.programs / "psql"), "-h", str(self.folder), "-U", "postgres", "-d", database, "-X", "-q", "-At", "-c", sql]

    def statement_of(self, database, command, cwd, bench):
        """Returns the longest statement of a command without values, as the server logs it."""
        log, setting = self.folder / "log", f"ALTER DATABASE {database} SET log_statement = 'all'"
        begin = log.stat().st_size
        subprocess.run(self.psql(database, setting), check=True)
        subprocess.run(command, cwd=cwd, env=bench.ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(self.psql(database, setting.replace("SET log_statement = 'all'", "RESET log_statement")), check=True)
        with log.open() as opened:
            opened.seek(begin)
            # A line that goes on begins with a tab.
            entries = opened.read().replace("\n\t", "\n").split("LOG:  ")
        statements = [entry.split(": ", 1)[1] for entry in entries if entry.startswith(("execute", "statement"))]
        # What follows the last line is the beginning of the next entry: its time and the number of a process.
        longest = max((it.rsplit("\n", 1)[0] for it in statements), key=len)
        return "SET search_path = ca; " + re.sub(r"^DECLARE .* CURSOR FOR ", "", longest)

    def stop(self):
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "fast", "stop")


def throughput(lines, cwd, bench):
    """Starts all shell lines at once; returns how many certificates a second they issue together."""
    started = time.perf_counter()
    processes = [subprocess.Popen(["sh", "-ec", line], cwd=cwd, env=bench.ENVIRONMENT, stdout=subprocess.DEVNULL) for line in lines]
    if any([process.wait() for process in processes]):
        sys.exit("a process that issues failed")
    return ISSUED / (time.perf_counter() - started)


def issue(ca, server, cwd, runs, bench, table):
    table.head("one certificate, with the index in a file and in the server (Unix socket)")
    for name in ("file", "server"):
        bench.run([ca, "--dir", name, "init", "--name", "Bench", "--key", "ecdsa-p256", "--no-passphrase"], cwd)
    bench.run([ca, "--dir", "server", "index", "copy", "--to", server.database("pki")], cwd)
    for machine in range(PROCESSES):
        shutil.copytree(cwd / "server", cwd / f"machine-{machine}")
    found = bench.measure({
        name: lambda n, name=name: [[ca, "--dir", name, "issue", "server", f"new-{n}.example"]] for name in ("file", "server")
    }, runs, cwd)
    for name, figures in found.items():
        table.row(f"ca issue, index in a {name}", *figures)
    print()
    table.target("ca issue, server / file", found["server"][0] / found["file"][0], 2.0)
    print()
    rates = {}
    for name, processes, folder in (("one process", 1, "machine-{}"), (f"{PROCESSES} processes on {PROCESSES} machines", PROCESSES, "machine-{}"),
                                    (f"{PROCESSES} processes on one machine", PROCESSES, "server")):
        # The best of three: other load of the machine only makes it slower.
        rates[name] = max(throughput(
            [f"for n in $(seq {ISSUED // processes}); do {ca} --dir {folder.format(it)} issue server r{attempt}-{processes}-{folder[0]}-{it}-$n.example; done"
             for it in range(processes)], cwd, bench) for attempt in range(3))
        print(f"  {name:<36} {rates[name]:8.1f} a second", flush=True)
    print()
    one, many, _ = rates.values()
    table.target(f"one process / {PROCESSES} processes on {PROCESSES} machines", one / many, 1 / 3)


def million(ca, tool, server, cwd, rows, bench, big, table):
    table.head(f"an index of {rows:,} certificates in the server")
    bench.run([ca, "--dir", "great", "init", "--name", "Bench", "--key", "ecdsa-p256", "--no-passphrase"], cwd)
    made, _ = big.timed([tool, "index", "great", rows, max(1, rows // 50)], cwd, bench)
    size = (cwd / "great/index.db").stat().st_size / 1e6
    index = sqlite3.connect(cwd / "great/index.db")
    serial, key, der = index.execute(
        "SELECT hex(serial), hex(key_fingerprint), der FROM certificate ORDER BY id LIMIT 1 OFFSET ?", (rows // 2,)).fetchone()
    index.close()
    (cwd / "one.pem").write_text(ssl.DER_cert_to_PEM_cert(der))
    copied, peak = big.timed([ca, "--dir", "great", "index", "copy", "--to", server.database("great")], cwd, bench)
    shown = subprocess.run(server.psql("great", "SELECT pg_database_size('great')"), check=True, stdout=subprocess.PIPE, text=True)
    print(f"  as a file: {size:,.0f} MB, made in {made:.0f} s")
    print(f"  in the server: {int(shown.stdout) / 1e6:,.0f} MB, copied and compared in {copied:.0f} s, peak {peak:.0f} MB\n", flush=True)
    subprocess.run(server.psql("great", "VACUUM ANALYZE"), check=True)
    great = [ca, "--dir", "great"]
    found = bench.measure({
        name: lambda n, name=name: [[ca, "--dir", name, "issue", "server", f"late-{n}.example"]] for name in ("server", "great")
    }, 40, cwd)
    table.target("ca issue with it / with a small index", found["great"][0] / found["server"][0], 1.1)
    print()
    queries = [
        ("show SERIAL", [*great, "show", serial], f"SELECT * FROM ca.certificate WHERE serial = '\\x{serial}'"),
        ("list --san", [*great, "list", "--san", "n7.example", "--all"],
         "SELECT c.* FROM ca.certificate AS c JOIN ca.san ON san.certificate = c.id WHERE san.value = 'n7.example' AND kind = 'dns'"),
        ("list --key", [*great, "list", "--key", "one.pem"],
         f"SELECT * FROM ca.certificate WHERE key_fingerprint = '\\x{key}'"),
        ("list --expiring", [*great, "list", "--expiring", "1h"],
         "SELECT * FROM ca.certificate WHERE not_after BETWEEN extract(epoch FROM now()) AND extract(epoch FROM now()) + 3600"),
    ]
    for name, command, sql in queries:
        own, other = (big.median_of(it, cwd, bench, 9) for it in (command, server.psql("great", sql)))
        print(f"  {name:<36} {own * 1e3:8.1f} ms   psql {other * 1e3:8.1f} ms", flush=True)
        table.target(f"{name} / psql", own / other, 1.5)
    everything = [*great, "list", "--format", "json"]
    wall, peak = big.timed(everything, cwd, bench)
    other, most = big.timed(server.psql("great", server.statement_of("great", everything, cwd, bench)), cwd, bench)
    print(f"  {'list --format json of all':<36} {wall:8.2f} s    peak {peak:6.0f} MB   psql {other:8.2f} s    peak {most:6.0f} MB")
    table.target("list --format json / psql with the same statement", wall / other, 1.5)
    other, most = big.timed(server.psql("great", "SELECT * FROM ca.certificate"), cwd, bench)
    print(f"  {'psql, the table as it is':<36} {other:8.2f} s    peak {most:6.0f} MB", flush=True)
    for name, statuses in (("due", (0, 1)), ("status", (0, 1, 10)), ("audit", (0, 1, 3, 10))):
        wall, peak = big.timed([*great, name], cwd, bench, statuses)
        print(f"  {'ca ' + name:<36} {wall:8.2f} s    peak {peak:6.0f} MB", flush=True)


def main(bench, words):
    import big

    parser = argparse.ArgumentParser(prog="benches/run postgresql", description="Measure an index in a PostgreSQL server")
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--rows", type=int, default=1_000_000, help="certificates of the great index; 0 leaves it out")
    parser.add_argument("--folder", type=Path, help="where everything is made")
    parser.add_argument("--binary", type=Path, default=bench.TOP / "target/release/ca")
    parser.add_argument("--bulk", type=Path, help="the built benches/bulk.rs")
    options = parser.parse_args(words)
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not programs:
        sys.exit("PostgreSQL is not installed")
    if options.binary == bench.TOP / "target/release/ca":
        subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=bench.TOP, check=True)
    tool = None
    if options.rows:
        tool = options.bulk.resolve() if options.bulk else big.build(bench)
    table = bench.Table()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors, PostgreSQL {programs[-1].parts[-3]}")
    with tempfile.TemporaryDirectory(prefix="ca-bench-", dir=options.folder) as folder:
        cwd = Path(folder)
        # The server reaches its folder as another user.
        cwd.chmod(0o755)
        server = Server(programs[-1].parent, cwd / "server-of-postgresql")
        try:
            ca = bench.installed(options.binary.resolve(), cwd)
            issue(ca, server, cwd, options.runs, bench, table)
            if options.rows:
                million(ca, bench.installed(tool, cwd), server, cwd, options.rows, bench, big, table)
        finally:
            server.stop()
    print(f"\n{table.missed} targets missed" if table.missed else "\nall targets met")
