"""Topic names: case, spaces, characters, depth, reserved levels and exempt trees, for publish and subscribe."""
import pytest

from plant import ADMIN, EDGE1, REFUSED_CODES, SENSOR, payloads, refused_publish, seen, topics, watcher

BAD_NAMES = {
    "upper-case": "planta/linea1/Temperatura",
    "upper-case-beyond-ascii": "planta/linea1/Ñ",
    "space": "planta/linea1/horno 1",
    "character": "planta/linea1/horno.1",
    "beyond-ascii": "planta/linea1/presión",
    "percent": "planta/linea1/%2e",
    "dots": "planta/linea1/..",
    "back-slash": "planta/linea1\\x/t",
    "dollar-level": "planta/$linea/t",
    "too-shallow": "planta/linea1",
    "one-level": "planta",
    "too-deep": "planta/linea1/a/b/c/d/e",
    "empty-level": "planta//temperatura",
    "first-empty": "/planta/linea1/t",
    "last-empty": "planta/linea1/t/",
    "unknown-underscore": "planta/linea1/_x/t",
    "underscore-inside-reserved": "planta/linea1/_sys/_x",
    "level-too-long": "planta/linea1/" + "a" * 33,
    "topic-too-long": "/".join(["planta"] + ["a" * 31] * 4),
}


def test_refused_name(broker, version):
    """Nobody may publish it, at any QoS, though the administrator's role grants it; who does stays connected."""
    watch = watcher(broker, "#")
    for number, (name, topic) in enumerate(BAD_NAMES.items()):
        client = broker.connect(ADMIN, version, client_id=f"otro-{number}")  # of one client not every refusal is logged
        for qos in 0, 1, 2:
            for retain in False, True:
                assert client.publish(topic, "x", qos=qos, retain=retain) == refused_publish(version, qos), name
        assert seen(watch) == [], name
        assert client.is_alive(), name
        broker.wait_log(rf'refused publish client="otro-{number}" username="admin" .*: topic_policy: ')
    assert seen(watcher(broker, "#", client_id="later")) == []  # nothing was retained either


@pytest.mark.parametrize("topic", ["planta/linea1/" + "a" * 32, "planta/linea1/_sys/a/b/c", "planta/linea1/a-b_c9", "libre/Arriba y//abajo/"])
def test_accepted_name(broker, version, topic):
    """The limits themselves, a reserved level with its role, and an exempt tree where nothing is checked."""
    watch = watcher(broker, "planta/#")
    client = broker.connect(ADMIN, version, client_id="otro")
    assert client.publish(topic, "x", qos=1) == 0
    assert topics(seen(watch)) == [topic]


def test_reserved_level_needs_its_role(broker, version):
    """The sensor's grant covers the topic, but its role may not write below _sys."""
    watch = watcher(broker, "planta/#")
    sensor, edge = broker.connect(SENSOR, version), broker.connect(EDGE1, version)
    assert sensor.publish("planta/linea1/_sys/estado", "sensor", qos=1) == refused_publish(version, 1)
    assert edge.publish("planta/linea1/_sys/heartbeat", "edge", qos=1) == 0
    assert payloads(seen(watch)) == [b"edge"]


REFUSED_FILTERS = [
    "planta/Linea1/+", "planta/linea1/horno 1", "planta/linea.1/#", "planta//+", "planta/linea1", "+/+", "+", "/#", "planta/linea1/+/",
    "planta/a/b/c/d/e/f", "+/+/+/+/+/+/+", "planta/_x/+", "planta/a/b/c/d/e/+/#", "$share/g/planta/Linea1/+", "$share/g/planta/linea1",
    "planta/" + "a" * 33 + "/#"]
ACCEPTED_FILTERS = [
    "planta/#", "planta/+/#", "planta/linea1/#", "planta/+/+", "planta/_sys/#", "planta/+/_sys/+", "planta/a/b/c/d/e", "planta/a/b/c/d/e/#",
    "libre/A b//#", "$share/g/planta/linea1/+", "$share/Grupo A/planta/linea1/+"]


def test_filters(broker, version):
    """Refused is a filter that names what nobody may publish, or that no legal topic can match; no other."""
    client = broker.connect(ADMIN, version)
    for topic_filter in REFUSED_FILTERS:
        assert client.subscribe(topic_filter) == REFUSED_CODES[version], topic_filter
        assert client.is_alive()
    for topic_filter in ACCEPTED_FILTERS:
        assert client.subscribe(topic_filter) == 1, topic_filter


@pytest.mark.parametrize("topic_filter", ["#", "+/+/+", "+/linea1/#"])
def test_the_acl_refuses_what_the_names_allow(broker, version, topic_filter):
    assert broker.connect(EDGE1, version).subscribe(topic_filter) == REFUSED_CODES[version]


def test_watch_lets_through_and_says_so(make_broker, suite, version):
    broker = make_broker(suite, start=False)
    broker.edit("topic_policy.json", lambda policy: policy.update(mode="watch"))
    broker.start()
    watch, client = watcher(broker, "planta/#"), broker.connect(ADMIN, version, client_id="otro")
    assert client.publish("planta/linea1/Temperatura", "x", qos=1) == 0
    assert topics(seen(watch)) == ["planta/linea1/Temperatura"]
    assert client.subscribe("planta/Linea1/#") == 1
    broker.wait_log(r'would refuse publish client="otro" .*topic="planta/linea1/Temperatura".*: topic_policy: ')


def test_watch_of_names_does_not_open_the_acl(make_broker, suite, version):
    broker = make_broker(suite, start=False)
    broker.edit("topic_policy.json", lambda policy: policy.update(mode="watch"))
    broker.start()
    watch, client = watcher(broker, "planta/#"), broker.connect(EDGE1, version)
    assert client.publish("planta/linea2/Temperatura", "x", qos=1) == refused_publish(version, 1)
    assert client.subscribe("planta/Linea2/#") == REFUSED_CODES[version]
    assert seen(watch) == []


def test_defaults(make_broker, suite, version):
    """An empty file still keeps names lowercase, without spaces and without empty levels."""
    broker = make_broker(suite, start=False)
    broker.write("topic_policy.json", "{}")
    broker.start()
    watch, client = watcher(broker, "planta/#"), broker.connect(ADMIN, version, client_id="otro")
    for topic in "planta/Linea1", "planta/a b", "planta//a", "planta/_sys/a", "/".join(["planta"] + ["a"] * 16):
        assert client.publish(topic, "x", qos=1) == refused_publish(version, 1)
    for topic in "planta/presión", "planta/a.b/c", "/".join(["planta"] + ["a"] * 15):
        assert client.publish(topic, "x", qos=1) == 0
    assert len(seen(watch)) == 3
