"""Log-ins by a directory through the broker: who gets in, with what rights, and what follows when the directory changes."""
import mqtt
import pytest

from daemon import until
from directory import ANA, Slapd, cn, get_in, in_policy, uid
from plant import refused_publish

ALLOWED = "planta/linea1/temperatura"


@pytest.fixture
def slapd(pki, tmp_path):
    made = Slapd(tmp_path / "slapd", pki)
    yield made
    made.stop()


def test_the_directorys_people(make_broker, suite, slapd):
    broker = make_broker(suite, start=False)
    in_policy(broker, slapd)
    broker.start()
    ana = get_in(broker, ANA)
    assert ana.publish(ALLOWED, "1", qos=1) == 0
    assert ana.publish("planta/linea2/temperatura", "1", qos=1) == refused_publish(5, 1), "of another department"
    for username, password, why in (("ana", "otra", "wrong password"), ("nadie", "x", "no provider knows this user"),
                                    ("*", "clave-ana", "no provider knows this user"), ("ana", "", "a password is required"),
                                    ("baja", "clave-baja", "the account is not to be used")):
        broker.refused(ANA, mqtt.V5, username=username, password=password, client_id=f"otro-{username}", why=why)
    assert ana.publish(ALLOWED, "2", qos=1) == 0
    # Out of the group: the role is gone at the next look.
    slapd.modify(f"dn: {cn('mantenimiento')}\nchangetype: modify\ndelete: member\nmember: {uid('ana')}\n")
    until(lambda: ana.publish(ALLOWED, "3", qos=1) == refused_publish(5, 1), "the role is lost")
    # The account is closed: so is the connection.
    slapd.change(uid("ana"), "userAccountControl", "514")
    ana.wait_closed()
