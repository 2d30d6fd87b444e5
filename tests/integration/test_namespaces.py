"""Namespaces and what they ask of messages: what clients of each MQTT version see, and the ways round it (attacks 17, 22, 23)."""
import json

import pytest

import mqtt
from mqtt import Will
from plant import ADMIN, EDGE1, REFUSED_CODES, SENSOR, payloads, refused_publish, seen, topics, watcher

CONTENT_TYPE, USER_PROPERTY = 3, 0x26  # properties of MQTT 5

GOOD = '{"valor": 21.5, "unidad": "C"}'
SCHEMA = {"type": "object", "required": ["valor", "unidad"], "additionalProperties": False,
          "properties": {"valor": {"type": "number"}, "unidad": {"type": "string"}},
          "units": {"value": "valor", "unit": "unidad", "ranges": {"C": {"minimum": -40, "maximum": 150}}}}


def with_namespaces(policy):
    policy.update(vocabularies={"linea": {"range": {"prefix": "linea", "min": 1, "max": 9}}, "parametro": {"one_of": ["temperatura", "presion"]}}, namespaces=[
        {"name": "telemetry", "template": "planta/{linea}/{estacion?}/{parametro}", "qos": {"max": 1}, "retain": "forbidden",
         "payload": {"format": "json", "max_bytes": 100, "schema": SCHEMA}},
        {"name": "states", "template": "planta/{linea}/estado", "retain": "required", "payload": {"format": "utf8"}},
        {"name": "watched", "template": "planta/{linea}/nivel", "mode": "watch", "payload": {"format": "number"}},
        {"name": "heartbeats", "template": "planta/{linea}/_sys/heartbeat"},
        {"name": "own", "template": "planta/${linea}/propio"}], subscriptions={"max_wildcards": 4, "too_broad": ["+/+/#"], "broad_roles": ["admin"]})


@pytest.fixture
def plant(make_broker, suite):
    broker = make_broker(suite, start=False)
    broker.edit("topic_policy.json", with_namespaces)
    broker.start()
    return broker


def test_attack_22_namespaces_in_each_version(plant):
    """What belongs to none is refused, as publish and as filter, and so is a message that is not as its namespace asks."""
    watch = watcher(plant, "planta/#")
    for version in 3, 4, 5:
        client = plant.connect(EDGE1, version)
        assert client.publish("planta/linea1/nivel", "veinte", qos=1) == 0  # only watched
        for topic in "planta/linea1/humedad", "planta/linea1/horno/humedad", "planta/linea1/_sys/otro", "planta/linea01/temperatura":
            assert client.publish(topic, GOOD, qos=1) == refused_publish(version, 1)
        for payload in "", "21.5", GOOD.replace("21.5", "151"), GOOD + GOOD, GOOD.replace("C", "K"):
            assert client.publish("planta/linea1/temperatura", payload, qos=1) == refused_publish(version, 1)
        assert client.publish("planta/linea1/temperatura", GOOD, qos=1) == 0
        assert client.publish("planta/linea1/propio", "x", qos=1) == 0
        assert client.publish("planta/linea1/estado", "en marcha", qos=1, retain=True) == 0
        assert client.publish("planta/linea1/estado", "en marcha", qos=1) == refused_publish(version, 1)
        assert topics(seen(watch)) == ["planta/linea1/nivel", "planta/linea1/temperatura", "planta/linea1/propio", "planta/linea1/estado"]
        assert client.subscribe("+/+/#") == (REFUSED_CODES[version] or 1)
        client.disconnect()
        admin = plant.connect(ADMIN, version, client_id="otro")
        assert admin.subscribe("planta/+/+", "planta/+/humedad", "planta/linea10/#", "planta/+/+/+/+") == (
            [1, REFUSED_CODES[version], REFUSED_CODES[version], REFUSED_CODES[version]] if version > 3 else [1, 1, 1, 1])
        admin.disconnect()
    plant.wait_log(r'refused publish client="edge-linea1" .*: topic_policy: the payload is no such JSON as it should be: "valor: more than 150 C"')
    plant.wait_log(r'would refuse publish client="edge-linea1" .*topic="planta/linea1/nivel"')


EVASIONS = {
    "twice": GOOD + GOOD, "key-twice": GOOD.replace("{", '{"valor": 1,'), "key-twice-escaped": GOOD.replace("{", '{"v\\u0061lor": 1,'),
    "nan": GOOD.replace("21.5", "NaN"), "too-large": GOOD.replace("21.5", "1e999"), "nested": "[" * 50 + "]" * 50, "bom": "\ufeff" + GOOD, "nul": GOOD + "\0",
    "more": GOOD.replace("}", ', "x": 1}'), "bytes": GOOD + " " * 100, "text": GOOD.replace("21.5", '"21.5"'), "deeper": '{"valor": ' + "[" * 10000 + "]" * 10000 + "}",
}


def test_attack_23_rules_evaded(plant):
    """By dup, by alias, by will, by a property, by the payload, and by what was remembered of the topic."""
    watch, topic = watcher(plant, "planta/#"), "planta/linea1/temperatura"
    client, alias = plant.connect(EDGE1, 5), {mqtt.TOPIC_ALIAS: 1}
    assert client.publish(topic, GOOD, qos=1) == 0
    for name in EVASIONS:
        assert client.publish(topic, EVASIONS[name], qos=1) == 0x87, name
    assert client.publish(topic, GOOD, qos=2) == 0x87
    assert client.publish(topic, GOOD, qos=1, retain=True) == 0x87
    assert client.publish(topic, "", qos=1, retain=True) == 0x87
    assert client.publish(topic, "{", qos=1, dup=True) == 0x87
    assert client.publish(topic, GOOD, qos=1, props=alias) == 0
    assert client.publish("", "{", qos=1, props=alias) == 0x87
    assert client.publish("", GOOD, qos=1, props=alias) == 0
    assert client.publish(topic, "{", qos=1, props={0x03: "application/json", 0x01: 1}) == 0x87
    assert client.publish(topic, GOOD, qos=1, dup=True) == 0
    client.disconnect()
    for will in Will(topic, "{"), Will(topic, GOOD, qos=2), Will(topic, GOOD, retain=True), Will("planta/linea1/humedad", GOOD):
        plant.connect(EDGE1, 4, will=will).drop()
    plant.connect(EDGE1, 4, will=Will(topic, '{"valor": 7, "unidad": "C"}')).drop()
    assert [json.loads(watch.receive().payload)["valor"] for _ in range(5)] == [21.5, 21.5, 21.5, 21.5, 7]
    assert seen(watch) == []
    assert seen(watcher(plant, "planta/#", client_id="later")) == []  # and nothing was retained


ODD = ["a//b", "/planta/a", "planta/a/", "planta/linea1/" + "a" * 65521, "planta" + "/a" * 150, "a" + "/" * 32767, "planta/\ufeffa/t", "planta/\uffff/t",
       "planta/\ufdd0/t", "planta/\U0010ffff/t", "planta/a\u0301/t", "planta/\uff41/t", "planta/../t", "planta/%2e%2e/t", "planta/a\\b/t", "planta/\u200b/t",
       "planta/a\u00ad/t", "planta/linea1/temperatur\u0430"]


def test_attack_17_odd_topics(plant):
    """Refused, if not by us then by the broker, which may close the connection; and everybody else goes on."""
    watch = watcher(plant, "planta/#", "#")
    for topic in ODD:
        for version in 4, 5:
            client = plant.connect(ADMIN, version, client_id="otro")
            try:
                assert client.publish(topic, GOOD, qos=1) == refused_publish(version, 1), topic[:40]
                client.disconnect()
            except mqtt.Closed:
                pass
    assert seen(watch) == []


def test_content_type_is_seen_where_the_broker_shows_it(make_broker, suite):
    """A broker that shows plugins no properties refuses every message of a namespace that asks for them."""
    broker = make_broker(suite, start=False)
    rule = {"one_of": ["application/json"], "required": True}
    broker.edit("topic_policy.json", lambda policy: policy.update(namespaces=[{"name": "n", "template": "planta/linea1/{x}", "content_type": rule}], other_topics="allow"))
    broker.start()
    watch, client = watcher(broker, "planta/#"), broker.connect(EDGE1, 5)
    shown = client.publish("planta/linea1/a", "1", qos=1, props={CONTENT_TYPE: "application/json"}) == 0
    assert shown == (suite == "sid")
    for wrong in {CONTENT_TYPE: "text/plain"}, {CONTENT_TYPE: ""}, {USER_PROPERTY: ("content-type", "application/json")}, {}:
        assert client.publish("planta/linea1/a", "no", qos=1, props=wrong) == 0x87, wrong
    assert broker.connect(SENSOR, 4).publish("planta/linea1/a", "no", qos=1) == 0  # of 3.1.1: dropped
    assert payloads(seen(watch)) == ([b"1"] if shown else [])
    broker.wait_log("the content type is none of the namespace's" if shown else "before 2.1, shows no content type")


def test_a_reload_changes_what_is_remembered(plant):
    """A topic that was legal, and a message that was, are judged by the new policy at once."""
    watch, client = watcher(plant, "planta/#"), plant.connect(EDGE1, 5)
    assert client.publish("planta/linea1/temperatura", GOOD, qos=1) == 0
    assert client.publish("planta/linea1/propio", "x", qos=1) == 0
    plant.edit("topic_policy.json", lambda policy: policy["namespaces"].pop())
    plant.edit("topic_policy.json", lambda policy: policy["namespaces"][0].update(payload={"format": "number"}))
    plant.reload()
    assert client.publish("planta/linea1/temperatura", GOOD, qos=1) == 0x87
    assert client.publish("planta/linea1/propio", "x", qos=1) == 0x87
    assert client.publish("planta/linea1/temperatura", "21.5", qos=1) == 0
    assert payloads(seen(watch)) == [GOOD.encode(), b"x", b"21.5"]


def test_attack_17_names_that_look_alike(make_broker, suite):
    """A topic in use cannot be doubled by one that looks like it, nor by somebody who may not publish it."""
    broker = make_broker(suite, start=False)
    broker.edit("topic_policy.json", lambda policy: policy.update(names={"lowercase": False, "lookalikes": "refuse", "collisions": "refuse"}, report=True))
    broker.start()
    alarms = watcher(broker, "planta/_sys/alertas/topic_refused/#", client_id="alarmas")
    watch, admin, edge = watcher(broker, "planta/+/+"), broker.connect(ADMIN, 5, client_id="otro"), broker.connect(EDGE1, 5)
    assert edge.publish("planta/Linea2/t_1", "x", qos=1) == 0x87  # by the acl, so it is not in use
    assert admin.publish("planta/linea2/t_1", "1", qos=1) == 0
    assert admin.publish("planta/linea2/t_1", "2", qos=1) == 0
    for topic in "planta/Linea2/t_1", "planta/linea2/t-1", "planta/linea2/\u0442_1", "planta/line\u0430/t":
        assert admin.publish(topic, "no", qos=1) == (0x87 if topic != "planta/linea2/\u0442_1" else 0), topic
    assert len(seen(watch)) == 3
    assert admin.publish("planta/linea 2/T", "no", qos=1) == 0x87
    broker.wait_log(r'spaces are not allowed \(level 2 "linea 2"\); right would be "planta/linea2/T"')
    reports = []  # the first of each kind, and no more
    while len(reports) < 3:
        message = alarms.receive()
        reports += [json.loads(message.payload)["text"]] if message.topic == "planta/_sys/alertas/topic_refused/otro" else []
    assert ["same as a topic in use" in reports[0], "looks like another" in reports[1], "spaces" in reports[2]] == [True] * 3
    assert seen(alarms) == []
    broker.wait_log(r'but for case, or - and _, it is the same as a topic in use, "planta/linea2/t_1"')


def test_sparkplug_births_and_deaths_are_the_edge_nodes_own(make_broker, suite):
    """NBIRTH, NDATA and the NDEATH that is a will pass for the node that the identity names, and for no other."""
    broker = make_broker(suite, start=False)
    broker.edit("topic_policy.json", lambda policy: policy.update(sparkplug={"edge_node": "linea", "host_roles": ["admin"]}))
    broker.edit("acl.json", lambda policy: policy["roles"]["edge"]["allow"].append({"publish": ["spBv1.0/#"]}))
    broker.start()
    watch = watcher(broker, "spBv1.0/#")
    broker.connect(EDGE1, 4, client_id="edge-linea1", will=Will("spBv1.0/Planta 1/NDEATH/linea2", "no", qos=1)).drop()
    edge = broker.connect(EDGE1, 5, will=Will("spBv1.0/Planta 1/NDEATH/linea1", "death", qos=1))
    assert edge.publish("spBv1.0/Planta 1/NDATA/linea1", "data", qos=1) == 0x87  # QoS 0, says the specification
    for topic in "spBv1.0/Planta 1/NBIRTH/linea1", "spBv1.0/Planta 1/DBIRTH/linea1/Bomba 7", "spBv1.0/Planta 1/NBIRTH/linea2", "spBv1.0/Planta 1/NCMD/linea1":
        assert edge.publish(topic, "birth") == 0
    edge.drop()
    assert broker.connect(ADMIN, 5, client_id="otro").publish("spBv1.0/STATE/otro", "online", qos=1, retain=True) == 0
    got = [watch.receive().topic for _ in range(4)]
    assert sorted(got) == ["spBv1.0/Planta 1/DBIRTH/linea1/Bomba 7", "spBv1.0/Planta 1/NBIRTH/linea1", "spBv1.0/Planta 1/NDEATH/linea1", "spBv1.0/STATE/otro"]
    assert seen(watch) == []
