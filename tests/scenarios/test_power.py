"""The broker is killed with -9 and started again: whoever may have what was kept gets it, and nobody else does.

What Mosquitto itself keeps is what its database had when it was last written (`broker.persist()`); wills and the
messages since then are gone with it, with or without the bundle.
"""
import signal
import threading

import pytest

import mqtt
import verdicts
from crowd import LINES, LONG, device, everybody, keeps_its_role, line_of, mark_of, odd_lines
from daemon import until
from mqtt import Closed, Refused, Will
from plant import ADMIN, EDGE1, EDGE2, LECTOR1, SCADA, REFUSED_CODES, Person, payloads, refused_publish, seen, watcher

COMMANDS = "planta/linea1/comandos/#"


def power_cut(broker, change=None):
    """kill -9, and start again; the policy is changed while the broker is down."""
    broker.persist()
    broker.kill9()
    if change:
        broker.edit("acl.json", change)
    broker.start()


def command(broker, text, lines, qos=1, name="x"):
    scada = broker.connect(SCADA, client_id="mando")
    for line in lines:
        assert scada.publish(f"planta/linea{line}/comandos/{name}", text, qos=qos) == 0
    scada.disconnect()


# Many sessions

def join(broker, version, number):
    """A device with a durable session. Every other one stays connected and acknowledges nothing."""
    stays = number // LINES % 2
    will = Will(f"planta/linea{line_of(number)}/adios", b"will", 1) if stays else None
    client = broker.connect(device(number), version, clean=False, will=will)
    client.auto_ack = not stays
    assert client.subscribe(f"planta/linea{line_of(number)}/comandos/#", qos=1 + number // LINES // 2 % 2) in (1, 2)
    if number < LINES:
        assert client.publish(f"planta/linea{line_of(number)}/horno", f"{number}", qos=1, retain=True) == 0
    if not stays:
        client.disconnect()


def come_back(broker, version, number, marker):
    """What the device got that was kept for it. Its session is there, and its rights are those of today."""
    client = broker.connect(device(number), version, clean=False)
    assert client.session_present, number
    assert client.subscribe(mark_of(number)) == 1
    got = payloads(seen(client, marker, mark_of(number)))
    own = 0 if keeps_its_role(number) else refused_publish(version, 1)
    assert client.publish(f"planta/linea{line_of(number)}/temperatura", f"{number}", qos=1) == own
    client.disconnect()
    return got


@pytest.mark.long
def test_attack_30_many_durable_sessions(make_broker, suite, version):
    """Each has messages of QoS 1 and 2 queued or unacknowledged when the broker is killed. Half of the lines lose
    their role while it is down: their devices get nothing any more, neither what was kept nor what is new; the
    other half get everything, once each. Nor can anybody else come for it with their client ids."""
    extra = "check_retain_source true\nset_tcp_nodelay true"  # or whoever comes back to a queue waits 40 ms for it
    broker = make_broker(suite, lambda b: b.plain_conf(extra=extra), start=False)
    broker.edit("acl.json", everybody)
    broker.start()
    count, lines = 1000 if LONG else 200 // broker.slow, range(1, LINES + 1)
    for number in range(count):
        join(broker, version, number)
    command(broker, "first", lines)
    command(broker, "second", lines, qos=2)
    power_cut(broker, odd_lines)
    watch = watcher(broker, "planta/#", client_id="despues")
    assert sorted(payloads(seen(watch))) == sorted(b"%d" % n for n in range(LINES) if keeps_its_role(n)), "retained messages"
    command(broker, "third", lines)
    seen(watch)
    for number in range(LINES):
        broker.refused(device(number)._replace(cn=device(number + 2).cn), version, clean=bool(number % 2), why="this client id is in use")
    for number in range(count):
        expected = [b"first", b"second", b"third"] if keeps_its_role(number) else []
        assert come_back(broker, version, number, watch) == expected, number
    assert payloads(seen(watch)) == [b"%d" % n for n in range(count) if keeps_its_role(n)], "no will, nothing twice"


# One session in every state

def test_unacknowledged_in_order(broker, version):
    """Messages that were sent and not acknowledged come again, before those that were queued, and each once more."""
    client = broker.connect(EDGE1, version, clean=False)
    client.auto_ack = False
    assert client.subscribe(COMMANDS, qos=2) == 2
    for number in range(40):  # more than may be in flight
        command(broker, f"{number}", [1], qos=1 + number % 2)
    assert client.receive().payload == b"0"
    power_cut(broker)
    client = broker.connect(EDGE1, version, clean=False)
    got = seen(client, broker.connect(SCADA, client_id="mando"), "planta/linea1/comandos/marca")
    assert payloads(got) == [b"%d" % number for number in range(40)]


def test_half_a_qos2_publish(broker, version):
    """Stored by the broker, not yet released by the client: released after the power cut, it arrives once."""
    edge = broker.connect(EDGE1, version, clean=False)
    mid = edge.send_publish("planta/linea1/temperatura", "half", qos=2)
    edge._wait(mqtt.PUBREC, mid)
    power_cut(broker)
    watch = watcher(broker, "planta/#")
    edge = broker.connect(EDGE1, version, clean=False)
    assert edge.session_present
    edge.send_publish("planta/linea1/temperatura", "half", qos=2, mid=mid, dup=True)
    edge._wait(mqtt.PUBREC, mid)
    edge.release(mid)
    assert payloads(seen(watch)) == [b"half"]


def test_half_a_qos2_delivery(broker, version):
    """The client has taken the message, and the broker not yet said that it may use it: it is not sent again."""
    client = broker.connect(EDGE1, version, clean=False)
    client.auto_ack = False
    assert client.subscribe(COMMANDS, qos=2) == 2
    command(broker, "once", [1], qos=2)
    assert client.receive().payload == b"once"
    client._send(0x50, b"\x00\x01")  # PUBREC of the first packet id
    client.ping()
    power_cut(broker)
    client = broker.connect(EDGE1, version, clean=False)
    assert client.session_present
    assert seen(client, broker.connect(SCADA, client_id="mando"), "planta/linea1/comandos/marca") == []


@pytest.mark.parametrize("qos", [1, 2])
def test_role_taken_while_a_message_was_half_delivered(broker, version, qos):
    """It may have arrived before; it does not come again."""
    client = broker.connect(LECTOR1, version, clean=False)
    client.auto_ack = False
    assert client.subscribe("planta/linea1/#", qos=qos) == qos
    command(broker, "one", [1], qos=qos)
    assert client.receive().payload == b"one"
    power_cut(broker, lambda policy: policy["roles"].update(lector={"allow": [{"subscribe": ["planta/linea1/horno"]}]}))
    client = broker.connect(LECTOR1, version, clean=False)
    assert seen(client, broker.connect(ADMIN), "planta/linea1/horno") == []
    assert client.subscribe(COMMANDS) == REFUSED_CODES[version]


def test_retained(broker, version):
    """The last value that was saved is there, a cleared one stays cleared, and only its own line reads it."""
    edge = broker.connect(EDGE1, version)
    for topic, texts in (("temperatura", ["1", "2"]), ("horno", ["x", ""])):
        for text in texts:
            assert edge.publish(f"planta/linea1/{topic}", text, qos=1, retain=True) == 0
    power_cut(broker)
    for person, expected in (ADMIN, [b"2"]), (LECTOR1, [b"2"]):
        client = broker.connect(person, version)
        assert client.subscribe("planta/linea1/#") == 1
        assert payloads(seen(client, broker.connect(ADMIN, client_id="marca"), "planta/linea1/marca")) == expected
    other = broker.connect(EDGE2, version)
    assert other.subscribe("planta/linea1/#") == REFUSED_CODES[version]


@pytest.mark.parametrize("durable", [False, True], ids=["clean", "durable"])
def test_wills(broker, version, durable):
    """The will of a connection dies with the broker. The next connection's is sent once; of somebody whose role was
    taken meanwhile it is not."""
    will = Will("planta/linea1/adios", b"will", 1)
    people = [EDGE1, Person("sensor-linea1-horno", "sensor")]
    for person in people:
        broker.connect(person, version, clean=not durable, will=will._replace(payload=b"old"))
    power_cut(broker, lambda policy: policy["roles"].update(sensor={"allow": [{"publish": ["planta/${linea}/horno"]}]}))
    watch = watcher(broker, "planta/#")
    for person in people:
        broker.connect(person, version, clean=not durable, will=will).drop()
        broker.wait_log(f"Client {person.cn} .*(closed its connection|closed by client)")
    broker.wait_log('aduana: refused will client="sensor-linea1-horno"')
    assert payloads(seen(watch)) == [b"will"]


# While it writes

class Storm:
    """Devices that log in as fast as they can, each with a durable session and a command subscribed, until the broker is gone."""

    def __init__(self, broker, first):
        self.broker, self.joined, self.lock, self.next = broker, [], threading.Lock(), first
        for number in range(LINES):  # certificates are made by one thread only
            broker.pki.client(device(number).cn, device(number).ou)
        self.threads = [threading.Thread(target=self._run) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        try:
            while True:
                with self.lock:
                    number, self.next = self.next, self.next + 1
                client = self.broker.connect(device(number), 4 + number % 2, clean=False)
                client.subscribe(f"planta/linea{line_of(number)}/comandos/#")
                self.joined.append(number)
                if number % 2:
                    client.drop()
        except (Closed, Refused, OSError):
            pass

    def end(self):
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()
        return self.joined


def inherits(broker, number):
    """Whether somebody of another line, who asks for the device's client id, is given its session."""
    foreigner = device(number)._replace(cn=device(number + 1).cn)
    try:
        client = broker.connect(foreigner, 4 + number % 2, clean=False)
    except Refused:
        return False
    assert client.subscribe(f"planta/linea{line_of(number)}/comandos/#") >= 0x80
    client.disconnect()
    return client.session_present


def storm_and_kill(broker, first, round_):
    """A storm of logins that ends in a kill -9. Who joined; how many of them before the broker was told to write its
    database; the next free number."""
    storm = Storm(broker, first)
    until(lambda: len(storm.joined) > 20 + 7 * round_, "logins")
    saved = len(storm.joined)
    if round_ % 3:
        broker.proc.send_signal(signal.SIGUSR1)
        until(lambda: len(storm.joined) > saved + 2 * round_, "more logins")
    broker.kill9()
    return storm.end(), saved, storm.next


def owner_comes_back(broker, number, subscribed):
    """Its own line and nothing else is open to it. Whether it had its session; what is kept in a session with a
    subscription, it gets."""
    client = broker.connect(device(number), 4 + number % 2, clean=False)
    assert client.subscribe(f"planta/linea{line_of(number)}/comandos/#") == 1
    assert client.publish(f"planta/linea{line_of(number + 1)}/horno", "no", qos=1) == refused_publish(client.version, 1)
    assert client.publish(f"planta/linea{line_of(number)}/horno", "yes", qos=1) == 0
    scada = broker.connect(SCADA, client_id="mando")
    got = payloads(seen(client, scada, f"planta/linea{line_of(number)}/comandos/marca"))
    client.disconnect()
    assert got == [b"kept"] or not got and not (client.session_present and subscribed), number
    return client.session_present


@pytest.mark.long
def test_attack_30_killed_while_it_writes(make_broker, suite):
    """Killed at any moment of a storm of logins, with its database and its state file half-written, the broker starts
    again without help; nobody is given the session of somebody else, or let through who should not be."""
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", everybody)
    broker.start()
    first, survivors = 0, 0
    for round_ in range(40 if LONG else max(2, 6 // broker.slow)):
        joined, saved, first = storm_and_kill(broker, first, round_)
        mark = broker.mark()
        broker.start()
        assert "damaged" not in broker.log_since(mark)
        command(broker, "kept", range(1, LINES + 1))
        for at in range(0, len(joined), 5):
            assert not inherits(broker, joined[at]), joined[at]
        for at in range(1, len(joined), 5):
            survivors += owner_comes_back(broker, joined[at], at < saved)
    assert survivors, "no round left a session in the broker's database"
    broker.put_back("acl.json")
    broker.reload()
    assert verdicts.ask(broker) == verdicts.RIGHT
