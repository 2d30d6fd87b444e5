"""Metrics over HTTP: what Prometheus reads of a running broker, and what is made of it in docker/."""
import json
import re
import subprocess
import urllib.error
import urllib.request

import pytest

from daemon import ROOT, until
from patience import PATIENCE
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
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return answer.read().decode()


def values(text):
    """{'aduana_x_total{label="y"}': 1.0}"""
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", text, re.M) if name != "#"}


def families(text):
    """The names by which PromQL knows what is there."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    return {name + end for name, kind in types.items() for end in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))}


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
            urllib.request.urlopen(request, timeout=PATIENCE)
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


def test_without_its_library(make_broker, tmp_path):
    """It is said what is missing, and the plant goes on. (The other brokers are started by a loader of their own.)"""
    (tmp_path / "libmicrohttpd.so.12").write_text("no library")
    broker = with_metrics(make_broker("bookworm", start=False))
    broker.environment = {**broker.environment, "LD_LIBRARY_PATH": str(tmp_path)}
    broker.start()
    why = broker.wait_log(r"aduana: metrics cannot be had at 127\.0\.0\.1 port 0: libmicrohttpd \(Debian's package .*")[0]
    assert why.endswith("[aduana.json:1]"), why
    assert broker.connect(EDGE1, 4).publish(TOPIC, "x", qos=1) == 0


TREE = "planta/_sys/metricas"


def test_numbers_as_topics(make_broker, suite):
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", lambda policy: policy.update(counters={"tree": TREE, "every_seconds": 1}))
    broker.start()
    edge, numbers = broker.connect(EDGE1, 4), watcher(broker, TREE + "/+")
    told = {}

    def becomes(name, value):
        while told.get(name) != value:
            message = numbers.receive()
            told[message.topic[len(TREE) + 1:]] = message.payload
    becomes("sessions_online", b"2")
    becomes("policy_generation", b"1")
    for _ in range(3):
        assert edge.publish(FOREIGN, "x", qos=1) == refused_publish(4, 1)
    becomes("publish_refused", b"3")
    assert edge.publish(TREE + "/publish_refused", "0", qos=1) == refused_publish(4, 1)
    becomes("publish_refused", b"4")
    broker.put_back("rate_monitor.json")
    broker.reload()
    becomes("publish_refused", b"")


# --- what is made of them ---

PROMETHEUS, DASHBOARD = ROOT / "docker/prometheus", ROOT / "docker/grafana/aduana.json"


@pytest.fixture(scope="module")
def promtool():
    path = subprocess.run([ROOT / "tests/promtool"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def run(*arguments, **more):
        done = subprocess.run([path, *map(str, arguments)], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
        assert done.returncode == 0, done.stdout
        return done.stdout
    return run


def expressions(value):
    """Every PromQL of a dashboard."""
    if isinstance(value, dict):
        yield from ([value["expr"]] if "expr" in value else [])
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from expressions(one)


def named(text):
    return set(re.findall(r"\baduana_[a-z0-9_]+\b", text))


def test_what_prometheus_says(make_broker, promtool):
    """Its own checker accepts a scrape, the rules and their tests; and whatever rules, dashboard and documentation name is there,
    and what is there is documented."""
    broker = with_metrics(make_broker("bookworm", start=False)).start()
    text = scrape(address(broker))
    assert promtool("check", "metrics", input=text) == ""
    promtool("check", "config", PROMETHEUS / "prometheus.yml", cwd=PROMETHEUS)
    promtool("check", "rules", PROMETHEUS / "aduana.rules.yml")
    promtool("test", "rules", PROMETHEUS / "aduana.rules.test.yml", cwd=PROMETHEUS)
    there = families(text)
    rules = named("\n".join(re.findall(r"^ *expr: .*$", (PROMETHEUS / "aduana.rules.yml").read_text(), re.M)))
    dashboard = json.loads(DASHBOARD.read_text())
    panels = named("\n".join(expressions(dashboard)))
    assert len(rules) > 8 and rules <= there, rules - there
    assert len(panels) > 15 and panels <= there, panels - there
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    table = (ROOT / "common/METRICS.md").read_text()
    documented = set(re.findall(r"^\| `(aduana_[a-z0-9_]+)`", table, re.M))
    types = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    assert documented == types, documented ^ types
