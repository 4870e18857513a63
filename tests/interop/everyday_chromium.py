"""Chromium as the client of everyday chains: one browser for all of them, driven over its debugging pipe. Standard library only.

A list has lines with ID, PORT, HOST and the file of the roots, each of another name. All of them are trusted. Prints
"ID yes|no REASON" for each.
"""

import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile


class Browser:
    def __init__(self, home, hosts):
        rules = ", ".join(f"MAP {host} 127.0.0.1" for host in sorted(hosts) if ":" not in host and host != "127.0.0.1")
        there, self.write = os.pipe()
        self.read, back = os.pipe()
        words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-breakpad"]
        words += ["--no-first-run", "--disable-background-networking", "--remote-debugging-pipe"]
        words += [f"--user-data-dir={home}/profile", f"--host-resolver-rules={rules}", "about:blank"]

        def at_its_numbers():
            # The browser reads from 3 and writes to 4.
            os.dup2(there, 30)
            os.dup2(back, 40)
            os.dup2(30, 3)
            os.dup2(40, 4)

        environment = dict(os.environ, HOME=home)
        self.process = subprocess.Popen(
            words, env=environment, preexec_fn=at_its_numbers, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(there)
        os.close(back)
        self.left = b""
        self.number = 0
        target = self.say("Target.createTarget", {"url": "about:blank"})["targetId"]
        self.session = self.say("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]

    def receive(self):
        while b"\0" not in self.left:
            if not select.select([self.read], [], [], 60)[0]:
                raise OSError("the browser says nothing")
            data = os.read(self.read, 65536)
            if not data:
                raise OSError("the browser has gone")
            self.left += data
        text, self.left = self.left.split(b"\0", 1)
        return json.loads(text)

    def say(self, method, parameters, session=None):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise OSError(f"{method}: {answer['error']}")
                return answer["result"]

    def ask(self, url):
        answer = self.say("Page.navigate", {"url": url}, self.session)
        return "no " + answer["errorText"] if answer.get("errorText") else "yes"

    def end(self):
        self.process.terminate()
        self.process.wait(20)


def trust(home, roots):
    database = pathlib.Path(home, ".pki/nssdb")
    database.mkdir(parents=True)
    words = ["certutil", "-d", f"sql:{database}"]
    subprocess.run(words + ["-N", "--empty-password"], check=True)
    taken = set()
    for number, root in enumerate(roots):
        done = subprocess.run(words + ["-A", "-n", f"root {number}", "-t", "C,,", "-i", root], capture_output=True)
        if done.returncode == 0:
            taken.add(root)
    return taken


def main(file):
    cases = [line.split("\t") for line in pathlib.Path(file).read_text().splitlines()]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        taken = trust(home, sorted({roots for *_, roots in cases}))
        browser = Browser(home, {host for _, _, host, _ in cases})
        try:
            for number, port, host, roots in cases:
                name = f"[{host}]" if ":" in host else host
                answer = browser.ask(f"https://{name}:{port}/") if roots in taken else "no the root is not taken"
                print(number, answer, flush=True)
        finally:
            browser.end()


main(sys.argv[1])
