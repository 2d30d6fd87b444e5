"""Prometheus scrapes a broker, knows its numbers, and alerts by the rules that come with the bundle."""
import json

import pytest

import prometheus
from daemon import until
from plant import EDGE1, refused_publish

MINE, FOREIGN = "planta/linea1/temperatura", "planta/linea2/temperatura"
RAISED = ("pending", "firing") # most rules want to see it for a minute


@pytest.fixture
def watch(tmp_path):
    """watch(broker): a Prometheus that does."""
    made = []

    def make(broker):
        port = broker.wait_log(r"aduana: metrics at http://[0-9.]+:([0-9]+)/metrics")[1]
        made.append(prometheus.Prometheus(tmp_path / "prometheus", f"{getattr(broker, 'host', '127.0.0.1')}:{port}"))
        return made[-1]
    yield make
    for one in made:
        one.stop()


def test_it_scrapes_and_alerts(make_broker, suite, watch):
    broker = make_broker(suite, start=False)
    address = "0.0.0.0" if hasattr(broker, "host") else "127.0.0.1"
    broker.write("aduana.json", json.dumps({"metrics": {"address": address, "port": 0}}))
    broker.start()
    seen = watch(broker)
    until(lambda: seen.health() == "up", "the first scrape")
    # Later ones may see one message of two refused, which is what an alert is about.
    until(lambda: set(seen.rules().values()) == {"inactive"}, "no alert")
    edge = broker.connect(EDGE1, 5)
    assert edge.publish(MINE, "x", qos=1) == 0
    assert edge.publish(FOREIGN, "x", qos=1) == refused_publish(5, 1)
    until(lambda: seen.value("aduana_sessions_online") == 1, "who is connected")
    until(lambda: seen.value("aduana_publish_refused_total") == 1, "what was refused")
    assert seen.value('aduana_decision_seconds_bucket{action="publish",le="+Inf"}') is not None
    broker.write("acl.json", "{")
    broker.reload_refused()
    until(lambda: seen.rules()["AduanaPolicyRefused"] in RAISED, "an alert of the policy")
    broker.put_back("acl.json")
    broker.reload()
    until(lambda: seen.rules()["AduanaPolicyRefused"] == "inactive", "the end of it")
    broker.stop()
    until(lambda: seen.rules()["AduanaDown"] in RAISED, "an alert of the broker")
    assert seen.health() == "down"
