"""Log-ins by a directory through the broker: who gets in, with what rights, and what follows when the directory changes."""
import mqtt
import pytest

import directory
from daemon import until
from directory import Slapd, cn, settings, uid
from plant import Person, refused_publish

ANA = Person("tablero", "servicio", "ana", "clave-ana", "panel-ana")
ALLOWED = "planta/linea1/temperatura"


@pytest.fixture
def slapd(pki, tmp_path):
    made = Slapd(tmp_path / "slapd", pki)
    yield made
    made.stop()


def in_policy(broker, slapd):
    """Passwords of the directory are enough; its people may publish on their own line if they are in `mantenimiento`."""
    def ask_the_directory(policy):
        policy.update(require="password", providers=["local", "ldap"], recheck_seconds=1, cache={"fresh_seconds": 0}, login_budget_ms=1000)
        policy["ldap"] = settings(slapd, broker.policies, groups={"base": directory.GROUPS, "nested_depth": 5, "roles": {"mantenimiento": ["taller"]}})

    def give_rights(policy):
        policy["roles"]["taller"] = {"allow": [{"publish": ["planta/${ldap.departmentNumber}/temperatura"]}]}

    broker.edit("iam_auth.json", ask_the_directory)
    broker.edit("acl.json", give_rights)
    broker.edit("cert_auth.json", lambda policy: policy.update(identities=[]))


def get_in(broker, person, **more):
    """A broker before 2.1 may close the connection while it asks: the client comes again."""
    def attempt():
        try:
            return broker.connect(person, mqtt.V5, **more)
        except mqtt.Refused:
            return None
    return until(attempt, f"{person.username} gets in")


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
