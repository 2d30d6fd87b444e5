"""Client ids that a certificate may use, and how many connections it may have: gateways that run several clients."""
import pytest

import mqtt
from daemon import until
from plant import EDGE1, REFUSED_CODES, SCADA, Person, refused_publish

GATEWAY, GATEWAY_X, GATEWAY10 = (Person(name, "pasarela") for name in ("gw-1", "gw-1-x", "gw-10"))
FULL = r"cert_auth: this certificate has as many connections as it may have \(limit {}\) \[cert_auth.json:\d+\]"


def gateways(prefix="${cert.cn}-", most=None):
    """A change of cert_auth.json: an identity for gateways."""
    def change(file):
        others = [each for each in file["identities"] if each["name"] != "gateway"]
        identity = {"name": "gateway", "match": {"cert.ou": "pasarela"}, "username": "${cert.cn}", "client_id": {"prefix": prefix},
                    "roles": ["pasarela"]}
        if most:
            identity["connections"] = {"max": most}
        file["identities"] = [identity, *others]
    return change


def grants(file):
    file["roles"]["pasarela"] = {"allow": [{"publish": ["libre/${client_id}/#"], "subscribe": ["libre/${client_id}/#"]}]}


@pytest.fixture
def start(make_broker, suite):
    def begin(**wish):
        broker = make_broker(suite, start=False)
        broker.edit("cert_auth.json", gateways(**wish))
        broker.edit("acl.json", grants)
        return broker.start()
    return begin


def gateway(broker, name, version=mqtt.V311, **more):
    return broker.connect(GATEWAY, version, client_id=f"gw-1-{name}", **more)


# --- client ids


def test_several_clients_of_one_certificate(start, version):
    """Each has its own client id, which counts as bound: rules may use it."""
    broker = start()
    clients = {name: gateway(broker, name, version) for name in ("plc", "opcua", "A_.9")}
    for name, client in clients.items():
        assert client.subscribe(f"libre/gw-1-{name}/#") == 1
        assert client.publish(f"libre/gw-1-{name}/a", name, qos=1) == 0
        assert client.receive().payload == name.encode()
    assert clients["plc"].publish("libre/gw-1-opcua/a", "no", qos=1) == refused_publish(version, 1)
    assert clients["plc"].subscribe("libre/gw-1-opcua/#") == REFUSED_CODES[version]
    assert clients["opcua"].is_alive() and not clients["opcua"].inbox


CLIENT_IDS_OF_NOBODY = {
    'this certificate must use a client id that begins with "gw-1-"': ("gw-1", "gw-10-plc", "Gw-1-plc", "edge-linea1"),
    'this certificate\'s client id needs 1 to 64 of A-Z a-z 0-9 _ . after "gw-1-"':
        ("gw-1-", "gw-1-" + "a" * 65, "gw-1-a/b", "gw-1-\u202eclp", "gw-1-x-plc")}


def test_client_ids_of_nobody(start, version):
    broker = start()
    here, edge = gateway(broker, "plc", version), broker.connect(EDGE1, version)
    for why, client_ids in CLIENT_IDS_OF_NOBODY.items():
        for client_id in client_ids:
            broker.refused(GATEWAY, version, client_id=client_id, why=why)
            assert here.is_alive() and edge.is_alive()


def test_what_is_one_certificates_is_no_others(start, version):
    """gw-1-x is another device, and its client ids are not gw-1's, though they begin alike."""
    broker = start()
    other = broker.connect(GATEWAY_X, version, client_id="gw-1-x-plc")
    assert broker.connect(GATEWAY10, version, client_id="gw-10-plc").is_alive()
    broker.refused(GATEWAY, version, client_id="gw-1-x-plc", why="cert_auth: this certificate's client id needs ")
    assert other.is_alive()


def test_a_prefix_without_a_separator_is_warned_of(start):
    broker = start()
    assert "open-client-id-prefix" not in broker.log
    broker.edit("cert_auth.json", gateways(prefix="${cert.cn}"))
    broker.reload()
    broker.wait_log(r'the prefix "\$\{cert.cn\}" does not end with one of - _ . : /.*\[open-client-id-prefix\]')


def test_a_reload_may_take_a_client_id_away(start, version):
    broker = start()
    goes, edge = gateway(broker, "plc", version), broker.connect(EDGE1, version)
    broker.edit("cert_auth.json", gateways(prefix="${cert.cn}."))
    broker.reload()
    until(lambda: not goes.is_alive(), "the client is disconnected")
    assert broker.connect(GATEWAY, version, client_id="gw-1.plc").is_alive()
    assert edge.is_alive()


# --- connections


def test_one_connection_too_many(start, version):
    broker = start(most=2)
    first, second = gateway(broker, "a", version), gateway(broker, "b", version)
    for _ in range(3):
        broker.refused(GATEWAY, version, client_id="gw-1-c", why=FULL.format(2))
    assert first.is_alive() and second.is_alive()
    other = [broker.connect(GATEWAY10, version, client_id=f"gw-10-{name}") for name in "ab"]  # has its own two
    assert all(client.is_alive() for client in other)


@pytest.mark.parametrize("end", ["disconnect", "drop"])
def test_who_goes_makes_room(start, version, end):
    """Again and again: nothing is counted for ever."""
    broker = start(most=1)
    for number in range(20):
        client = gateway(broker, f"{number}", version, clean=number % 2 == 0)
        broker.refused(GATEWAY, version, client_id="gw-1-x")
        mark = broker.mark()
        getattr(client, end)()
        broker.wait_log(f"Client gw-1-{number} .*(disconnected|closed)", mark)
    assert gateway(broker, "x", version).is_alive()


def test_a_takeover_is_not_one_more(start, version):
    broker = start(most=2)
    gateway(broker, "a", version)
    for _ in range(10):
        taken = broker.clients[-1]
        fresh = gateway(broker, "a", version)
        taken.wait_closed()
        assert fresh.is_alive()
    second = gateway(broker, "b", version)
    broker.refused(GATEWAY, version, client_id="gw-1-c", why=FULL.format(2))
    assert second.is_alive() and fresh.is_alive()


def test_a_renewed_certificate_counts_anew(start, version, pki):
    """Rotation: the old and the new one side by side."""
    broker, renewed = start(most=1), pki.client("gw-1", "pasarela", san="DNS:gw-1.planta")
    old = gateway(broker, "a", version)
    new = gateway(broker, "b", version, cert=renewed)
    broker.refused(GATEWAY, version, client_id="gw-1-c", cert=renewed, why=FULL.format(1))
    assert old.is_alive() and new.is_alive()
    new.disconnect()
    assert gateway(broker, "a", version, cert=renewed).is_alive()
    old.wait_closed()
    assert gateway(broker, "b", version).is_alive()


def test_sessions_of_the_absent_are_no_connections(start, version):
    broker = start(most=1)
    gateway(broker, "a", version, clean=False).disconnect()
    here = gateway(broker, "b", version)
    broker.refused(GATEWAY, version, client_id="gw-1-a", why=FULL.format(1), clean=False)
    here.disconnect()
    assert gateway(broker, "a", version, clean=False).session_present


def test_a_restart_and_a_lower_number(start, version):
    """A lower number sends nobody away; nobody new gets in until there is room. A restart counts anew."""
    broker = start(most=3)
    clients = [gateway(broker, name, version) for name in "abc"]
    broker.edit("cert_auth.json", gateways(most=2))
    broker.reload()
    scada = broker.connect(SCADA)
    assert all(client.is_alive() for client in clients) and scada.is_alive()
    clients[0].disconnect()
    broker.refused(GATEWAY, version, client_id="gw-1-d", why=FULL.format(2))
    clients[1].disconnect()
    assert gateway(broker, "d", version).is_alive()
    broker.restart()
    assert gateway(broker, "a", version).is_alive() and gateway(broker, "b", version).is_alive()
    broker.refused(GATEWAY, version, client_id="gw-1-c", why=FULL.format(2))
