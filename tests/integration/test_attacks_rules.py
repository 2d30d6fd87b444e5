"""Denied parts of granted filters over a restart, topics at the ends of what MQTT allows, and a role that is taken in the
middle of everything."""
import itertools

import pytest

from daemon import until
from mqtt import Closed, Will
from plant import ADMIN, EDGE1, REFUSED_CODES, SCADA, TABLERO, payloads, refused_publish, seen, topics, watcher


def test_attack_15_denied_part_of_what_is_granted(broker, version):
    """Live, retained, queued while away and over a restart, by overlapping filters and by a share group."""
    admin = broker.connect(ADMIN)
    reader = broker.connect(TABLERO, version, clean=False)
    assert reader.subscribe("planta/+/+", "planta/linea1/+", "$share/g/planta/linea2/+", qos=1) == [1, 1, 1]
    for text in "retained", "live":
        assert admin.publish("planta/linea1/secreto", text, qos=1, retain=text == "retained") == 0
    assert admin.publish("planta/linea2/secreto", "live", qos=1) == 0
    assert seen(reader, admin, "planta/lineax/marca") == []
    reader.disconnect()
    for line in "linea1", "linea2":
        assert admin.publish(f"planta/{line}/secreto", "queued", qos=1) == 0
    assert admin.publish("planta/linea1/horno", "yes", qos=1) == 0
    broker.restart()
    admin = broker.connect(ADMIN)
    assert admin.publish("planta/linea1/secreto", "queued after the restart", qos=1, retain=True) == 0
    reader = broker.connect(TABLERO, version, clean=False)
    assert reader.session_present
    assert set(payloads(seen(reader, admin, "planta/lineax/marca"))) == {b"yes"}
    assert reader.subscribe("planta/+/+", qos=1) == 1  # asks for what is retained once more
    assert b"queued after the restart" not in payloads(seen(reader, admin, "planta/lineax/marca"))


ENDS = {"65,535 bytes": "planta/" + "a" * 65528, "200 levels": "/".join("a" * 200), "201 levels": "/".join("a" * 201), "32,768 levels": "/" * 32767,
        "far away": "planta/linea1/../linea2/x", "encoded": "planta/linea1%2f..%2flinea2", "back-slash": "planta\\linea1\\t",
        "combining marks": "planta/linea1/a" + "\u0301" * 30, "full width": "ｐｌａｎｔａ/ｌｉｎｅａ１/ｔ", "BOM": "planta/linea1/\ufefft", "invisible": "planta/linea1/te\u200bmp",
        "right to left": "planta/linea1/\u202et"}


def test_attack_17_topics_at_the_ends(broker, version):
    """Refused by the broker, which may close the connection, or by the names; never delivered, and nobody else notices."""
    watch, other = watcher(broker, "#"), broker.connect(SCADA)
    for (name, topic), attempt in itertools.product(ENDS.items(), ("publish", "retained", "subscribe")):
        client = broker.connect(EDGE1, version)
        try:
            if attempt == "subscribe":
                assert client.subscribe(topic) == REFUSED_CODES[version], name
            else:
                assert client.publish(topic, "x", qos=1, retain=attempt == "retained") == refused_publish(version, 1), name
            assert client.is_alive()
        except Closed:
            pass
        client.drop()
    assert other.publish("planta/linea1/comandos/x", "on", qos=1) == 0
    assert topics(seen(watch)) == ["planta/linea1/comandos/x"]


@pytest.mark.parametrize("text", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"a\0b", b"\xf4\x90\x80\x80"], ids=["byte", "overlong", "surrogate", "nul", "beyond"])
def test_attack_17_no_text(broker, version, text):
    """What is no UTF-8, or holds U+0000, ends the connection of whoever sends it."""
    watch, client = watcher(broker, "#"), broker.connect(EDGE1, version)
    client.send_publish(b"planta/linea1/" + text)
    client.wait_closed()
    assert seen(watch) == []


def test_attack_19_role_taken_in_the_middle(broker, version):
    """The next publish, the delivery of what is subscribed and queued, the second half of QoS 2, what was retained and the
    will: all by the new policy, without a reconnect."""
    admin, watch = broker.connect(ADMIN, client_id="otro"), watcher(broker, "planta/#")
    away = broker.connect(TABLERO, version, clean=False, client_id="lejos")
    assert away.subscribe("planta/+/+", qos=1) == 1
    away.disconnect()
    here = broker.connect(TABLERO, version)
    assert here.subscribe("planta/+/+") == 1
    edge = broker.connect(EDGE1, version, will=Will("planta/linea1/adios", b"will", 1))
    assert edge.publish("planta/linea1/horno", "kept", qos=1, retain=True) == 0
    assert admin.publish("planta/linea1/horno", "queued", qos=1) == 0
    assert payloads(seen(here, admin, "planta/lineax/marca")) == [b"kept", b"queued"]
    assert payloads(seen(watch)) == [b"kept", b"queued"]

    def take(policy):
        policy["roles"]["edge"] = {"allow": [{"subscribe": ["planta/${linea}/comandos/#"]}]}
        policy["roles"]["tablero"] = {"allow": [{"subscribe": ["planta/+/marca"]}]}
    broker.edit("acl.json", take)
    broker.reload()
    for qos in 0, 1, 2:
        assert edge.publish("planta/linea1/horno", "late", qos=qos) == refused_publish(version, qos)
    assert admin.publish("planta/linea1/horno", "not for you", qos=1) == 0
    assert seen(here, admin, "planta/lineax/marca") == []
    away = broker.connect(TABLERO, version, clean=False, client_id="lejos")
    assert away.session_present and seen(away, admin, "planta/lineax/marca") == []
    edge.drop()
    until(lambda: "refused will" in broker.log or 'refused publish client="edge-linea1"' in broker.log, what="the will is judged")
    assert payloads(seen(watch)) == [b"not for you"]
