"""The audit log: every refusal as a line of JSON, whatever becomes of the place where it is written."""
import json
import os
import time

import pytest

import mqtt
from control import allow_control, chief, told
from daemon import until
from mqtt import Will
from patience import STALL
from plant import EDGE1, TABLERO, payloads, seen, watcher


class Audit:
    """What a broker writes to a file; `use` before it starts, or before a reload."""

    def __init__(self, broker, name="audit.log"):
        self.broker, self.path = broker, broker.data / name

    def use(self, to=None, **more):
        self.broker.write("aduana.json", json.dumps({"audit": {"to": to or f"file:{self.path}", **more}}))
        return self

    def lines(self):
        """All that are written by now. One that is just being written is left out, and none may be broken."""
        text = self.path.read_bytes() if self.path.exists() else b""
        return [json.loads(line.decode()) for line in text.split(b"\n")[:-1]]

    def wait(self, count=1, **wanted):
        """The last of at least so many lines that have these values."""
        def found():
            lines = [line for line in self.lines() if all(line.get(key) == value for key, value in wanted.items())]
            return lines[count - 1:] and lines
        return until(found, what=f"{count} lines with {wanted}")[-1]


@pytest.fixture
def plant(make_broker, suite):
    """A broker that has not started, and its audit log."""
    broker = allow_control(make_broker(suite, start=False))
    return broker, Audit(broker).use()


def status(boss):
    """Asked once a tick or two, as no more than 20 questions a second are answered."""
    time.sleep(0.1)
    return told(boss, "status")


def counted(boss, **wanted):
    """Waits for counters of at least these values; all of them."""
    def look():
        counters = status(boss)["counters"]
        return counters if all(counters[key] >= value for key, value in wanted.items()) else None
    return until(look, what=f"counters {wanted}")


def refuse(client, count=1, topic="planta/linea2/temperatura"):
    for _ in range(count):
        client.publish(topic, "x", qos=1)


def test_every_kind_of_event(plant, version):
    broker, audit = plant
    broker.start()
    with pytest.raises(mqtt.Refused):
        broker.connect(EDGE1, version, client_id="other", username="scada", password="geheim-9")
    line = audit.wait(event="connect")
    assert line["client_id"] == "other" and line["claimed_username"] == "scada" and "username" not in line
    assert line["stage"] == "cert_auth" and line["place"].startswith("cert_auth.json:")
    assert line["identity"] == json.loads((broker.policies / "cert_auth.json").read_text())["identities"][0]["name"]

    edge = broker.connect(EDGE1, version, will=Will("planta/linea2/adios", b"will", 1))
    edge.publish("planta/linea2/temperatura", "12345", qos=1, retain=True)
    line = audit.wait(event="publish")
    assert line["address"] == edge.sock.getsockname()[0]
    assert (line["topic"], line["qos"], line["retain"], line["payload_bytes"]) == ("planta/linea2/temperatura", 1, True, 5)
    assert line["username"] == "linea1" and line["action"] == "publish" and line["generation"] == 1 and line["suppressed"] == 0
    assert line["time"].endswith("Z") and line["reason"] and line["stage"] == "acl" and "claimed_username" not in line
    edge.publish("planta/linea1/consigna", "x", qos=1)
    line = audit.wait(topic="planta/linea1/consigna")
    assert line["place"].startswith("acl.json:") and line["rule"] == "set points are the operator's"

    edge.subscribe("$share/g/planta/#")
    assert audit.wait(event="subscribe")["topic"] == "$share/g/planta/#"

    board = broker.connect(TABLERO, version)
    board.subscribe("planta/+/+")
    watcher(broker).publish("planta/linea1/secreto", "x", qos=1)
    line = audit.wait(event="receive")
    assert line["username"] == "tablero" and line["topic"] == "planta/linea1/secreto" and line["action"] == "receive"

    edge.drop()
    line = audit.wait(event="will")
    assert line["action"] == "publish" and line["topic"] == "planta/linea2/adios" and line["client_id"] == "edge-linea1"

    broker.connect(EDGE1, version)
    assert told(chief(broker), "kick", client_id="edge-linea1")["accepted"]
    line = audit.wait(event="disconnect-by-us")
    assert line["client_id"] == "edge-linea1" and line["username"] == "linea1" and "jefe" in line["reason"]
    assert {line["verdict"] for line in audit.lines()} == {"refused"}
    assert "geheim-9" not in audit.path.read_text() and "pass" not in {value for line in audit.lines() for value in line.values()}


def test_watched_and_allowed(plant):
    broker, audit = plant
    audit.use(allowed=True)
    broker.edit("topic_policy.json", lambda policy: policy.update(mode="watch"))
    broker.start()
    edge = broker.connect(EDGE1)
    assert audit.wait(event="connect", client_id="edge-linea1")["verdict"] == "allowed"
    edge.publish("planta/linea1/Temperatura", "x", qos=1)
    edge.publish("planta/linea1/temperatura", "x", qos=1)
    line = audit.wait(verdict="would_refuse")
    assert line["stage"] == "topic_policy" and line["topic"] == "planta/linea1/Temperatura"
    audit.wait(event="publish", verdict="allowed", topic="planta/linea1/Temperatura")
    audit.wait(event="publish", verdict="allowed", topic="planta/linea1/temperatura")


def test_every_refusal_has_its_line(plant):
    """The broker's log is spared after ten lines of one client; this one is not."""
    broker, audit = plant
    broker.start()
    refuse(broker.connect(EDGE1), 200)
    audit.wait(200, event="publish")
    assert broker.log.count("aduana: refused publish") < 50


NAMES = ["a\nb", "a\r\n{}", '"}\n{"event":"connect","verdict":"allowed"}', "a\\", "\u202eadmin\u202c", "\u2028\u2029", "\x1b[2J", "\x7f\x85", "\ufeff",
         "l\u00ednea \U0001f3ed", "x" * 1000, "\u20ac" * 300, "x...", "\x01" * 200]


def test_names_cannot_break_a_line(plant):
    """Whatever the broker lets through to the bundle stands in one line, as it was or marked as cut."""
    broker, audit = plant
    broker.start()
    for name in NAMES:
        for wish in {"client_id": name}, {"client_id": "x", "username": name, "password": "y"}:
            with pytest.raises(mqtt.Refused):
                broker.connect(EDGE1, **wish)
    edge = broker.connect(EDGE1)
    for name in NAMES:
        try:
            edge.publish("planta/linea2/" + name, "x", qos=1)
        except mqtt.Closed:  # by a broker that finds the topic malformed
            edge = broker.connect(EDGE1)
    boss = chief(broker)
    counters = status(boss)["counters"]
    refused = counters["logins_refused"] + counters["publish_refused"]
    assert refused > len(NAMES)
    until(lambda: len(audit.lines()) >= refused, what="all lines")
    assert len(audit.lines()) == refused
    text = audit.path.read_text()
    assert not any(mark in text for mark in "\r\x1b\x7f\x85\u2028\u2029\u202e\ufeff")
    assert {line["verdict"] for line in audit.lines()} == {"refused"}
    for line in audit.lines():
        for key in {"client_id", "claimed_username", "topic"} & line.keys():
            value, length = line[key].removeprefix("planta/linea2/"), line.get(f"{key}_bytes")
            if length is None:
                assert value in NAMES + ["x", "edge-linea1", "linea1"]
            else:
                assert value.endswith("...") and any(name.startswith(value[:-3]) and len(value.encode()) < length for name in NAMES)


def test_rotation(plant):
    """logrotate renames the file and sends SIGHUP: no line is lost, and the new ones stand in a new file."""
    broker, audit = plant
    broker.start()
    edge = broker.connect(EDGE1)
    refuse(edge, 20)
    audit.wait(20)
    old = Audit(broker, "audit.log.1")
    audit.path.rename(old.path)
    refuse(edge, 5)
    old.wait(25)
    broker.reload()
    refuse(edge, 7)
    audit.wait(7, generation=2)
    assert len(old.lines()) == 25 and len(audit.lines()) == 7
    assert audit.path.stat().st_mode & 0o137 == 0


def test_a_full_disk(plant):
    """The plant goes on; what waits is written when there is a place for it, and says how much is missing."""
    broker, audit = plant
    audit.use("file:/dev/full", queue=64)
    broker.start()
    boss, watch, edge = chief(broker), watcher(broker, "planta/#"), broker.connect(EDGE1)
    refuse(edge, 200)
    counters = counted(boss, audit_failed=1, audit_dropped=100)
    assert counters["audit_written"] == 0
    audit_status = status(boss)["audit"]
    assert audit_status["to"] == "file:/dev/full" and audit_status["waiting"] >= 64 and audit_status["error"] == "No space left on device"
    broker.wait_log("aduana: audit log file:/dev/full: No space left on device; .* lines wait")
    assert edge.publish("planta/linea1/temperatura", "still here", qos=1) == 0
    assert payloads(seen(watch)) == [b"still here"]
    audit.use(queue=64)
    broker.reload()
    audit.wait(count=64)  # there is room again
    refuse(edge)
    until(lambda: sum(1 + line["suppressed"] for line in audit.lines()) == 201, what="every refusal, written or counted")
    assert status(boss)["audit"]["error"] is None


def test_a_pipe_that_nobody_reads(plant):
    """Opened by somebody who does not read: publishing goes on at its pace, refused or not."""
    broker, audit = plant
    pipe = broker.data / "pipe"
    os.mkfifo(pipe)
    audit.use(f"file:{pipe}", queue=64, lines_per_second=1000000)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    broker.start()
    boss, edge = chief(broker), broker.connect(EDGE1)
    slowest = 0
    for _ in range(1500):
        before = time.monotonic()
        refuse(edge)
        edge.publish("planta/linea1/temperatura", "x", qos=1)
        slowest = max(slowest, time.monotonic() - before)
    assert slowest < STALL
    counters = counted(boss, audit_dropped=500, audit_failed=1)
    assert counters["publish_refused"] == 1500 and counters["publish_allowed"] >= 1500
    assert status(boss)["audit"]["waiting"] >= 64
    broker.stop()  # within its time
    os.close(reader)


def test_a_flood_is_bounded(plant):
    """So many lines a second, whoever knocks; and what is left out is counted in the log itself."""
    broker, audit = plant
    audit.use(lines_per_second=20)
    broker.start()
    edge = broker.connect(EDGE1)
    begin = time.monotonic()
    refuse(edge, 500)
    seconds = time.monotonic() - begin
    until(lambda: time.monotonic() > begin + seconds + 1.1, what="another second")
    refuse(edge)
    until(lambda: sum(1 + line["suppressed"] for line in audit.lines()) == 501, what="every refusal, written or counted")
    assert len(audit.lines()) <= 20 * (seconds + 2) + 1


@pytest.mark.parametrize("half", [b"", b'{"time":"2026-11-28T21:4'], ids=["as it is", "half a line"])
def test_kill_9(plant, half):
    """At most one line is not whole, the last: the system may end a write between two pages. What follows is not lost with it."""
    broker, audit = plant
    audit.use(lines_per_second=1000000)
    broker.start()
    edge = broker.connect(EDGE1)
    for _ in range(2000):
        edge.send_publish("planta/linea2/temperatura", "x")
    audit.wait(50)
    broker.kill9()
    with audit.path.open("ab") as file:
        file.write(half)
    before = audit.path.read_bytes()
    whole = len(audit.lines())
    broker.start()
    refuse(broker.connect(EDGE1))
    mend = b"" if before.endswith(b"\n") else b"\n"
    until(lambda: audit.path.read_bytes()[len(before):].endswith(b"}\n"), what="one more line in the same file")
    after = audit.path.read_bytes()
    assert after.startswith(before + mend + b"{") and after.count(b"\n") == whole + len(mend) + 1
    assert json.loads(after[len(before):])["topic"] == "planta/linea2/temperatura"


@pytest.mark.parametrize("to", ["none/audit.log", "."])
def test_a_log_that_is_required(plant, to):
    """Without "required" a broker starts and says what is wrong; with it, it does not start, and a reload changes nothing."""
    broker, audit = plant
    audit.use(f"file:{broker.data}/{to}", required=True)
    assert "aduana.json:1:18: audit.to: " in broker.start_refused()
    audit.use(f"file:{broker.data}/{to}")
    broker.start()
    broker.wait_log("aduana: audit log file:.* 0 lines wait|aduana: pipeline ready")
    edge = broker.connect(EDGE1)
    refuse(edge)
    broker.wait_log("aduana: audit log file:.*: (No such file or directory|Is a directory); 1 lines wait")
    audit.use(f"file:{broker.data}/{to}", required=True)
    assert "and the audit log is required" in broker.reload_refused()
    assert edge.publish("planta/linea1/temperatura", "x", qos=1) == 0
    audit.use(required=True)
    broker.reload()
    audit.wait(1, event="publish", generation=1)


def test_stderr(plant):
    """The lines stand between those of the broker's own log, each whole."""
    broker, audit = plant
    audit.use("stderr")
    broker.start()
    refuse(broker.connect(EDGE1), 50)

    def lines():
        return [json.loads(line) for line in broker.log.split("\n") if line.startswith('{"time"') and line.endswith("}")]
    until(lambda: len(lines()) == 50, what="50 lines")
