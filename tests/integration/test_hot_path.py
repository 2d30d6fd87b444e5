"""What the bundle asks of the system for a message: nothing. strace counts the calls of a broker under load, with and without it;
counts are the same on any machine, times are not."""
import re
import shutil
import signal
import socket
import subprocess

import pytest

import mqtt
from daemon import until
from flood import connect_packet, publish_packet

MESSAGES = 20000
NOISE = 0.01  # calls a message: timers, and strace's own coming and going
PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"
TOPICS = [f"planta/linea3/comandos/m{number}" for number in range(100)]


@pytest.fixture(autouse=True)
def strace(sanitized):
    if sanitized:
        pytest.skip("the sanitizers' runtimes have system calls of their own")
    path = shutil.which("strace")
    assert path, "package strace"
    return path


def conf(broker, bundle):
    """Without TLS, whose records are not the same number each time, and without a log line for each message."""
    common = broker.common_conf().replace("log_type all", "log_type error\nlog_type warning\nlog_type notice\nlog_type information")
    plugins = broker.plugin_conf() if bundle else "allow_anonymous true\n"
    return f"{common}per_listener_settings false\n{plugins}listener {broker.port} 127.0.0.1\n"


def permit(broker):
    broker.edit("iam_auth.json", lambda policy: policy.update(require="either"))
    broker.edit("acl.json", lambda policy: policy["roles"]["edge"]["allow"][0]["publish"].append("planta/${linea}/comandos/+"))
    broker.edit("rate_monitor.json", lambda policy: policy["classes"][0]["publish"].update(max_per_second=1000000))


class Client:
    """persona of line 3, on a bare socket."""

    def __init__(self, broker, client_id):
        self.sock = socket.create_connection(("127.0.0.1", broker.port), 60)
        self.sock.sendall(connect_packet(client_id, "persona", "paso"))
        assert self.read(4) == b"\x20\x02\x00\x00"

    def read(self, count):
        data = bytearray()
        while len(data) < count:
            part = self.sock.recv(count - len(data))
            assert part, "the broker ended the connection"
            data += part
        return bytes(data)

    def subscribe(self, topic_filter):
        body = b"\x00\x01" + mqtt.text(topic_filter) + b"\x00"
        self.sock.sendall(b"\x82" + mqtt.varint(len(body)) + body)
        assert self.read(5) == b"\x90\x03\x00\x01\x00"


def traced(strace, broker, load):
    """system call -> how often the broker, all its threads, made it while load() ran."""
    summary, attached = broker.folder / "strace", broker.folder / "strace.log"
    with open(attached, "wb") as messages:
        tracer = subprocess.Popen([strace, "-c", "-f", "-p", str(broker.proc.pid), "-o", str(summary)],
                                  stdin=subprocess.DEVNULL, stderr=messages)
    try:
        until(lambda: " attached" in attached.read_text() or tracer.poll() is not None, what="strace")
        assert tracer.poll() is None, attached.read_text()
        load()
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(30)
    lines = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", summary.read_text(), re.MULTILINE)
    return {name: int(count) for count, name in lines if name != "total"}


def publish(publisher, subscriber, messages):
    """A few at a time, so that nothing is left over or waits in a queue. The subscriber may be None."""
    chunk = b"".join(publish_packet(topic, b"x" * 20) for topic in TOPICS)
    for _ in range(messages // len(TOPICS)):
        publisher.sock.sendall(chunk + PINGREQ)
        assert publisher.read(2) == PINGRESP
        if subscriber:
            assert len(subscriber.read(len(chunk))) == len(chunk)


def calls(strace, broker, delivered):
    """The same for MESSAGES of QoS 0, which a subscriber gets if `delivered`."""
    publisher, subscriber = Client(broker, "publicador"), Client(broker, "lector") if delivered else None
    if subscriber:
        subscriber.subscribe("planta/linea3/comandos/#")
    publish(publisher, subscriber, len(TOPICS))
    return traced(strace, broker, lambda: publish(publisher, subscriber, MESSAGES))


@pytest.mark.parametrize("delivered", [False, True], ids=["published", "delivered"])
def test_no_system_call_for_a_message(make_broker, suite, strace, delivered):
    counts = {}
    for bundle in (False, True):
        broker = make_broker(suite, lambda broker, bundle=bundle: conf(broker, bundle), start=False)
        permit(broker)
        counts[bundle] = calls(strace, broker.start(), delivered)
    without, with_bundle = counts[False], counts[True]
    chunks = MESSAGES // len(TOPICS)  # each is read and answered: 2.1 reads many messages with one call
    assert sum(without.values()) > 2 * chunks, f"strace has not seen the load: {without}"
    more = {name: (count - without.get(name, 0)) / MESSAGES for name, count in with_bundle.items()}
    assert all(a_message < NOISE for a_message in more.values()), f"without: {without}; with the bundle: {with_bundle}"
