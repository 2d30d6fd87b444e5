"""The monitor: a flood raises one alert that a subscriber sees, its end clears it; connections and bad policies too."""
import contextlib
import json
import pathlib
import re
import sys

import mqtt
import pytest

from plant import ADMIN, EDGE1, EDGE2, LECTOR1, REFUSED_CODES, SENSOR, Person, payloads, refused_publish, seen, watcher

ROOT = pathlib.Path(__file__).parents[2]
ALERTS = "planta/_sys/alertas/#"
STRANGER = Person("x", "otros")  # whom no identity knows
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def limits(**changes):
    """Edits the first class, the gateways."""
    return lambda policy: policy["classes"][0].update(changes)


def monitored(make_broker, suite, **changes):
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", limits(**changes))
    return broker.start()


def flood(client, topic="planta/linea1/temperatura", count=60):
    for number in range(count):
        client.send_publish(topic, f"{number}")
    client.ping()


def next_alert(watch):
    message = watch.receive()
    return message, json.loads(message.payload)


def test_flood(make_broker, suite, version):
    """Raised once, while the limit is passed; cleared once, when it is over; every message still goes through."""
    broker = monitored(make_broker, suite, publish={"max_per_second": 30, "clear_seconds": 1})
    watch, all_of_it = watcher(broker, ALERTS), watcher(broker, "planta/linea1/+", client_id="otro")
    client = broker.connect(EDGE1, version)
    flood(client)
    message, alert = next_alert(watch)
    assert (message.topic, message.qos, message.retain) == ("planta/_sys/alertas/publish_rate/edge-linea1", 1, False)
    expected = dict(kind="publish_rate", state="raised", severity="warning", client_id="edge-linea1", username="linea1", limit=30)
    expected["class"] = "gateways"
    assert {key: alert[key] for key in expected} == expected
    assert alert["value"] > 30 and alert["text"]
    assert re.fullmatch(r"rate_monitor\.json:\d+", alert["rule"])
    assert re.fullmatch(STAMP, alert["time"]) and re.fullmatch(STAMP, alert["since"])
    message, cleared = next_alert(watch)
    assert (message.topic, cleared["state"], cleared["kind"]) == ("planta/_sys/alertas/publish_rate/edge-linea1", "cleared", "publish_rate")
    assert cleared["since"] == alert["since"] and cleared["time"] > alert["time"]
    assert len(seen(all_of_it)) == 60
    assert seen(watch) == []


def test_actions(make_broker, suite):
    """Where the policy asks for it: QoS 0 of a flood is dropped and QoS 1 is not; who floods is sent away, and stays out, also after a restart; the essential stay."""
    def acting(policy):
        gateways, sensors = policy["classes"]
        limit = {"max_per_second": 30, "clear_seconds": 3600}
        gateways.update(publish=limit, refused={"max_per_minute": 3}, actions={"throttle": ["publish_rate"]})
        sensors.update(publish=limit, actions={"quarantine": ["publish_rate"], "quarantine_seconds": 3600})
        policy["essential"] = [{"username": "linea2"}]
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", acting)
    broker.start()
    watch, all_of_it = watcher(broker, ALERTS), watcher(broker, "planta/+/+", client_id="otro")
    for person, line, actions in (EDGE1, "linea1", ["throttle"]), (EDGE2, "linea2", None):
        edge = broker.connect(person)
        flood(edge, f"planta/{line}/temperatura")
        alert = next_alert(watch)[1]
        assert (alert["kind"], alert.get("actions")) == ("publish_rate", actions)
        for _ in range(5):  # what is dropped is not refused
            edge.send_publish(f"planta/{line}/temperatura", "again")
        edge.send_publish(f"planta/{line}/temperatura", f"{line} QoS 0")
        assert edge.publish(f"planta/{line}/temperatura", f"{line} QoS 1", qos=1) == 0
    sensor = broker.connect(SENSOR)
    with contextlib.suppress(mqtt.Closed):  # in the middle of it
        flood(sensor)
    assert next_alert(watch)[1]["actions"] == ["quarantine"]
    sensor.wait_closed()
    broker.refused(SENSOR, why="it is in quarantine")
    got = payloads(seen(all_of_it))
    assert [b"linea1 QoS 1", b"linea2 QoS 0", b"linea2 QoS 1"] == [payload for payload in got if b"QoS" in payload]
    broker.restart()
    broker.refused(SENSOR, why="it is in quarantine")


def test_too_much(make_broker, suite):
    """Who floods is told of what is over, where protocol and broker can say so, and stays connected; nobody else sees any of that."""
    def throttling(policy):
        policy["classes"][0].update(publish={"max_per_second": 30, "clear_seconds": 3600}, actions={"throttle": ["publish_rate"]})
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", throttling)
    broker.start()
    too_much = 0x97 if suite == "sid" else 0  # brokers before 2.1 have no answer that means it: there, QoS 1 and 2 go through
    watch, all_of_it = watcher(broker, ALERTS), watcher(broker, "planta/+/+", client_id="otro")
    edge, neighbour, topic = broker.connect(EDGE1, mqtt.V5, clean=False), broker.connect(EDGE2, mqtt.V5), "planta/linea1/temperatura"
    assert [edge.publish(topic, f"within {qos}", qos) for qos in (1, 2)] == [0, 0]
    begun = edge.send_publish(topic, "begun within", qos=2)
    edge._wait(mqtt.PUBREC, begun)
    flood(edge)
    assert next_alert(watch)[1]["actions"] == ["throttle"]
    assert [edge.publish(topic, f"over {qos}", qos) for qos in (1, 2, 2)] == [too_much] * 3
    assert edge.publish("planta/linea2/temperatura", "refused", qos=1) == 0x87
    assert neighbour.publish("planta/linea2/temperatura", "neighbour", qos=1) == 0
    edge.ping()
    edge.drop()
    edge = broker.connect(EDGE1, mqtt.V5, clean=False)
    edge.release(begun)  # what the broker had accepted it delivers
    assert edge.publish(topic, "over 1", qos=1) == too_much
    edge.disconnect()
    edge = broker.connect(EDGE1)
    assert [edge.publish(topic, f"3.1.1 {qos}", qos) for qos in (0, 1)] == [0, 0]
    edge.disconnect()
    broker.edit("rate_monitor.json", lambda policy: policy["classes"][0].pop("actions"))
    broker.reload()
    edge = broker.connect(EDGE1, mqtt.V5)
    assert [edge.publish(topic, f"after {qos}", qos) for qos in (0, 1, 2)] == [0, 0, 0]
    got = [payload.decode() for payload in payloads(seen(all_of_it)) if not payload.isdigit()]
    over = [] if too_much else ["over 1", "over 2", "over 2"]
    assert got == ["within 1", "within 2", *over, "neighbour", "begun within", *over[:1], "3.1.1 1", "after 0", "after 1", "after 2"]
    assert seen(watch) == []


@pytest.mark.local
def test_signals(make_broker, suite):
    """Bytes, sizes, topics, refusals and deliveries of a client; log-ins that fail, and connections, of all together."""
    def asking(policy):
        policy["classes"][0].update(bytes={"max_per_second": 5000}, payload={"max_bytes": 3000}, refused={"max_per_minute": 3}, topics={"max_distinct": 10},
                                    deliveries={"max_per_second": 40}, together={"publish": {"max_per_second": 20}})
        policy["broker"] = {"connections": {"max": 2}, "login_failures": {"max_per_minute": 2}}
        policy["listeners"] = [{"port": broker.port, "publish": {"max_per_second": 20}}]
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", asking)
    broker.start()
    watch, client = watcher(broker, ALERTS), broker.connect(EDGE1)
    client.publish("planta/linea1/temperatura", "x" * 3001, qos=1)
    for number in range(50):
        client.send_publish(f"planta/linea1/temperatura{number}", "x" * 100)
    for _ in range(4):
        client.publish("planta/linea2/temperatura", "no", qos=1)
    for _ in range(3):
        broker.refused(STRANGER)
    other = broker.connect(EDGE2)
    other.ping()
    expected = {f"{kind}/edge-linea1" for kind in ("bytes_rate", "payload_size", "topic_count", "refused_rate")}
    expected |= {"class_publish_rate/gateways", "broker_connections/broker", "broker_login_failure_rate/broker"}
    expected |= {f"listener_publish_rate/{broker.port}"} if suite == "sid" else set()  # brokers before 2.1 do not say where a client came in
    raised = {}
    while not expected <= raised.keys():
        message, alert = next_alert(watch)
        assert alert["state"] == "raised" or message.topic.removeprefix(ALERTS[:-1]) in raised
        raised[message.topic.removeprefix(ALERTS[:-1])] = message.payload
    sys.path.insert(0, str(ROOT / "tests/corpus"))
    import corpus
    assert corpus.ask_ajv("alert", list(raised.values())) == ["good"] * len(raised)


def test_again_after_it_cleared(make_broker, suite):
    broker = monitored(make_broker, suite, publish={"max_per_second": 20, "clear_seconds": 1})
    watch, client = watcher(broker, ALERTS), broker.connect(EDGE1)
    for _ in range(2):
        flood(client)
        assert [next_alert(watch)[1]["state"] for _ in range(2)] == ["raised", "cleared"]


def test_below_the_limit(make_broker, suite, version):
    broker = monitored(make_broker, suite, publish={"max_per_second": 100, "clear_seconds": 1})
    watch, client = watcher(broker, ALERTS), broker.connect(EDGE1, version)
    flood(client, count=60)
    client.publish("planta/linea1/temperatura", "last", qos=1)
    assert seen(watch) == []


@pytest.mark.parametrize("topic", ["planta/linea2/temperatura", "planta/linea1/Temperatura", "planta"], ids=["acl", "names", "depth"])
def test_refused_publishes_count(make_broker, suite, version, topic):
    broker = monitored(make_broker, suite, publish={"max_per_second": 30, "clear_seconds": 1})
    watch, client = watcher(broker, ALERTS), broker.connect(EDGE1, version)
    flood(client, topic)
    assert next_alert(watch)[1]["state"] == "raised"
    assert len(re.findall("aduana: refused publish", broker.log)) <= 10  # and the log is not flooded


def test_each_client_for_itself(make_broker, suite):
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", lambda policy: policy["classes"][1].update(publish={"max_per_second": 20, "clear_seconds": 1}))
    broker.start()
    watch = watcher(broker, ALERTS)
    noisy, quiet = broker.connect(SENSOR, client_id="ruidoso"), broker.connect(SENSOR, client_id="callado")
    quiet.publish("planta/linea1/horno", "x", qos=1)
    flood(noisy, "planta/linea1/horno")
    assert [next_alert(watch)[0].topic.rpartition("/")[2] for _ in range(2)] == ["ruidoso"] * 2
    assert seen(watch) == []


def test_client_id_that_is_no_topic_level(make_broker, suite, version):
    """Client ids are free text: the alert's topic keeps its five levels, and the payload says the id as it is."""
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", lambda policy: policy["classes"][1].update(publish={"max_per_second": 20, "clear_seconds": 1}))
    broker.start()
    watch = watcher(broker, ALERTS)
    client = broker.connect(SENSOR, version, client_id='a/b+#"\\ñ')
    flood(client, "planta/linea1/horno")
    message, alert = next_alert(watch)
    assert alert["client_id"] == 'a/b+#"\\ñ'
    assert len(message.topic.split("/")) == 5 and not set("+#") & set(message.topic)


def test_reconnecting(make_broker, suite, version):
    broker = monitored(make_broker, suite, connections={"max_per_minute": 5, "clear_seconds": 1})
    watch = watcher(broker, ALERTS)
    for _ in range(7):
        broker.connect(EDGE1, version).disconnect()
    message, alert = next_alert(watch)
    assert message.topic == "planta/_sys/alertas/connection_rate/edge-linea1"
    assert (alert["kind"], alert["state"], alert["limit"], alert["client_id"]) == ("connection_rate", "raised", 5, "edge-linea1")
    assert alert["value"] > 5


def test_bad_policy_raises_an_alert(broker):
    watch = watcher(broker, ALERTS)
    broker.write("acl.json", "{")
    broker.reload_refused()
    message, alert = next_alert(watch)
    assert message.topic == "planta/_sys/alertas/policy_rejected/broker"
    assert (alert["kind"], alert["state"]) == ("policy_rejected", "raised")
    assert "acl.json:1:" in alert["text"]
    broker.put_back("acl.json")
    broker.reload()
    message, alert = next_alert(watch)
    assert (message.topic, alert["state"]) == ("planta/_sys/alertas/policy_rejected/broker", "cleared")


@pytest.mark.parametrize("topic", ["planta/_sys/alertas/publish_rate/edge-linea1", "planta/_sys/alertas/policy_rejected/broker",
                                   "planta/_sys/alertas/x/y", "planta/_sys/aduana/contadores"])
def test_clients_never_write_alerts_or_counters(make_broker, suite, version, topic):
    """Not even one whose role grants every topic, and not by a will either."""
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", lambda policy: policy.update(counters={"topic": "planta/_sys/aduana/contadores", "every_seconds": 3600}))
    broker.start()
    watch, client = watcher(broker, topic), broker.connect(ADMIN, version, client_id="otro")
    seen(watch)
    for qos in 0, 1, 2:
        for retain in False, True:
            assert client.publish(topic, "forged", qos=qos, retain=retain) == refused_publish(version, qos)
    assert b"forged" not in payloads(seen(watch))


def test_reading_alerts_needs_a_grant(broker, version):
    assert broker.connect(LECTOR1, version).subscribe(ALERTS) == REFUSED_CODES[version]


def test_counters(make_broker, suite):
    """All counters of the bundle as one retained JSON object, and they count."""
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", lambda policy: policy.update(counters={"topic": "planta/_sys/aduana/contadores", "every_seconds": 1}))
    broker.start()
    client = broker.connect(EDGE1, 5)
    client.publish("planta/linea2/temperatura", "refused", qos=1)
    watch = watcher(broker, "planta/_sys/aduana/contadores")
    first, before = next_alert(watch)
    assert isinstance(before, dict) and before
    for _ in range(5):
        client.publish("planta/linea1/temperatura", "x", qos=1)
    deadline = 10
    while next_alert(watch)[1] == before:
        deadline -= 1
        assert deadline, "the counters do not count"
    assert next_alert(watcher(broker, "planta/_sys/aduana/contadores", client_id="later"))[0].retain


def test_retained_alerts(make_broker, suite):
    """With "retain": true whoever comes later sees the last state."""
    broker = make_broker(suite, start=False)
    broker.edit("rate_monitor.json", lambda policy: policy["alerts"].update(retain=True, qos=0))
    broker.edit("rate_monitor.json", limits(publish={"max_per_second": 20, "clear_seconds": 1}))
    broker.start()
    watch = watcher(broker, ALERTS)
    flood(broker.connect(EDGE1))
    assert [next_alert(watch)[1]["state"] for _ in range(2)] == ["raised", "cleared"]
    message, alert = next_alert(watcher(broker, ALERTS, client_id="later"))
    assert message.retain and alert["state"] == "cleared"


@pytest.mark.local
def test_silence_and_flapping(make_broker, suite):
    """A client that says nothing is missed, one that comes and goes is noticed; each alert is what the schema says."""
    broker = monitored(make_broker, suite, learn=True, silence_seconds=1, connections={"max_per_minute": 3})
    watch, client = watcher(broker, ALERTS), broker.connect(EDGE1)
    raised, cleared = next_alert(watch), None
    assert raised[0].topic == "planta/_sys/alertas/silence/edge-linea1"
    assert (raised[1]["state"], raised[1]["limit"], raised[1]["severity"]) == ("raised", 1, "critical") and raised[1]["value"] >= 1
    client.publish("planta/linea1/temperatura", "21", qos=1)
    cleared = next_alert(watch)
    assert (cleared[1]["kind"], cleared[1]["state"], cleared[1]["since"]) == ("silence", "cleared", raised[1]["since"])
    alerts = [raised, cleared]
    for _ in range(5):
        client = broker.connect(EDGE1)
    while alerts[-1][1]["kind"] != "flapping":
        alerts.append(next_alert(watch))
    assert "connection_rate" in {alert["kind"] for _, alert in alerts}
    sys.path.insert(0, str(ROOT / "tests/corpus"))
    import corpus
    assert corpus.ask_ajv("alert", [message.payload for message, _ in alerts]) == ["good"] * len(alerts)
