"""Many clients at once without a thread each, somebody who is served meanwhile, and what it costs the broker."""
import json
import os
import selectors
import socket
import threading
import time

import mqtt
from plant import ADMIN, EDGE1

LONG = os.environ.get("ADUANA_LONG") == "1"
AT_ONCE = 100
COUNTERS = "planta/_sys/contadores"


def connect_packet(client_id, username=None, password=None, clean=True):
    """CONNECT of MQTT 3.1.1."""
    flags = (0x02 if clean else 0) | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    body = mqtt.text("MQTT") + bytes([4, flags, 0, 60]) + b"".join(mqtt.text(part) for part in (client_id, username, password) if part is not None)
    return b"\x10" + mqtt.varint(len(body)) + body


def publish_packet(topic, payload=b"", props=None):
    """PUBLISH of QoS 0; props: the bytes of MQTT 5's properties."""
    body = mqtt.text(topic) + (b"" if props is None else mqtt.varint(len(props)) + props) + payload
    return b"\x30" + mqtt.varint(len(body)) + body


def user_properties(count, size=10):
    return (b"\x26" + mqtt.text("k" * size) + mqtt.text("v" * size)) * count


def answers(port, packets):
    """Sends each packet, and a DISCONNECT, on a connection of its own; how many were accepted."""
    accepted, packets, open_ = 0, iter(packets), 0
    selector = selectors.DefaultSelector()

    def begin():
        packet = next(packets, None)
        if packet is None:
            return 0
        sock = socket.create_connection(("127.0.0.1", port), 30)
        sock.sendall(packet + b"\xe0\x00")
        selector.register(sock, selectors.EVENT_READ, bytearray())
        return 1

    while open_ < AT_ONCE and begin():
        open_ += 1
    deadline = time.monotonic() + 600
    while open_:
        assert time.monotonic() < deadline
        for key, _ in selector.select(30):
            try:
                data = key.fileobj.recv(64)
            except ConnectionResetError:
                data = b""
            key.data.extend(data)
            if not data:
                accepted += key.data[:4] == b"\x20\x02\x00\x00"
                selector.unregister(key.fileobj)
                key.fileobj.close()
                open_ += begin() - 1
    return accepted


class Bystander:
    """A gateway whose messages somebody waits for, one after another, as long as the block lasts; how long the slowest took."""

    def __init__(self, broker):
        self.slowest, self.count, self.failure = 0.0, 0, None
        self.reader, self.writer = broker.connect(ADMIN, client_id="testigo"), broker.connect(EDGE1)
        self.reader.subscribe("planta/linea1/latido")
        self.over, self.thread = threading.Event(), threading.Thread(target=self._run)

    def _run(self):
        try:
            while not self.over.is_set():
                began = time.monotonic()
                assert self.writer.publish("planta/linea1/latido", b"%d" % self.count, qos=1) == 0
                assert self.reader.receive().payload == b"%d" % self.count
                self.slowest, self.count = max(self.slowest, time.monotonic() - began), self.count + 1
                self.over.wait(0.02)
        except Exception as error:  # noqa: told by __exit__
            self.failure = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(90)
        assert self.failure is None and not self.thread.is_alive() and self.count > 0, self.failure


def memory(broker):
    """Resident bytes of the broker."""
    with open(f"/proc/{broker.proc.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def with_counters(broker):
    broker.edit("rate_monitor.json", lambda policy: policy.update(counters={"topic": COUNTERS, "every_seconds": 1}))


def counters(broker):
    """As they are published next, after what has happened so far."""
    client = broker.connect(ADMIN, client_id="contable")
    client.subscribe(COUNTERS)
    client.receive()  # the retained one
    value = json.loads(client.receive().payload)
    client.disconnect()
    return value
