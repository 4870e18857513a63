"""Firefox as the client of everyday chains: one browser for all of them, driven over Marionette. Standard library only.

A list has lines with ID, PORT, HOST and the file of the roots. The roots of a chain are trusted while it is asked for. Prints
"ID yes|no REASON" for each.
"""

import base64
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

ASK = """
const [roots, url, done] = arguments;
const store = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
const trusted = [];
try {
  for (const root of roots) trusted.push(store.addCertFromBase64(root, "C,,"));
} catch (error) {
  done("no the root is not taken: " + error);
  return;
}
const finish = (answer) => {
  for (const root of trusted) store.deleteCertificate(root);
  done(answer);
};
try {
  const channel = Services.io.newChannelFromURI(Services.io.newURI(url), null, Services.scriptSecurityManager.getSystemPrincipal(),
    null, Ci.nsILoadInfo.SEC_ALLOW_CROSS_ORIGIN_SEC_CONTEXT_IS_NULL, Ci.nsIContentPolicy.TYPE_OTHER);
  channel.loadFlags |= Ci.nsIRequest.LOAD_ANONYMOUS | Ci.nsIRequest.INHIBIT_CACHING;
  let page = "";
  channel.asyncOpen({
    QueryInterface: ChromeUtils.generateQI(["nsIStreamListener", "nsIRequestObserver"]),
    onStartRequest() {},
    onDataAvailable(request, stream, offset, count) {
      const reader = Cc["@mozilla.org/scriptableinputstream;1"].createInstance(Ci.nsIScriptableInputStream);
      reader.init(stream);
      page += reader.read(count);
    },
    onStopRequest(request, status) {
      let reason = "0x" + (status >>> 0).toString(16);
      try { reason = Cc["@mozilla.org/nss_errors_service;1"].getService(Ci.nsINSSErrorsService).getErrorMessage(status); } catch (error) {}
      try { reason = request.securityInfo.errorCodeString + " " + reason; } catch (error) {}
      finish(page.includes("an everyday page") ? "yes" : "no " + reason);
    },
  });
} catch (error) {
  finish("no " + error);
}
"""


class Browser:
    def __init__(self, home, hosts):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        preferences = {
            "marionette.port": port,
            "network.dns.localDomains": ",".join(sorted(hosts)),
            "network.proxy.type": 0,
            "security.OCSP.enabled": 0,
            "security.remote_settings.crlite_filters.enabled": False,
            "security.remote_settings.intermediates.enabled": False,
            "datareporting.policy.dataSubmissionEnabled": False,
            "browser.shell.checkDefaultBrowser": False,
            "app.update.enabled": False,
        }
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
        pathlib.Path(home, "user.js").write_text("".join(lines))
        program = next(name for name in ("firefox-esr", "firefox") if subprocess.run(["which", name], capture_output=True).returncode == 0)
        words = [program, "--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", home]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), 60)
                break
            except OSError:
                time.sleep(0.1)
        self.left = b""
        self.number = 0
        self.receive()
        self.say("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {"timeouts": {"script": 30000}}}})
        self.say("Marionette:SetContext", {"value": "chrome"})

    def receive(self):
        while b":" not in self.left:
            self.left += self.more()
        length, self.left = self.left.split(b":", 1)
        while len(self.left) < int(length):
            self.left += self.more()
        text, self.left = self.left[: int(length)], self.left[int(length) :]
        return json.loads(text)

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise OSError("the browser has gone")
        return data

    def say(self, command, parameters):
        self.number += 1
        text = json.dumps([0, self.number, command, parameters])
        self.socket.sendall(f"{len(text)}:{text}".encode())
        _, _, error, result = self.receive()
        if error:
            raise OSError(f"{command}: {error['error']}: {error['message']}")
        return result

    def ask(self, roots, url):
        return self.say("WebDriver:ExecuteAsyncScript", {"script": ASK, "args": [roots, url], "newSandbox": True})["value"]

    def end(self):
        self.process.terminate()
        self.process.wait(20)


def main(file):
    cases = [line.split("\t") for line in pathlib.Path(file).read_text().splitlines()]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        browser = Browser(home, {host for _, _, host, _ in cases})
        try:
            for number, port, host, file in cases:
                pems = pathlib.Path(file).read_text().split("-----END CERTIFICATE-----")[:-1]
                roots = [base64.b64encode(ssl.PEM_cert_to_DER_cert(pem.strip() + "\n-----END CERTIFICATE-----\n")).decode() for pem in pems]
                name = f"[{host}]" if ":" in host else host
                print(number, " ".join(browser.ask(roots, f"https://{name}:{port}/").split()), flush=True)
        finally:
            browser.end()


main(sys.argv[1])
