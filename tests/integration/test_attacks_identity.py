"""Attacks on identity, one test for each line of the project's list of attacks (its number is in the name).

Refused means: the client gets the protocol's refusal, no other client sees an effect, the log says why, and
the broker and everybody else live on.
"""
import itertools
import json

import pytest

import mqtt
from daemon import free_port, until
from mqtt import V5
from odd_certificates import BMP, CN, OU, PRINTABLE, T61, certificate, named
from plant import (ADMIN, EDGE1, EDGE2, REFUSED_CODES, SCADA, SENSOR, SENSOR2, VICTIM_TOPIC, Person, payloads, refused_publish, seen,
                   watcher)


@pytest.mark.parametrize("name", ["admin", "scada", "linea2", "edge-linea1", "", "sensor-linea2-horno"])
def test_attack_01_user_name_of_someone_else(broker, version, name):
    """The certificate's identity holds, whatever name the client sends."""
    watch = watcher(broker, "planta/#")
    client = broker.connect(SENSOR, version, username=name, password="pass")
    for topic in "planta/linea2/horno", "planta/linea1/comandos/x", "planta/linea1/a/b":
        assert client.publish(topic, "no", qos=1) == refused_publish(version, 1)
    assert client.subscribe("planta/#") == REFUSED_CODES[version]
    assert client.publish("planta/linea1/horno", "yes", qos=1) == 0
    assert payloads(seen(watch)) == [b"yes"]
    broker.wait_log('refused publish client="sensor-linea1-horno" username="sensor-linea1-horno"')


@pytest.mark.parametrize("login", [dict(username="admin"), dict(username="linea2"), dict(username="linea2", password="otra-clave"),
                                   dict(username="persona", password="paso")], ids=["admin", "name", "name-and-password", "user"])
def test_attack_01_with_a_password_of_someone_else(broker, version, login):
    broker.refused(EDGE1, version, why="iam_auth", **login)


@pytest.mark.parametrize("clean", [True, False], ids=["clean", "durable"])
def test_attack_02_client_id_of_line_2(broker, version, clean):
    """Refused, and line 2 keeps its connection, its subscription and its messages."""
    victim = broker.connect(EDGE2, version, clean=clean)
    victim.subscribe("planta/linea2/comandos/#")
    for _ in range(3):
        broker.refused(EDGE1, version, why="cert_auth", client_id="edge-linea2", clean=clean)
    scada = broker.connect(SCADA)
    assert scada.publish(VICTIM_TOPIC, "order", qos=1) == 0
    assert victim.receive().payload == b"order"
    assert victim.publish("planta/linea2/temperatura", "x", qos=1) == 0


def test_attack_02_takeover_by_another_identity(broker, version):
    """Client ids that are not bound: the live session of another identity cannot be taken."""
    watch = watcher(broker, "planta/#")
    victim = broker.connect(SENSOR2, version, client_id="horno")
    for clean in True, False:
        broker.refused(SENSOR, version, client_id="horno", clean=clean)
    broker.refused(ADMIN, version, client_id="horno")
    assert victim.publish("planta/linea2/horno", "x", qos=1) == 0
    assert payloads(seen(watch)) == [b"x"]


def test_attack_02_same_identity_loses_nothing(broker, version):
    first, scada = broker.connect(EDGE2, version, clean=False), broker.connect(SCADA)
    first.subscribe("planta/linea2/comandos/#")
    first.auto_ack = False
    sent = [f"{number}" for number in range(5)]
    for text in sent:
        scada.publish(VICTIM_TOPIC, text, qos=1)
    second = broker.connect(EDGE2, version, clean=False)
    assert second.session_present
    assert payloads(seen(second, scada, "planta/linea2/comandos/marca")) == [text.encode() for text in sent]


EDGE = named(OU, "edge")
NOT_USABLE, NOBODY = "the certificate cannot be used:", "no identity of cert_auth.json matches the certificate"
ODD_NAMES = {  # the subject, and why it is refused
    "nul": ([EDGE, named(CN, b"edge-linea1\0.evil")], NOT_USABLE),
    "newline": ([EDGE, named(CN, 'edge-linea1\n{"verdict":"allowed"}')], NOT_USABLE),
    "nul in UTF-16": ([EDGE, named(CN, "edge-linea1\0".encode("utf-16-be"), BMP)], NOT_USABLE),
    "60 KB": ([EDGE, named(CN, "edge-linea1" + "x" * 60000)], NOT_USABLE),
    "quote": ([EDGE, named(CN, 'edge-linea1","verdict":"allowed')], NOBODY),
    "turned around": ([EDGE, named(CN, "\u202e1aenil-egde")], NOBODY),
    "a mark behind": ([EDGE, named(CN, "edge-linea1\u200f")], NOBODY),
    "looks alike": ([EDGE, named(CN, "\u0435dge-linea1")], NOBODY),
    "full width": ([EDGE, named(CN, "edge-linea\uff11")], NOBODY),
    "plus": ([EDGE, named(CN, "edge-+")], NOBODY),
    "hash": ([EDGE, named(CN, "edge-linea1/#")], NOBODY),
    "slash": ([EDGE, named(CN, "edge-linea1/../linea2")], NOBODY),
    "empty": ([EDGE, named(CN, "")], NOBODY),
    "none": ([EDGE], NOBODY),
    "two names": ([EDGE, named(CN, "edge-linea1"), named(CN, "edge-linea1")], NOBODY),
    "two names in one part": ([EDGE, [named(CN, "edge-linea1"), named(CN, "edge-linea2")]], NOBODY),
    "a name within a name": ([named(OU, "nadie"), named(CN, "edge-linea1/OU=edge")], NOBODY),
    "the unit within the name": ([named(CN, "OU=edge,CN=edge-linea1")], NOBODY),
}


def test_attack_03_names_of_any_bytes(make_broker, suite, pki, tmp_path):
    """None is taken for edge-linea1, who is connected and stays; what is told of them is one line each, and says nothing else."""
    log, key = tmp_path / "audit.log", pki.client(EDGE1.cn, EDGE1.ou).key
    broker = make_broker(suite, start=False)
    broker.write("aduana.json", json.dumps({"audit": {"to": f"file:{log}"}}))
    broker.start()
    watch, edge = watcher(broker, "planta/#"), broker.connect(EDGE1, V5)
    for number, (parts, why) in enumerate(ODD_NAMES.values()):
        broker.refused(EDGE1, V5, cert=certificate(tmp_path, pki.ca, key, *parts), will=mqtt.Will("planta/linea1/temperatura", b"will"))
        until(lambda: log.exists() and log.read_text().count("\n") == number + 1, "a line of the audit log")
    with pytest.raises((mqtt.Refused, OSError)):  # more than TLS carries
        broker.connect(EDGE1, V5, cert=certificate(tmp_path, pki.ca, key, EDGE, named(CN, "edge-linea1" + "x" * 65000)))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["event"], line["verdict"], line["client_id"]) for line in lines] == [("connect", "refused", "edge-linea1")] * len(ODD_NAMES)
    for line, (name, (_, why)) in zip(lines, ODD_NAMES.items()):
        assert line["reason"].startswith(why), (name, line)
    assert not set("\u202e\u200f\0") & set(log.read_text() + broker.log)
    assert edge.publish("planta/linea1/temperatura", "x", qos=1) == 0 and payloads(seen(watch)) == [b"x"]


@pytest.mark.parametrize("string", [PRINTABLE, T61, BMP], ids=["PrintableString", "T61String", "BMPString"])
def test_attack_03_the_same_text_in_another_kind_of_string(broker, pki, tmp_path, string):
    """It means the same person, with the same rights."""
    text = "edge-linea1".encode("utf-16-be" if string == BMP else "ascii")
    cert = certificate(tmp_path, pki.ca, pki.client(EDGE1.cn, EDGE1.ou).key, EDGE, named(CN, text, string))
    client = broker.connect(EDGE1, V5, cert=cert)
    assert client.publish("planta/linea1/temperatura", "x", qos=1) == 0
    assert client.publish("planta/linea2/temperatura", "x", qos=1) == refused_publish(V5, 1)


NO_LOGIN = {
    "anonymous": dict(),
    "user-without-password": dict(username="linea1"),
    "empty-password": dict(username="linea1", password=""),
    "empty-user": dict(username="", password=""),
    "password-without-user": dict(password="pass"),
    "auth-method": dict(props={mqtt.AUTH_METHOD: "PLAIN"}),
    "auth-method-and-user": dict(username="linea1", password="pass", props={mqtt.AUTH_METHOD: "SCRAM-SHA-256", mqtt.AUTH_DATA: "x"}),
    "auth-method-and-right-password": dict(username="persona", password="paso", props={mqtt.AUTH_METHOD: "PLAIN"}),
    "auth-method-and-admin": dict(username="admin", props={mqtt.AUTH_METHOD: "x"}),
    "auth-method-empty": dict(username="admin", props={mqtt.AUTH_METHOD: ""}),
}


@pytest.mark.parametrize("anonymous", ["false", "true"], ids=["plain", "allow_anonymous"])
def test_attack_06_no_real_login(make_broker, suite, anonymous):
    """With the certificate of line 1, whose identity asks for its password; also with allow_anonymous left on."""
    broker = make_broker(suite, lambda b: b.plain_conf(extra=f"allow_anonymous {anonymous}"))
    for login, version in itertools.product(NO_LOGIN.values(), (3, 4, 5)):
        if version == V5 or "props" not in login:
            broker.refused(EDGE1, version, **{"username": None, "password": None, **login})
            assert broker.connect(EDGE1, version).is_alive()


@pytest.mark.parametrize("require", ["certificate", "password", "both", "either"])
def test_attack_06_without_a_certificate(make_broker, suite, require):
    """The same on a listener that asks for no certificate, with allow_anonymous left on."""
    broker = make_broker(suite, lambda b: b.plain_conf(listener="require_certificate false", extra="allow_anonymous true"), start=False)
    broker.edit("iam_auth.json", lambda policy: policy.update(require=require))
    broker.start()
    for login in NO_LOGIN.values():
        broker.refused(Person("x", "edge"), V5, cert=False, client_id="edge-linea1", **login)


@pytest.mark.parametrize("version", [5], ids=["v5"])
def test_attack_06_auth_method_of_a_certificate_client(broker, version):
    """An authentication method skips BASIC_AUTH: not even a good certificate gets in that way."""
    for name in None, "admin", "sensor-linea1-horno":
        broker.refused(SENSOR, version, username=name, props={mqtt.AUTH_METHOD: "PLAIN"})


@pytest.mark.parametrize("option", ["use_identity_as_username", "use_subject_as_username"])
def test_attack_07_broker_option_that_skips_the_login(make_broker, suite, option):
    broker = make_broker(suite, lambda b: b.plain_conf(listener=f"require_certificate true\n{option} true"), start=False)
    assert option in broker.start_refused()


def test_attack_07_listener_without_the_plugins(make_broker, suite):
    """With global settings a second listener is covered by the same bundle, TLS or not."""
    port = free_port()
    broker = make_broker(suite, lambda b: b.plain_conf(extra="allow_anonymous true") + f"listener {port} 127.0.0.1\n")
    for version in 3, 4, 5:
        for login in dict(), dict(username="admin"), dict(username="linea1", password="pass"):
            with pytest.raises(mqtt.Refused):
                mqtt.Client(port, "admin", version=version, **login)
    assert broker.connect(SENSOR).is_alive()


def test_attack_07_listener_without_the_plugins_of_its_own(make_broker, suite):
    port = free_port()
    broker = make_broker(suite, lambda b: "per_listener_settings true\n" + b.common_conf() + b.listener_conf() + b.plugin_conf() +
                         f"listener {port} 127.0.0.1\nallow_anonymous true\n", start=False)
    assert "per_listener_settings" in broker.start_refused()


def test_attack_07_allow_anonymous_left_on(make_broker, suite, version):
    broker = make_broker(suite, lambda b: b.plain_conf(extra="allow_anonymous true"))
    broker.refused(Person("x", "otros"), version, why="cert_auth")
    broker.refused(Person("x", "otros", "admin", "x"), version, why="cert_auth")
    broker.refused(EDGE1, version, username=None, password=None, why="iam_auth")


@pytest.mark.parametrize("connected", [True, False], ids=["live", "away"])
def test_attack_08_failed_logins_with_a_victims_client_id(broker, version, connected):
    """They raise DISCONNECT with its id on newer brokers: its session, its rights and its queue stay."""
    victim = broker.connect(EDGE2, version, clean=False)
    victim.subscribe("planta/linea2/comandos/#")
    if not connected:
        victim.disconnect()
    for attacker, login in ((EDGE1, dict(client_id="edge-linea2")), (EDGE2, dict(password="x")), (Person("x", "otros"), dict(client_id="edge-linea2")),
                            (EDGE2, dict(username=None, password=None)), (EDGE2, dict(ca=broker.pki.other_ca))):
        for clean in True, False:
            broker.refused(attacker, version, clean=clean, **login)
    scada = broker.connect(SCADA)
    scada.publish(VICTIM_TOPIC, "order", qos=1)
    if not connected:
        victim = broker.connect(EDGE2, version, clean=False)
        assert victim.session_present
    assert victim.receive().payload == b"order"
    assert victim.publish("planta/linea2/temperatura", "x", qos=1) == 0
    assert victim.publish("planta/linea1/temperatura", "x", qos=1) == refused_publish(version, 1)
