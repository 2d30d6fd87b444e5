"""Attacks on topics and permissions, one test for each line of the project's list of attacks (its number is in the name)."""
import pytest

import mqtt
from mqtt import V5, Will
from plant import (ADMIN, EDGE1, EDGE2, LECTOR1, REFUSED_CODES, SENSOR, SENSOR2, VICTIM_TOPIC, Person, nothing_passes, payloads,
                   refused_publish, seen, topics, watcher)


FILTERS = ["#", "+/#", "planta/#", "planta/+/+", "+/linea1/#", "planta/+/#", "$share/g/#", "$share/g/planta/#", "$share/g/planta/linea2/#",
           "$share/planta/linea1/#", "$SYS/#", "$CONTROL/#", "$share/g/$SYS/#", "planta/linea2/horno", "planta/linea1/../linea2/horno"]


@pytest.mark.parametrize("version", [3, 4, 5], ids=["v31", "v311", "v5"])
def test_attack_13_subscribe_beyond_the_grant(broker, version):
    """With rights to planta/linea1/# only: refused, and nothing of line 2 is ever delivered (MQTT 3.1 cannot be told)."""
    admin = broker.connect(ADMIN)
    admin.publish("planta/linea2/horno", "retained", qos=1, retain=True)
    for topic_filter in FILTERS:
        client = broker.connect(LECTOR1, version)
        code = client.subscribe(topic_filter)
        assert version == 3 or code == REFUSED_CODES[version], topic_filter
        assert client.subscribe("planta/linea1/marca") == 1
        for qos in 0, 1, 2:
            admin.publish("planta/linea2/horno", "live", qos=qos)
        assert seen(client, admin, "planta/linea1/marca") == [], topic_filter
        assert client.is_alive()
        client.disconnect()


VALUES = {"plus": "+", "hash": "#", "slash": "linea1/horno", "parent": "linea2/comandos", "empty": "", "long": "x" * 59, "case": "LINEA1", "dollar": "$SYS",
          "space": " linea1", "template": "${linea}", "look-alike": "l\u0456nea1", "dots": "..", "newline": "linea1\n", "marks": "\u202elinea1"}


def test_attack_16_template_value(make_broker, suite, version):
    """A policy that takes anything for a line: a value is one literal level or matches nothing."""
    broker = make_broker(suite, start=False)

    def careless(policy):
        policy["identities"][0].update(attributes={"linea": {"from": "cert.cn", "pattern": "(?s)edge-(.*)"}}, username="${cert.cn}", password="no")
        policy["identities"][0].pop("client_id")
    broker.edit("cert_auth.json", careless)
    broker.start()
    victim, watch = broker.connect(LECTOR1), watcher(broker, "planta/#")
    victim.subscribe("planta/linea1/#")
    for name, value in VALUES.items():
        try:
            client = broker.connect(Person("edge-" + value, "edge"), version, client_id=f"atacante-{name}")
        except mqtt.Refused:
            continue  # a name that cannot be used may as well be refused at the door
        for topic in ("planta/linea1/temperatura", "planta/linea2/temperatura", "planta/linea1/horno/x", "planta//x", "planta/LINEA1/x"):
            assert client.publish(topic, "no", qos=1) == refused_publish(version, 1), (name, topic)
        for topic_filter in "planta/linea1/comandos/#", "planta/+/comandos/#", "planta/#", "planta/linea2/comandos/comandos/#", "planta//comandos/#":
            assert client.subscribe(topic_filter) == REFUSED_CODES[version], (name, topic_filter)
    assert seen(watch) == []
    assert victim.is_alive()


def test_attack_16_user_name_like_a_level_of_another_line(make_broker, suite, version):
    """${username} is the verified one: a client that says linea2 is not linea2."""
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", lambda policy: policy["roles"].update(sensor={"allow": [{"publish": ["planta/${username}/+"]}]}))
    broker.start()
    watch, client = watcher(broker, "planta/#"), broker.connect(SENSOR, version, username="linea2", password="otra-clave")
    assert client.publish("planta/linea2/horno", "no", qos=1) == refused_publish(version, 1)
    assert client.publish("planta/sensor-linea1-horno/a", "yes", qos=1) == 0
    assert topics(seen(watch)) == ["planta/sensor-linea1-horno/a"]


def test_attack_16_client_id_template_without_a_bound_id(make_broker, suite, version):
    """What a client says of itself is not evidence: ${client_id} matches nothing unless the policy binds it."""
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", lambda policy: [policy["roles"].update({role: {"allow": [{"publish": ["planta/${client_id}/+"]}]}}) for role in ("sensor", "edge")])
    broker.start()
    sensor, edge = broker.connect(SENSOR, version, client_id="linea2"), broker.connect(EDGE1, version)
    assert sensor.publish("planta/linea2/horno", "no", qos=1) == refused_publish(version, 1)
    assert edge.publish("planta/edge-linea1/horno", "yes", qos=1) == 0


def bystanders(broker):
    """Line 2's gateway, which must see nothing, and an observer of everything."""
    victim = broker.connect(EDGE2, V5, clean=False)
    victim.subscribe("planta/linea2/comandos/#", qos=2)
    return victim, watcher(broker, "planta/#", version=V5)


def nothing_arrived(victim, watch):
    assert seen(watch) == []
    assert seen(victim, watch, "planta/linea2/comandos/marca") == []


@pytest.mark.parametrize("retain", [False, True], ids=["", "retained"])
@pytest.mark.parametrize("qos", [0, 1, 2], ids=["qos0", "qos1", "qos2"])
def test_attack_18_publish_foreign_command(broker, version, qos, retain):
    victim, watch = bystanders(broker)
    client = broker.connect(EDGE1, version)
    assert client.publish(VICTIM_TOPIC, "stop", qos=qos, retain=retain) == refused_publish(version, qos)
    nothing_arrived(victim, watch)
    assert seen(watcher(broker, "planta/#", client_id="later")) == []
    assert client.is_alive()
    broker.wait_log(rf'refused publish client="edge-linea1" username="linea1" address=127.0.0.1 topic="{VICTIM_TOPIC}" qos={qos} retain={int(retain)}: acl: ')


@pytest.mark.parametrize("qos", [0, 1, 2], ids=["qos0", "qos1", "qos2"])
def test_attack_18_empty_retained_deletes_nothing(broker, version, qos):
    admin = broker.connect(ADMIN)
    admin.publish(VICTIM_TOPIC, "standing order", qos=1, retain=True)
    broker.connect(EDGE1, version).publish(VICTIM_TOPIC, "", qos=qos, retain=True)
    assert payloads(seen(watcher(broker, "planta/#"))) == [b"standing order"]


@pytest.mark.parametrize("retain", [False, True], ids=["will", "retained-will"])
@pytest.mark.parametrize("qos", [0, 1, 2], ids=["qos0", "qos1", "qos2"])
def test_attack_18_will(broker, version, qos, retain):
    victim, watch = bystanders(broker)
    broker.connect(EDGE1, version, will=Will(VICTIM_TOPIC, b"stop", qos, retain)).drop()
    broker.wait_log(rf'aduana: refused will client="edge-linea1" username="linea1" .*topic="{VICTIM_TOPIC}"')
    nothing_arrived(victim, watch)
    assert seen(watcher(broker, "planta/#", client_id="later")) == []


def test_attack_18_will_with_delay(broker):
    victim, watch = bystanders(broker)
    broker.connect(EDGE1, V5, clean=False, will=Will(VICTIM_TOPIC, b"stop", 1, False, 1)).drop()
    broker.wait_log(r'aduana: refused will client="edge-linea1"')
    nothing_arrived(victim, watch)


def test_attack_18_topic_alias(broker):
    """An alias bound to an allowed topic, then to a foreign one, then used alone."""
    victim, watch = bystanders(broker)
    client = broker.connect(EDGE1, V5)
    alias = {mqtt.TOPIC_ALIAS: 1}
    assert client.publish("planta/linea1/temperatura", "yes", qos=1, props=alias) == 0
    assert client.publish("", "yes", qos=1, props=alias) == 0
    assert client.publish(VICTIM_TOPIC, "no", qos=1, props=alias) == 0x87
    try:
        assert client.publish("", "no", qos=1, props=alias) in (0, 0x87)
    except mqtt.Closed:
        pass
    got = seen(watch)
    assert set(topics(got)) == {"planta/linea1/temperatura"}, got
    assert seen(victim, watch, "planta/linea2/comandos/marca") == []


def test_attack_18_response_topic(broker):
    """A property is no publish: the message arrives where it was allowed, and nothing elsewhere."""
    victim, watch = bystanders(broker)
    client = broker.connect(EDGE1, V5)
    assert client.publish("planta/linea1/temperatura", "yes", qos=1, props={mqtt.RESPONSE_TOPIC: VICTIM_TOPIC}) == 0
    assert topics(seen(watch)) == ["planta/linea1/temperatura"]
    assert seen(victim, watch, "planta/linea2/comandos/marca") == []


@pytest.mark.parametrize("qos", [1, 2], ids=["qos1", "qos2"])
def test_attack_18_dup_with_changed_topic(broker, version, qos):
    """The same packet id, marked as a repetition, with a topic that is not allowed."""
    victim, watch = bystanders(broker)
    client = broker.connect(EDGE1, version)
    mid = client.send_publish("planta/linea1/temperatura", "yes", qos=qos)
    client._wait(mqtt.PUBACK if qos == 1 else mqtt.PUBREC, mid)
    try:
        client.send_publish(VICTIM_TOPIC, "no", qos=qos, mid=mid, dup=True)
        client._wait(mqtt.PUBACK if qos == 1 else mqtt.PUBREC, mid)
        if qos == 2:
            client.release(mid)
    except mqtt.Closed:
        pass
    assert set(topics(seen(watch))) <= {"planta/linea1/temperatura"}
    assert seen(victim, watch, "planta/linea2/comandos/marca") == []


def test_attack_18_while_the_victim_is_away(broker, version):
    """Nothing is queued for it either."""
    victim, watch = bystanders(broker)
    victim.disconnect()
    client = broker.connect(EDGE1, version)
    for qos in 0, 1, 2:
        client.publish(VICTIM_TOPIC, "stop", qos=qos)
    victim = broker.connect(EDGE2, V5, clean=False)
    assert victim.session_present
    nothing_arrived(victim, watch)


def test_attack_01_to_18_leave_a_broker_that_works(broker, version):
    """After a mixture of them everybody still does their work."""
    edge, watch = broker.connect(EDGE1, version), watcher(broker, "planta/+/temperatura")
    broker.refused(EDGE1, version, client_id="edge-linea2")
    edge.subscribe("#")
    edge.publish(VICTIM_TOPIC, "no", qos=2)
    nothing_passes(broker, broker.connect(SENSOR2, version))
    assert edge.publish("planta/linea1/temperatura", "yes", qos=2) == 0
    assert payloads(seen(watch)) == [b"yes"]
