"""A throwaway PKI made with the openssl command: a device CA, a server, clients on demand."""
import collections
import pathlib
import ssl
import subprocess

Cert = collections.namedtuple("Cert", "pem key")
CA_NAME = "/O=Planta/CN=Planta Device CA"
# What RFC 5280 asks of every certificate, and newer clients (Python 3.13) insist on.
LEAF = "basicConstraints=critical,CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
SERVER_NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n"


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr}")


def escaped(value):
    """For -subj, where / ends a value and + joins two."""
    return "".join("\\" + letter if letter in "\\/+" else letter for letter in value)


class Pki:
    """`ca` is the trusted one; `other_ca` has the same subject name and is not trusted."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.made = {}
        self.ca = self.authority("ca")
        self.other_ca = self.authority("other-ca")
        self.server = self._signed("server", "/CN=broker.planta", self.ca, SERVER_NAMES)

    def _paths(self, name):
        return Cert(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def authority(self, name, subject=CA_NAME):
        """A root; made once."""
        made = self._paths(name)
        if made.pem.exists():
            return made
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90",
                "-subj", subject, "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", made.key, "-out", made.pem)
        return made

    def _signed(self, name, subject, ca, extensions):
        made, request, extra = self._paths(name), self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        openssl("req", "-new", "-utf8", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", subject, "-keyout", made.key, "-out", request)
        extra.write_text(LEAF + extensions)
        openssl("x509", "-req", "-in", request, "-CA", ca.pem, "-CAkey", ca.key, "-CAcreateserial", "-days", "90",
                "-extfile", extra, "-out", made.pem)
        return made

    def client(self, cn, ou="edge", ca=None, san=None):
        """A client certificate; made once for the same wishes. `ou` may be a tuple; ca="self" signs itself."""
        wish = (cn, ou, ca, san)
        if wish not in self.made:
            name = f"client-{len(self.made)}"
            units = "".join(f"/OU={escaped(unit)}" for unit in ([ou] if isinstance(ou, str) else ou))
            subject = f"/O=Planta{units}/CN={escaped(cn)}"
            extensions = "extendedKeyUsage=clientAuth\n" + (f"subjectAltName={san}\n" if san else "")
            if ca == "self":
                self.made[wish] = self.authority(name, subject)
            else:
                self.made[wish] = self._signed(name, subject, ca or self.ca, extensions)
        return self.made[wish]

    def context(self, cert=None):
        """What a client needs to talk to the broker: trusts the device CA, shows `cert`."""
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(self.ca.pem))
        if cert:
            context.load_cert_chain(str(cert.pem), str(cert.key))
        return context
