"""Attacks on the control topic, and on the others that begin with `$` (number 20 of the project's list of attacks)."""
import itertools
import json
import time

import pytest

import mqtt
from control import JEFE, MUDO, RESPONSE, TOPIC, allow_control, answer, chief, order_all, told
from daemon import free_port, until
from mqtt import V5, Will
from plant import ADMIN, EDGE1, LECTOR1, NOBODY, SENSOR, refused_publish, seen, watcher

RELOAD = json.dumps({"commands": [{"command": "reload"}]})
KICK = json.dumps({"commands": [{"command": "kick", "client_id": "consola"}]})


@pytest.fixture
def broker(make_broker, suite):
    return allow_control(make_broker(suite, start=False)).start()


def nothing_was_ordered(broker):
    assert "asked for by" not in broker.log and "generation 2" not in broker.log


DOLLAR_TOPICS = [TOPIC, RESPONSE, "$CONTROL/aduana/v2", "$CONTROL/aduana", "$CONTROL/dynamic-security/v1", "$CONTROL/otro/v1", "$SYS/broker/uptime",
                 "$SYS/x", "$share/g/planta/linea1/x", "$otro/x"]


@pytest.mark.parametrize("person", [EDGE1, SENSOR, LECTOR1, NOBODY, ADMIN], ids=lambda person: person.cn)
def test_attack_20_without_the_role(broker, version, person):
    """Refused, for who has `#` too; the chief sees nothing of it, and the one that asks lives."""
    client, thief = chief(broker, version), broker.connect(person, version)
    for topic, payload, qos in itertools.product(DOLLAR_TOPICS, (RELOAD, KICK), (0, 1, 2)):
        assert thief.publish(topic, payload, qos=qos) == refused_publish(version, qos)
    for qos in 0, 1, 2:
        broker.wait_log(rf'aduana: refused publish client="\S+" username="\S+" .*topic="\$CONTROL/aduana/v1" qos={qos}')
    assert thief.subscribe(RESPONSE) == (0x80 if version == 4 else 0x87)
    nothing_was_ordered(broker)
    assert thief.is_alive() and told(client, "status")["generation"] == 1
    assert not client.inbox


@pytest.mark.parametrize("version", [3], ids=["v31"])
def test_attack_20_without_the_role_by_mqtt_31(broker, version):
    client, thief = chief(broker), broker.connect(NOBODY, version)
    thief.subscribe(RESPONSE)
    for qos in 0, 1, 2:
        assert thief.publish(TOPIC, RELOAD, qos=qos) == 0
    nothing_was_ordered(broker)
    told(client, "status")
    thief.ping()
    assert not thief.inbox


def test_attack_20_in_watch_mode(make_broker, suite, version):
    """acl in watch mode lets every publish through: no right to give orders follows from it."""
    broker = allow_control(make_broker(suite, start=False))
    broker.edit("acl.json", lambda policy: policy.update(mode="watch"))
    broker.start()
    client, thief = chief(broker, version), broker.connect(NOBODY, version, client_id="ladron")
    for payload in RELOAD, KICK:
        assert thief.publish(TOPIC, payload, qos=1) == 0
        assert "acl: the client has no roles" in answer(thief)[0]["error"]
    broker.wait_log(r'aduana: refused control client="ladron" username="nadie" address=127.0.0.1: acl: ')
    nothing_was_ordered(broker)
    assert told(client, "status")["counters"]["control_refused"] == 2


def test_attack_20_by_will(broker, version):
    """Not even the chief's will is an order: newer brokers refuse the login, 2.0.11 sends it on to whoever subscribes."""
    client = chief(broker, version)
    for person in EDGE1, JEFE:
        try:
            dying = broker.connect(person, version, client_id=person.client_id or "otro", will=Will(TOPIC, RELOAD.encode(), 1))
        except mqtt.Refused:
            continue
        dying.drop()
        until(lambda: not any(one["online"] for one in told(client, "sessions", client_id=dying.client_id)["sessions"]), what="it has gone", every=0.1)
        assert person is JEFE or broker.wait_log('aduana: refused will client="edge-linea1"')
    nothing_was_ordered(broker)
    assert told(client, "status")["generation"] == 1


def test_attack_20_answers_for_the_asker_alone(broker, version):
    """Two chiefs, and one who may only ask; each gets the answers to its own questions."""
    one, two, mute = chief(broker, version), chief(broker, version, "otra"), broker.connect(MUDO, version)
    for number in range(5):
        assert order_all(one, {"command": "status", "correlationData": f"one {number}"})[0]["correlationData"] == f"one {number}"
        assert order_all(two, {"command": "status", "correlationData": f"two {number}"})[0]["correlationData"] == f"two {number}"
        assert mute.publish(TOPIC, '{"commands": [{"command": "sessions"}]}', qos=1) == 0
    for client in one, two, mute:
        client.ping()
        client.ping()
        assert not client.inbox
    broker.wait_log(r'aduana: refused receive client="mudo" username="mudo" .*topic="\$CONTROL/aduana/v1/response"')


def test_attack_20_what_is_ordered_without_reading_is_done(broker, version):
    client, mute = chief(broker, version), broker.connect(MUDO, version)
    assert mute.publish(TOPIC, RELOAD, qos=1) == 0
    broker.wait_log("policy generation 2 loaded")
    broker.wait_log('aduana: reload asked for by client="mudo" username="mudo"')
    assert told(client, "status")["generation"] == 2


@pytest.mark.parametrize("properties", [{mqtt.RESPONSE_TOPIC: "planta/linea1/comandos/x"}, {mqtt.TOPIC_ALIAS: 1}], ids=["response-topic", "alias"])
def test_attack_20_by_properties(broker, properties):
    """The answer goes to the one topic, whatever is asked for."""
    client, watch = chief(broker, V5), watcher(broker, "planta/#")
    assert client.publish(TOPIC, '{"commands": [{"command": "status"}]}', qos=1, props=properties) == 0
    assert answer(client)[0]["data"]["generation"] == 1
    assert seen(watch) == []


@pytest.mark.parametrize("retain", [False, True], ids=["", "retained"])
@pytest.mark.parametrize("qos", [0, 1, 2], ids=["qos0", "qos1", "qos2"])
def test_attack_20_retained_orders_are_not_kept(broker, version, qos, retain):
    client = chief(broker, version)
    client.publish(TOPIC, '{"commands": [{"command": "status"}]}', qos=qos, retain=retain)
    assert answer(client)[0]["data"]["counters"]["control_commands"] == 1
    later = chief(broker, version, "otra")
    later.ping()
    assert not later.inbox
    assert told(later, "status")["counters"]["control_commands"] == 2


NO_ORDERS = {
    "empty": "", "no-json": "reload", "half": '{"commands": [{"command": "status"}', "null": "null", "list": "[]", "number": "7",
    "commands-is-object": '{"commands": {}}', "commands-is-text": '{"commands": "status"}', "no-commands": '{"commands": []}',
    "seventeen": json.dumps({"commands": [{"command": "status"}] * 17}), "duplicate": '{"commands": [], "commands": []}',
    "nul": b'{"commands": ["\\u0000"]}', "nul-byte": b'{"commands": [{"command": "status"}]}\0', "no-utf8": b'{"commands": ["\xff\xfe"]}',
    "deep": "[" * 10000, "deep-objects": '{"a":' * 10000, "deep-value": '{"commands": [{"command": ' + "[" * 10000 + "]" * 10000 + "}]}",
    "1e999": '{"commands": [1e999]}', "NaN": '{"commands": [NaN]}',
    "unknown-verb": '{"commands": [{"command": "setDefaultACLAccess"}]}', "verb-is-number": '{"commands": [{"command": 7}]}',
    "verb-is-list": '{"commands": [{"command": ["reload"]}]}', "no-verb": '{"commands": [{}]}', "command-is-text": '{"commands": ["reload"]}',
    "unknown-key": '{"commands": [{"command": "reload", "force": true}]}', "kick-nobody": '{"commands": [{"command": "kick"}]}',
    "kick-all": '{"commands": [{"command": "kick", "client_id": null}]}', "kick-empty": '{"commands": [{"command": "kick", "client_id": ""}]}',
    "kick-pattern": '{"commands": [{"command": "kick", "client_id": "+"}]}', "limit": '{"commands": [{"command": "sessions", "limit": 1000000}]}',
    "negative": '{"commands": [{"command": "sessions", "limit": -1}]}',
    "explain-nothing": '{"commands": [{"command": "explain"}]}',
    "correlation-is-object": '{"commands": [{"command": "status", "correlationData": {}}]}'}


def test_attack_20_no_order(broker, version):
    """An error is answered, the client stays connected, and nothing is done."""
    client = chief(broker, version)
    for case, payload in NO_ORDERS.items():
        assert client.publish(TOPIC, payload, qos=1) == 0, case
        responses = answer(client)
        assert len(responses) == 1 and "error" in responses[0] and "data" not in responses[0], (case, responses)
    nothing_was_ordered(broker)
    assert told(client, "status")["generation"] == 1


@pytest.mark.parametrize("person", [JEFE, ADMIN], ids=["chief", "without-the-role"])
def test_attack_20_ten_megabytes(make_broker, suite, version, person):
    """Not read, where the broker lets it come so far; and nobody waits for it."""
    broker = allow_control(make_broker(suite, lambda b: b.plain_conf(extra="max_packet_size 20000000"), start=False)).start()
    client, thief = chief(broker, version), broker.connect(person, version, client_id="otro")
    payload = b'{"commands": [{"command": "status", "x": "' + b"x" * 10_000_000 + b'"}]}'
    assert thief.publish(TOPIC, payload, qos=1) == (refused_publish(version, 1) if person is ADMIN else 0)
    if person is JEFE:
        assert answer(thief)[0]["error"].startswith("the message has 100000")
    assert thief.is_alive() and told(client, "status")["generation"] == 1


def test_attack_20_flood(broker, version):
    """Thousands of orders, of the most costly ones: few a second are carried out, and others are served meanwhile."""
    flood, client = chief(broker, version, "flood"), chief(broker, version)
    edges = [broker.connect(SENSOR, version, client_id=f"sensor-{number}") for number in range(50)]
    payload = json.dumps({"commands": [{"command": "sessions"}] * 15 + [{"command": "reload"}]})
    begin, sent = time.monotonic(), 0
    for _ in range(20 // broker.slow):
        for _ in range(100 // broker.slow ** 3):
            flood.send_publish(TOPIC, payload, qos=0)
            sent += 1
        assert edges[0].publish("planta/linea1/temperatura", "x", qos=1) == 0
    now = told(client, "status")
    a_second = 20  # orders that are carried out, of each of the two
    assert now["counters"]["control_commands"] <= 2 * a_second * (time.monotonic() - begin + 2), f"of {16 * sent} in all"
    assert now["online"] == 52
    assert all(edge.is_alive() for edge in edges)


def test_attack_20_flood_of_refused_orders(broker, version):
    """They fill no log, and nobody is told anything."""
    client, thief = chief(broker, version), broker.connect(NOBODY, version)
    for _ in range(500):
        thief.send_publish(TOPIC, RELOAD, qos=0)
    thief.ping()
    assert broker.log.count('aduana: refused publish client="nadie"') <= 10
    assert told(client, "status")["counters"]["publish_refused"] == 500
    assert not thief.inbox


def test_attack_20_from_a_mount_point(make_broker, suite, version):
    """A listener whose topics are moved below a prefix has no control topic, whatever its clients may do."""
    def conf(broker):
        broker.second = getattr(broker, "second", None) or free_port()
        return broker.plain_conf() + broker.listener_conf(broker.second, "require_certificate true\nmount_point lejos/")
    broker = allow_control(make_broker(suite, conf, start=False))
    broker.edit("acl.json", lambda policy: policy["roles"]["jefe"]["allow"].append({"publish": ["lejos/#"], "subscribe": ["lejos/#"]}))
    broker.edit("topic_policy.json", lambda policy: policy["exempt"].append("lejos/#"))
    broker.start()
    client, far = chief(broker, version), broker.connect(JEFE, version, client_id="lejos", port=broker.second)
    assert far.subscribe("#") == 1
    assert far.publish(TOPIC, RELOAD, qos=1) == 0
    assert far.receive().topic.endswith(TOPIC)  # an ordinary message there
    nothing_was_ordered(broker)
    assert told(client, "status")["generation"] == 1


def test_attack_20_role_removed_while_connected(broker, version):
    """The next order is judged by the new policy."""
    client, two = chief(broker, version), chief(broker, version, "otra")
    broker.put_back("acl.json")
    told(client, "reload")
    broker.wait_log("policy generation 2 loaded")
    assert two.publish(TOPIC, RELOAD, qos=1) == refused_publish(version, 1)
    assert two.is_alive() and client.is_alive()
    assert broker.log.count("reload asked for by") == 1


def test_attack_20_client_id_of_a_chief_that_left(broker, version):
    """An answer that comes too late is for nobody: whoever takes the client id afterwards does not get it."""
    for _ in range(20):
        client = chief(broker, version)
        client.send_publish(TOPIC, '{"commands": [{"command": "sessions"}]}')
        client.drop()
        try:
            heir = broker.connect(NOBODY, version, client_id="consola")
        except mqtt.Refused:
            continue  # the chief was not yet gone
        heir.ping()
        heir.ping()
        assert not heir.inbox
        heir.disconnect()
