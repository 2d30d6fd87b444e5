"""Which authority may vouch for whom, by cert_auth.json: the broker's cafile knows them all."""
import re
import shutil

import pytest

import mqtt
from daemon import until
from pki import LEAF, Cert, openssl
from plant import EDGE1, EDGE2, SCADA

UNRELATED = "unable to get local issuer certificate"


def authority_of(broker, name, *certificates, **more):
    """Puts the certificates into the policy folder; what cert_auth.json says of them."""
    folder = broker.policies / "pki"
    folder.mkdir(exist_ok=True)
    files = []
    for number, certificate in enumerate(certificates):
        shutil.copy(certificate.pem, folder / f"{name}-{number}.pem")
        files.append(f"pki/{name}-{number}.pem")
    return {"roots": files, **more}


@pytest.fixture
def start(make_broker, suite, pki):
    """start(authorities, change): a broker whose cafile holds old and new authority, and those given in `known`."""

    def conf(broker, known):
        bundle = broker.folder / "all.pem"
        bundle.write_text("".join(each.pem.read_text() for each in known))
        return broker.plain_conf().replace(f"cafile {pki.ca.pem}", f"cafile {bundle}")

    def begin(authorities, change=None, known=()):
        broker = make_broker(suite, start=False)
        broker.write_conf = lambda: conf(broker, (pki.ca, pki.other_ca, *known))
        policy = {name: authority_of(broker, name, *certificates) for name, certificates in authorities.items()}
        broker.edit("cert_auth.json", lambda file: file.update(authorities=policy))
        if change:
            broker.edit("cert_auth.json", change)
        return broker.start()

    return begin


def pinned(**names):
    """Says for each kind of identity (its `ou`) which authority must vouch."""
    def change(file):
        for identity in file["identities"]:
            if identity["match"]["cert.ou"] in names:
                identity["authority"] = names[identity["match"]["cert.ou"]]
    return change


def test_only_what_the_policy_trusts(start, pki, version):
    broker = start({"vieja": [pki.ca]})
    assert broker.connect(EDGE1, version).is_alive()
    broker.refused(EDGE2, version, ca=pki.other_ca, why=f'.*no authority of cert_auth.json vouches .*vieja: {UNRELATED}')


def test_several_side_by_side(start, pki, version):
    broker = start({"vieja": [pki.ca], "nueva": [pki.other_ca]})
    assert broker.connect(EDGE1, version).is_alive()
    assert broker.connect(EDGE2, version, ca=pki.other_ca).is_alive()


def test_two_roots_of_one_authority(start, pki, version):
    broker = start({"planta": [pki.ca, pki.other_ca]})
    assert broker.connect(EDGE1, version).is_alive()
    assert broker.connect(EDGE2, version, ca=pki.other_ca).is_alive()


def test_an_identity_names_who_vouches_for_it(start, pki, version):
    broker = start({"vieja": [pki.ca], "nueva": [pki.other_ca]}, pinned(edge="nueva", servicio=["nueva", "vieja"]))
    broker.refused(EDGE1, version, why=".*no identity of cert_auth.json matches")
    assert broker.connect(EDGE2, version, ca=pki.other_ca).is_alive()
    assert broker.connect(SCADA, version).is_alive()


@pytest.fixture
def intermediate(pki, tmp_path):
    """An authority under the old one, and who is certified by it: intermediate(extensions of the authority)."""
    def make(extensions="basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"):
        made = Cert(tmp_path / "intermediate.pem", tmp_path / "intermediate.key")
        extra, request = tmp_path / "intermediate.ext", tmp_path / "intermediate.csr"
        extra.write_text("subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n" + extensions)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/O=Planta/CN=Planta Device CA",
                "-keyout", made.key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", pki.ca.pem, "-CAkey", pki.ca.key, "-CAcreateserial", "-days", "90",
                "-extfile", extra, "-out", made.pem)
        return made
    return make


def certified(folder, ca, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), extensions="extendedKeyUsage=clientAuth\n"):
    made, request, extra = Cert(folder / "leaf.pem", folder / "leaf.key"), folder / "leaf.csr", folder / "leaf.ext"
    extra.write_text(LEAF + extensions)
    openssl("req", "-new", "-newkey", *key, "-nodes", "-subj", "/O=Planta/OU=edge/CN=edge-linea1", "-keyout", made.key, "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", ca.pem, "-CAkey", ca.key, "-CAcreateserial", "-days", "90", "-extfile", extra,
            "-out", made.pem)
    return made


def test_an_intermediate_must_be_named(start, pki, version, intermediate, tmp_path):
    """The broker knows it, by its cafile; the bundle is shown the leaf alone."""
    between = intermediate()
    leaf = certified(tmp_path, between)
    broker = start({"vieja": [pki.ca]}, known=[between])
    broker.refused(EDGE1, version, cert=leaf, why=f".*vieja: {UNRELATED}")
    shutil.copy(between.pem, broker.policies / "pki" / "between.pem")
    broker.edit("cert_auth.json", lambda file: file["authorities"]["vieja"].update(intermediates=["pki/between.pem"]))
    broker.reload()
    assert broker.connect(EDGE1, version, cert=leaf).is_alive()


def test_a_key_below_the_security_level(start, pki, version, tmp_path):
    leaf = certified(tmp_path, pki.ca, key=("rsa:2048",))
    broker = start({"vieja": [pki.ca]})
    assert broker.connect(EDGE1, version, cert=leaf).is_alive()
    broker.edit("cert_auth.json", lambda file: file["authorities"]["vieja"].update(security_level=3))
    broker.reload()
    broker.refused(EDGE1, version, cert=leaf, why=".*vieja: EE certificate key too weak")
    assert broker.connect(EDGE1, version).is_alive()


@pytest.mark.parametrize("wrong,why", [
    (lambda file: file["authorities"]["vieja"].update(roots=["pki/nada.pem"]), r"cert_auth.json:\d+:\d+: authorities.vieja.roots\[0\]: .*nada.pem"),
    (lambda file: file["authorities"]["vieja"].update(roots=[]), "authorities.vieja.roots: an authority without a root vouches for nobody"),
    (lambda file: file["authorities"]["vieja"].update(roots=["cert_auth.json"]), r"roots\[0\]: holds no certificate in PEM"),
    (lambda file: file["authorities"]["vieja"].update(intermediates=["pki/leaf.pem"]), r"certificate 1 of this file is no certificate of an authority"),
    (lambda file: file["authorities"]["vieja"].update(roots=["pki/leaf.pem"]), r'is not self-signed: put it under "intermediates"'),
    (lambda file: file["authorities"]["vieja"].update(security_level=6), "security_level: "),
    (lambda file: file.update(authorities={}), "authorities: names no authority"),
    (lambda file: file["identities"][0].update(authority="viej"), 'authority: "authorities" names no "viej"; did you mean "vieja"'),
    (lambda file: file["identities"][0].update(authority=[]), "authority: an empty list matches nobody"),
], ids=["no-file", "no-root", "no-pem", "leaf-between", "leaf-root", "level", "none", "unknown", "empty"])
def test_a_wrong_authority_changes_nothing(start, pki, wrong, why):
    broker = start({"vieja": [pki.ca]})
    shutil.copy(pki.client(EDGE1.cn, EDGE1.ou).pem, broker.policies / "pki" / "leaf.pem")
    edge = broker.connect(EDGE1)
    broker.edit("cert_auth.json", wrong)
    line = broker.reload_refused()
    assert re.search(why, line), line
    assert edge.is_alive() and broker.connect(SCADA).is_alive()


def test_an_authority_that_goes_takes_its_clients_along(start, pki, version):
    """Those that the other one certified, and nobody else; nor can they come back."""
    broker = start({"vieja": [pki.ca], "nueva": [pki.other_ca]})
    stays, goes = broker.connect(EDGE2, version, ca=pki.other_ca), broker.connect(EDGE1, version)
    broker.edit("cert_auth.json", lambda file: file["authorities"].pop("vieja"))
    broker.reload()
    until(lambda: not goes.is_alive(), "the old authority's client is disconnected")
    broker.refused(EDGE1, version, why=".*no authority of cert_auth.json vouches")
    assert stays.is_alive()


def test_who_is_away_is_judged_by_his_certificate_too(start, pki):
    """Also after a restart of the broker: what is kept of him is the certificate itself."""
    broker = start({"vieja": [pki.ca], "nueva": [pki.other_ca]})
    edge = broker.connect(EDGE1, clean=False)
    assert edge.subscribe("planta/linea1/comandos/#", qos=1) == 1
    edge.disconnect()
    broker.persist()
    broker.restart()
    scada = broker.connect(SCADA, mqtt.V5, ca=pki.other_ca)
    assert scada.publish("planta/linea1/comandos/a", "1", qos=1) == 0
    broker.edit("cert_auth.json", lambda file: file["authorities"].pop("vieja"))
    broker.reload()
    assert scada.publish("planta/linea1/comandos/a", "2", qos=1) == 0
    broker.edit("cert_auth.json", lambda file: file["authorities"].update(vieja=authority_of(broker, "vieja", pki.ca)))
    broker.reload()
    edge = broker.connect(EDGE1, clean=False)
    assert edge.session_present
    assert edge.receive().payload == b"1"


def test_rotation_without_a_restart(make_broker, suite, pki, version):
    """A new authority is added to the broker's capath and to the policy, then the old one is taken out."""
    def conf(broker):
        return broker.plain_conf().replace(f"cafile {pki.ca.pem}", f"capath {broker.folder}/trusted")

    broker = make_broker(suite, conf, start=False)
    trusted = broker.folder / "trusted"
    trusted.mkdir()

    def trust(name, certificate):
        shutil.copy(certificate.pem, trusted / f"{name}.pem")
        openssl("rehash", trusted)
        broker.edit("cert_auth.json", lambda file: file.setdefault("authorities", {}).update({name: authority_of(broker, name, certificate)}))

    # OpenSSL takes the first authority of a name that it finds: the new one needs a name of its own.
    newer = pki.authority("ca-2026", "/O=Planta/CN=Planta Device CA 2026")
    broker.edit("cert_auth.json", lambda file: file["identities"][0].update(match={"cert.ou": "edge"}))
    trust("vieja", pki.ca)
    broker.start()
    old = broker.connect(EDGE1, version)
    broker.refused(EDGE2, version, ca=newer)
    trust("nueva", newer)
    broker.reload()
    new = broker.connect(EDGE2, version, ca=newer)
    assert old.is_alive()
    broker.edit("cert_auth.json", lambda file: file["authorities"].pop("vieja"))
    broker.reload()
    until(lambda: not old.is_alive(), "the old authority's client is disconnected")
    assert new.is_alive()
