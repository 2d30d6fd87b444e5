"""Attacks of many: client ids, topics, subscriptions, properties; and descriptors that are gone. The broker lives, others are served meanwhile, memory has
a bound, and counters tell. ADUANA_LONG=1 makes it fifty times as many."""
import os
import resource
import socket
import sqlite3

import pytest

import flood
import mqtt
from daemon import free_port
from flood import LONG, Bystander, answers, connect_packet, counters, memory, publish_packet, user_properties
from patience import STALL
from plant import EDGE1, EDGE2, REFUSED_CODES, SCADA, payloads, refused_publish, seen, watcher

MEGABYTE = 1 << 20
PERSONA = ("persona", "paso")  # a user of line 3 whose client id is free


def many(count, sanitized):
    return count * 50 if LONG else count // 20 if sanitized else count


@pytest.fixture
def open_broker(make_broker, suite):
    """With a second listener, without TLS, whose clients have passwords: a flood costs the tests less there."""
    def conf(broker):
        broker.plain = free_port()
        return broker.plain_conf(extra="set_tcp_nodelay true") + f"listener {broker.plain} 127.0.0.1\n"
    broker = make_broker(suite, conf, start=False)
    broker.edit("iam_auth.json", lambda policy: policy.update(require="either"))
    flood.with_counters(broker)
    return broker.start()


@pytest.fixture
def bounded(sanitized):
    """bounded(before, after, megabytes): memory may have grown by so much; not asked under sanitizers, which keep all."""
    def check(before, after, megabytes):
        grown = (after - before) / MEGABYTE
        assert sanitized or grown <= megabytes, f"{grown:.1f} MB more"
    return check


def test_attack_24_strangers(open_broker, sanitized, bounded):
    """Nobody of them is let in, whatever client id they make up; nothing is kept of them."""
    broker, count = open_broker, many(20000, sanitized)
    with Bystander(broker) as bystander:
        assert answers(broker.plain, (connect_packet(f"x{number}", "persona", "no") for number in range(count // 10))) == 0
        before = memory(broker)
        assert answers(broker.plain, (connect_packet(f"forastero-{number}", "persona", "no") for number in range(count // 2))) == 0
        assert answers(broker.plain, (connect_packet(f"forastero-{number}") for number in range(count // 2))) == 0
        bounded(before, memory(broker), 4)
    assert bystander.slowest < STALL
    told = counters(broker)
    assert told["logins_refused"] >= count and told["log_lines_left_out"] > 0
    assert broker.log.count("aduana: refused connect") < count // 10, "a flood is not to fill the log"


def test_attack_24_ids_of_one_user(open_broker, sanitized, bounded):
    """Somebody with a password makes up client ids, long ones that differ at the end: he gets a tenth of the table, and
    nobody else loses what is known of him."""
    broker, count, share = open_broker, many(30000, sanitized), 10000
    away = broker.connect(EDGE2, clean=False)
    assert away.subscribe("planta/linea2/comandos/#") == 1
    away.disconnect()

    def ids(first, last):
        return (connect_packet(f"{'x' * 900}{number}", *PERSONA) for number in range(first, last))
    full = count * 2 // 3  # his share twice over: the allocator's memory has stopped growing by then
    with Bystander(broker) as bystander:
        assert answers(broker.plain, ids(0, full)) == full
        before = memory(broker)
        assert answers(broker.plain, ids(full, count)) == count - full
        bounded(before, memory(broker), 8)  # the ids alone, were they kept, are 9
    assert bystander.slowest < STALL
    assert counters(broker)["logins_accepted"] >= count
    broker.persist()
    broker.restart()
    rows = sqlite3.connect(f"file:{broker.data}/aduana-state.db?mode=ro", uri=True)
    assert rows.execute("SELECT count(*) FROM client WHERE username = 'persona'").fetchone()[0] <= share + 1
    rows.close()
    broker.connect(SCADA).publish("planta/linea2/comandos/x", "kept", qos=1)
    away = broker.connect(EDGE2, clean=False)
    assert away.session_present and away.receive().payload == b"kept"


@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "refused"])
def test_attack_24_topics(open_broker, sanitized, bounded, allowed):
    """A new topic with each message."""
    broker, count = open_broker, many(50000, sanitized)
    line = 3 if allowed else 2
    attacker = mqtt.Client(broker.plain, "topicos", mqtt.V311, username=PERSONA[0], password=PERSONA[1])

    def storm(first, last):
        for start in range(first, last, 1000):
            attacker.sock.sendall(b"".join(publish_packet(f"planta/linea{line}/t{number}", b"x") for number in range(start, start + 1000)))
        attacker.ping()
    with Bystander(broker) as bystander:
        storm(0, count // 5)
        before = memory(broker)
        storm(count // 5, count)
        bounded(before, memory(broker), 4)
    assert bystander.slowest < STALL
    told = counters(broker)
    assert told["publish_allowed" if allowed else "publish_refused"] >= count
    assert broker.log.count("aduana: refused publish") < 1000


def subscribe_packet(mid, filters, props=None):
    body = mid.to_bytes(2, "big") + (b"" if props is None else mqtt.varint(len(props)) + props) + b"".join(mqtt.text(topic_filter) + b"\x00" for topic_filter in filters)
    return b"\x82" + mqtt.varint(len(body)) + body


@pytest.mark.parametrize("what", ["allowed", "refused", "deep"])
def test_attack_24_subscriptions(open_broker, sanitized, bounded, what):
    """Thousands of filters, a thousand in each packet; deep ones have as many levels as the broker takes."""
    broker, count = open_broker, many(20000, sanitized)
    form = {"allowed": "planta/linea3/comandos/c{}", "refused": "planta/linea2/+/c{}", "deep": "planta/linea3" + "/+" * 190 + "/c{}"}[what]
    attacker = mqtt.Client(broker.plain, "filtros", mqtt.V311, username=PERSONA[0], password=PERSONA[1])
    before = memory(broker)
    with Bystander(broker) as bystander:
        for mid in range(1, count // 1000 + 1):
            attacker.sock.sendall(subscribe_packet(mid, (form.format(number) for number in range(mid * 1000, mid * 1000 + 1000))))
            assert set(attacker._wait(mqtt.SUBACK, mid)[2:]) == ({0} if what == "allowed" else {REFUSED_CODES[4]})
    assert bystander.slowest < STALL
    bounded(before, memory(broker), 25 if what == "allowed" else 4)  # what the broker itself keeps of a subscription
    told = counters(broker)
    assert told["subscribe_allowed" if what == "allowed" else "subscribe_refused"] >= count
    assert broker.log.count("aduana: refused subscribe") < 1000


def cut_off(port, props, client_id):
    """Connects with these properties, and a will that has them too; the connection is cut, so that the will is due."""
    props = mqtt.varint(len(props)) + props
    body = (mqtt.text("MQTT") + bytes([5, 0xC6, 0, 60]) + props + mqtt.text(client_id) + props + mqtt.text("planta/linea2/adios") +
            mqtt.text("x") + mqtt.text(PERSONA[0]) + mqtt.text(PERSONA[1]))
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        sock.sendall(b"\x10" + mqtt.varint(len(body)) + body)
        assert sock.recv(4)[3:] == b"\0"


def test_attack_24_user_properties(open_broker, sanitized, bounded):
    """Packets of MQTT 5 that are all properties, in CONNECT, will, PUBLISH and SUBSCRIBE."""
    broker, bomb, small = open_broker, user_properties(20000), user_properties(1500)  # newer brokers take big ones in PUBLISH only
    watch = watcher(broker, "planta/linea3/+", version=5)
    with Bystander(broker) as bystander:
        attacker = mqtt.Client(broker.plain, "propiedades", mqtt.V5, username=PERSONA[0], password=PERSONA[1])
        before = memory(broker)
        for number in range(10 if sanitized else 100):
            for topic in "planta/linea3/t", "planta/linea2/t":
                attacker.sock.sendall(publish_packet(topic, b"%d" % number, bomb if number % 10 == 0 else user_properties(number)))
        attacker.ping()
        assert payloads(seen(watch)) == [b"%d" % number for number in range(10 if sanitized else 100)]
        for number in range(20):
            attacker.sock.sendall(subscribe_packet(1, ["planta/linea2/#"], small))
            assert attacker._wait(mqtt.SUBACK, 1)[-1] == 0x87
            cut_off(broker.plain, small, f"bomba-{number}")
        bounded(before, memory(broker), 40)  # a few packets of a megabyte at once, and what the allocator keeps
    assert bystander.slowest < STALL
    assert payloads(seen(watch)) == []


def test_attack_29_no_descriptors_left(broker, version):
    """A reload that can open nothing changes nothing; who is connected is served; with descriptors all is as before."""
    edge = broker.connect(EDGE1, version)
    used = max(int(name) for name in os.listdir(f"/proc/{broker.proc.pid}/fd"))
    before = resource.prlimit(broker.proc.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(broker.proc.pid, resource.RLIMIT_NOFILE, (used + 1, before[1]))
    assert "Too many open files" in broker.reload_refused()
    assert edge.publish("planta/linea1/temperatura", "x", qos=1) == 0
    assert edge.publish("planta/linea2/temperatura", "x", qos=1) == refused_publish(version, 1)
    with pytest.raises(mqtt.Refused):
        broker.connect(SCADA, version, timeout=2)
    resource.prlimit(broker.proc.pid, resource.RLIMIT_NOFILE, before)
    assert broker.reload() == 2
    assert broker.connect(SCADA, version).publish("planta/linea1/comandos/x", "x", qos=1) == 0
