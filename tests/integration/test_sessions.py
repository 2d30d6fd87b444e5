"""Sessions: durable ones live through a broker restart, takeovers lose nothing, and nobody gets another's."""
import pytest

import mqtt
from daemon import free_port, until
from plant import ADMIN, EDGE1, EDGE2, EDGE3, LECTOR1, SCADA, SENSOR, SENSOR2, TABLERO, payloads, refused_publish, seen, watcher

COMMANDS = "planta/linea1/comandos/#"


def durable(broker, version, person=EDGE1, topic_filter=COMMANDS, **more):
    client = broker.connect(person, version, clean=False, **more)
    assert client.subscribe(topic_filter) == 1
    return client


def order(broker, text, line="linea1"):
    """The control room sends a command."""
    scada = broker.connect(SCADA, client_id="mando")
    assert scada.publish(f"planta/{line}/comandos/x", text, qos=1) == 0
    scada.disconnect()


def come_back(broker, version, person=EDGE1, **more):
    """Reconnects to its durable session; what had been queued, up to a command sent now."""
    client = broker.connect(person, version, clean=False, **more)
    assert client.session_present
    return client, payloads(seen(client, broker.connect(SCADA, client_id="mando"), "planta/linea1/comandos/marca"))


def test_queued_while_away(broker, version):
    durable(broker, version).disconnect()
    order(broker, "one")
    client, got = come_back(broker, version)
    assert got == [b"one"]
    client.drop()
    broker.wait_log("Client edge-linea1 .*(closed its connection|closed by client)")
    order(broker, "two")
    assert come_back(broker, version)[1] == [b"two"]


def test_restored_session_receives_what_is_sent_while_it_is_away(broker, version):
    """After the restart the broker knows the session by client id and user name only, and asks READ for it."""
    durable(broker, version).disconnect()
    order(broker, "before")
    broker.restart()
    order(broker, "after")
    assert come_back(broker, version)[1] == [b"before", b"after"]


def test_two_restarts_without_coming_back(broker, version):
    durable(broker, version).disconnect()
    for number in range(3):
        order(broker, f"{number}")
        broker.restart()
    assert come_back(broker, version)[1] == [b"0", b"1", b"2"]


def test_restart_while_connected(broker, version):
    durable(broker, version)
    broker.restart()
    order(broker, "x")
    assert come_back(broker, version)[1] == [b"x"]


def test_kill_9(broker, version):
    """The state is on disk as soon as the login was: a killed broker, started again, still knows who it is."""
    client = durable(broker, version)
    order(broker, "live")
    assert client.receive().payload == b"live"
    client.disconnect()
    order(broker, "saved")
    broker.persist()
    broker.kill9()
    broker.start()
    order(broker, "after")
    assert come_back(broker, version)[1] == [b"saved", b"after"]


def test_kill_9_soon_after_many_logins(broker, version):
    people = [EDGE1, EDGE2, EDGE3]
    for person in people:
        durable(broker, version, person, f"planta/{person.username}/comandos/#")
    broker.persist()
    broker.kill9()
    broker.start()
    for person in people:
        order(broker, "x", person.username)
    for person in people:
        client = broker.connect(person, version, clean=False)
        assert client.session_present and client.receive().payload == b"x"


def test_restored_session_is_judged_by_who_it_is(broker, version):
    """It has no right to everything: a deny holds for a restored session that is offline."""
    durable(broker, version, TABLERO, "planta/+/+").disconnect()
    broker.restart()
    admin = broker.connect(ADMIN)
    admin.publish("planta/linea1/secreto", "no", qos=1)
    admin.publish("planta/linea1/horno", "yes", qos=1)
    client = broker.connect(TABLERO, version, clean=False)
    assert payloads(seen(client, admin, "planta/linea1/marca")) == [b"yes"]


def test_restored_session_under_a_policy_changed_meanwhile(broker, version):
    """The role was taken while the broker was down: what was queued is not delivered any more, nor anything new."""
    durable(broker, version, LECTOR1, "planta/linea1/#").disconnect()
    order(broker, "queued")
    broker.stop()
    broker.edit("acl.json", lambda policy: policy["roles"].update(lector={"allow": [{"subscribe": ["planta/linea1/horno"]}]}))
    broker.start()
    order(broker, "new")
    client = broker.connect(LECTOR1, version, clean=False)
    assert seen(client, broker.connect(ADMIN), "planta/linea1/horno") == []


def test_clean_start_forgets(broker, version):
    durable(broker, version).disconnect()
    order(broker, "x")
    client = broker.connect(EDGE1, version)
    assert not client.session_present
    client.disconnect()
    assert not broker.connect(EDGE1, version, clean=False).session_present


def test_takeover_by_the_same_identity_loses_nothing(broker, version):
    """Unacknowledged messages of the old connection arrive on the new one, and so do those sent afterwards."""
    old = durable(broker, version)
    old.auto_ack = False
    order(broker, "unacknowledged")
    assert old.receive().payload == b"unacknowledged"
    new, got = come_back(broker, version)
    assert got == [b"unacknowledged"]
    old.wait_closed()
    assert new.publish("planta/linea1/temperatura", "x", qos=1) == 0
    order(broker, "later")
    assert new.receive().payload == b"later"


def test_takeovers_in_a_row(broker, version):
    watch = watcher(broker, "planta/+/temperatura")
    for number in range(10):
        client = durable(broker, version)
        assert client.publish("planta/linea1/temperatura", f"{number}", qos=1) == 0
    assert payloads(seen(watch)) == [b"%d" % number for number in range(10)]
    order(broker, "x")
    assert client.receive().payload == b"x"


def test_publish_rights_after_a_takeover(broker, version):
    """DISCONNECT of the old connection comes after the new login; it must not take the new one's record."""
    watch = watcher(broker, "planta/+/temperatura")
    for clean in True, False, True:
        client = broker.connect(EDGE1, version, clean=clean)
    client.ping()
    assert client.publish("planta/linea2/temperatura", "no", qos=1) == refused_publish(version, 1)
    assert client.publish("planta/linea1/temperatura", "yes", qos=1) == 0
    assert payloads(seen(watch)) == [b"yes"]


@pytest.mark.parametrize("clean", [True, False], ids=["clean", "durable"])
def test_takeover_by_another_identity_is_refused(broker, version, clean):
    """Two sensors whose client ids are free: a live session belongs to whom made it."""
    watch = watcher(broker, "planta/#")
    mine = broker.connect(SENSOR, version, client_id="horno", clean=clean)
    broker.refused(SENSOR2, version, client_id="horno", clean=clean)
    assert mine.publish("planta/linea1/horno", "mine", qos=1) == 0
    assert payloads(seen(watch)) == [b"mine"]


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "away"])
def test_client_id_is_whose_it_must_be(broker, version, connected):
    """Who chose a client id that another is bound to does not keep that one out, and what waits there is sent as far as that one may have it."""
    squatter = durable(broker, version, ADMIN, "planta/#", client_id="edge-linea1")
    if not connected:
        squatter.disconnect()
        order(broker, "secret", "linea2")
        order(broker, "mine")
    edge, got = come_back(broker, version)
    assert got == ([] if connected else [b"mine"])
    if connected:
        squatter.wait_closed()
    broker.refused(ADMIN, version, client_id="edge-linea1")
    assert edge.publish("planta/linea1/temperatura", "x", qos=1) in (0, 16)
    edge.disconnect()
    broker.refused(ADMIN, version, client_id="edge-linea1")


@pytest.mark.parametrize("restart", [False, True], ids=["same-run", "after-restart"])
def test_offline_session_is_not_inherited(broker, version, restart):
    """Another identity with the client id of a durable session that is away: refused, and nothing of it is lost."""
    durable(broker, version, ADMIN, "planta/linea1/#", client_id="compartido").disconnect()
    order(broker, "secret")
    if restart:
        broker.restart()
    for clean in True, False:
        broker.refused(SENSOR2, version, client_id="compartido", clean=clean)
    assert come_back(broker, version, ADMIN, client_id="compartido")[1] == [b"secret"]


def test_session_that_began_anew_is_not_inherited(broker):
    """In MQTT 5 a session may stay though it began anew (Clean Start): the Session Expiry Interval says so."""
    mine = broker.connect(ADMIN, 5, client_id="compartido", props={mqtt.EXPIRY: 3600})
    assert mine.subscribe("planta/linea1/#", qos=1) == 1
    mine.disconnect()
    order(broker, "secret")
    for clean in True, False:
        broker.refused(SENSOR2, 5, client_id="compartido", clean=clean)
    assert come_back(broker, 5, ADMIN, client_id="compartido")[1] == [b"secret"]


def test_session_of_another_listener_is_not_inherited(make_broker, suite, version):
    """Under per_listener_settings each listener has its own pipeline, and the broker one space of client ids for all of them: who is
    connected or away by one is not displaced by somebody else who comes by the other, and may come by that one himself."""
    port = free_port()

    def conf(broker):
        (broker.folder / "two").mkdir(exist_ok=True)
        return ("per_listener_settings true\n" + broker.common_conf() + broker.listener_conf() + broker.plugin_conf(pipeline="uno") +
                broker.listener_conf(port) + broker.plugin_conf(pipeline="dos", state_dir=broker.folder / "two"))
    broker = make_broker(suite, conf)
    durable(broker, version, ADMIN, "planta/linea1/#", client_id="compartido").disconnect()
    order(broker, "secret")
    live = broker.connect(ADMIN, version, client_id="vivo")
    for client_id in "compartido", "vivo":
        for clean in True, False:
            broker.refused(SENSOR2, version, client_id=client_id, clean=clean, port=port)
    assert live.is_alive()
    queued = [] if suite == "trixie" else [b"secret"]  # 2.0.12 to 2.0.22 refuse whoever is away everything, under that setting
    assert come_back(broker, version, ADMIN, client_id="compartido", port=port)[1] == queued
    broker.refused(SENSOR2, version, client_id="compartido")


def test_id_is_free_again_after_a_clean_session(broker, suite, version):
    """A session that ended leaves its client id to anybody; but of MQTT 5 brokers before 2.1 do not say that it ended."""
    broker.connect(SENSOR, version, client_id="horno").disconnect()
    if version == 5 and suite != "sid":
        broker.refused(SENSOR2, version, client_id="horno")
        return
    watch = watcher(broker, "planta/#")
    other = broker.connect(SENSOR2, version, client_id="horno")
    assert other.publish("planta/linea1/horno", "no", qos=1) == refused_publish(version, 1)
    assert other.publish("planta/linea2/horno", "yes", qos=1) == 0
    assert payloads(seen(watch)) == [b"yes"]


def test_without_state_dir_a_restored_session_gets_nothing_it_may_not(make_broker, suite, version):
    """Without its state the bundle cannot tell who an offline session is: it warns at start, and the client
    that comes back is itself again."""
    broker = make_broker(suite, lambda b: b.plain_conf(state_dir=None))
    broker.wait_log("aduana: .*state_dir")
    durable(broker, version).disconnect()
    order(broker, "x")
    broker.restart()
    client = broker.connect(EDGE1, version, clean=False)
    assert client.publish("planta/linea1/temperatura", "x", qos=1) == 0
    assert client.publish("planta/linea2/temperatura", "x", qos=1) == refused_publish(version, 1)
    assert client.subscribe(COMMANDS) == 1


@pytest.mark.parametrize("version", [5], ids=["v5"])
def test_session_that_expires(broker, version):
    durable(broker, version, props={mqtt.EXPIRY: 1}).disconnect()
    until(lambda: "Expiring client edge-linea1" in broker.log, "session expired")
    assert not broker.connect(EDGE1, version, clean=False).session_present


def test_qos2_both_ways(broker, version):
    watch = watcher(broker, "planta/#")
    edge = broker.connect(EDGE1, version, clean=False)
    assert edge.subscribe(COMMANDS, qos=2) == 2
    assert edge.publish("planta/linea1/temperatura", "up", qos=2) == 0
    assert payloads(seen(watch)) == [b"up"]
    mid = edge.send_publish("planta/linea1/temperatura", "half", qos=2)
    edge._wait(mqtt.PUBREC, mid)
    edge.drop()
    edge = broker.connect(EDGE1, version, clean=False)
    edge.release(mid)
    assert payloads(seen(watch)) == [b"half"]
    watch.publish("planta/linea1/comandos/x", "down", qos=2)
    message = edge.receive()
    assert (message.payload, message.qos) == (b"down", 2)
