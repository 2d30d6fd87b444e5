"""The wall clock of a running broker jumps: an hour back, a year on, past 2038, into a leap day, through the changes of
summer time. Rules about the time of day follow it with the next message; nobody is disconnected, and nothing is lost.

wall_clock.c, preloaded, shows the broker another wall clock, and every other clock as it is."""
import datetime
import pathlib
import struct
import subprocess
import time

import pytest

from daemon import until
from flood import Bystander
from patience import STALL
from plant import EDGE1, EDGE2, SCADA, SENSOR, payloads, refused_publish, seen, watcher

YEAR, HOUR = 365 * 86400, 3600
SOURCE = pathlib.Path(__file__).with_name("wall_clock.c")


class Clock:
    """The wall clock of a broker."""

    def __init__(self, broker, library):
        self.file = open(broker.folder / "clock", "wb+", buffering=0)
        self.jump(0)
        preload = ":".join(filter(None, [broker.environment.get("LD_PRELOAD"), str(library)]))
        broker.environment.update(LD_PRELOAD=preload, WALL_CLOCK=self.file.name)

    def jump(self, seconds):
        """So many seconds before or after the true time, from now on."""
        self.file.seek(0)
        self.file.write(struct.pack("=q", int(seconds)))

    def set(self, text):
        """2027-03-28T00:59:50, UTC"""
        moment = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
        self.jump(moment.timestamp() - time.time())


@pytest.fixture(scope="session")
def wall_clock(tmp_path_factory):
    library = tmp_path_factory.mktemp("clock") / "wall_clock.so"
    subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", SOURCE, "-o", library], check=True)
    return library


@pytest.fixture
def clocked(make_broker, suite, wall_clock):
    broker = make_broker(suite, start=False)
    broker.clock = Clock(broker, wall_clock)
    yield broker
    broker.clock.file.close()


def only_at(zone, window):
    """Gateways may publish horno in that window, and temperatura outside it."""
    def change(policy):
        policy["time_zone"] = zone
        policy["roles"]["edge"] = {
            "allow": [{"publish": ["planta/${linea}/horno"], "when": {"times": [window]}}, {"publish": ["planta/${linea}/temperatura", "planta/${linea}/latido"]},
                      {"subscribe": ["planta/${linea}/comandos/#"]}],
            "deny": [{"publish": ["planta/${linea}/temperatura"], "when": {"times": [window]}}]}
    return change


WINDOWS = {
    "back an hour": ("UTC", {"from": "08:00", "to": "09:00"}, [("2026-11-23T08:30:00", True), ("2026-11-23T07:30:00", False), ("2026-11-23T08:30:00", True)]),
    "on a year": ("UTC", {"days": ["mon"]}, [("2026-11-23T08:30:00", True), ("2027-11-23T08:30:00", False), ("2027-11-22T08:30:00", True)]),
    "summer time": ("Europe/Madrid", {"from": "02:00", "to": "03:00"},
                    [("2027-03-28T00:59:30", False), ("2027-03-28T01:00:10", False), ("2026-10-25T00:30:00", True), ("2026-10-25T01:30:00", True), ("2026-10-25T02:00:10", False)]),
    "leap day": ("America/Mexico_City", {"days": ["tue"]}, [("2028-02-29T05:59:30", False), ("2028-02-29T06:00:10", True), ("2028-03-01T06:00:10", False)]),
    "2038": ("UTC", {"from": "03:14", "to": "03:15"}, [("2038-01-19T03:13:00", False), ("2038-01-19T03:14:02", True), ("2038-01-19T03:14:20", True), ("2038-01-19T03:15:10", False)]),
}


@pytest.mark.parametrize("case", WINDOWS)
def test_attack_27_time_windows(clocked, version, case):
    """The next message is judged by the new time, on the connection that there is."""
    zone, window, moments = WINDOWS[case]
    clocked.edit("acl.json", only_at(zone, window))
    clocked.start()
    watch, edge = watcher(clocked, "planta/linea1/+"), clocked.connect(EDGE1, version)
    expected = []
    for moment, is_in in moments:
        clocked.clock.set(moment)
        assert edge.publish("planta/linea1/horno", moment, qos=1) == (0 if is_in else refused_publish(version, 1)), moment
        assert edge.publish("planta/linea1/temperatura", moment, qos=1) == (refused_publish(version, 1) if is_in else 0), moment
        expected.append(("planta/linea1/horno" if is_in else "planta/linea1/temperatura", moment.encode()))
    assert [(message.topic, message.payload) for message in seen(watch)] == expected
    assert "disconnecting" not in clocked.log


JUMPS = [-HOUR, HOUR, YEAR, -YEAR, 12 * YEAR, 0]


def test_attack_27_nobody_is_disconnected(clocked, version):
    """Whoever is connected stays, reloads load, the flood alert is neither raised nor lost, for want of a steady clock."""
    clocked.edit("rate_monitor.json", lambda policy: policy["classes"][1].update(publish={"max_per_second": 10, "clear_seconds": 1}))
    clocked.start()
    alerts, sensor = watcher(clocked, "planta/_sys/alertas/#", client_id="alertas"), clocked.connect(SENSOR, version)
    away = clocked.connect(EDGE2, version, clean=False)
    assert away.subscribe("planta/linea2/comandos/#") == 1
    away.drop()
    scada = clocked.connect(SCADA)
    with Bystander(clocked) as bystander:
        for number, jump in enumerate(JUMPS):
            clocked.clock.jump(jump)
            count = bystander.count
            assert clocked.reload() == number + 2
            assert scada.publish("planta/linea2/comandos/x", f"{jump}", qos=1) == 0
            until(lambda: bystander.count > count + 3, "messages")
    assert bystander.slowest < STALL
    assert seen(alerts) == []
    for _ in range(60):
        sensor.send_publish("planta/linea1/horno")
        clocked.clock.jump(JUMPS[_ % len(JUMPS)])
    sensor.ping()
    assert b'"raised"' in alerts.receive().payload
    clocked.clock.jump(YEAR)
    assert b'"cleared"' in alerts.receive().payload
    clocked.clock.jump(0)
    away = clocked.connect(EDGE2, version, clean=False)
    assert away.session_present
    assert payloads(seen(away, scada, "planta/linea2/comandos/marca")) == [f"{jump}".encode() for jump in JUMPS]


@pytest.mark.parametrize("jump", [-HOUR, YEAR], ids=["hour-back", "year-on"])
def test_attack_27_certificates_of_another_time(clocked, jump):
    """By the broker's clock they are not yet valid, or not any more: nobody new gets in, and who is in stays."""
    clocked.start()
    edge = clocked.connect(EDGE1, 5)
    clocked.clock.jump(jump)
    clocked.refused(SENSOR, 5)
    assert edge.publish("planta/linea1/temperatura", "x", qos=1) == 0
    clocked.clock.jump(0)
    assert clocked.connect(SENSOR, 5).is_alive()


def test_attack_27_restart_at_another_time(clocked, version):
    """What was remembered tomorrow, or weeks ago, is still known."""
    for jump in (20 * 86400, 10 * 86400, 25 * 86400):
        clocked.clock.jump(jump)
        clocked.start()
        client = clocked.connect(EDGE1, version, clean=False)
        assert client.subscribe("planta/linea1/comandos/#") == 1
        client.disconnect()
        clocked.persist()
        clocked.clock.jump(jump - 5 * 86400)
        clocked.kill9()
        clocked.start()
        assert clocked.connect(SCADA).publish("planta/linea1/comandos/x", f"{jump}", qos=1) == 0
        client = clocked.connect(EDGE1, version, clean=False)
        assert client.session_present and client.receive().payload == f"{jump}".encode()
        client.disconnect()
        clocked.stop()
