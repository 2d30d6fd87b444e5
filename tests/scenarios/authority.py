"""Certificates with dates of their own, and by other authorities; `openssl ca` sets dates in every version of OpenSSL."""
import datetime

from pki import Cert, escaped, openssl

CONF = """[ca]
default_ca = this
[this]
database = {folder}/index.txt
new_certs_dir = {folder}
default_md = sha256
unique_subject = no
rand_serial = yes
policy = names
x509_extensions = extensions
[names]
organizationName = optional
organizationalUnitName = optional
commonName = supplied
[extensions]
{extensions}
"""


def moment(seconds):
    """So many seconds from now, as `openssl ca` wants it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(seconds=seconds)).strftime("%Y%m%d%H%M%SZ")


def client(folder, ca, cn, ou, begins=-3600, ends=3600, extensions="extendedKeyUsage=clientAuth"):
    """A client certificate signed by `ca`, valid from `begins` to `ends`, in seconds from now. `folder` is made."""
    folder.mkdir(parents=True)
    made = Cert(folder / "client.pem", folder / "client.key")
    request, conf = folder / "client.csr", folder / "ca.conf"
    conf.write_text(CONF.format(folder=folder, extensions=extensions))
    (folder / "index.txt").touch()
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", made.key, "-out", request,
            "-subj", f"/O=Planta/OU={escaped(ou)}/CN={escaped(cn)}")
    openssl("ca", "-batch", "-notext", "-config", conf, "-cert", ca.pem, "-keyfile", ca.key, "-in", request, "-out", made.pem,
            "-startdate", moment(begins), "-enddate", moment(ends))
    return made


def root(folder, subject):
    """A certificate that signs itself, with that subject; also an authority."""
    folder.mkdir(parents=True)
    made = Cert(folder / "root.pem", folder / "root.key")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", subject,
            "-keyout", made.key, "-out", made.pem)
    return made


def followed_by(folder, cert, *others):
    """The certificate with those of others behind it, as a client sends a chain."""
    made = Cert(folder / "chain.pem", cert.key)
    made.pem.write_text("".join(each.pem.read_text() for each in (cert, *others)))
    return made
