#!/usr/bin/env bash
# How long a TAB takes with 1,000,000 certificates in the index: benches/completion.sh CA-PROGRAM
# The rows are copies of one certificate with other names and serial numbers: good for look-ups, and for nothing else.
set -euo pipefail
ca=$(realpath "${1:?the program}")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
"$ca" init --no-passphrase --quiet
"$ca" issue server host.corp.test --quiet
python3 - <<'PYTHON'
import hashlib, sqlite3
index = sqlite3.connect("ca/index.db")
columns = [row[1] for row in index.execute("PRAGMA table_info(certificate)") if row[1] != "id"]
row = index.execute(f"SELECT {', '.join(columns)} FROM certificate ORDER BY id DESC LIMIT 1").fetchone()
name, serial = columns.index("name"), columns.index("serial")
def copies():
    for number in range(1_000_000):
        copy = list(row)
        copy[name] = f"host-{number:07}.corp.test"
        copy[serial] = b"\x01" + hashlib.sha256(copy[name].encode()).digest()[:15]
        yield copy
index.executemany(f"INSERT INTO certificate ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", copies())
# Half a million generations of one name.
index.execute("UPDATE certificate SET name = 'many.corp.test' WHERE id % 2 = 0 AND id > 10")
index.commit()
PYTHON
tab() {
    local begin=$EPOCHREALTIME answer
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        answer=$(_CLAP_COMPLETE_INDEX=$(($# - 1)) _CLAP_IFS=' ' _CA_COMPLETE=bash "$ca" -- "$@")
    done
    awk -v "begin=$begin" -v "end=$EPOCHREALTIME" -v "words=$(wc -w <<<"$answer")" -v "line=$*" \
        'BEGIN { printf "%6.1f ms  %4d answers  %s\n", (end - begin) * 100, words, line }'
}
tab ca renew host-05
tab ca renew many
tab ca renew ""
tab ca show 01ab
tab ca show 01abc
tab ca show host-0500001.corp.test
tab ca issue s
