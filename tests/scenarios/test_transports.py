"""MQTT 3.1, 3.1.1 and 5 over every transport that Mosquitto has, and a listener that prefixes topics: one policy, the same verdicts."""
import socket

import pytest

import mqtt
import network
import transports
import verdicts
from daemon import free_port
from mqtt import V31, V311, V5, Refused, Will
from plant import ADMIN, EDGE1, EDGE2, REFUSED_CODES, SCADA, VICTIM_TOPIC, Person, payloads, refused_publish, seen, topics, watcher

ALL = pytest.mark.parametrize("version", [V31, V311, V5], ids=["v31", "v311", "v5"])
PERSONA = Person("persona", "otros", "persona", "paso", "portatil")  # a user with a password, whose certificate is nobody's


def either(broker):
    broker.edit("iam_auth.json", lambda policy: policy.update(require="either"))


def with_listener(make_broker, suite, lines, prepare=None):
    """A broker with the plain listener, for those who watch, and a second one of these lines."""
    broker = make_broker(suite, lambda b: b.plain_conf() + lines(b), start=False)
    if prepare:
        prepare(broker)
    started = broker.starts()
    for line in broker.log.splitlines():
        if "ebsockets support not available" in line or "nix sockets not" in line:
            pytest.skip(f"{suite}: {line}")
    assert started, "the broker did not start"
    return broker


@pytest.fixture
def websockets(make_broker, suite):
    """The broker, and itself by websockets over TLS."""
    port = free_port()
    broker = with_listener(make_broker, suite, lambda b: b.listener_conf(port, more="protocol websockets\nrequire_certificate true"))
    return broker, transports.way(broker, port, wrap=transports.Websocket)


def unix_lines(broker, tls=True):
    rest = broker.listener_conf().split("\n", 1)[1]
    return "listener 0 mqtt.sock\n" + (rest if tls else "")


@pytest.fixture
def unix(make_broker, suite):
    """unix(tls, prepare): the broker, and itself by a unix socket."""
    relays = []

    def make(tls, prepare=None):
        broker = with_listener(make_broker, suite, lambda b: unix_lines(b, tls), prepare)
        relays.append(network.Relay(("", 0), broker.folder / "mqtt.sock"))
        relays[-1].flowing.set()
        return broker, transports.way(broker, relays[-1].port, tls=tls, host=network.here(broker))

    yield make
    for relay in relays:
        relay.close()


def judged(broker, way, version, person, line):
    """What a client of that line asks, does and leaves behind: only what is its own comes through."""
    watch = watcher(broker, "#")
    client = way.connect(person, version, will=Will(VICTIM_TOPIC, b"will", 1))
    wrong = ["planta/linea9/temperatura", VICTIM_TOPIC, f"planta/{line}/Temperatura", f"planta/{line}", f"planta/{line}/consigna", f"planta//{line}",
             "$CONTROL/dynamic-security/v1", "planta/_sys/alertas/publish_rate/x"]
    for topic in wrong:
        for qos in 0, 1, 2:
            for retain in False, True:
                assert client.publish(topic, "no", qos=qos, retain=retain) == refused_publish(version, qos)
    refused = REFUSED_CODES[version]
    codes = client.subscribe("#", "planta/#", "planta/+/comandos/#", "$SYS/#", "$share/g/planta/#")
    assert codes == [1 if refused is None else refused] * 5  # MQTT 3.1 is told a granted QoS
    assert client.subscribe(f"planta/{line}/comandos/#") == 1
    for qos in 0, 1, 2:
        assert client.publish(f"planta/{line}/temperatura", f"{qos}", qos=qos) == 0
    scada = broker.connect(SCADA, client_id="mando")
    for of in line, "linea9":
        assert scada.publish(f"planta/{of}/comandos/x", of, qos=1) == 0
    assert topics(seen(client, scada, f"planta/{line}/comandos/marca")) == [f"planta/{line}/comandos/x"]
    client.drop()
    broker.wait_log(f"Client {person.client_id} .*(closed|disconnected)")
    assert [(message.topic, message.payload) for message in seen(watch)] == (
        [(f"planta/{line}/temperatura", b"%d" % qos) for qos in (0, 1, 2)] +
        [(f"planta/{of}/comandos/x", of.encode()) for of in (line, "linea9")])
    assert seen(watcher(broker, "#", client_id="despues")) == []  # nothing retained


# The three versions of MQTT

@ALL
def test_attack_22_versions_of_mqtt(broker, version):
    judged(broker, broker, version, EDGE1, "linea1")


@pytest.mark.parametrize("name,level", [("MQIsdp", 4), ("MQTT", 3), ("MQTT", 6), ("MQTT", 0), ("mqtt", 4), ("", 4), ("MQIsdp", 5), ("MQTT", 0x84),
                                        ("MQIsdp", 0x83)],
                         ids=lambda value: hex(value) if isinstance(value, int) else value or "empty")
@pytest.mark.parametrize("person", [EDGE1, EDGE1._replace(password="x")], ids=["good", "bad"])
def test_attack_22_odd_protocol(broker, monkeypatch, name, level, person):
    """Names and levels that do not belong together, and those of bridges. Whom Mosquitto talks to at all has logged in and has the
    rights of that person; a wrong password is wrong under all of them."""
    version = {0x83: V31, 0x84: V311}.get(level, level if level in (V31, V5) else V311)

    class Odd(mqtt.Client):
        def _connect_body(self, *more):
            usual = mqtt.text("MQIsdp" if version == V31 else "MQTT") + bytes([version])
            return mqtt.text(name) + bytes([level]) + super()._connect_body(*more)[len(usual):]

    watch = watcher(broker, "planta/#")
    monkeypatch.setattr(mqtt, "Client", Odd)
    try:
        client = broker.connect(person, version)
    except Refused:
        client = None
    if client:
        assert person == EDGE1
        client.publish(VICTIM_TOPIC, "no", qos=1)
        client.publish("planta/linea1/temperatura", "yes", qos=1)
        assert client.subscribe("planta/#") == (REFUSED_CODES[version] or 1)
    assert payloads(seen(watch)) == [b"yes"] * bool(client)


# Websockets

@ALL
def test_attack_22_websockets(websockets, version):
    judged(*websockets, version, EDGE1, "linea1")


def test_websockets_verdicts(websockets):
    assert verdicts.ask(websockets[1]) == verdicts.RIGHT


@ALL
def test_websockets_login_by_password(websockets, version):
    """A certificate that is nobody's, and a password: the right one, or nothing doing."""
    broker, way = websockets
    way.refused(PERSONA, version, why="cert_auth")
    either(broker)
    broker.reload()
    for wrong in dict(password="x"), dict(password=None), dict(username=None, password=None), dict(username="admin"), dict(username="linea1"):
        way.refused(PERSONA, version, **wrong)
    judged(broker, way, version, PERSONA, "linea3")


def accepts(broker):
    try:
        socket.create_connection((network.host_of(broker), broker.port), 1).close()
        return True
    except OSError:
        return False


def test_websockets_by_themselves(make_broker, suite):
    """A broker with no other listener. Mosquitto 2.0.11 does not start so: give it a second one that nobody reaches."""
    broker = make_broker(suite, lambda b: b.plain_conf(listener="protocol websockets\nrequire_certificate true"), start=False)
    broker.answers = lambda: accepts(broker)  # its log names no connection that is not yet a websocket
    if suite == "bookworm":
        assert "Unable to start any listening sockets" in broker.start_refused()
        return
    broker.start()
    assert verdicts.ask(transports.way(broker, broker.port, wrap=transports.Websocket)) == verdicts.RIGHT


@ALL
@pytest.mark.parametrize("frame", [1, 7])
def test_attack_22_websockets_frames(websockets, version, frame):
    """A packet cut into many frames is the same packet."""
    broker, way = websockets
    watch = watcher(broker, "planta/#")
    way = transports.way(broker, way.port, wrap=lambda sock, host: transports.Websocket(sock, host, frame))
    client = way.connect(EDGE1, version)
    assert client.publish("planta/linea2/temperatura", "no", qos=1) == refused_publish(version, 1)
    assert client.publish("planta/linea1/temperatura", "yes", qos=1) == 0
    assert payloads(seen(watch)) == [b"yes"]


# Unix sockets

@ALL
def test_attack_22_unix_socket(unix, version):
    """With TLS on it, certificates count as over TCP."""
    judged(*unix(True), version, EDGE1, "linea1")


def test_unix_socket_verdicts(unix):
    _, way = unix(True)
    assert verdicts.ask(way) == verdicts.RIGHT


@ALL
def test_unix_socket_without_tls(unix, version):
    """Whoever reaches the socket has no certificate: a password, or nothing doing."""
    broker, way = unix(False, either)
    judged(broker, way, version, PERSONA, "linea3")
    for wrong in dict(password="x"), dict(password=None), dict(username="admin", password=None), dict(username=None, password=None):
        way.refused(PERSONA, version, **wrong)


@ALL
def test_attack_22_unix_socket_after_a_reload(unix, version):
    """After SIGHUP the broker asks again about everybody it knows, without a certificate or a password. A new connection by the socket,
    without either and with the name and client id of somebody, is not taken for that question."""
    broker, way = unix(False)
    admin = broker.connect(ADMIN, clean=False)
    admin.disconnect()
    for number in range(10):
        broker.edit("acl.json", lambda policy: policy.update({"//": f"{number}"}))
        mark = broker.mark()
        broker.hup()
        for person in ADMIN, SCADA:
            way.refused(person, version, username=person.cn, password=None, clean=False)
            way.refused(person, version, username=None, password=None)
        broker.wait_log(r"aduana: policy generation \d+ loaded", mark)
        way.refused(ADMIN, version, username="admin", password=None, clean=False)
    assert broker.connect(ADMIN, clean=False).session_present


# A listener with a mount point

def mounted(make_broker, suite, mount_point, prepare=None):
    """The broker, and itself by a listener that puts that text before every topic."""
    port = free_port()
    broker = with_listener(make_broker, suite, lambda b: b.listener_conf(port, more=f"require_certificate true\nmount_point {mount_point}"), prepare)
    return broker, transports.way(broker, port)


def heard(broker, said):
    """A topic as it is delivered by the mounted listener. Mosquitto 2.0.11 forgets to take the prefix off."""
    return ("planta/linea1/" if "mosquitto version 2.0.11 " in broker.log else "") + said


def name_anything(broker):
    broker.edit("topic_policy.json", lambda policy: policy.update(mode="watch"))


@ALL
def test_mount_point_needs_its_prefix_in_the_policy(make_broker, suite, version):
    """Policies speak of topics as the broker has them: with the prefix. The gateway says `temperatura`, is judged by
    `planta/linea1/temperatura`, and hears `comandos/x`. A grant of what the client says itself grants nothing there."""
    broker, way = mounted(make_broker, suite, "planta/linea1/", lambda b: b.edit(
        "acl.json", lambda policy: policy["roles"]["edge"]["allow"].append({"publish": ["a/b/c"], "subscribe": ["d/e/f"]})))
    watch = watcher(broker, "planta/#", "a/b/c")
    client, foreign = way.connect(EDGE1, version), way.connect(EDGE2, version)
    for said in "a/b/c", "planta/linea1/temperatura", "consigna", "Temperatura":
        assert client.publish(said, "no", qos=1) == refused_publish(version, 1)
    assert client.subscribe("d/e/f") == (REFUSED_CODES[version] or 1)
    assert foreign.publish("temperatura", "no", qos=1) == refused_publish(version, 1)
    assert broker.connect(EDGE2, version).publish("a/b/c", "plain", qos=1) == 0
    assert client.publish("temperatura", "yes", qos=1) == 0
    assert client.subscribe("comandos/#") == 1
    scada = broker.connect(SCADA, version)
    assert scada.publish("planta/linea1/comandos/x", "1", qos=1) == 0
    assert topics(seen(client, scada, "planta/linea1/comandos/marca")) == [heard(broker, "comandos/x")]
    assert [(message.topic, message.payload) for message in seen(watch)] == [
        ("a/b/c", b"plain"), ("planta/linea1/temperatura", b"yes"), ("planta/linea1/comandos/x", b"1")]


ESCAPES = ["planta/linea2/temperatura", "../linea2/temperatura", "/planta/linea2/temperatura", "/", "//x", "..", "$SYS/broker/version",
           "$CONTROL/dynamic-security/v1", "$share/g/planta/linea2/x", "\u202e/x", "x" * 200]


@ALL
def test_attack_22_mount_point_cannot_be_escaped(make_broker, suite, version):
    """Not even by somebody who may do everything: whatever is said there begins with the prefix, wills and retained
    messages too, and nothing else is heard there."""
    broker, way = mounted(make_broker, suite, "planta/linea1/", name_anything)
    broker.edit("acl.json", lambda policy: policy["roles"]["admin"].update(
        allow=[{"publish": ["#", "$CONTROL/#", "$SYS/#"], "subscribe": ["#", "$CONTROL/#", "$SYS/#"]}]))
    broker.reload()
    watch = watcher(broker, "#", "$CONTROL/#", "$SYS/broker/version")
    seen(watch)
    outside = broker.connect(ADMIN, client_id="fuera")
    client = way.connect(ADMIN, version, client_id="dentro", will=Will("planta/linea2/comandos/x", b"will", 1))
    for topic in ESCAPES:
        for retain in False, True:
            assert client.publish(topic, "x", qos=1, retain=retain) == 0
    arrived = seen(watch)
    assert set(topics(arrived)) == {"planta/linea1/" + topic for topic in ESCAPES}
    assert len(arrived) == 2 * len(ESCAPES)
    client.disconnect()
    client = way.connect(ADMIN, version, client_id="dentro", will=Will("planta/linea2/comandos/x", b"will", 1))
    for topic in ESCAPES:
        client.publish(topic, "", qos=1, retain=True)
    for topic_filter in "#", "+/+/+", "planta/#", "/#", "../#", "$SYS/#", "$share/g/#", "$share/g/planta/linea2/#", "$CONTROL/#":
        assert client.subscribe(topic_filter) == 1
    for topic in "planta/linea2/temperatura", "linea1/x", "planta/linea10/x", "$CONTROL/x/v1":
        assert outside.publish(topic, "no", qos=1) == 0
    assert outside.publish("planta/linea1/x", "yes", qos=1) == 0
    assert {(message.topic, message.payload) for message in seen(client, outside, "planta/linea1/marca")} == {(heard(broker, "x"), b"yes")}
    seen(watch)
    client.drop()
    assert watch.receive().topic == "planta/linea1/planta/linea2/comandos/x"


@pytest.mark.parametrize("version", [V5], ids=["v5"])
def test_attack_22_mount_point_and_topic_alias(make_broker, suite, version):
    """An alias stands for what was said, and is prefixed and judged each time."""
    broker, way = mounted(make_broker, suite, "planta/linea1/")
    watch, client = watcher(broker, "planta/#"), way.connect(EDGE1, version)
    for topic, expected in (("temperatura", 0), ("", 0), ("consigna", 0x87), ("", 0x87), ("planta/linea2/temperatura", 0x87), ("", 0x87)):
        assert client.publish(topic, "x", qos=1, props={mqtt.TOPIC_ALIAS: 1}) == expected
    assert topics(seen(watch)) == ["planta/linea1/temperatura"] * 2


@ALL
def test_attack_22_mount_point_without_its_slash(make_broker, suite, version):
    """The prefix is text, no level: after `planta/linea1` the client may say `0/...` and be heard in line 10. So a mount
    point ends with a slash; without one it is the role that keeps line 1 in line 1."""
    broker, way = mounted(make_broker, suite, "planta/linea1")
    watch = watcher(broker, "planta/#")
    client, admin = way.connect(EDGE1, version), way.connect(ADMIN, version)
    for said in "0/temperatura", "temperatura", "0/comandos/x":
        assert client.publish(said, "no", qos=1) == refused_publish(version, 1)
    assert client.subscribe("0/comandos/#") == (REFUSED_CODES[version] or 1)
    assert client.publish("/temperatura", "yes", qos=1) == 0
    assert admin.publish("0/comandos/x", "neighbour", qos=1) == 0
    assert topics(seen(watch)) == ["planta/linea1/temperatura", "planta/linea10/comandos/x"]


@pytest.mark.parametrize("first", ["plain", "mounted"])
def test_session_that_changes_its_listener(make_broker, suite, version, first):
    """A durable session keeps its subscriptions when its client comes by the other listener; the role decides what it gets, and it
    is told the topic as that listener says it."""
    broker, way = mounted(make_broker, suite, "planta/linea1/")
    plain, other = (broker, way) if first == "plain" else (way, broker)
    client = plain.connect(EDGE1, version, clean=False)
    assert client.subscribe("planta/linea1/comandos/#" if first == "plain" else "comandos/#") == 1
    client.disconnect()
    scada = broker.connect(SCADA, version)
    for line in "linea1", "linea2":
        assert scada.publish(f"planta/{line}/comandos/x", line, qos=1) == 0
    client = other.connect(EDGE1, version, clean=False)
    assert client.session_present
    assert [(message.topic, message.payload) for message in seen(client, scada, "planta/linea1/comandos/marca")] == [
        (heard(broker, "comandos/x") if first == "plain" else "planta/linea1/comandos/x", b"linea1")]
    assert client.publish("planta/linea2/temperatura", "no", qos=1) == refused_publish(version, 1)
