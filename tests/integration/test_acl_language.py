"""What acl.json says beyond patterns, as clients see it: included roles, conditions, watching."""
import datetime
import zoneinfo

import pytest

from plant import ADMIN, EDGE1, REFUSED_CODES, SCADA, TABLERO, payloads, refused_publish, seen, watcher

TOPIC = "planta/linea1/temperatura"


def plant(make_broker, suite, change):
    broker = make_broker(suite, start=False)
    broker.edit("acl.json", change)
    broker.start()
    return broker


def only(**when):
    """The edge's grants hold under that condition only, and subscribing is another rule."""
    def change(policy):
        policy["roles"]["edge"]["allow"] = [{"publish": ["planta/${linea}/+"], "when": when}, {"subscribe": ["planta/${linea}/comandos/#"]}]
    return change


def test_included_roles(make_broker, suite, version):
    """Whoever gets the chief's role has the operator's, and what that includes."""
    def change(policy):
        policy["roles"]["jefe"] = {"includes": ["operador"]}
        policy["roles"]["operador"]["includes"] = ["lectura"]
        policy["roles"]["lectura"] = {"allow": [{"subscribe": ["otra/+/x"]}]}
        policy["bindings"][0]["roles"] = ["jefe"]
    broker = plant(make_broker, suite, change)
    scada = broker.connect(SCADA, version)
    assert scada.publish("planta/linea1/consigna", "1", qos=1) == 0
    assert scada.subscribe("otra/+/x") < 3
    assert scada.subscribe("otra/#") == REFUSED_CODES[version]


def test_a_role_that_includes_itself_is_no_policy(broker):
    broker.edit("acl.json", lambda policy: policy["roles"]["operador"].update(includes=["operador"]))
    assert "roles.operador.includes: the role includes itself" in broker.reload_refused()


def test_qos(make_broker, suite, version):
    broker = plant(make_broker, suite, only(qos={"min": 1, "max": 1}))
    watch, edge = watcher(broker, "planta/#"), broker.connect(EDGE1, version)
    for qos in 0, 2:
        assert edge.publish(TOPIC, "no", qos=qos) == refused_publish(version, qos)
    assert edge.publish(TOPIC, "yes", qos=1) == 0
    assert payloads(seen(watch)) == [b"yes"]


def test_retain(make_broker, suite, version):
    broker = plant(make_broker, suite, only(retain=False))
    watch, edge = watcher(broker, "planta/#"), broker.connect(EDGE1, version)
    assert edge.publish(TOPIC, "no", qos=1, retain=True) == refused_publish(version, 1)
    assert edge.publish(TOPIC, "yes", qos=1) == 0
    assert payloads(seen(watch)) == [b"yes"]
    assert payloads(seen(watcher(broker, "planta/#", client_id="later"))) == []


def test_payload_bytes(make_broker, suite, version):
    broker = plant(make_broker, suite, only(payload_bytes={"min": 1, "max": 4}))
    watch, edge = watcher(broker, "planta/#"), broker.connect(EDGE1, version)
    for payload, code in ("", refused_publish(version, 1)), ("four", 0), ("five5", refused_publish(version, 1)):
        assert edge.publish(TOPIC, payload, qos=1) == code
    assert payloads(seen(watch)) == [b"four"]


@pytest.mark.parametrize("networks,good", [(["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], True), (["203.0.113.0/24"], False)])
def test_networks(make_broker, suite, version, networks, good):
    broker = plant(make_broker, suite, only(networks=networks))
    edge = broker.connect(EDGE1, version)
    assert edge.publish(TOPIC, "1", qos=1) == (0 if good else refused_publish(version, 1))


@pytest.mark.parametrize("now", [True, False])
def test_times(make_broker, suite, version, now):
    """Today's window in a zone far from this machine's, and all days but today and tomorrow."""
    zone = "Pacific/Auckland"
    today = datetime.datetime.now(zoneinfo.ZoneInfo(zone)).weekday()
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    around = {(today + shift) % 7 for shift in (0, 1)}  # midnight may pass meanwhile
    when = only(times=[{"days": [day for at, day in enumerate(days) if (at in around) == now]}])

    def change(policy):
        when(policy)
        policy["time_zone"] = zone
    broker = plant(make_broker, suite, change)
    assert broker.connect(EDGE1, version).publish(TOPIC, "1", qos=1) == (0 if now else refused_publish(version, 1))


def test_share_groups(make_broker, suite, version):
    def change(policy):
        policy["roles"]["tablero"] = {"allow": [{"subscribe": ["planta/#"], "when": {"share_groups": ["historian"]}}]}
    broker = plant(make_broker, suite, change)
    client = broker.connect(TABLERO, version)
    assert client.subscribe("planta/#") == REFUSED_CODES[version]
    assert client.subscribe("$share/other/planta/#") == REFUSED_CODES[version]
    assert client.subscribe("$share/historian/planta/#", qos=1) < 3
    assert broker.connect(EDGE1, version).publish(TOPIC, "1", qos=1) == 0
    assert client.receive().payload == b"1"


def test_a_deny_of_one_way_to_subscribe_leaves_the_others(make_broker, suite, version):
    """Not in that group, and not with QoS 2; who subscribes otherwise receives."""
    def change(policy):
        policy["roles"]["tablero"] = {"allow": [{"subscribe": ["planta/+/+"]}],
                                      "deny": [{"subscribe": ["planta/#"], "when": {"share_groups": ["turno"]}}, {"subscribe": ["planta/#"], "when": {"qos": {"min": 2}}}]}
    broker = plant(make_broker, suite, change)
    client, admin = broker.connect(TABLERO, version), broker.connect(ADMIN)
    refused = REFUSED_CODES[version]
    assert client.subscribe("$share/turno/planta/+/+", qos=1) == refused
    assert client.subscribe("planta/+/+", qos=2) == refused
    assert client.subscribe("planta/linea1/+", qos=1) == 1
    assert client.subscribe("$share/otro/planta/linea2/+", qos=1) == 1
    for line in "linea1", "linea2":
        assert admin.publish(f"planta/{line}/horno", line, qos=1) == 0
    assert sorted(payloads(seen(client, admin, "planta/linea1/marca"))) == [b"linea1", b"linea2"]


def test_a_watched_deny_lets_through_and_says_so(make_broker, suite, version):
    broker = plant(make_broker, suite, lambda policy: policy["roles"]["edge"]["deny"][0].update(mode="watch"))
    watch, edge = watcher(broker, "planta/#"), broker.connect(EDGE1, version)
    assert edge.publish("planta/linea1/consigna", "passes", qos=1) == 0
    assert payloads(seen(watch)) == [b"passes"]
    broker.wait_log(r'aduana: would refuse publish client="edge-linea1" .*topic="planta/linea1/consigna" .*: acl: denied by the rule '
                    r'"set points are the operator.s" \[acl.json:\d+\]')


def test_a_watched_role_is_refused_nothing_but_what_others_deny(make_broker, suite, version):
    def change(policy):
        policy["roles"]["nuevo"] = {"mode": "watch"}
        policy["bindings"].append({"match": {"username": "linea1"}, "roles": ["nuevo"]})
    broker = plant(make_broker, suite, change)
    watch, edge = watcher(broker, "planta/#"), broker.connect(EDGE1, version)
    assert edge.publish("planta/linea2/temperatura", "watched", qos=1) == 0
    assert edge.publish("planta/linea1/consigna", "no", qos=1) == refused_publish(version, 1)
    assert payloads(seen(watch)) == [b"watched"]
    broker.wait_log(r'aduana: would refuse publish client="edge-linea1" .*topic="planta/linea2/temperatura" .*: acl: no rule grants it')
