"""Responders of OCSP: a real one, `openssl ocsp`, and one that answers whatever a test wants."""
import http.server
import re
import signal
import subprocess
import threading

from daemon import until
from pki import openssl, serial


class Responder:
    """`openssl ocsp` on a port that it has chosen itself; knows the certificates that it was told of."""

    def __init__(self, folder, pki, ca=None, minutes=5):
        self.folder, self.ca, self.minutes, self.lines = folder, ca or pki.ca, minutes, {}
        folder.mkdir()
        self.index, self.out = folder / "index.txt", folder / "out"
        self.signer = pki._signed("ocsp", "/O=Planta/CN=ocsp", self.ca, "extendedKeyUsage=OCSPSigning\n")
        self.proc, self.port = None, 0
        self.write()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def write(self):
        new = self.folder / "index.new"
        new.write_text("".join(line + "\n" for line in self.lines.values()))
        new.rename(self.index)

    def good(self, cert):
        number = serial(cert)
        self.lines[cert.pem] = f"V\t291231235959Z\t\t{number}\tunknown\t/CN={number}"
        self.write()

    def revoke(self, cert):
        number = serial(cert)
        self.lines[cert.pem] = f"R\t291231235959Z\t260101000000Z,keyCompromise\t{number}\tunknown\t/CN={number}"
        self.write()

    def start(self):
        """On the port that it had before, if it had one."""
        command = ["setpriv", "--pdeathsig", "KILL", "openssl", "ocsp", "-port", str(self.port), "-index", self.index, "-CA", self.ca.pem,
                   "-rsigner", self.signer.pem, "-rkey", self.signer.key, "-nmin", str(self.minutes)]
        with open(self.out, "wb") as out:
            self.proc = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        said = until(lambda: re.search(r"ACCEPT \S+:(\d+) ", self.out.read_text()) or self.proc.poll() is not None, "a responder")
        assert said is not True, self.out.read_text()
        self.port = int(said[1])
        return self

    def stop(self):
        if self.proc:
            self.proc.send_signal(signal.SIGKILL)
            self.proc.wait()
            self.proc = None


class Parrot:
    """A web server that answers each POST with self.answer, whatever was asked."""

    def __init__(self, answer=b""):
        self.answer, self.asked = answer, []
        parrot = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                parrot.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/ocsp-response")
                self.send_header("Content-Length", str(len(parrot.answer)))
                self.end_headers()
                self.wfile.write(parrot.answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def recorded(responder, pki, cert, folder, *more):
    """The bytes of a good answer to another question than the broker's."""
    kept = folder / "answer.der"
    openssl("ocsp", "-url", responder.url, "-issuer", pki.ca.pem, "-cert", cert.pem, "-CAfile", pki.ca.pem, "-respout", kept, *more)
    return kept.read_bytes()
