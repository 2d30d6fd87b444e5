"""Log-ins by a directory through the broker: who gets in, with what rights, and what follows when the directory changes."""
import mqtt
import pytest

from daemon import free_port, until
from directory import ANA, Slapd, cn, get_in, in_policy, uid
from plant import refused_publish, watcher

# Another password than the directory has of him.
OF_LUIS = "$7$101$c2FsdC1kZS1sdWlz$ZzzFsTzhTHjHrk1mJFcGT6rmIlNUNyE15A+w/PVSRzPuF8xEgvqQQQbc8NOqeqJiyHx956r9WV2f9Vr/HmJP6A=="
ALLOWED = "planta/linea1/temperatura"


@pytest.fixture
def slapd(pki, tmp_path):
    made = Slapd(tmp_path / "slapd", pki)
    yield made
    made.stop()


def test_the_directorys_people(make_broker, suite, slapd):
    broker = make_broker(suite, start=False)
    in_policy(broker, slapd)
    broker.edit("iam_auth.json", lambda policy: policy["local"]["users"].update(luis={"password": OF_LUIS}))
    broker.start()
    ana = get_in(broker, ANA)
    assert ana.publish(ALLOWED, "1", qos=1) == 0
    assert ana.publish("planta/linea2/temperatura", "1", qos=1) == refused_publish(5, 1), "of another department"
    for username, password, why in (("ana", "otra", "wrong password"), ("nadie", "x", "no provider knows this user"),
                                    ("*", "clave-ana", "no provider knows this user"), ("ana", "", "a password is required"), ("x" * 65535, "x", "the user name has more than 256 bytes"),
                                    ("luis", "clave-luis", "wrong password"),  # local users know another one of his
                                    ("baja", "clave-baja", "the account is not to be used")):
        broker.refused(ANA, mqtt.V5, username=username, password=password, client_id=f"otro-{username[:9]}", why=why)
    assert slapd.binds(uid("luis")) == 0
    assert ana.publish(ALLOWED, "2", qos=1) == 0
    # Out of the group: the role is gone at the next look.
    slapd.modify(f"dn: {cn('mantenimiento')}\nchangetype: modify\ndelete: member\nmember: {uid('ana')}\n")
    until(lambda: ana.publish(ALLOWED, "3", qos=1) == refused_publish(5, 1), "the role is lost")
    # The account is closed: so is the connection.
    slapd.change(uid("ana"), "userAccountControl", "514")
    ana.wait_closed()


def test_one_person_in_two_ways(make_broker, suite, slapd):
    """By his certificate and by the directory, however he spells his name: one session, whose messages wait for him."""
    port = free_port()
    broker = make_broker(suite, lambda self: self.plain_conf() + self.listener_conf(port, "require_certificate false"), start=False)
    in_policy(broker, slapd, require="either")
    broker.edit("cert_auth.json", lambda policy: policy["identities"].insert(
        0, {"name": "ana", "match": {"cert.cn": "ana", "cert.ou": "personas"}, "username": "ana", "roles": ["taller"]}))
    broker.edit("acl.json", lambda policy: policy["roles"]["taller"]["allow"].append({"subscribe": ["planta/linea1/comandos/#"]}))
    broker.start()
    durable = {"clean": False, "client_id": "panel-ana"}
    by_certificate = get_in(broker, ANA._replace(cn="ana", ou="personas", username=None, password=None), **durable)
    assert by_certificate.subscribe("planta/linea1/comandos/x", qos=1) == 1
    by_certificate.drop()
    watcher(broker, "planta/#").publish("planta/linea1/comandos/x", "for her", qos=1)
    by_password = get_in(broker, ANA, cert=False, port=port, username="ANA", **durable)
    assert by_password.session_present and by_password.receive().payload == b"for her"
    assert get_in(broker, ANA._replace(cn="ana", ou="personas", username=None, password=None), **durable).session_present
    by_password.wait_closed()
    broker.refused(ANA, mqtt.V5, username="luis", password="clave-luis", cert=False, port=port, client_id="panel-ana", why="this client id is in use by another identity")
