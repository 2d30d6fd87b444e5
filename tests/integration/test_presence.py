"""Presence: a retained topic for each client says whether it is connected, whatever becomes of client and broker."""
import json
import sqlite3

import pytest

from daemon import until
from mqtt import Will
from plant import EDGE1, SENSOR, seen, watcher

TOPIC = "planta/_sys/presencia/"


def present(make_broker, suite):
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", lambda policy: policy.update(presence={"topic": TOPIC + "${client_id}"}))
    return broker.start()


def next_of(watch, client_id):
    """The next that is said of that client; what is said of the watchers themselves is passed over."""
    while True:
        message = watch.receive()
        if message.topic == TOPIC + client_id:
            said = json.loads(message.payload)
            assert said["client_id"] == client_id and said["since"].endswith("Z")
            return said["state"], said["reason"], message.retain


def about(messages, client_id):
    return [message.payload for message in messages if message.topic == TOPIC + client_id]


def test_presence(make_broker, suite):
    """Online, taken over, lost, disconnected: each once; a log-in that is refused says nothing; nobody else may say it."""
    broker = present(make_broker, suite)
    sid = suite == "sid"  # the only one that tells plugins how a connection ended
    watch = watcher(broker, TOPIC + "#")
    first = broker.connect(EDGE1)
    assert next_of(watch, "edge-linea1") == ("online", "connected", False)
    second = broker.connect(EDGE1)
    assert next_of(watch, "edge-linea1") == ("online", "taken_over", False)
    first.wait_closed()
    broker.refused(EDGE1._replace(password="wrong"))
    second.publish(TOPIC + "edge-linea1", "no", qos=1, retain=True)
    assert about(seen(watch), "edge-linea1") == []
    second.disconnect()
    assert next_of(watch, "edge-linea1") == ("offline", "disconnected" if sid else "ended", False)
    assert next_of(watcher(broker, TOPIC + "#", client_id="tarde"), "edge-linea1")[2]  # it is kept
    dying = broker.connect(EDGE1, will=Will("planta/linea1/estado", b"gone"))
    assert next_of(watch, "edge-linea1") == ("online", "connected", False)
    dying.drop()
    assert next_of(watch, "edge-linea1") == ("offline", "connection_lost", False)


def kept(broker):
    with sqlite3.connect(f"file:{broker.data}/aduana-state.db?mode=ro", uri=True) as state:
        return {row[0] for row in state.execute("SELECT client_id FROM kept")}


@pytest.mark.local
def test_presence_after_the_broker_was_killed(make_broker, suite):
    """Who was connected when the broker was killed is not; who comes back is."""
    broker = present(make_broker, suite)
    watch = watcher(broker, TOPIC + "#")
    broker.connect(EDGE1)
    broker.connect(SENSOR, client_id="sensor")
    assert next_of(watch, "sensor")[0] == "online"
    until(lambda: {"edge-linea1", "sensor"} <= kept(broker), "the state file knows them")
    broker.persist()  # so that the broker has the old message still
    broker.kill9()
    broker.start()
    back = broker.connect(EDGE1)
    late = watcher(broker, TOPIC + "#", client_id="tarde")
    expected, said = {"sensor": ("offline", "broker_restarted"), "edge-linea1": ("online", "connected")}, {}
    while {client_id: said.get(client_id) for client_id in expected} != expected:  # the old messages may come first
        message = late.receive()
        if message.topic.startswith(TOPIC):
            this = json.loads(message.payload)
            said[this["client_id"]] = this["state"], this["reason"]
    assert back.is_alive()
