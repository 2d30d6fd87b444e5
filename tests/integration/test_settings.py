"""aduana.json: the gate and the watched folder. (The audit log has tests of its own.)"""
import json
import shutil

from daemon import until
from plant import EDGE1, refused_publish, watcher

TOPIC = "planta/linea1/temperatura"
CLIENT = {"cert.cn": "edge-linea1", "cert.ou": "edge", "cert.issuer.cn": "Planta Device CA", "username": "linea1"}


def settings(broker, **keys):
    broker.write("aduana.json", json.dumps(keys))


def assertions(broker, *tests):
    (broker.policies / "tests").mkdir(exist_ok=True)
    broker.write("tests/plant.json", json.dumps({"clients": {"edge": CLIENT}, "tests": list(tests)}))


MAY = {"as": "edge", "publish": TOPIC, "expect": "allow"}


def take_away(policy):
    policy["roles"]["edge"]["allow"] = [{"publish": ["planta/${linea}/otra"]}]


def test_gate(make_broker, suite, version):
    broker = make_broker(suite, start=False)
    settings(broker, gate=True)
    assertions(broker, MAY)
    broker.start()
    alerts, edge = watcher(broker, "planta/_sys/alertas/#"), broker.connect(EDGE1, version)
    assert broker.reload() == 2
    broker.edit("acl.json", take_away)
    line = broker.reload_refused()
    assert "generation 2 stays: tests/plant.json:1:" in line
    assert f'the assertion fails: edge-linea1 publish {TOPIC}: expected allow, got deny: acl: no rule grants it to its roles "edge"' in line
    assert edge.publish(TOPIC, "x", qos=1) == 0
    assert b'"policy_rejected"' in alerts.receive().payload
    # Whoever means it says so.
    assertions(broker, {**MAY, "expect": "deny"})
    assert broker.reload() == 3
    assert edge.publish(TOPIC, "x", qos=1) == refused_publish(version, 1)


def test_gate_without_assertions(make_broker, suite):
    broker = make_broker(suite, start=False)
    settings(broker, gate=True)
    broker.start()
    assert "no file in tests/ asserts anything" in broker.reload_refused()
    assertions(broker)
    assert "no file in tests/ asserts anything" in broker.reload_refused()
    assertions(broker, {"as": "edge", "publsh": TOPIC, "expect": "allow"})
    assert 'did you mean "publish"' in broker.reload_refused()
    settings(broker)
    assert broker.reload() == 2


def test_gate_at_start(make_broker, suite):
    """A policy that fails its tests starts: a broker that is down helps nobody."""
    broker = make_broker(suite, start=False)
    settings(broker, gate=True)
    assertions(broker, {**MAY, "expect": "deny"})
    broker.start()
    assert broker.connect(EDGE1).publish(TOPIC, "x", qos=1) == 0
    assert "the assertion fails" in broker.reload_refused()


def generation(broker):
    return broker.log.count("aduana: policy generation")


def test_watched_folder(make_broker, suite, version):
    broker = make_broker(suite, start=False)
    broker.start()
    edge = broker.connect(EDGE1, version)
    broker.edit("topic_policy.json", lambda policy: None)  # nobody watches yet
    settings(broker, watch_folder=True)
    assert broker.reload() == 2
    broker.edit("acl.json", take_away)
    until(lambda: "policy generation 3 loaded" in broker.log, "the new policy")
    assert edge.publish(TOPIC, "x", qos=1) == refused_publish(version, 1)
    broker.put_back("acl.json")
    until(lambda: "policy generation 4 loaded" in broker.log, "the old policy")
    assert edge.publish(TOPIC, "x", qos=1) == 0
    # A bad file changes nothing; mending it is enough.
    broker.write("acl.json", "{")
    until(lambda: "policy not loaded, generation 4 stays: acl.json:1:" in broker.log, "the refusal")
    assert edge.publish(TOPIC, "x", qos=1) == 0
    broker.put_back("acl.json")
    until(lambda: "policy generation 5 loaded" in broker.log, "the old policy")
    # The whole folder is exchanged, as deployment tools do it.
    new = broker.folder / "new"
    shutil.copytree(broker.policies, new)
    broker.policies.rename(broker.folder / "old")
    new.rename(broker.policies)
    until(lambda: "policy generation 6 loaded" in broker.log, "the new folder")
    settings(broker)
    until(lambda: "policy generation 7 loaded" in broker.log, "the last change that is seen")
    assert edge.is_alive()


def test_settings_that_are_wrong(make_broker, suite):
    broker = make_broker(suite)
    for text, error in (('{"gate": 1}', "aduana.json:1:10: gate: expected true or false"), ('{"gat": true}', 'aduana.json:1:2: gat: unknown key; did you mean "gate"?')):
        broker.write("aduana.json", text)
        assert error in broker.reload_refused()
