"""Two brokers with the bundle, joined by a Mosquitto bridge over TLS with a client certificate.

`sur` opens the bridge. At `norte` it is a client: it proves who it is, has a role of its own, and each of its messages and
subscriptions is judged and counted as those of any other.

At `sur` it is no client but the broker's own. Mosquitto asks no plugin about such a connection:
- NOT judged at sur: what comes in by it. Neither the naming standard nor a role stands between the remote broker and sur's
  topics, alerts, retained messages and `$CONTROL`; not even the `topic` lines do, when the remote broker sends what nobody asked for.
- NOT judged at sur: what goes out by it. The `topic ... out` lines alone say what leaves, denied topics and alerts included.
- Judged at sur: every delivery to sur's own clients, by their roles, whoever sent the message.
So the broker whose policy matters more lets the other one open the bridge, and `topic` lines are as narrow as a role.
"""
import json
import re

import pytest

import bridge
import mqtt
import network
from bridge import NAME
from daemon import until
from plant import ADMIN, EDGE1, EDGE2, LECTOR1, SCADA, TABLERO, Person, payloads, refused_publish, seen, topics, watcher

OUT, IN = "planta/linea2/# out 1", "planta/linea1/comandos/# in 1"
MARK_OUT, MARK_IN = "planta/linea2/marca", "planta/linea1/comandos/marca"


def crossed_out(watch, sur):
    """What a watcher at norte saw before a marker that now goes from sur to norte."""
    return seen(watch, sur.connect(ADMIN, client_id="marca-sur"), MARK_OUT)


def crossed_in(watch, norte):
    """What a watcher at sur saw before a marker that now goes from norte to sur."""
    return seen(watch, norte.connect(ADMIN, client_id="marca-norte"), MARK_IN)


def ends(watch_norte, watch_sur, norte, sur):
    """What both watchers saw of everything sent so far, and of what that may have set off: there, back, and there again."""
    there, back = crossed_out(watch_norte, sur), crossed_in(watch_sur, norte)
    return there + crossed_out(watch_norte, sur), back + crossed_in(watch_sur, norte)


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_each_way_once(make_broker, suite, version, qos):
    norte, sur = bridge.join(make_broker, suite, version, [f"planta/linea2/# out {qos}", f"planta/linea1/comandos/# in {qos}"])
    watches = watcher(norte, "planta/#"), watcher(sur, "planta/#")
    assert sur.connect(EDGE2, version).publish("planta/linea2/temperatura", "out", qos=qos) == 0
    assert norte.connect(SCADA, version).publish("planta/linea1/comandos/x", "in", qos=qos) == 0
    for got in ends(*watches, norte, sur):
        assert sorted(payloads(got)) == [b"in", b"out"]


def test_attack_21_no_loop(make_broker, suite, version):
    """The same topics both ways: a message crosses once and does not come back, whichever side it is from; a retained
    one neither."""
    role = {"allow": [{"publish": ["planta/linea2/+"], "subscribe": ["planta/linea2/#"]}]}
    norte, sur = bridge.join(make_broker, suite, version, ["planta/linea2/# both 1"], role=role)
    admins = norte.connect(ADMIN), sur.connect(ADMIN)
    watches = [watcher(broker, "planta/#") for broker in (norte, sur)]
    for name, admin in zip(("norte", "sur"), admins):
        assert admin.publish("planta/linea2/horno", name, qos=1, retain=True) == 0

    def arrived():  # before a marker of the other side
        return [sorted(payloads(seen(watch, admin, MARK_OUT))) for watch, admin in zip(watches, reversed(admins))]
    assert arrived() == [[b"norte", b"sur"]] * 2
    assert arrived() == [[], []]


FOREIGN = ["planta/linea1/temperatura", "planta/linea2/consigna", "planta/linea2/a/b", "planta/linea2/_sys/estado", "otra/cosa/x"]
ILL_NAMED = ["planta/linea2/Temperatura", "planta/linea2/a b", "planta/linea2/año", "planta//x", "planta/linea2/" + "x" * 40]


def test_attack_21_incoming_bridge_is_judged(make_broker, suite, version):
    """It pushes all that sur has. What its role does not grant, what a rule denies and what breaks norte's naming stays outside;
    the bridge stays up, and the message that it may send comes through."""
    norte, sur = bridge.join(make_broker, suite, version, ["# out 1"], prepare=bridge.watch_names)
    watch, local = watcher(norte, "#"), watcher(sur, "planta/#", "otra/#")
    admin = sur.connect(ADMIN, version, client_id="emisor")
    for topic in FOREIGN + ILL_NAMED:
        for retain in False, True:
            assert admin.publish(topic, "no", qos=1, retain=retain) == 0
    assert admin.publish("planta/linea2/temperatura", "yes", qos=1) == 0
    assert topics(crossed_out(watch, sur)) == ["planta/linea2/temperatura"]
    assert topics(seen(local)) == [topic for topic in FOREIGN + ILL_NAMED for _ in range(2)] + ["planta/linea2/temperatura"]
    norte.wait_log(f'aduana: refused publish client="{NAME}" username="{NAME}" .*topic="planta/linea1/temperatura"')
    assert bridge.logins(norte) == 1


def test_attack_21_incoming_bridge_subscribes_what_it_may(make_broker, suite, version):
    """It asks for everything, and is told only what its role grants."""
    norte, sur = bridge.join(make_broker, suite, version, ["# in 1", "planta/# in 1", "planta/linea2/# in 1", IN, OUT])
    watch, scada = watcher(sur, "#"), norte.connect(SCADA, version)
    assert scada.publish("planta/linea2/comandos/x", "no", qos=1) == 0
    assert scada.publish("planta/linea1/comandos/x", "yes", qos=1) == 0
    assert payloads(crossed_in(watch, norte)) == [b"yes"]
    assert len(re.findall(f'aduana: refused subscribe client="{NAME}"', norte.log)) == 3


def test_incoming_bridge_loses_its_role(make_broker, suite, version):
    """By a reload: from the next message on."""
    norte, sur = bridge.join(make_broker, suite, version, [OUT, IN])
    watch, local, edge = watcher(norte, "planta/#"), watcher(sur, "planta/#"), sur.connect(EDGE2, version)
    assert edge.publish("planta/linea2/temperatura", "before", qos=1) == 0
    assert payloads(crossed_out(watch, sur)) == [b"before"]
    norte.edit("acl.json", lambda policy: policy["roles"].update(puente={"allow": [{"publish": [MARK_OUT], "subscribe": [MARK_IN]}]}))
    norte.reload()
    assert edge.publish("planta/linea2/temperatura", "after", qos=1) == 0
    assert norte.connect(SCADA, version).publish("planta/linea1/comandos/x", "after", qos=1) == 0
    there, back = ends(watch, local, norte, sur)
    assert payloads(there) == [b"after"] and topics(there) == ["planta/linea1/comandos/x"]  # norte's own
    assert topics(back) == ["planta/linea2/temperatura"] * 2  # sur's own


@pytest.mark.parametrize("wrong", ["no-identity", "client-id", "unknown-authority"])
@pytest.mark.parametrize("version", [mqtt.V311], ids=["v311"])
def test_bridge_that_is_not_let_in(make_broker, suite, version, pki, wrong):
    """Nothing crosses; sur works as if there were no bridge, and norte goes on without."""
    norte = bridge.allow_bridges(make_broker(suite, start=False)).start()
    cert = {"no-identity": lambda: pki.client(NAME, "otros"), "client-id": lambda: pki.client("puente-norte", "puente"),
            "unknown-authority": lambda: pki.client(NAME, "puente", ca=pki.other_ca)}[wrong]()
    extra = bridge.lines(pki, version, network.host_of(norte), norte.port, [OUT, IN], cert=cert)
    sur = make_broker(suite, lambda b: b.plain_conf(extra=extra))
    watch, local = watcher(norte, "planta/#"), watcher(sur, "planta/#")
    until(lambda: sur.log.count("Connecting bridge") > 3, "the bridge has been refused, and tries again")
    assert sur.connect(EDGE2, version).publish("planta/linea2/temperatura", "local", qos=1) == 0
    assert norte.connect(SCADA, version).publish("planta/linea1/comandos/x", "local", qos=1) == 0
    assert topics(seen(watch)) == ["planta/linea1/comandos/x"] and topics(seen(local)) == ["planta/linea2/temperatura"]
    if wrong != "unknown-authority":
        norte.wait_log(f'aduana: refused connect client="{NAME}" .*: cert_auth')


def test_nobody_else_logs_in_as_the_bridge(make_broker, suite, version):
    """Whoever else asks for its client id is refused, and does not disturb it."""
    norte, sur = bridge.join(make_broker, suite, version, [OUT, IN])
    for person in EDGE1, SCADA, Person("puente-norte", "puente"):
        norte.refused(person._replace(client_id=NAME), version)
    watch = watcher(norte, "planta/#")
    assert sur.connect(EDGE2, version).publish("planta/linea2/temperatura", "x", qos=1) == 0
    assert payloads(crossed_out(watch, sur)) == [b"x"]
    assert bridge.logins(norte) == 1


def test_attack_21_outgoing_bridge_is_not_judged(make_broker, suite, version):
    """At sur the bridge is the broker's own: what breaks sur's naming, needs a reserved role or is denied to everybody there
    comes in all the same. Sur's own clients would be refused, and its readers get but what is theirs."""
    role = {"allow": [{"subscribe": ["planta/#"]}]}
    norte, sur = bridge.join(make_broker, suite, version, ["planta/# in 1"], role=role)
    norte.edit("topic_policy.json", lambda policy: policy.update(mode="watch"))
    norte.reload()
    admin = norte.connect(ADMIN, version)
    watch, reader, board = watcher(sur, "planta/#"), sur.connect(LECTOR1, version), sur.connect(TABLERO, version)
    assert (reader.subscribe("planta/linea1/#"), board.subscribe("planta/+/+")) == (1, 1)
    sent = ["planta/linea1/Temperatura", "planta/linea1/a b", "planta/linea1/secreto", "planta/linea2/secreto", "planta/linea1/_sys/estado",
            "planta/linea2/consigna"]
    for topic in sent:
        assert admin.publish(topic, "x", qos=1) == 0
    assert topics(crossed_in(watch, norte)) == sent
    assert topics(seen(reader, norte.connect(ADMIN), MARK_IN)) == [topic for topic in sent if topic.startswith("planta/linea1/")]
    assert topics(seen(board, norte.connect(ADMIN), "planta/linea1/marca")) == [
        topic for topic in sent if not topic.endswith("secreto") and "_sys" not in topic]
    local = sur.connect(EDGE1, version)
    for topic in "planta/linea1/Temperatura", "planta/linea1/a b", "planta/linea1/consigna":
        assert local.publish(topic, "no", qos=1) == refused_publish(version, 1)
    assert seen(watch) == []


@pytest.fixture
def rogue(pki, version):
    remote = bridge.Rogue(pki, version)
    yield remote
    remote.close()


def test_attack_21_remote_broker_that_sends_what_nobody_asked_for(make_broker, suite, version, rogue):
    """A remote broker in the wrong hands. Mosquitto takes from it whatever it sends, outside the `topic` lines as well, so a
    forged alert reaches whoever may read alerts. What holds is the reader's role: nobody gets what is not theirs."""
    sur = make_broker(suite, lambda b: b.plain_conf(extra=bridge.lines(b.pki, version, network.here(b), rogue.port, [IN])))
    rogue.answer(1)
    watch, reader, edge = watcher(sur, "planta/#"), sur.connect(LECTOR1, version), sur.connect(EDGE1, version)
    assert (reader.subscribe("planta/linea1/#"), edge.subscribe("planta/linea1/comandos/#")) == (1, 1)
    sent = ["planta/linea1/comandos/x", "planta/linea2/comandos/x", "planta/_sys/alertas/publish_rate/edge-linea1", "planta/linea1/secreto"]
    for topic in sent:
        assert rogue.publish(topic, "rogue", qos=1) == 0
    assert topics(seen(watch, rogue, MARK_IN)) == sent
    assert topics(seen(reader, rogue, MARK_IN)) == [sent[0], sent[3]]
    assert topics(seen(edge, rogue, MARK_IN)) == [sent[0]]


def test_attack_21_control_by_an_incoming_bridge(make_broker, suite, version):
    """Orders for norte's dynamic security plugin, by a bridge that turns sur's topics into `$CONTROL`: refused as to any client
    without that right. With the right, they are carried out."""
    norte = bridge.allow_bridges(make_broker(suite, lambda b: b.plain_conf(extra=bridge.dynamic_security(b)), start=False)).start()
    topics_ = [OUT, "# out 1 planta/linea2/ordenes/ $CONTROL/"]
    extra = bridge.lines(norte.pki, version, network.host_of(norte), norte.port, topics_)
    sur = make_broker(suite, lambda b: b.plain_conf(extra=extra))
    bridge.wait_joined(norte, topics_)
    watch, admin = watcher(norte, "planta/#"), sur.connect(ADMIN, version)
    assert admin.publish("planta/linea2/ordenes/dynamic-security/v1", bridge.ORDER, qos=1) == 0
    crossed_out(watch, sur)
    assert not bridge.was_told(norte)
    norte.wait_log(f'aduana: refused publish client="{NAME}" .*topic="{re.escape(bridge.ORDERS)}"')
    norte.edit("acl.json", lambda policy: policy["roles"]["puente"]["allow"].append({"publish": ["$CONTROL/#"]}))
    norte.reload()
    assert admin.publish("planta/linea2/ordenes/dynamic-security/v1", bridge.ORDER, qos=1) == 0
    until(lambda: bridge.was_told(norte), what="the order is carried out")


def test_attack_21_control_does_not_cross_by_itself(make_broker, suite, version):
    """`$CONTROL` is for the broker that it is sent to: `#` does not carry it on, and a line of its own neither."""
    norte = make_broker(suite, lambda b: b.plain_conf(extra=bridge.dynamic_security(b)), start=False)
    bridge.allow_bridges(norte, {"allow": [{"publish": ["#", "$CONTROL/#"], "subscribe": ["#", "$CONTROL/#"]}]}).start()
    topics_ = ["# out 1", "$CONTROL/# both 1", "# in 1"]
    extra = bridge.lines(norte.pki, version, network.host_of(norte), norte.port, topics_)
    sur = make_broker(suite, lambda b: b.plain_conf(extra=extra + bridge.dynamic_security(b)), start=False)
    for broker in norte, sur:
        broker.edit("acl.json", lambda policy: policy["roles"]["admin"]["allow"].append({"publish": ["$CONTROL/#"]}))
    norte.reload()
    sur.start()
    bridge.wait_joined(norte, topics_)
    watch = watcher(norte, "planta/#")
    assert sur.connect(ADMIN, version).publish("$CONTROL/otro/v1", "x", qos=1) == 0
    assert sur.connect(ADMIN, version).publish(bridge.ORDERS, bridge.ORDER, qos=1) == 0
    until(lambda: bridge.was_told(sur), what="the order is carried out at sur")
    crossed_out(watch, sur)
    assert not bridge.was_told(norte)


def test_attack_21_control_by_the_remote_broker(make_broker, suite, version, rogue):
    """At the side that opened the bridge nothing stands between the remote broker and `$CONTROL`: Mosquitto asks no plugin, and a
    plugin that takes orders carries them out; so a broker with dynamic-security does not open bridges. The bundle asks who gives the
    order: nobody who logged in here, so it is refused."""
    sur = make_broker(suite, lambda b: b.plain_conf(
        extra=bridge.lines(b.pki, version, network.here(b), rogue.port, [IN]) + bridge.dynamic_security(b)))
    rogue.answer(1)
    rogue.send_publish("$CONTROL/aduana/v1", '{"commands": [{"command": "reload"}]}', qos=1)
    rogue.send_publish(bridge.ORDERS, bridge.ORDER, qos=1)
    until(lambda: bridge.was_told(sur), what="the order is carried out")
    sur.wait_log("aduana: refused control client=.*: whoever sent it has not logged in here")
    assert "reload asked for" not in sur.log and "$CONTROL/aduana/v1/response" not in sur.log
    assert sur.connect(EDGE1, version).publish("planta/linea1/temperatura", "x", qos=1) == 0


# Alerts

ALERTS = "planta/_sys/alertas/#"
ALERTS_OUT, ALERTS_IN = "# out 1 planta/_sys/alertas/ planta/sur/alertas/", "# in 1 planta/norte/alertas/ planta/_sys/alertas/"
FLOODED = ["publish_rate/edge-linea2"] * 2


def sensitive(broker, role="edge"):
    """The broker raises an alert when a client of that role publishes more than 30 messages a second."""
    broker.edit("rate_monitor.json", lambda policy: policy["classes"].insert(0, {
        "name": "watched", "match": {"role": role}, "publish": {"max_per_second": 30, "clear_seconds": 1}}))


def flood(broker, person, line):
    edge = broker.connect(person)
    for number in range(60):
        edge.send_publish(f"planta/{line}/temperatura", f"{number}")
    edge.ping()


def states(messages):
    return [json.loads(message.payload)["state"] for message in messages]


def test_attack_21_alerts_cross_once(make_broker, suite, version):
    """Each side passes its alerts on, under a name of the other's: each is seen once on both sides, in its place, and none
    raises another."""
    role = {"allow": [{"publish": ["planta/linea2/+", "planta/sur/alertas/#"], "subscribe": ["planta/linea1/comandos/#", ALERTS]}]}
    norte, sur = bridge.join(make_broker, suite, version, [ALERTS_OUT, ALERTS_IN, "planta/linea2/marca out 1", IN], prepare=sensitive, role=role)
    there = watcher(norte, ALERTS, "planta/sur/#", MARK_OUT)
    here = watcher(sur, ALERTS, "planta/norte/#", MARK_IN)
    flood(sur, EDGE2, "linea2")
    got = [there.receive() for _ in range(2)]
    assert topics(got) == ["planta/sur/alertas/publish_rate/edge-linea2"] * 2 and states(got) == ["raised", "cleared"]
    more, local = ends(there, here, norte, sur)
    assert more == []
    assert topics(local) == ["planta/_sys/alertas/publish_rate/edge-linea2"] * 2 and states(local) == ["raised", "cleared"]


def test_attack_21_alert_loop(make_broker, suite, version):
    """The alerts' own topic both ways, and the bridge itself watched so closely that each alert is one message too many: norte takes no
    alert from a client, so nothing goes round."""
    role = {"allow": [{"publish": ["planta/#"], "subscribe": ["planta/#"]}]}
    norte, sur = bridge.join(make_broker, suite, version, ["planta/_sys/alertas/# both 1", "planta/linea2/marca out 1", IN], prepare=sensitive,
                             role=role)
    norte.edit("rate_monitor.json", lambda policy: policy["classes"].insert(0, {
        "name": "bridges", "match": {"role": "puente"}, "publish": {"max_per_second": 1, "clear_seconds": 1}}))
    norte.reload()
    there, here = watcher(norte, ALERTS, MARK_OUT), watcher(sur, ALERTS, MARK_IN)
    flood(sur, EDGE2, "linea2")
    local = [here.receive() for _ in range(2)]
    while states(local)[-1] != "cleared" or "edge-linea2" not in local[-1].topic:
        local.append(here.receive())
    norte.wait_log(f'aduana: refused publish client="{NAME}" .*topic="planta/_sys/alertas/publish_rate/edge-linea2"')
    of_bridge = "planta/_sys/alertas/publish_rate/" + NAME
    assert set(topics(crossed_out(there, sur))) <= {of_bridge}
    assert topics(local).count("planta/_sys/alertas/publish_rate/edge-linea2") == 2
    assert len(crossed_in(here, norte)) <= 4  # of the bridge, for the two alerts and the markers that it brought


def test_flood_by_the_bridge(make_broker, suite, version):
    """Its rate is watched as any client's: norte's alert names the bridge, sur's names the gateway, and neither the other's."""
    norte, sur = bridge.join(make_broker, suite, version, ["planta/linea2/# out 0"], prepare=sensitive)
    sensitive(norte, "puente")
    norte.reload()
    there, here = watcher(norte, ALERTS), watcher(sur, ALERTS)
    flood(sur, EDGE2, "linea2")
    for watch, client in (there, NAME), (here, "edge-linea2"):
        got = [watch.receive() for _ in range(2)]
        assert topics(got) == [f"planta/_sys/alertas/publish_rate/{client}"] * 2 and states(got) == ["raised", "cleared"]
        assert seen(watch) == []


# Faults

def waited_for(watch, count):
    """The messages that a bridge sends once it is joined again. A marker must wait for them: of QoS 1, or when the bridge
    repeats what it had tried before, it can pass them on the way."""
    return [watch.receive() for _ in range(count)]


def test_remote_broker_killed(make_broker, suite, version):
    """What sur has for norte waits at sur, and goes over once when norte is back; in order, but for 2.1's bridge, which
    by itself, without any plugin, now and then sends what it had tried before later than the rest."""
    norte, sur = bridge.join(make_broker, suite, version, [OUT, IN])
    edge = sur.connect(EDGE2, version)
    watcher(norte, "planta/linea2/+", clean=False).disconnect()
    norte.persist()
    norte.kill9()
    for number in range(10):
        assert edge.publish("planta/linea2/temperatura", f"{number}", qos=1) == 0
    mark = norte.mark()
    norte.start()
    watch = norte.connect(ADMIN, client_id="vigia", clean=False)
    assert watch.session_present
    bridge.wait_joined(norte, [OUT, IN], mark)
    got = payloads(waited_for(watch, 10) + crossed_out(watch, sur))
    assert (sorted(got) if suite == "sid" else got) == [b"%d" % number for number in range(10)]


@pytest.mark.parametrize("version", [mqtt.V311], ids=["v311"])
def test_network_cut_between_the_brokers(make_broker, suite, version, make_gate):
    """Both sides go on by themselves. What is for the other side waits on this one, and crosses once when the network is
    back: at sur in the bridge's own queue, at norte in the session that the bridge has there as any client may. (With MQTT 5
    Mosquitto's bridge asks for none that outlives its connection.)"""
    gates, lines = [], ["planta/linea2/# out 2", "planta/linea1/comandos/# in 2"]
    norte, sur = bridge.join(make_broker, suite, version, lines, by=lambda broker: gates.append(make_gate(broker)) or gates[0])
    watch, local = watcher(norte, "planta/linea2/+"), watcher(sur, "planta/linea1/comandos/#")
    edge, scada = sur.connect(EDGE2, version), norte.connect(SCADA, version)
    mark = norte.mark()
    gates[0].cut()
    for number in range(5):
        assert edge.publish("planta/linea2/temperatura", f"{number}", qos=2) == 0
        assert scada.publish("planta/linea1/comandos/x", f"{number}", qos=2) == 0
    norte.wait_log(f"Client {NAME} .*(exceeded timeout|keepalive)", mark)
    mark = norte.mark()
    gates[0].mend()
    bridge.wait_joined(norte, lines, mark)
    expected = [b"%d" % number for number in range(5)]
    assert payloads(waited_for(watch, 5) + crossed_out(watch, sur)) == expected
    assert payloads(waited_for(local, 5) + crossed_in(local, norte)) == expected
    assert edge.is_alive() and scada.is_alive()
