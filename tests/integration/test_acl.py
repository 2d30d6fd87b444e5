"""Roles, bindings, templates, deny over allow, default deny; for publish, subscribe and delivery."""
import pytest

from mqtt import Will
from plant import (ADMIN, EDGE1, EDGE2, LECTOR1, NOBODY, REFUSED_CODES, SCADA, SENSOR, TABLERO, nothing_passes, payloads, refused_publish,
                   seen, topics, watcher)


def add(role, verdict, rule):
    """An edit of acl.json: one more rule for a role."""
    return lambda policy: policy["roles"].setdefault(role, {}).setdefault(verdict, []).append(rule)


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_publish_by_template(broker, version, qos):
    watch = watcher(broker, "planta/#")
    one, two = broker.connect(EDGE1, version), broker.connect(EDGE2, version)
    for client, own, foreign in (one, "linea1", "linea2"), (two, "linea2", "linea1"):
        assert client.publish(f"planta/{foreign}/temperatura", "no", qos=qos) == refused_publish(version, qos)
        assert client.publish(f"planta/{own}/temperatura", "yes", qos=qos) == 0
        assert topics(seen(watch)) == [f"planta/{own}/temperatura"]


@pytest.mark.parametrize("topic", ["planta/linea1/a/b", "planta/linea11/a", "planta/linea/a", "planta/linea1x/a", "otra/linea1/a", "libre/x"])
def test_default_deny(broker, version, topic):
    watch, client = watcher(broker, "#"), broker.connect(EDGE1, version)
    assert client.publish(topic, "no", qos=1) == refused_publish(version, 1)
    assert seen(watch) == []


def test_refused_publish_is_explained(broker, version):
    client = broker.connect(EDGE1, version)
    client.publish("planta/linea2/temperatura", "no", qos=1)
    broker.wait_log(r'aduana: refused publish client="edge-linea1" username="linea1" address=127.0.0.1 '
                    r'topic="planta/linea2/temperatura" qos=1 retain=0: acl: ')


def test_deny_wins(broker, version):
    """planta/linea1/consigna is granted by planta/${linea}/+ and denied by planta/+/consigna."""
    watch = watcher(broker, "planta/#")
    edge, scada = broker.connect(EDGE1, version), broker.connect(SCADA, version)
    assert edge.publish("planta/linea1/consigna", "no", qos=1) == refused_publish(version, 1)
    assert scada.publish("planta/linea1/consigna", "yes", qos=1) == 0
    assert payloads(seen(watch)) == [b"yes"]


def test_deny_of_one_role_beats_the_grant_of_another(make_broker, suite, version):
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", lambda policy: policy["bindings"].append({"match": {"cert.cn": "edge-linea1"}, "roles": ["operador"]}))
    broker.start()
    watch, edge = watcher(broker, "planta/#"), broker.connect(EDGE1, version)
    assert edge.publish("planta/linea1/consigna", "no", qos=1) == refused_publish(version, 1)
    assert edge.publish("planta/linea2/comandos/x", "by binding", qos=1) == 0
    assert payloads(seen(watch)) == [b"by binding"]


@pytest.mark.parametrize("match,holds", [
    ({}, True), ({"cert.cn": "nadie"}, True), ({"cert.cn": ["a", "nadie"]}, True), ({"cert.cn": {"pattern": "na.+"}}, True),
    ({"cert.cn": {"pattern": "na"}}, False), ({"cert.cn": "Nadie"}, False), ({"cert.cn": "nadie", "cert.ou": "edge"}, False),
    ({"cert.o": "Planta", "username": "nadie"}, True), ({"cert.issuer.o": "Planta"}, True), ({"client_id": "nadie"}, False),
    ({"linea": "linea1"}, False), ({"cert.san.dns": "x"}, False)])
def test_bindings(make_broker, suite, match, holds):
    """client_id matches nothing for an identity whose policy does not bind it."""
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", lambda policy: policy["bindings"].append({"match": match, "roles": ["operador"]}))
    broker.start()
    assert (broker.connect(NOBODY).subscribe("planta/linea1/#") == 1) == holds


def test_binding_by_subject_alternative_name(make_broker, suite, pki):
    broker = make_broker(suite, start=False)
    match = {"cert.san.dns": "panel.planta", "cert.san.uri": {"pattern": "urn:panel:[0-9]+"}}
    broker.edit("acl.json", lambda policy: policy["bindings"].append({"match": match, "roles": ["operador"]}))
    broker.start()
    for san, code in ("DNS:otro.planta,DNS:panel.planta,URI:urn:panel:7", 1), ("DNS:panel.planta,URI:urn:panel:x", 0x80):
        assert broker.connect(NOBODY, cert=pki.client("nadie", "servicio", san=san)).subscribe("planta/linea1/#") == code


FILTERS = [
    ("planta/linea1/#", True), ("planta/linea1/+", True), ("planta/linea1/+/x", True), ("planta/linea1/horno", True),
    ("$share/g/planta/linea1/#", True), ("planta/+/horno", False), ("planta/+/+", False), ("planta/linea2/horno", False),
    ("planta/#", False), ("+/linea1/horno", False), ("$share/g/planta/+/horno", False)]


def test_a_grant_covers_the_whole_filter_or_it_is_refused(broker, version):
    client = broker.connect(LECTOR1, version)
    for topic_filter, granted in FILTERS:
        assert client.subscribe(topic_filter) == (1 if granted else REFUSED_CODES[version]), topic_filter
        assert client.is_alive()


def test_two_grants_do_not_add_up(make_broker, suite, version):
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", add("lector", "allow", {"subscribe": ["planta/+/a", "planta/+/b"]}))
    broker.start()
    client = broker.connect(LECTOR1, version)
    assert client.subscribe("planta/+/a", "planta/+/b", "planta/+/+") == [1, 1, REFUSED_CODES[version]]


def test_refused_filter_gets_nothing(broker, version):
    """Also the legal neighbours of a refused filter in the same SUBSCRIBE work."""
    client, admin = broker.connect(LECTOR1, version), broker.connect(ADMIN)
    assert client.subscribe("planta/linea1/+", "planta/linea2/+") == [1, REFUSED_CODES[version]]
    admin.publish("planta/linea2/horno", "no", qos=1)
    admin.publish("planta/linea1/horno", "yes", qos=1)
    assert payloads(seen(client, admin, "planta/linea1/marca")) == [b"yes"]


def test_mqtt31_is_told_a_lie_but_gets_nothing(broker):
    """MQTT 3.1 knows no refusal in SUBACK."""
    client, admin = broker.connect(LECTOR1, 3), broker.connect(ADMIN)
    client.subscribe("planta/linea1/+", "planta/linea2/+", "planta/#")
    admin.publish("planta/linea2/horno", "no", qos=1)
    assert seen(client, admin, "planta/linea1/marca") == []
    edge, watch = broker.connect(EDGE1, 3), watcher(broker, "planta/#", client_id="otro")
    edge.publish("planta/linea2/temperatura", "no", qos=1)
    edge.publish("planta/linea1/temperatura", "yes", qos=1)
    assert payloads(seen(watch)) == [b"yes"]


def test_deny_below_a_granted_filter(broker, version):
    """The dashboard may subscribe planta/+/+, and planta/+/secreto is never delivered: live, by an overlapping
    subscription, by a shared one, or retained. A SUBSCRIBE that the deny covers is refused."""
    admin = broker.connect(ADMIN, client_id="otro")
    admin.publish("planta/linea1/secreto", "retained", qos=1, retain=True)
    client = broker.connect(TABLERO, version)
    assert client.subscribe("planta/linea1/secreto", "planta/+/secreto") == [REFUSED_CODES[version]] * 2
    assert client.subscribe("planta/+/+", "planta/linea1/+", "$share/g/planta/linea2/+") == [1, 1, 1]
    for line in "linea1", "linea2":
        for qos in 0, 1, 2:
            assert admin.publish(f"planta/{line}/secreto", "live", qos=qos) == 0
    assert seen(client, admin, "planta/lineax/marca") == []
    assert client.is_alive() and admin.is_alive()


def test_refused_delivery_does_not_disconnect_the_publisher(broker, version):
    """The READ question is asked inside the publisher's turn; a wrong answer there would cost it its connection."""
    dashboards = [broker.connect(TABLERO, v, client_id=f"t{n}") for n, v in enumerate((4, 5, 5))]
    for client in dashboards:
        assert client.subscribe("planta/+/+") == 1
    publisher = broker.connect(ADMIN, version, client_id="otro")
    for qos in 0, 1, 2:
        assert publisher.publish("planta/linea1/secreto", "x", qos=qos) == 0
    assert publisher.is_alive()
    publisher.publish("planta/linea1/marca", "first", qos=1)
    assert [client.receive().payload for client in dashboards] == [b"first"] * 3


def test_denied_while_offline(broker, version):
    """What is queued for an absent durable client obeys the deny as well."""
    client, admin = broker.connect(TABLERO, version, clean=False), broker.connect(ADMIN)
    assert client.subscribe("planta/+/+") == 1
    client.disconnect()
    admin.publish("planta/linea1/secreto", "no", qos=1)
    admin.publish("planta/linea1/horno", "yes", qos=1)
    client = broker.connect(TABLERO, version, clean=False)
    assert client.session_present
    assert payloads(seen(client, admin, "planta/linea1/marca")) == [b"yes"]


def test_receive_only(make_broker, suite, version):
    """`receive` alone does not let subscribe; and `deny receive` lets subscribe but delivers nothing."""
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", add("lector", "allow", {"receive": ["planta/linea2/#"]}))
    broker.edit("acl.json", add("lector", "deny", {"receive": ["planta/linea1/secreto"]}))
    broker.start()
    client, admin = broker.connect(LECTOR1, version), broker.connect(ADMIN)
    assert client.subscribe("planta/linea2/#", "planta/linea1/secreto", "planta/linea1/+") == [REFUSED_CODES[version], 1, 1]
    admin.publish("planta/linea1/secreto", "no", qos=1)
    assert seen(client, admin, "planta/linea1/marca") == []


def test_wildcards_never_reach_dollar_topics(broker, version):
    """The administrator has `#`, which is not $SYS nor $CONTROL; and the words are not needed to break anything."""
    client = broker.connect(ADMIN, version)
    for topic_filter in "$SYS/#", "$SYS/broker/version", "$CONTROL/#", "$CONTROL/dynamic-security/v1":
        assert client.subscribe(topic_filter) == REFUSED_CODES[version]
    assert client.publish("$CONTROL/dynamic-security/v1", "{}", qos=1) == refused_publish(version, 1)
    assert client.is_alive()


def test_sys_by_a_grant_of_its_own(make_broker, suite, version):
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", add("lector", "allow", {"subscribe": ["$SYS/broker/version"]}))
    broker.start()
    client = broker.connect(LECTOR1, version)
    assert client.subscribe("$SYS/#") == REFUSED_CODES[version]
    assert client.subscribe("$SYS/broker/version") == 1
    assert client.receive().payload.startswith(b"mosquitto version")


def test_watch(make_broker, suite, version):
    """In watch, what would be refused passes and is logged; the login is enforced all the same."""
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", lambda policy: policy.update(mode="watch"))
    broker.start()
    watch, client = watcher(broker, "planta/#"), broker.connect(SENSOR, version)
    assert client.publish("planta/linea2/horno", "x", qos=1) == 0
    assert client.subscribe("planta/linea2/#") == 1
    assert payloads(seen(watch)) == [b"x"]
    broker.wait_log(r'would refuse publish client="sensor-linea1-horno" .*topic="planta/linea2/horno".*: acl: ')
    broker.wait_log(r'would refuse subscribe client="sensor-linea1-horno" .*: acl: ')
    assert client.publish("planta/linea1/Horno", "x", qos=1) == refused_publish(version, 1)  # topic_policy still enforces
    broker.refused(EDGE1, version, password="x", will=Will("planta/linea1/x"))


def test_unsubscribe_is_always_allowed(broker, version):
    client, admin = broker.connect(LECTOR1, version), broker.connect(ADMIN)
    assert client.subscribe("planta/linea1/horno", "planta/linea1/marca") == [1, 1]
    client.unsubscribe("planta/linea1/horno")
    client.unsubscribe("planta/linea2/#")
    admin.publish("planta/linea1/horno", "x", qos=1)
    assert seen(client, admin, "planta/linea1/marca") == []


def test_two_roles(make_broker, suite, version):
    """Grants of several roles are each worth their own."""
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", lambda policy: policy["bindings"].append({"match": {"linea": "linea1", "cert.ou": "sensor"}, "roles": ["lector"]}))
    broker.start()
    client = broker.connect(SENSOR, version)
    assert client.subscribe("planta/linea1/#") == 1
    assert client.publish("planta/linea1/horno", "x", qos=1) == 0
    assert payloads([client.receive()]) == [b"x"]
    nothing_passes(broker, broker.connect(NOBODY, version))


def test_nobody_joins_a_share_group_to_swallow_its_messages(make_broker, suite, version):
    """The broker gives each message to one member and only then asks: who may receive nothing of it is not let in."""
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", add("tablero", "deny", {"receive": ["planta/+/comandos/#"]}))
    broker.edit("acl.json", add("tablero", "allow", {"subscribe": ["planta/#"]}))
    broker.start()
    tablero, scada = broker.connect(TABLERO, version), broker.connect(SCADA, version)
    assert tablero.subscribe("planta/linea1/comandos/#") < 3
    assert tablero.subscribe("$share/g/planta/linea1/comandos/#") == REFUSED_CODES[version]
    assert scada.subscribe("$share/g/planta/linea1/comandos/#", qos=1) < 3
    for number in range(4):
        assert scada.publish("planta/linea1/comandos/x", str(number), qos=1) == 0
    assert [scada.receive().payload for _ in range(4)] == [b"0", b"1", b"2", b"3"]
