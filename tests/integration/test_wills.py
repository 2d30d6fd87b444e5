"""Wills: asked about only when sent, and then judged by the rules of the client that set them."""
import subprocess

import pytest

from mqtt import V5, Will
from plant import EDGE1, SENSOR, payloads, seen, topics, watcher


@pytest.mark.parametrize("retain", [False, True], ids=["plain", "retained"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_allowed_will_is_sent(broker, version, qos, retain):
    watch = watcher(broker, "planta/#")
    edge = broker.connect(EDGE1, version, will=Will("planta/linea1/_sys/adios", b"will", qos, retain))
    edge.drop()
    message = watch.receive()
    assert (message.topic, message.payload, message.qos) == ("planta/linea1/_sys/adios", b"will", qos)
    assert payloads(seen(watcher(broker, "planta/#", client_id="later"))) == [b"will"] * retain


@pytest.mark.parametrize("retain", [False, True], ids=["plain", "retained"])
def test_refused_will_is_not_sent(broker, version, retain):
    """Foreign, in upper case, shallow, denied, a command."""
    watch = watcher(broker, "#")
    for topic in ("planta/linea2/temperatura", "planta/linea1/Temperatura", "planta/linea1", "planta/linea1/consigna", "planta/linea2/comandos/x"):
        edge = broker.connect(EDGE1, version, will=Will(topic, b"will", 1, retain))
        assert edge.is_alive()
        edge.drop()
        broker.wait_log(rf'aduana: refused will client="edge-linea1" username="linea1" .*topic="{topic}"')
        assert seen(watch) == [], topic
    assert seen(watcher(broker, "#", client_id="later")) == []
    assert broker.connect(EDGE1, version).is_alive()


def test_will_of_a_clean_disconnect_is_dropped(broker, version):
    watch = watcher(broker, "planta/#")
    broker.connect(EDGE1, version, will=Will("planta/linea1/adios", b"will", 1)).disconnect()
    assert seen(watch) == []


def test_will_when_the_session_is_taken_over(broker, version):
    """The old connection's will is sent under its own identity; the new connection lives."""
    watch = watcher(broker, "planta/#")
    broker.connect(EDGE1, version, will=Will("planta/linea1/adios", b"will", 1))
    again = broker.connect(EDGE1, version)
    assert watch.receive().payload == b"will"
    assert again.is_alive()


@pytest.mark.parametrize("topic,arrives", [("planta/linea1/adios", True), ("planta/linea2/adios", False)], ids=["own", "foreign"])
@pytest.mark.parametrize("version", [V5], ids=["v5"])
def test_delayed_will(broker, version, topic, arrives):
    """Sent a second after the connection is gone, when only the session's record can tell who it was."""
    watch = watcher(broker, "planta/#")
    broker.connect(EDGE1, version, clean=False, will=Will(topic, b"will", 1, False, 1)).drop()
    if arrives:
        assert watch.receive().topic == topic
    else:
        broker.wait_log(r'aduana: refused will client="edge-linea1"')
        assert seen(watch) == []


def test_will_of_a_client_whose_role_was_taken(broker, version):
    watch = watcher(broker, "planta/#")
    sensor = broker.connect(SENSOR, version, will=Will("planta/linea1/adios", b"will", 1))
    broker.edit("acl.json", lambda policy: policy["roles"].update(sensor={"allow": [{"publish": ["planta/${linea}/horno"]}]}))
    broker.reload()
    sensor.drop()
    broker.wait_log(r'aduana: refused will client="sensor-linea1-horno"')
    assert topics(seen(watch)) == []


def test_will_of_a_client_that_the_broker_let_in(make_broker, suite, version):
    """Logins left to the broker's password_file: a client that never asked for anything is known by its name when its will is sent."""
    def conf(broker):
        return broker.plain_conf(("rate_monitor", "topic_policy", "acl"), extra=f"allow_anonymous false\npassword_file {broker.folder}/users")
    broker = make_broker(suite, conf, start=False)
    for name in "cert_auth", "iam_auth":
        broker.edit(f"{name}.json", lambda policy: policy.update(if_not_loaded="ignore"))
    broker.edit("acl.json", lambda policy: policy["bindings"].append({"match": {"username": "linea1"}, "roles": ["operador"]}))
    for name in "admin", "linea1":
        subprocess.run(["mosquitto_passwd", "-b", *([] if (broker.folder / "users").exists() else ["-c"]), broker.folder / "users", name, "x"],
                       check=True)
    broker.start()
    watch = watcher(broker, "planta/#", username="admin", password="x")
    for topic, allowed in ("planta/linea1/comandos/x", True), ("planta/linea1/temperatura", False):
        broker.connect(EDGE1, version, will=Will(topic, b"will", 1), username="linea1", password="x").drop()
        if allowed:
            assert watch.receive().topic == topic
        else:
            broker.wait_log(rf'aduana: refused will client="edge-linea1" username="linea1" .*topic="{topic}"')
    assert seen(watch) == []
