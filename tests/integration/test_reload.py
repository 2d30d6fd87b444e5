"""SIGHUP: all files or none, the next message is judged by the new policy, and nobody is disconnected."""
import subprocess

import pytest

from daemon import until
from plant import (ADMIN, EDGE1, EDGE2, EDGE3, LECTOR1, REFUSED_CODES, SCADA, SENSOR, TABLERO, payloads, refused_publish, seen, watcher)


def roles(**changes):
    return lambda policy: policy["roles"].update(changes)


def everybody(broker):
    """One connected client of each kind and version, with password and without."""
    return [broker.connect(EDGE1, 4), broker.connect(EDGE2, 5, clean=False), broker.connect(EDGE3, 3), broker.connect(SENSOR, 5),
            broker.connect(SCADA, 4, username="someone", password="else"), broker.connect(LECTOR1, 5), broker.connect(TABLERO, 4, clean=False)]


def test_nobody_is_disconnected(broker):
    """The broker asks BASIC_AUTH again for every session at SIGHUP, those that are away included."""
    away = broker.connect(ADMIN, 5, clean=False, client_id="ausente")
    away.subscribe("planta/+/temperatura")
    away.disconnect()
    clients = everybody(broker)
    for number in range(2, 5):
        assert broker.reload() == number
        assert all(client.is_alive() for client in clients)
    assert clients[0].publish("planta/linea1/temperatura", "x", qos=1) == 0
    back = broker.connect(ADMIN, 5, clean=False, client_id="ausente")
    assert back.session_present and back.receive().payload == b"x"


def test_after_a_restart_restored_sessions_survive_it_too(broker, version):
    client = broker.connect(EDGE1, version, clean=False)
    client.subscribe("planta/linea1/comandos/#")
    client.disconnect()
    broker.restart()
    broker.reload()
    broker.connect(SCADA).publish("planta/linea1/comandos/x", "x", qos=1)
    client = broker.connect(EDGE1, version, clean=False)
    assert client.session_present and client.receive().payload == b"x"


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_the_next_message_is_judged_anew(broker, version, qos):
    watch, edge = watcher(broker, "planta/#"), broker.connect(EDGE1, version)
    rules = {"allow": [{"publish": ["planta/${linea}/horno"]}, {"subscribe": ["planta/${linea}/comandos/#"]}]}
    assert edge.publish("planta/linea1/temperatura", "before", qos=qos) == 0
    assert edge.publish("planta/linea1/horno", "before", qos=qos) == 0
    broker.edit("acl.json", roles(edge=rules))
    broker.reload()
    assert edge.publish("planta/linea1/temperatura", "after", qos=qos) == refused_publish(version, qos)
    assert edge.publish("planta/linea1/horno", "after", qos=qos) == 0
    assert payloads(seen(watch)) == [b"before", b"before", b"after"]
    broker.put_back("acl.json")
    broker.reload()
    assert edge.publish("planta/linea1/temperatura", "again", qos=qos) == 0
    assert payloads(seen(watch)) == [b"again"]


def test_delivery_and_subscriptions_are_judged_anew(broker, version):
    reader, admin = broker.connect(LECTOR1, version), broker.connect(ADMIN)
    reader.subscribe("planta/linea1/#")
    broker.edit("acl.json", roles(lector={"allow": [{"subscribe": ["planta/linea1/horno"]}]}))
    broker.reload()
    admin.publish("planta/linea1/temperatura", "no", qos=1)
    assert seen(reader, admin, "planta/linea1/horno") == []
    assert reader.subscribe("planta/linea1/#", "planta/linea1/horno") == [REFUSED_CODES[version], 1]


def test_role_removed(broker, version):
    """No role, no rights, at the next publish; the connection stays."""
    watch, sensor = watcher(broker, "planta/#"), broker.connect(SENSOR, version)
    assert sensor.publish("planta/linea1/horno", "before", qos=1) == 0
    broker.edit("cert_auth.json", lambda policy: policy["identities"][1].pop("roles"))
    broker.reload()
    assert sensor.publish("planta/linea1/horno", "after", qos=1) == refused_publish(version, 1)
    assert payloads(seen(watch)) == [b"before"]
    assert sensor.is_alive()


def test_role_given(broker, version):
    reader = broker.connect(LECTOR1, version)
    assert reader.subscribe("planta/+/comandos/#") == REFUSED_CODES[version]
    broker.edit("acl.json", lambda policy: policy["bindings"].append({"match": {"cert.cn": "lector-linea1"}, "roles": ["operador"]}))
    broker.reload()
    assert reader.subscribe("planta/+/comandos/#") == 1


def test_identity_removed(broker, version):
    """Who is nobody any more is kicked and stays out; the others stay in."""
    sensor, edge, watch = broker.connect(SENSOR, version), broker.connect(EDGE1, version), watcher(broker, "planta/#")
    broker.edit("cert_auth.json", lambda policy: policy["identities"].pop(1))
    broker.reload()
    sensor.wait_closed()
    broker.refused(SENSOR, version, why="cert_auth")
    assert edge.is_alive() and watch.is_alive()


def test_identity_changed(broker, version):
    """The same certificate under another name: rights follow the new policy, or the client has to log in again."""
    sensor, watch = broker.connect(SENSOR, version), watcher(broker, "planta/#")
    broker.edit("cert_auth.json", lambda policy: policy["identities"][1]["attributes"].update(linea="linea7"))
    broker.reload()
    if sensor.is_alive():
        assert sensor.publish("planta/linea1/horno", "no", qos=1) == refused_publish(version, 1)
    sensor = broker.connect(SENSOR, version)
    assert sensor.publish("planta/linea7/horno", "yes", qos=1) == 0
    assert payloads(seen(watch)) == [b"yes"]


BAD_FILES = {
    "syntax": ("acl.json", '{"roles": {', r"acl\.json:1:\d+: "),
    "empty": ("acl.json", "", r"acl\.json:1:\d+: "),
    "not-an-object": ("iam_auth.json", "[]", r"iam_auth\.json:1:1: "),
    "unknown-key": ("acl.json", '{"roles": {"edge": {"allow": [\n  {"pubish": ["a"]}]}}}',
                    r'acl\.json:2:\d+: roles\.edge\.allow\[0\]\.pubish: unknown key; did you mean "publish"\?'),
    "duplicate-key": ("topic_policy.json", '{"depth": {"min": 3},\n "depth": {"min": 1}}', r"topic_policy\.json:2:\d+: .*depth"),
    "undefined-role": ("rate_monitor.json", '{"classes": [{"name": "a", "match": {"role": "ege"}}], "alerts": {"topic": "a/b/c"}}',
                       r"rate_monitor\.json:1:\d+: .*ege"),
    "undefined-role-of-identity": ("cert_auth.json", '{"identities": [{"name": "a", "match": {}, "username": "${cert.cn}", "roles": ["nada"]}]}',
                                   r"cert_auth\.json:1:\d+: .*nada"),
    "undefined-attribute": ("cert_auth.json", '{"identities": [{"name": "a", "match": {}, "username": "${linia}"}]}', r"cert_auth\.json:1:\d+: .*linia"),
    "undefined-attribute-of-another-file": ("acl.json", ("${linea}/comandos", "${linia}/comandos"), r"acl\.json:\d+:\d+: .*linia"),
    "wrong-type": ("topic_policy.json", '{"depth": {"min": "three"}}', r"topic_policy\.json:1:\d+: depth\.min"),
    "out-of-range": ("topic_policy.json", '{"depth": {"min": 4, "max": 3}}', r"topic_policy\.json:1:\d+: depth"),
    "bad-pattern": ("cert_auth.json", '{"identities": [{"name": "a", "match": {"cert.cn": {"pattern": "a("}}, "username": "x"}]}', r"cert_auth\.json:1:\d+: "),
    "bad-filter": ("acl.json", ("planta/+/secreto", "planta/#/secreto"), r"acl\.json:\d+:\d+: "),
    "bad-hash": ("iam_auth.json", ("$7$101$c2FsLXBlcnNvbmEh", "secret"), r"iam_auth\.json:\d+:\d+: "),
    "absurd-cost": ("iam_auth.json", ("$7$101$c2FsLXBlcnNvbmEh", "$7$1000001$c2FsLXBlcnNvbmEh"), r"iam_auth\.json:\d+:\d+: "),
    "absurd-memory": ("iam_auth.json", ("m=64,", "m=65537,"), r"iam_auth\.json:\d+:\d+: "),
    "two-passwords": ("iam_auth.json", ('"linea2": {', '"linea3": {'), r"linea3"),
    "unknown-provider": ("iam_auth.json", '{"providers": ["ldpa"]}', r"iam_auth\.json:1:\d+: .*local"),
    "no-alert-topic": ("rate_monitor.json", '{"classes": []}', r"rate_monitor\.json.*alerts"),
    "bad-line-in-passwd": ("passwd", "linea3\n", r"passwd:1"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_file_changes_nothing(broker, case):
    """The last good policy stays, all of it; the error names file, line and column; a good one loads again."""
    name, content, error = BAD_FILES[case]
    client, watch = broker.connect(EDGE1, 5), watcher(broker, "planta/+/+")
    good = (broker.policies / name).read_text()
    broker.write(name, good.replace(*content) if isinstance(content, tuple) else content)
    other = "acl.json" if name == "topic_policy.json" else "topic_policy.json"
    broker.edit(other, lambda policy: policy.update(mode="watch"))
    line = broker.reload_refused()
    assert "generation 1 stays" in line
    broker.wait_log(f"aduana: policy not loaded, generation 1 stays: .*{error}")
    for topic in "planta/linea1/Temperatura", "planta/linea2/temperatura":  # not even the good file was taken
        assert client.publish(topic, "no", qos=1) == 0x87
    assert client.publish("planta/linea1/temperatura", "yes", qos=1) == 0
    assert payloads(seen(watch)) == [b"yes"]
    broker.put_back(name)
    broker.put_back(other)
    assert broker.reload() == 2
    assert client.publish("planta/linea1/temperatura", "yes", qos=1) == 0


@pytest.mark.parametrize("name", ["acl.json", "cert_auth.json", "passwd"])
def test_file_gone(broker, name):
    """A file that vanished is not a policy without it."""
    client = broker.connect(EDGE1, 5)
    (broker.policies / name).unlink()
    assert name in broker.reload_refused()
    assert client.publish("planta/linea1/temperatura", "x", qos=1) == 0
    assert client.publish("planta/linea2/temperatura", "x", qos=1) == 0x87
    assert broker.connect(EDGE3, 5).is_alive()


def test_passwd_is_read_again(broker, version):
    connected = broker.connect(EDGE3, version)
    subprocess.run(["mosquitto_passwd", "-b", broker.policies / "passwd", "linea3", "nueva"], check=True)
    broker.reload()
    assert connected.publish("planta/linea3/temperatura", "x", qos=1) == 0
    broker.refused(EDGE3, version, why="iam_auth")
    assert broker.connect(EDGE3, version, password="nueva").is_alive()


def test_user_removed(broker, version):
    """Its identity asks for a password that it no longer has: kicked."""
    client, other = broker.connect(EDGE3, version), broker.connect(EDGE1, version)
    broker.write("passwd", "")
    broker.reload()
    client.wait_closed()
    broker.refused(EDGE3, version, why="iam_auth")
    assert other.is_alive()


def test_twice_quickly(broker):
    clients = everybody(broker)
    broker.edit("acl.json", roles(sensor={"allow": [{"publish": ["planta/${linea}/nuevo"]}]}))
    for _ in range(5):
        broker.hup()
        broker.hup()
    until(lambda: clients[3].publish("planta/linea1/horno", "x", qos=1) == 0x87, what="new policy in force")
    assert clients[3].publish("planta/linea1/nuevo", "x", qos=1) == 0
    assert all(client.is_alive() for client in clients)


def test_under_load(broker):
    """Reloads while messages flow: every message arrives, in order."""
    watch, edge = watcher(broker, "planta/linea1/temperatura"), broker.connect(EDGE1, 5)
    for number in range(200):
        if number % 20 == 0:
            broker.hup()
        assert edge.publish("planta/linea1/temperatura", f"{number}", qos=1) == 0
    assert payloads(seen(watch)) == [b"%d" % number for number in range(200)]


def test_mode_changes_by_reload(broker, version):
    watch, client = watcher(broker, "planta/#"), broker.connect(EDGE1, version)
    broker.edit("topic_policy.json", lambda policy: policy.update(mode="watch"))
    broker.reload()
    assert client.publish("planta/linea1/Temperatura", "watched", qos=1) == 0
    broker.put_back("topic_policy.json")
    broker.reload()
    assert client.publish("planta/linea1/Temperatura", "enforced", qos=1) == refused_publish(version, 1)
    assert payloads(seen(watch)) == [b"watched"]
