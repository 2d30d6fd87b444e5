"""SIGHUP every 50 ms under load: nothing is lost, nobody is disconnected, and no decision is made of two generations."""
import json
import threading
import time

import pytest

from plant import EDGE1, SCADA, refused_publish, watcher

SECONDS, EVERY, RELOADS, ROUNDS = 30, 0.05, 200, 30
MAY, MAY_NOT = "planta/linea1/temperatura", "planta/linea1/secreto"


def two_policies(broker):
    """The same rights, with every role and rule at another place: what is looked up with the numbers of the other
    generation answers wrongly."""
    one = json.loads((broker.policies / "acl.json").read_text())
    edge = {"allow": [{"publish": ["planta/${linea}/temperatura"]}, {"subscribe": ["planta/${linea}/comandos/#"]}]}
    secret = {"allow": [{"publish": ["planta/+/secreto", "planta/+/" + "x" * 20]}], "deny": [{"publish": ["planta/+/temperatura"]}]}
    others = {name: role for name, role in one["roles"].items() if name != "edge"}
    crowd = {f"turno{number}": {"allow": [{"publish": [f"planta/turno/{number}"]}]} for number in range(70)}
    first = {**one, "roles": {"edge": edge, **others, "secreto": secret}}
    second = {**one, "roles": {"secreto": secret, **crowd, **others, "edge": edge}}
    return json.dumps(first), json.dumps(second)


class Storm(threading.Thread):
    def __init__(self, broker):
        super().__init__()
        self.broker, self.policies, self.count, self.is_over = broker, two_policies(broker), 0, threading.Event()

    def run(self):
        while not self.is_over.is_set():
            new = self.broker.policies / "acl.json.new"
            new.write_text(self.policies[self.count % 2])
            new.rename(self.broker.policies / "acl.json")
            self.broker.hup()
            self.count += 1
            self.is_over.wait(EVERY)


@pytest.mark.long
def test_attack_28_reload_storm(broker, version):
    broker.write("acl.json", two_policies(broker)[0])
    broker.reload()
    watch, edge, scada = watcher(broker, MAY, MAY_NOT), broker.connect(EDGE1, version), broker.connect(SCADA)
    assert edge.subscribe("planta/linea1/comandos/#") == 1
    storm, end = Storm(broker), time.monotonic() + SECONDS
    storm.start()
    sent = 0
    try:
        while storm.is_alive() and (time.monotonic() < end or storm.count < RELOADS or sent < ROUNDS):
            assert edge.publish(MAY, str(sent), qos=1) == 0
            assert edge.publish(MAY_NOT, str(sent), qos=1) == refused_publish(version, 1)
            assert scada.publish("planta/linea1/comandos/x", str(sent), qos=1) == 0
            assert edge.receive().payload == str(sent).encode()
            message = watch.receive()
            assert (message.topic, message.payload) == (MAY, str(sent).encode())
            sent += 1
    finally:
        storm.is_over.set()
        storm.join()
    assert storm.count >= RELOADS and sent >= ROUNDS
    assert "not loaded" not in broker.log and "disconnecting" not in broker.log
    assert watch.is_alive() and edge.is_alive()
