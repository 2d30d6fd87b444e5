"""The control topic: what each order does in a real broker."""
import json

import pytest

import mqtt
from control import JEFE, RESPONSE, TOPIC, allow_control, chief, error, loaded, order_all, told
from daemon import free_port
from mqtt import V5, Will
from plant import ADMIN, EDGE1, EDGE2, LECTOR1, SCADA, SENSOR, TABLERO, payloads, seen, topics, watcher

ADMINISTRATIVE_ACTION = 0x98


@pytest.fixture
def broker(make_broker, suite):
    return allow_control(make_broker(suite, start=False)).start()


def test_status(broker, version):
    client = chief(broker, version)
    status = told(client, "status")
    assert status["generation"] == 1 and status["policy_dir"] == str(broker.policies)
    assert status["refuse_all"] is None and status["online"] == 1
    assert set(status["stages"]) == {"cert_auth", "iam_auth", "rate_monitor", "topic_policy", "acl"}
    assert status["stages"]["acl"] == {"plugin": "loaded", "mode": "enforce"}
    assert status["counters"]["logins_accepted"] == 1
    broker.refused(EDGE1, version, password="x")
    assert told(client, "status")["counters"]["logins_refused"] == 1


def test_sessions(broker, version):
    client, away = chief(broker, version), broker.connect(TABLERO, version, clean=False)
    here = broker.connect(EDGE1, version).sock.getsockname()[0]
    away.disconnect()
    sessions = {one["client_id"]: one for one in told(client, "sessions")["sessions"]}
    assert set(sessions) == {"consola", "edge-linea1", "tablero"}
    edge = sessions["edge-linea1"]
    assert edge["username"] == "linea1" and edge["roles"] == ["edge"] and edge["address"] == here
    assert edge["online"] and edge["durable"] == (version == 5) and edge["valid"] and edge["generation"] == 1
    assert edge["attributes"]["linea"] == "linea1" and edge["attributes"]["cert.ou"] == "edge"
    assert not sessions["tablero"]["online"] and sessions["tablero"]["durable"]
    assert "pass" not in json.dumps(list(edge.values()))
    one, = told(client, "sessions", client_id="tablero")["sessions"]
    assert one == sessions["tablero"]


def test_sessions_after_a_restart(broker, version):
    broker.connect(TABLERO, version, clean=False).disconnect()
    broker.restart()
    client = chief(broker, version)
    one, = told(client, "sessions", client_id="tablero")["sessions"]
    assert not one["online"] and one["durable"] and one["roles"] == ["tablero"] and one["address"] is None


def test_sessions_page_by_page(broker):
    clients = [broker.connect(SENSOR, V5, client_id=f"sensor-{number}") for number in range(30)]
    client, seen_ids, after = chief(broker, V5), [], {}
    while True:
        page = told(client, "sessions", limit=7, **after)
        seen_ids += [one["client_id"] for one in page["sessions"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert sorted(seen_ids) == sorted([c.client_id for c in clients] + ["consola"])


def test_reload_good(broker, version):
    """The next message is judged anew, and nobody is disconnected."""
    client, edge, away = chief(broker, version), broker.connect(EDGE1, version), broker.connect(EDGE2, version, clean=False)
    away.subscribe("planta/linea2/comandos/#")
    away.disconnect()
    broker.edit("acl.json", lambda policy: policy["roles"]["lector"]["allow"].append({"subscribe": ["planta/nuevo/#"]}))
    reader = broker.connect(LECTOR1, version)
    assert reader.subscribe("planta/nuevo/x") != 1
    asked = told(client, "reload")
    assert asked["accepted"] and asked["generation"] == 1
    status = loaded(client, asked["finished"])
    assert status["generation"] == 2 and status["loads"]["error"] is None
    assert reader.subscribe("planta/nuevo/x") == 1
    assert edge.is_alive() and edge.publish("planta/linea1/temperatura", "x", qos=1) == 0
    broker.connect(SCADA).publish("planta/linea2/comandos/x", "queued", qos=1)
    back = broker.connect(EDGE2, version, clean=False)
    assert back.session_present and back.receive().payload == b"queued"
    broker.wait_log('aduana: reload asked for by client="consola" username="jefe" address=127.0.0.1')


def test_reload_bad(broker, version):
    client, edge = chief(broker, version), broker.connect(EDGE1, version)
    broker.write("acl.json", '{"roles": {\n  "edge": {"alow": []}}}')
    status = loaded(client, told(client, "reload")["finished"])
    assert status["generation"] == 1
    assert status["loads"]["error"].startswith('acl.json:2:12: roles.edge.alow: unknown key; did you mean "allow"?')
    assert edge.publish("planta/linea1/temperatura", "x", qos=1) == 0
    broker.put_back("acl.json")
    allow_control(broker)
    status = loaded(client, told(client, "reload")["finished"])
    assert status["generation"] == 2 and status["loads"]["error"] is None


def test_reload_by_order_and_by_signal(broker):
    """Both at once: one of them waits for the other, and both see the last files."""
    client, edge = chief(broker, V5), broker.connect(EDGE1, V5)
    for _ in range(5):
        broker.hup()
        finished = told(client, "reload")["finished"]
        broker.hup()
        assert loaded(client, finished)["loads"]["error"] is None
        assert edge.is_alive()


@pytest.mark.parametrize("will", [True, False], ids=["with-will", "without"])
def test_kick_of_a_live_client(broker, version, will):
    client, watch = chief(broker, version), watcher(broker, "planta/#")
    edge = broker.connect(EDGE1, version, will=Will("planta/linea1/estado", b"gone", 1))
    assert told(client, "kick", client_id="edge-linea1", will=will) == {
        "accepted": True, "client_id": "edge-linea1", "username": "linea1", "will": will}
    assert edge.wait_closed() == (ADMINISTRATIVE_ACTION if version == 5 else None)
    assert payloads(seen(watch)) == ([b"gone"] if will else [])
    broker.wait_log('aduana: disconnecting client="edge-linea1" username="linea1" .*asked for by client="consola" username="jefe"')
    assert broker.connect(EDGE1, version).publish("planta/linea1/temperatura", "back", qos=1) == 0
    assert client.is_alive() and watch.is_alive()
    assert payloads(seen(watch)) == [b"back"]


def test_kick_keeps_a_durable_session(broker, version):
    client, edge = chief(broker, version), broker.connect(EDGE1, version, clean=False)
    edge.subscribe("planta/linea1/comandos/#")
    told(client, "kick", client_id="edge-linea1")
    edge.wait_closed()
    broker.connect(SCADA).publish("planta/linea1/comandos/x", "queued", qos=1)
    back = broker.connect(EDGE1, version, clean=False)
    assert back.session_present and back.receive().payload == b"queued"


def test_kick_of_one_that_is_away(broker, version):
    """A session without a connection stays, and so does what is queued for it."""
    client, edge = chief(broker, version), broker.connect(EDGE1, version, clean=False)
    edge.subscribe("planta/linea1/comandos/#")
    edge.disconnect()
    broker.connect(SCADA).publish("planta/linea1/comandos/x", "queued", qos=1)
    assert "is not connected; the session that the broker keeps for it, and what is queued, stay" in error(client, "kick", client_id="edge-linea1")
    assert "no client is known" in error(client, "kick", client_id="nadie")
    back = broker.connect(EDGE1, version, clean=False)
    assert back.session_present and back.receive().payload == b"queued"


def test_kick_of_oneself(broker, version):
    client = chief(broker, version)
    client.publish(TOPIC, json.dumps({"commands": [{"command": "kick", "client_id": "consola"}]}), qos=1)
    client.wait_closed()
    assert told(chief(broker, version), "status")["counters"]["sessions_kicked"] == 1


QUESTIONS = [
    ("edge-linea1", "publish", "planta/linea1/temperatura"), ("edge-linea1", "publish", "planta/linea2/temperatura"),
    ("edge-linea1", "publish", "planta/linea1/Temperatura"), ("edge-linea1", "publish", "planta/linea1/consigna"),
    ("edge-linea1", "publish", "planta/_sys/alertas/x/y"), ("edge-linea1", "publish", TOPIC), ("edge-linea1", "publish", "planta/linea1"),
    ("edge-linea1", "subscribe", "planta/linea1/comandos/#"), ("edge-linea1", "subscribe", "planta/#"),
    ("edge-linea1", "subscribe", "$share/g/planta/linea1/comandos/x"), ("tablero", "subscribe", "planta/+/+"),
    ("tablero", "receive", "planta/linea1/horno"), ("tablero", "receive", "planta/linea1/secreto"), ("vigia", "publish", "planta/linea9/x"),
    ("vigia", "subscribe", "#"), ("vigia", "subscribe", "$SYS/#")]


def test_explain_is_what_happens(broker):
    """What is explained is what the client then gets, and the reason is the one that the log gives."""
    client, watch = chief(broker, V5), watcher(broker, "libre/#", version=V5)
    clients = {"edge-linea1": broker.connect(EDGE1, V5), "tablero": broker.connect(TABLERO, V5), "vigia": watch}
    for client_id, action, topic in QUESTIONS:
        asked, mark = clients[client_id], broker.mark()
        said = told(client, "explain", client_id=client_id, action=action, topic=topic, qos=1)
        assert "aduana: refused" not in broker.log_since(mark)
        if action == "publish":
            got = asked.publish(topic, "x", qos=1) == 0
        elif action == "subscribe":
            got = asked.subscribe(topic) < 3
        else:
            assert asked.subscribe("planta/+/+") == 1
            watch.publish(topic, "x", qos=1)
            got = topics(seen(asked, watch, "planta/linea1/marca")) == [topic]
        assert said["verdict"] == ("allowed" if got else "refused"), said
        assert (said["reason"] is None) == got, said
        if not got:
            assert said["reason"] in broker.wait_log(r"aduana: refused \w+ client=.*", mark)[0]


def test_explain_changes_nothing(broker):
    client = chief(broker, V5)
    broker.connect(EDGE1, V5)
    before = told(client, "status")["counters"]
    for topic in "planta/linea1/temperatura", "planta/linea2/temperatura":
        told(client, "explain", client_id="edge-linea1", action="publish", topic=topic)
    after = told(client, "status")["counters"]
    assert {name for name in after if after[name] != before[name]} <= {"control_commands", "publish_allowed", "receive_allowed", "decisions_remembered"}
    assert after["publish_refused"] == before["publish_refused"]


def test_explain_of_one_that_is_away(broker, version):
    client, away = chief(broker, version), broker.connect(EDGE1, version, clean=False)
    away.disconnect()
    said = told(client, "explain", client_id="edge-linea1", action="receive", topic="planta/linea1/comandos/x")
    assert said["verdict"] == "allowed" and not said["online"]


def test_explain_of_one_that_is_throttled(make_broker, suite):
    """What is dropped of it, and what it is told is too much, is explained as that: where protocol and broker can say so, and till it is over."""
    def throttling(policy):
        policy["classes"][0].update(publish={"max_per_second": 30, "clear_seconds": 3600}, actions={"throttle": ["publish_rate"]})
    broker = allow_control(make_broker(suite, start=False))
    broker.edit("rate_monitor.json", throttling)
    broker.start()
    client, watch, edge, topic = chief(broker, V5), watcher(broker, "planta/+/+"), broker.connect(EDGE1, V5), "planta/linea1/temperatura"

    def explained_and_done(qos):
        said = told(client, "explain", client_id="edge-linea1", action="publish", topic=topic, qos=qos)
        code = edge.publish(topic, "x", qos)
        edge.ping()
        return said["verdict"], said["reason"], code, topics(seen(watch)) == [topic]

    def too_much(what, code):
        return "refused", f"rate_monitor: it publishes or connects too much: {what} till that is over", code, False

    for number in range(60):
        edge.send_publish(topic, f"{number}")
    broker.wait_log(r"aduana: throttle client=.*: what it publishes is dropped")
    edge.ping()
    seen(watch)
    through = ("allowed", None, 0, True)
    told_so = too_much("it is told so", 0x97) if suite == "sid" else through  # as test_too_much of test_rates.py says
    assert [explained_and_done(qos) for qos in range(3)] == [too_much("QoS 0 is dropped", 0), told_so, told_so]
    broker.edit("rate_monitor.json", lambda policy: policy["classes"][0].pop("actions"))
    broker.reload()
    broker.wait_log(r"aduana: throttle client=.*: what it publishes is let through again")
    assert [explained_and_done(qos) for qos in range(3)] == [through] * 3


def test_several_commands(broker, version):
    client = chief(broker, version)
    responses = order_all(client, {"command": "status"}, {"command": "nada", "correlationData": "b"}, 7, {"command": "sessions"})
    assert [sorted(response) for response in responses] == [
        ["command", "data"], ["command", "correlationData", "error"], ["command", "error"], ["command", "data"]]


def test_two_listeners_each_its_own(make_broker, suite):
    """Under per_listener_settings an order is about the pipeline of the listener that it came by."""
    def conf(broker):
        broker.second = getattr(broker, "second", None) or free_port()
        folder, data = broker.folder / "policies-two", broker.folder / "data-two"
        if not folder.exists():
            data.mkdir()
            folder.mkdir()
            for path in broker.policies.iterdir():
                (folder / path.name).write_text(path.read_text())
        return ("per_listener_settings true\n" + broker.common_conf() + broker.listener_conf() + broker.plugin_conf(pipeline="uno") +
                broker.listener_conf(broker.second) + broker.plugin_conf(pipeline="dos", policy_dir=folder, state_dir=data))
    broker = allow_control(make_broker(suite, conf, start=False)).start()
    one, two = chief(broker, client_id="a"), chief(broker, client_id="b", port=broker.second)
    assert told(one, "status")["pipeline"] == "uno" and told(two, "status")["pipeline"] == "dos"
    assert [s["client_id"] for s in told(two, "sessions")["sessions"]] == ["b"]
    assert "no client is known" in error(two, "kick", client_id="a")
    (broker.folder / "policies-two" / "acl.json").write_text("{")
    assert loaded(two, told(two, "reload")["finished"])["loads"]["error"].startswith("acl.json:1:")
    assert told(one, "status")["loads"]["finished"] == 0
    assert loaded(one, told(one, "reload")["finished"])["generation"] == 2


def test_a_person_by_password(make_broker, suite, version):
    """Control is a matter of roles, whatever proved who it is."""
    broker = allow_control(make_broker(suite, lambda b: b.plain_conf(listener="require_certificate false"), start=False))
    broker.edit("iam_auth.json", lambda policy: policy.update(require="either"))
    broker.edit("acl.json", lambda policy: policy["bindings"].append({"match": {"username": "persona"}, "roles": ["jefe"]}))
    broker.start()
    client = broker.connect(JEFE, version, cert=False, client_id="portatil", username="persona", password="paso")
    assert client.subscribe(RESPONSE) == 1
    one, = told(client, "sessions")["sessions"]
    assert one["username"] == "persona" and "paso" not in json.dumps(one)


def test_an_administrator_sees_no_answers(broker):
    """`#` reaches neither the topic nor the answers."""
    client, watch = chief(broker, V5), watcher(broker, "#", version=V5)
    assert watch.subscribe(RESPONSE) == mqtt.NOT_AUTHORISED
    told(client, "status")
    assert RESPONSE not in topics(seen(watch))
    assert watch.publish(TOPIC, '{"commands": [{"command": "reload"}]}', qos=1) == mqtt.NOT_AUTHORISED
    assert broker.connect(ADMIN, V5, client_id="otro").is_alive()
