"""A network that is cut between a client and the broker, without either being told.

The broker learns of it by the client's keep-alive alone: half again as long after the last packet it ends the
connection and sends the will. Whoever is on another way notices nothing but that.
"""
import json

import pytest

import mqtt
from mqtt import Will
from plant import EDGE1, EDGE2, SCADA, Person, payloads, refused_publish, seen, topics, watcher

COMMANDS, KEEPALIVE = "planta/linea1/comandos/#", 1
WILL = Will("planta/linea1/_sys/adios", b"will", 1)
ONE = pytest.mark.parametrize("version", [mqtt.V311], ids=["v311"])  # where the version of MQTT makes no difference


def by(gate, broker, version, person=EDGE1, **more):
    """A connection through the gate, with a session that outlives it."""
    return broker.connect(person, version, host=gate.host, port=gate.port, clean=False, **more)


def commanded(client, broker):
    """The commands that reached the client, up to one that is sent now."""
    return payloads(seen(client, broker.connect(SCADA, client_id="marca"), "planta/linea1/comandos/marca"))


def test_lost_and_back(broker, version, make_gate):
    """Its keep-alive ends, its will is sent once, what is sent to it meanwhile waits; nobody else notices."""
    gate = make_gate(broker)
    watch, scada = watcher(broker, "planta/+/_sys/#", "planta/+/temperatura"), broker.connect(SCADA)
    neighbour = broker.connect(EDGE2, version, keepalive=KEEPALIVE * 60)
    client = by(gate, broker, version, keepalive=KEEPALIVE, will=WILL)
    client.auto_ack = False
    assert client.subscribe(COMMANDS) == 1
    assert scada.publish("planta/linea1/comandos/x", "unacknowledged", qos=1) == 0
    assert client.receive().payload == b"unacknowledged"
    gate.cut()
    assert scada.publish("planta/linea1/comandos/x", "before its end", qos=1) == 0
    client.send_publish("planta/linea1/temperatura", "into the void", qos=1)
    message = watch.receive()
    assert (message.topic, message.payload) == (WILL.topic, b"will")
    assert scada.publish("planta/linea1/comandos/x", "after its end", qos=1) == 0
    assert neighbour.publish("planta/linea2/temperatura", "as ever", qos=1) == 0
    assert payloads(seen(watch)) == [b"as ever"]
    gate.mend()
    client.wait_closed()
    back = by(gate, broker, version, keepalive=60)
    assert back.session_present
    assert commanded(back, broker) == [b"unacknowledged", b"before its end", b"after its end"]
    assert back.publish("planta/linea1/temperatura", "back", qos=1) == 0
    assert back.publish("planta/linea2/temperatura", "no", qos=1) == refused_publish(version, 1)
    assert payloads(seen(watch)) == [b"back"]
    assert neighbour.is_alive() and scada.is_alive()


def test_short_cut_is_not_noticed(broker, version, make_gate):
    """Mended within the keep-alive: the same connection goes on, and what was sent both ways arrives once, in order."""
    gate = make_gate(broker)
    watch, scada = watcher(broker, "planta/+/_sys/#", "planta/+/temperatura"), broker.connect(SCADA)
    client = by(gate, broker, version, will=WILL)
    assert client.subscribe(COMMANDS) == 1
    gate.cut()
    for number in range(10):
        assert scada.publish("planta/linea1/comandos/x", f"{number}", qos=1) == 0
        client.send_publish("planta/linea1/temperatura", f"{number}", qos=0)
    with pytest.raises(TimeoutError):
        client.receive(0.3)
    assert seen(watch) == []
    gate.mend()
    assert commanded(client, broker) == [b"%d" % number for number in range(10)]
    client.ping()
    assert payloads(seen(watch)) == [b"%d" % number for number in range(10)]


def test_takes_over_its_session_by_another_way(broker, version, make_gate):
    """The gateway comes back over a second line while the broker still believes in the first. The session goes over with
    all that waits in it; its will is not due, since the session lives on; and when the first line is mended nothing of
    the old connection is heard any more."""
    gate = make_gate(broker)
    watch, scada = watcher(broker, "planta/+/_sys/#", "planta/+/temperatura"), broker.connect(SCADA)
    old = by(gate, broker, version, will=WILL)
    assert old.subscribe(COMMANDS) == 1
    gate.cut()
    assert scada.publish("planta/linea1/comandos/x", "to nowhere", qos=1) == 0
    old.send_publish("planta/linea1/temperatura", "too late", qos=1)
    new = broker.connect(EDGE1, version, clean=False)
    assert new.session_present
    assert commanded(new, broker) == [b"to nowhere"]
    gate.mend()
    old.wait_closed()
    assert new.publish("planta/linea1/temperatura", "new", qos=1) == 0
    assert payloads(seen(watch)) == [b"new"]


def test_nobody_else_takes_over_a_lost_session(broker, version, make_gate):
    """Nor while the broker still waits for the lost client, neither after it gave it up."""
    gate = make_gate(broker)
    watch = watcher(broker, "planta/+/_sys/#")
    client = by(gate, broker, version, keepalive=KEEPALIVE, will=WILL)
    assert client.subscribe(COMMANDS) == 1
    gate.cut()
    for given_up in False, True:
        if given_up:
            assert watch.receive().payload == b"will"
        for clean in True, False:
            broker.refused(EDGE2, version, client_id=EDGE1.client_id, clean=clean, why="cert_auth")
        assert broker.connect(SCADA).publish("planta/linea1/comandos/x", "for line 1", qos=1) == 0
    gate.mend()
    assert commanded(by(gate, broker, version), broker) == [b"for line 1"] * 2


@pytest.mark.parametrize("version", [mqtt.V5], ids=["v5"])
@pytest.mark.parametrize("back_in_time", [True, False], ids=["back-in-time", "too-late"])
def test_delayed_will(broker, version, make_gate, back_in_time):
    """A client that is back before its will's delay is over is not mourned."""
    gate = make_gate(broker)
    watch = watcher(broker, "planta/+/_sys/#")
    client = by(gate, broker, version, keepalive=KEEPALIVE, will=WILL._replace(delay=60 if back_in_time else 1))
    mark = broker.mark()
    gate.cut()
    broker.wait_log("Client edge-linea1 .*(exceeded timeout|keepalive)", mark)
    if not back_in_time:
        assert watch.receive().payload == b"will"
    gate.mend()
    client.wait_closed()
    assert by(gate, broker, version).is_alive()
    assert seen(watch) == []


@ONE
def test_alerts_before_and_after(make_broker, suite, version, make_gate):
    """An alert of a client that is lost in mid-flood is raised and, though it can do nothing for it, cleared; afterwards
    the next flood raises the next."""
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", lambda policy: policy["classes"][0].update(publish={"max_per_second": 30, "clear_seconds": 1}))
    broker.start()
    gate, watch = make_gate(broker), watcher(broker, "planta/_sys/alertas/#")
    client = by(gate, broker, version, keepalive=KEEPALIVE)
    for _ in range(2):
        for number in range(60):
            client.send_publish("planta/linea1/temperatura", f"{number}")
        client.ping()
        gate.cut()
        alerts = [watch.receive() for _ in range(2)]
        assert topics(alerts) == ["planta/_sys/alertas/publish_rate/edge-linea1"] * 2
        assert [json.loads(alert.payload)["state"] for alert in alerts] == ["raised", "cleared"]
        gate.mend()
        client.wait_closed()
        client = by(gate, broker, version, keepalive=KEEPALIVE)
    assert seen(watch) == []


@ONE
def test_many_lost_at_once(broker, version, make_gate):
    """A switch fails: all clients behind it are lost together, and come back together."""
    gate, lines = make_gate(broker), range(1, 21)
    watch, scada = watcher(broker, "planta/+/adios"), broker.connect(SCADA)
    people = {line: Person(f"sensor-linea{line}-horno", "sensor") for line in lines}
    for person in people.values():
        broker.pki.client(person.cn, person.ou)  # made now, since nobody waits with a keep-alive as short as this
    broker.edit("acl.json", lambda policy: policy["roles"]["sensor"]["allow"].append({"subscribe": ["planta/${linea}/comandos/#"]}))
    broker.reload()
    for line, person in people.items():
        client = by(gate, broker, version, person, keepalive=KEEPALIVE * 3, will=Will(f"planta/linea{line}/adios", b"will", 1))
        assert client.subscribe(f"planta/linea{line}/comandos/#") == 1
    gate.cut()
    assert sorted(watch.receive().topic for _ in lines) == sorted(f"planta/linea{line}/adios" for line in lines)
    for line in lines:
        assert scada.publish(f"planta/linea{line}/comandos/x", f"{line}", qos=1) == 0
    gate.mend()
    for line, person in people.items():
        client = by(gate, broker, version, person)
        assert client.session_present
        assert payloads(seen(client, scada, f"planta/linea{line}/comandos/marca")) == [b"%d" % line]
    assert seen(watch) == []
