"""A throwaway PKI made with the openssl command: a device CA, a server, clients on demand."""
import collections
import itertools
import os
import pathlib
import ssl
import subprocess
import tempfile

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


def serial(certificate):
    """As openssl prints it; of a number, that number."""
    if isinstance(certificate, int):
        return f"{certificate:040X}"
    command = ["openssl", "x509", "-noout", "-serial", "-in", str(certificate.pem)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().removeprefix("serial=")


class Pki:
    """`ca` is the trusted one; `other_ca` has the same subject name and is not trusted."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.made, self.crl_numbers = {}, itertools.count(1)
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

    def many(self, cn, ou, count):
        """Serial number -> certificate: as many of one subject and one key, made at once."""
        one, folder = self.client(cn, ou), pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (folder / "index.txt").touch()
        (folder / "index.txt.attr").write_text("unique_subject=no\n")
        first = 1 << 60  # an even number of digits, as the command wants
        (folder / "serial").write_text(f"{first:X}\n")
        (folder / "ca.conf").write_text(f"[ca]\ndefault_ca=x\n[x]\ndatabase={folder}/index.txt\nserial={folder}/serial\nnew_certs_dir={folder}\n"
                                        f"default_md=sha256\ndefault_days=90\npolicy=any\n[any]\norganizationName=supplied\n"
                                        f"organizationalUnitName=supplied\ncommonName=supplied\n[more]\n{LEAF}extendedKeyUsage=clientAuth\n")
        openssl("ca", "-batch", "-notext", "-config", folder / "ca.conf", "-extensions", "more", "-cert", self.ca.pem, "-keyfile", self.ca.key,
                "-infiles", *[one.pem.with_suffix(".csr")] * count)
        return {number: Cert(folder / f"{number:X}.pem", one.key) for number in range(first, first + count)}

    def context(self, cert=None):
        """What a client needs to talk to the broker: trusts the device CA, shows `cert`."""
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(self.ca.pem))
        if cert:
            context.load_cert_chain(str(cert.pem), str(cert.key))
        return context

    def crl(self, path, ca=None, revoked=(), hours=24, since=None, more=""):
        """Writes what `ca` says of the certificates in `revoked`, which may hold serial numbers too: the openssl command makes it.
        `since` and the end `hours` later in openssl's form, YYYYMMDDHHMMSSZ; `more`: extensions of the list, in openssl's form."""
        ca = ca or self.ca
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        lines = "".join(f"R\t400101000000Z\t250101000000Z,keyCompromise\t{serial(each)}\tunknown\t/CN=x\n" for each in revoked)
        (folder / "index.txt").write_text(lines)
        (folder / "number").write_text(f"{next(self.crl_numbers):04X}\n")
        (folder / "ca.conf").write_text(f"[ca]\ndefault_ca=x\n[x]\ndatabase={folder}/index.txt\ncrlnumber={folder}/number\n"
                                        f"default_md=sha256\n[more]\nauthorityKeyIdentifier=keyid\n{more}\n")
        dates = ["-crlhours", hours]
        if since:
            dates = ["-crl_lastupdate", since[0], "-crl_nextupdate", since[1]]
        openssl("ca", "-gencrl", "-config", folder / "ca.conf", "-crlexts", "more", "-cert", ca.pem, "-keyfile", ca.key, *dates,
                "-out", folder / "crl.pem")
        os.replace(folder / "crl.pem", path)  # whole or not at all
        return path
