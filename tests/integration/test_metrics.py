"""Metrics over HTTP: what Prometheus reads of a running broker."""
import json
import re
import urllib.error
import urllib.request

import pytest

from daemon import until
from plant import EDGE1, refused_publish, watcher

pytestmark = pytest.mark.local  # it listens on the broker's own machine

TOPIC, FOREIGN = "planta/linea1/temperatura", "planta/linea2/temperatura"
WHERE = re.compile(r"aduana: metrics at (http://127\.0\.0\.1:[0-9]+/metrics)")


def with_metrics(broker, **keys):
    broker.write("aduana.json", json.dumps({"metrics": {"port": 0, "sample_every": 1, **keys}}))
    return broker


def address(broker):
    return until(lambda: WHERE.findall(broker.log), "metrics")[-1]


def scrape(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return answer.read().decode()


def values(text):
    """{'aduana_x_total{label="y"}': 1.0}"""
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", text, re.M) if name != "#"}


def test_scrape(make_broker, suite):
    broker = with_metrics(make_broker(suite, start=False)).start()
    url = address(broker)
    edge, watch = broker.connect(EDGE1, 4), watcher(broker, TOPIC)
    before = values(scrape(url))
    for _ in range(20):
        assert edge.publish(TOPIC, "x", qos=1) == 0
        watch.receive()
    for _ in range(5):
        assert edge.publish(FOREIGN, "x", qos=1) == refused_publish(4, 1)

    def counted():
        now = values(scrape(url))
        return now if now["aduana_publish_refused_total"] == before["aduana_publish_refused_total"] + 5 else None

    now = until(counted, "the last refusal")
    grown = {name: now[name] - before[name] for name in now}
    assert grown["aduana_publish_allowed_total"] == grown["aduana_receive_allowed_total"] == 20
    assert grown['aduana_decision_seconds_count{action="publish"}'] == 25
    assert grown['aduana_decision_seconds_bucket{action="publish",le="+Inf"}'] == 25
    assert grown['aduana_decision_seconds_sum{action="publish"}'] > 0
    assert now["aduana_sessions_online"] == 2 and now["aduana_policy_generation"] == 1
    assert now["aduana_tick_seconds_count"] > 0 and now["aduana_login_seconds_count"] == 2
    assert now['aduana_plugin_loaded{plugin="acl"}'] == 1 and now["aduana_everything_refused"] == 0
    for request, code in ((url + "/x", 404), (url[:-len("metrics")], 404), (urllib.request.Request(url, b"x"), 405)):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request, timeout=60)
        assert error.value.code == code
    # A reload keeps it, a policy without metrics ends it.
    broker.write("acl.json", "{")
    broker.reload_refused()
    assert until(lambda: values(scrape(url))["aduana_policy_last_load_successful"] == 0, "the refused load")
    broker.put_back("acl.json")
    broker.write("aduana.json", "{}")
    broker.reload()

    def ended():
        try:
            scrape(url)
        except OSError:
            return True
        return False

    until(ended, "the end of metrics")
    assert edge.publish(TOPIC, "x", qos=1) == 0
