"""Who gets in: the certificate and the password as policy asks, and nothing that a client says of itself."""
import subprocess

import pytest

import mqtt
from patience import PATIENCE
from plant import ADMIN, EDGE1, EDGE2, EDGE3, LECTOR1, NOBODY, SCADA, SENSOR, Person, nothing_passes, payloads, seen, watcher

PERSONA = Person("persona", "edge", "persona", "paso", "portatil")


def require(what):
    return lambda policy: policy.update(require=what)


def open_listener(broker):
    return broker.plain_conf(listener="require_certificate false")


@pytest.mark.parametrize("person", [EDGE1, EDGE2, EDGE3], ids=["pbkdf2", "argon2id", "password_file"])
@pytest.mark.parametrize("version", [3, 4, 5], ids=["v31", "v311", "v5"])
def test_certificate_and_password(broker, person, version):
    watch = watcher(broker, "planta/+/temperatura")
    client = broker.connect(person, version)
    assert client.publish(f"planta/{person.username}/temperatura", "20", qos=1) == 0
    assert payloads(seen(watch)) == [b"20"]


@pytest.mark.parametrize("login", [
    dict(password="wrong"), dict(password=""), dict(password=None), dict(username=None, password=None),
    dict(username="", password="pass"), dict(username="linea2", password="otra-clave"),
    dict(username="persona", password="paso"), dict(username="linea1\n"), dict(username="nobody", password="pass"),
    dict(password="pass\x01"), dict(password=b"\xff" * 60000)],
    ids=["wrong", "empty", "no-password", "nothing", "empty-name", "other-line", "other-user", "newline", "unknown",
         "longer", "60000-bytes"])
def test_bad_password(broker, version, login):
    broker.refused(EDGE1, version, **login)
    assert broker.connect(EDGE1, version).is_alive()


def two_passwords(old_until):
    """The user linea1 has the password of linea2 as well, and his own until then."""
    def change(policy):
        users = policy["local"]["users"]
        old = users["linea1"].pop("password", None) or users["linea1"]["passwords"][0]["hash"]
        users["linea1"]["passwords"] = [{"hash": old, "until": old_until}, {"hash": users["linea2"]["password"]}]
    return change


@pytest.mark.parametrize("version", [5], ids=["v5"])
def test_two_passwords_while_one_is_exchanged(broker, version):
    """Both get in until the old one ends; who got in by it stays."""
    broker.edit("iam_auth.json", two_passwords("2999-12-31T23:59:59Z"))
    broker.reload()
    broker.connect(EDGE1, version, password=EDGE2.password).disconnect()
    client = broker.connect(EDGE1, version)
    broker.edit("iam_auth.json", two_passwords("2001-01-01T00:00:00Z"))
    broker.reload()
    broker.refused(EDGE1, version, why='wrong password "it was valid until 2001-01-01T00:00:00Z"')
    assert client.publish("planta/linea1/temperatura", "20", qos=1) == 0
    assert broker.connect(EDGE1, version, password=EDGE2.password).publish("planta/linea1/temperatura", "21", qos=1) == 0


@pytest.mark.parametrize("version", [5], ids=["v5"])
def test_password_without_user_name(broker, version):
    broker.refused(EDGE1, version, username=None, password="pass")


@pytest.mark.parametrize("ca", ["other", "self"])
def test_untrusted_certificate(broker, pki, version, ca):
    """Another authority with the same subject name, and a self-signed certificate: TLS ends it."""
    broker.refused(EDGE1, version, ca=pki.other_ca if ca == "other" else "self")


def test_no_certificate(broker, version):
    broker.refused(EDGE1, version, cert=False)


@pytest.mark.parametrize("cn,ou", [("edge-linea", "edge"), ("edge-linea1x", "edge"), ("xedge-linea1", "edge"), ("edge-linea1", "Edge"),
                                   ("edge-linea1", "otros"), ("edge-linea1", ())],
                         ids=["short", "suffix", "prefix", "case", "other-ou", "no-ou"])
def test_certificate_without_identity(broker, version, cn, ou):
    """Patterns are anchored at both ends and comparisons exact."""
    broker.refused(Person(cn, ou, "linea1", "pass", "edge-linea1"), version, why="cert_auth")


def test_two_units(broker, version):
    """A match on a field with several values holds if any does."""
    assert broker.connect(EDGE1._replace(ou=("planta norte", "edge")), version).is_alive()


@pytest.mark.parametrize("client_id", ["edge-linea2", "edge-linea1 ", "EDGE-LINEA1", "x", ""])
def test_wrong_client_id(broker, version, client_id):
    broker.refused(EDGE1, version, why="cert_auth", client_id=client_id)


@pytest.mark.parametrize("client_id", ["anything", "", "edge-linea9"], ids=["name", "empty", "like-an-edge"])
def test_client_id_that_is_not_bound(broker, version, client_id):
    watch = watcher(broker, "planta/linea1/horno")
    client = broker.connect(SENSOR, version, client_id=client_id)
    assert client.publish("planta/linea1/horno", "1", qos=1) == 0
    assert payloads(seen(watch)) == [b"1"]


def test_certificate_alone_ignores_what_the_client_says(broker, version):
    """Neither a foreign name nor a wrong password changes who the certificate says it is."""
    watch = watcher(broker, "planta/+/horno", "planta/+/comandos/#")
    for login in dict(username="scada", password="x"), dict(username="scada"), dict(username="linea2", password="otra-clave"):
        client = broker.connect(SENSOR, version, **login)
        client.publish("planta/linea1/comandos/x", "no", qos=1)
        client.publish("planta/linea2/horno", "no", qos=1)
        client.publish("planta/linea1/horno", "yes", qos=1)
        assert payloads(seen(watch)) == [b"yes"]


def test_somebody_without_roles(broker, version):
    client = broker.connect(NOBODY, version)
    nothing_passes(broker, client)
    assert client.is_alive()


def test_require_both(make_broker, suite, version):
    broker = make_broker(suite, start=False)
    broker.edit("iam_auth.json", require("both"))
    broker.start()
    assert broker.connect(EDGE1, version).is_alive()
    broker.refused(SCADA, version, why="iam_auth")
    broker.refused(SCADA, version, username="scada", password="x")
    broker.refused(SCADA, version, username="persona", password="paso", why="iam_auth: .*scada")
    broker.refused(Person("x", "otros", "linea1", "pass"), version, why="cert_auth")


@pytest.mark.parametrize("what", ["password", "either"])
def test_without_certificate(make_broker, suite, version, what):
    """A listener that asks for no certificate: users by password alone, with their own roles."""
    broker = make_broker(suite, open_listener, start=False)
    broker.edit("iam_auth.json", require(what))
    broker.start()
    client = broker.connect(PERSONA, version, cert=False)
    assert client.publish("planta/linea3/temperatura", "1", qos=1) == 0
    assert client.subscribe("planta/linea3/comandos/#") == 1
    assert client.publish("planta/linea1/temperatura", "1", qos=1) == (0x87 if version == 5 else 0)
    broker.refused(PERSONA, version, cert=False, password="pass", why="iam_auth")
    broker.refused(PERSONA, version, cert=False, password=None)
    broker.refused(PERSONA, version, cert=False, username=None, password=None)
    nothing_passes(broker, broker.connect(EDGE3, version, cert=False))  # in password_file only: no roles


@pytest.mark.parametrize("what", ["certificate", "both"])
def test_a_listener_that_forgets_the_certificate(make_broker, suite, version, what):
    broker = make_broker(suite, open_listener, start=False)
    broker.edit("iam_auth.json", require(what))
    broker.start()
    for login in PERSONA, EDGE1, ADMIN, SENSOR:
        broker.refused(login, version, cert=False)


def test_either_with_a_certificate(make_broker, suite, version):
    """A certificate that matches an identity decides; one that matches none leaves it to the password."""
    broker = make_broker(suite, start=False)
    broker.edit("iam_auth.json", require("either"))
    broker.start()
    assert broker.connect(LECTOR1, version).subscribe("planta/linea1/#") == 1
    assert broker.connect(PERSONA._replace(ou="otros"), version).subscribe("planta/linea3/comandos/#") == 1
    broker.refused(PERSONA._replace(ou="otros"), version, password="x", why="iam_auth")
    broker.refused(EDGE1, version, password="x", why="iam_auth")  # this identity asks for its password as well


def test_user_of_the_password_file_tool(broker, version):
    """A line that mosquitto_passwd wrote works; roles come from the certificate's identity."""
    subprocess.run(["mosquitto_passwd", "-b", broker.policies / "passwd", "linea4", "cuarta"], check=True)
    broker.reload()
    line4 = Person("edge-linea4", "edge", "linea4", "cuarta", "edge-linea4")
    assert broker.connect(line4, version).publish("planta/linea4/temperatura", "1", qos=1) == 0
    broker.refused(line4, version, password="tercera")
    assert broker.connect(EDGE3, version).is_alive()


@pytest.mark.local
def test_mosquitto_clients(broker, pki):
    """The broker's own command line clients see the same."""
    def command(name, person, *more):
        cert = pki.client(person.cn, person.ou)
        return [name, "-h", "127.0.0.1", "-p", str(broker.port), "--cafile", pki.ca.pem, "--cert", cert.pem, "--key", cert.key,
                "-i", person.client_id or person.cn, *more]

    login = ("-u", "linea1", "-P", "pass", "-t", "planta/linea1/temperatura", "-q", "1", "-V", "5", "-r", "-m")
    assert subprocess.run(command("mosquitto_pub", EDGE1, *login, "87.5"), timeout=PATIENCE).returncode == 0
    bad = subprocess.run(command("mosquitto_pub", EDGE1, "-u", "linea1", "-P", "no", *login[4:], "88.5"), timeout=PATIENCE)
    assert bad.returncode != 0
    got = subprocess.run(command("mosquitto_sub", SCADA, "-t", "planta/#", "-C", "1", "-W", str(PATIENCE), "-v"), timeout=PATIENCE,
                         stdout=subprocess.PIPE, text=True)
    assert got.stdout == "planta/linea1/temperatura 87.5\n"


def test_a_refused_login_leaves_no_trace(broker, version):
    """A refused CONNECT with a will and subscriptions of its own: no will, no session."""
    watch = watcher(broker, "planta/#")
    broker.refused(EDGE1, version, password="x", clean=False, will=mqtt.Will("planta/linea1/temperatura", b"will", 1))
    assert seen(watch) == []
    assert not broker.connect(EDGE1, version, clean=False).session_present
