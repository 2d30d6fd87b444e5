"""The directory's client against a real slapd and against servers that are none, without a broker. Attack 10 by name."""
import pytest

import directory
from daemon import until
from asker import Asker, program_of
from directory import GROUPS, PEOPLE, SUFFIX, Slapd, person, settings, uid
from hostile_directory import BIND, EXTENDED, EXTENDED_DONE, SEARCH, SEARCH_DONE, Hostile, ber, entry, message, result


@pytest.fixture(scope="module")
def slapd(pki, tmp_path_factory):
    made = Slapd(tmp_path_factory.mktemp("slapd") / "slapd", pki)
    yield made
    made.stop()


@pytest.fixture
def asker(suite, lib, tmp_path):
    """asker(settings) asks; all that it made end with the test."""
    made = []

    def make(ldap):
        made.append(Asker(program_of(suite, lib), tmp_path, ldap))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def ask(asker, slapd, tmp_path):
    return asker(settings(slapd, tmp_path))


# --- who somebody is


def test_search_then_bind(ask):
    answer = ask.ask("ana", "clave-ana")
    assert answer["outcome"] == "verified" and answer["username"] == "ana"
    assert answer["attributes"] == {"ldap.departmentNumber": ["linea1"], "ldap.l": ["nave 1", "nave 2"],
                                    "ldap.group": ["mantenimiento", "tecnicos", "planta"]}
    assert answer["roles"] == ["mantenimiento", "planta"]
    assert ask.ask("ana") == answer  # a recheck without the secret
    assert ask.ask("ANA", "clave-ana")["username"] == "ana", "another spelling is the same person"
    assert ask.outcome("ana", "otra") == "wrong"
    assert ask.outcome("nadie", "x") == "unknown"
    assert ask.outcome("admin", "clave-admin") == "unknown", "not below user.base"


def test_direct_bind(asker, slapd, tmp_path):
    direct = asker(settings(slapd, tmp_path, user={"bind": "direct", "base": PEOPLE, "attributes": ["departmentNumber"]}))
    answer = direct.ask("ana", "clave-ana")
    assert answer["outcome"] == "verified" and answer["attributes"]["ldap.departmentNumber"] == ["linea1"]
    assert answer["roles"] == ["mantenimiento", "planta"] and direct.ask("ana") == answer
    assert direct.outcome("ana", "otra") == "wrong"
    assert direct.outcome("baja", "clave-baja") == "barred"


def test_another_way_to_call_oneself(asker, slapd, tmp_path):
    """By mail, and then looked at again by name; what else the filter asks must hold both times."""
    one = asker(settings(slapd, tmp_path, user={"base": PEOPLE, "filter": "(&(departmentNumber=linea1)(mail=${username}))"}))
    assert one.ask("ana@planta", "clave-ana")["username"] == "ana"
    assert one.ask("ana")["username"] == "ana"
    assert one.outcome("luis") == "unknown"
    assert one.outcome("*") == "unknown"


BARRED = {"bloqueada": "locked", "baja": "disabled", "pasada": "expired", "caduca": "expired"}


def test_accounts_that_are_barred(ask, slapd):
    for name, why in BARRED.items():
        binds = slapd.binds(uid(name))
        for password in (f"clave-{name}", None):
            answer = ask.ask(name, password)
            assert answer["outcome"] == "barred" and why in answer["why"]
        assert slapd.binds(uid(name)) == binds, "his password is not even looked at"
    assert ask.outcome("alta", "clave-alta") == "verified", "no flag, and no end"


def test_a_lock_for_wrong_passwords(ask, slapd, suite):
    """ppolicy says so at the bind; whoever is connected stays so."""
    name = f"torpe-{suite}"
    slapd.add(person(name, "clave"))
    assert [ask.outcome(name, "mal") for _ in range(3)] == ["wrong"] * 3
    answer = ask.ask(name, "clave")
    assert answer["outcome"] == "barred" and answer["why"] == "the account is locked"
    slapd.change(uid(name), "pwdAccountLockedTime", "20990101000000Z")
    assert ask.outcome(name) == "verified", "a lock that ends by itself ends no session"


def test_a_password_that_is_over(ask, slapd, suite):
    """ppolicy: too old, or to be changed first. Neither is a wrong password."""
    rules = f"cn=estrictas-{suite},{SUFFIX}"
    slapd.add(f"dn: {rules}\nobjectClass: applicationProcess\nobjectClass: pwdPolicy\ncn: estrictas-{suite}\npwdAttribute: userPassword\n"
              "pwdMaxAge: 86400\npwdMustChange: TRUE\n")
    for name, attribute, value, why in (("vieja", "pwdChangedTime", "20200101000000Z", "the password has expired"),
                                        ("nueva", "pwdReset", "TRUE", "the password must be changed first")):
        slapd.add(person(f"{name}-{suite}", "clave", pwdPolicySubentry=rules))
        assert ask.outcome(f"{name}-{suite}", "clave") == "verified"
        slapd.change(uid(f"{name}-{suite}"), attribute, value)
        answer = ask.ask(f"{name}-{suite}", "clave")
        assert (answer["outcome"], answer["why"]) == ("barred", why)
        assert ask.outcome(f"{name}-{suite}", "mal") == "wrong"


# --- groups


def groups_of(asker, slapd, tmp_path, user="ana", **groups):
    groups = {"base": GROUPS, "roles": {}, **groups}
    one = asker(settings(slapd, tmp_path, groups=groups))
    answer = one.ask(user)
    assert answer["outcome"] == "verified", answer["why"]
    return answer["attributes"].get("ldap.group", [])


@pytest.mark.parametrize("groups,expected", [
    ({}, ["mantenimiento"]),
    ({"nested_depth": 1}, ["mantenimiento", "tecnicos"]),
    ({"nested_depth": 32}, ["mantenimiento", "tecnicos", "planta"]),  # planta is in mantenimiento again: a loop
    ({"filter": "(cn=t*)", "nested_depth": 5}, []),
    ({"lookup": "memberOf"}, ["mantenimiento"]),
    ({"lookup": "memberOf", "nested_depth": 32}, ["mantenimiento", "tecnicos", "planta"]),
    ({"lookup": "memberUid"}, ["turnos"]),
    ({"lookup": "uniqueMember"}, ["unicos"]),
    ({"base": f"ou=sub,{GROUPS}"}, []),
], ids=["direct", "nested once", "a loop", "filter", "memberOf", "memberOf nested", "memberUid", "uniqueMember", "base"])
def test_groups(asker, slapd, tmp_path, groups, expected):
    assert groups_of(asker, slapd, tmp_path, **groups) == expected


def test_more_groups_than_anybody_should_have(asker, slapd, tmp_path, suite):
    slapd.add(directory.unit(suite), *[f"dn: cn=g{i},ou={suite},{SUFFIX}\nobjectClass: groupOfNames\ncn: g{i}\nmember: {uid('eva')}\n" for i in range(201)])
    for lookup in ("member", "memberOf"):
        one = asker(settings(slapd, tmp_path, groups={"base": f"ou={suite},{SUFFIX}", "lookup": lookup, "roles": {}}))
        answer = one.ask("eva", "clave-eva")
        assert answer["outcome"] == "barred" and "more than 200 groups" in answer["why"]


# --- attack 10


NAMES = ["*", "*)(uid=*", "ana)(|(uid=*", "admin)(|(", "\\2a", "\\61na", "ana\\00", "a*a", "(", ")", "&", "ana,ou=personas", "#ana", "a" * 256]


def test_attack_10_user_names_that_are_filters(ask, slapd):
    mark = len(slapd.log)
    assert [ask.outcome(name, "clave-ana") for name in NAMES] == ["unknown"] * len(NAMES)
    assert ask.outcome("a" * 65536, "clave-ana") == "unknown"
    assert "BIND dn=\"uid=" not in slapd.log[mark:]


def test_attack_10_user_names_that_are_names(asker, slapd, tmp_path):
    direct = asker(settings(slapd, tmp_path, user={"bind": "direct", "base": PEOPLE}))
    assert {direct.outcome(name, "clave-ana") for name in NAMES + ["ana+cn=x", "admin,ou=servicios,dc=planta,o=x"]} == {"wrong"}
    assert direct.outcome("ana", "clave-ana") == "verified"


def test_attack_10_names_with_commas_plus_and_space(ask):
    assert ask.ask("coma", "clave-coma")["attributes"]["ldap.group"] == ["coma"]
    assert ask.ask("varios", "clave-varios")["attributes"]["ldap.group"] == ["varios"]


def test_attack_10_two_entries_match(ask, slapd):
    answer = ask.ask("doble", "clave-doble")
    assert answer["outcome"] == "barred" and "more than one entry" in answer["why"]
    assert slapd.binds(uid("doble")) == 0


def test_attack_10_a_group_named_like_anothers_name(ask, asker, slapd, tmp_path):
    answer = ask.ask("luis", "clave-luis")  # also in cn=mantenimiento of another branch
    assert answer["roles"] == [] and answer["attributes"]["ldap.group"] == ["mantenimiento,ou=grupos,dc=planta"]
    assert groups_of(asker, slapd, tmp_path, "luis", lookup="memberOf") == ["mantenimiento,ou=grupos,dc=planta"]


def test_attack_6_empty_password(asker, slapd, tmp_path):
    """slapd here lets an unauthenticated bind pass."""
    for more in ({}, {"user": {"bind": "direct", "base": PEOPLE}}):
        one = asker(settings(slapd, tmp_path, **more))
        binds = slapd.binds(uid("ana")), slapd.binds("")
        assert one.outcome("ana", "") == "wrong"
        assert (slapd.binds(uid("ana")), slapd.binds("")) == binds


def test_an_entry_that_cannot_be_used(ask):
    for name, why in {"alias": "more than one uid", "binaria": "departmentNumber"}.items():
        answer = ask.ask(name, f"clave-{name}")
        assert answer["outcome"] == "barred" and why in answer["why"]


# --- servers that are none


def hostile_settings(slapd, folder, *servers, **more):
    limits = {"connect_timeout_ms": 60000, "operation_timeout_ms": 60000, "total_timeout_ms": 60000, **more}
    return settings(slapd, folder, servers=list(servers), groups=None, **limits)


def on_search(send_it):
    """Answers binds, and what send_it(send, number) does to a search."""
    def answer(send, number, tag):
        if tag == SEARCH:
            send_it(send, number)
        return None if tag == BIND else True
    return answer


def garbage(send, _):
    send(b"\xff\xfe HTTP/1.1 200 OK\r\n\r\n" * 100)


def huge(send, _):
    send(b"\x30\x84\x7f\xff\xff\xff\x02\x01\x02")


def million(send, number):
    for i in range(1000000):
        send(message(number, entry(b"ana%d" % i)))


def another_base(send, number):
    name = ber(0x04, b"uid=ana,ou=otros,dc=planta")
    send(message(number, ber(0x64, name, ber(0x30))) + message(number, result(SEARCH_DONE)))


def busy(send, number):
    send(message(number, result(SEARCH_DONE, 51, text=b"come \x1b[31m back")))


def half(send, number):
    send(message(number, entry(b"ana"))[:20])


def drip(send, number):
    for byte in message(number, entry(b"ana" * 10000)):
        send(bytes([byte]))


HOSTILE = {garbage: ("unavailable", "127.0.0.1"), huge: ("unavailable", "127.0.0.1"), million: ("barred", "more than one entry"),
           another_base: ("barred", "below user.base"), busy: ("unavailable", "come ?[31m back")}


@pytest.mark.parametrize("behaviour", HOSTILE, ids=lambda b: b.__name__)
def test_answers_of_no_use(asker, slapd, pki, tmp_path, behaviour):
    server = Hostile(pki, on_search(behaviour))
    answer = asker(hostile_settings(slapd, tmp_path, server.url)).ask("ana", "clave-ana")
    assert (answer["outcome"], HOSTILE[behaviour][1] in answer["why"]) == (HOSTILE[behaviour][0], True), answer
    assert b"clave-ana" not in server.got
    server.close()


def silent(*_):
    pass


@pytest.mark.parametrize("behaviour,tls", [(half, True), (silent, True), (silent, False)], ids=["half a message", "silence", "no StartTLS"])
def test_answers_that_do_not_come(asker, slapd, pki, tmp_path, behaviour, tls):
    """Nobody waits for ever, and the next server is asked."""
    server = Hostile(pki, on_search(behaviour), tls)
    limits = {"operation_timeout_ms": 300, "connect_timeout_ms": 300}
    answer = asker(hostile_settings(slapd, tmp_path, server.url, **limits)).ask("ana", "clave-ana")
    assert answer["outcome"] == "unavailable" and "no answer in time" in answer["why"]
    both = asker(hostile_settings(slapd, tmp_path, server.url, slapd.urls[0], **{name: 3000 for name in limits}))
    assert both.outcome("ana", "clave-ana") == "verified"
    assert b"clave-ana" not in server.got and b"clave del servicio" not in (server.got if not tls else b"")
    server.close()


def test_an_answer_that_drips(asker, slapd, pki, tmp_path):
    server = Hostile(pki, on_search(drip))
    ldap = hostile_settings(slapd, tmp_path, server.url, operation_timeout_ms=300)
    assert asker(ldap).outcome("ana", "clave-ana") == "unavailable"
    server.close()


def test_a_server_that_never_shakes_hands(asker, slapd, pki, tmp_path):
    server = Hostile(pki, silent, tls=False)
    ldap = hostile_settings(slapd, tmp_path, server.url.replace("ldap:", "ldaps:"), connect_timeout_ms=300)
    assert asker(ldap).outcome("ana", "clave-ana") == "unavailable"
    server.close()


def test_attack_10_start_tls_stripped(asker, slapd, pki, tmp_path):
    """Whether it refuses or says yes and goes on in the clear, nothing is told to it."""
    def refuse(send, number, tag):
        if tag == EXTENDED:
            send(message(number, result(EXTENDED_DONE, 2, text=b"no TLS here")))
        return True

    def lie(send, number, tag):
        if tag == EXTENDED:
            send(message(number, result(EXTENDED_DONE)))
        return True

    for answer, why in ((refuse, "refuses StartTLS: no TLS here"), (lie, "127.0.0.1")):
        server = Hostile(pki, answer, tls=False)
        said = asker(hostile_settings(slapd, tmp_path, server.url, connect_timeout_ms=1000)).ask("ana", "clave-ana")
        assert said["outcome"] == "unavailable" and why in said["why"]
        assert b"clave" not in server.got and server.connections == 1
        server.close()


def test_attack_10_referral_to_another_server(asker, slapd, pki, tmp_path):
    other = Hostile(pki, on_search(silent))

    def refer(send, number):
        url = ber(0xa3, ber(0x04, other.url.encode()))
        send(message(number, ber(0x73, ber(0x04, other.url.encode()))) + message(number, result(SEARCH_DONE, 10, url)))

    server = Hostile(pki, on_search(refer))
    answer = asker(hostile_settings(slapd, tmp_path, server.url)).ask("ana", "clave-ana")
    assert answer["outcome"] == "unavailable" and "eferral" in answer["why"]
    assert other.connections == 0
    other.close()
    server.close()


def test_attack_10_certificate_for_another_host(asker, slapd, pki, tmp_path):
    elsewhere = pki._signed("ldap-elsewhere", "/CN=127.0.0.1", pki.ca, "subjectAltName=DNS:ldap.otra.planta\nextendedKeyUsage=serverAuth\n")
    strange = pki._signed("ldap-strange", "/CN=127.0.0.1", pki.other_ca, "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    for certificate in (elsewhere, strange):
        server = Hostile(pki, on_search(million), certificate=certificate)
        answer = asker(hostile_settings(slapd, tmp_path, server.url)).ask("ana", "clave-ana")
        assert answer["outcome"] == "unavailable" and server.url in answer["why"]
        assert server.got == b""
        server.close()


# --- several servers, and connections that end


def test_failover(asker, pki, tmp_path, slapd):
    """The second server answers while the first is away."""
    nobody = f"ldaps://127.0.0.1:{directory.free_port()}"
    one = asker(settings(slapd, tmp_path, servers=[nobody, slapd.urls[1]]))
    assert [one.outcome("ana", "clave-ana") for _ in range(3)] == ["verified"] * 3
    assert one.ask("ana", "clave-ana", threads=8, times=20) == {"verified": 160}


def test_a_directory_that_restarts(asker, slapd, pki, tmp_path):
    other, slapd = slapd, Slapd(tmp_path / "slapd", pki)
    both = asker(settings(slapd, tmp_path, servers=[slapd.urls[1], other.urls[0]]))
    assert both.outcome("luis", "clave-luis") == "verified" and slapd.binds(uid("luis")) == 1
    one = asker(settings(slapd, tmp_path, servers=slapd.urls))
    try:
        assert one.outcome("ana", "clave-ana") == "verified"
        slapd.stop()
        answer = one.ask("ana", "clave-ana")
        assert answer["outcome"] == "unavailable" and slapd.urls[1] in answer["why"]
        assert both.outcome("luis", "clave-luis") == "verified", "by the second"
        slapd.start()
        assert one.outcome("ana", "clave-ana") == "verified"
        slapd.stop()
        slapd.start()  # the connections that were kept have ended: nobody notices
        answer = one.ask("ana", "clave-ana")
        assert answer["outcome"] == "verified", answer["why"]
        assert slapd.binds(uid("ana")) == 3
        until(lambda: both.outcome("luis", "clave-luis") == "verified" and slapd.binds(uid("luis")) > 1, "the first is asked again")
    finally:
        slapd.stop()


def test_a_reload_keeps_the_connections(asker, slapd, tmp_path):
    one = asker(settings(slapd, tmp_path))
    assert one.outcome("ana", "clave-ana") == "verified"
    mark = len(slapd.log)
    assert one.say(reload=True) == {"loaded": True}
    assert one.outcome("ana", "clave-ana") == "verified"
    assert "ACCEPT from" not in slapd.log[mark:]
    one.write(settings(slapd, tmp_path, connect_timeout_ms=19999))
    assert one.say(reload=True) == {"loaded": True}
    assert one.outcome("ana", "clave-ana") == "verified"
    assert "ACCEPT from" in slapd.log[mark:], "other settings are another link"


def test_the_service_account(asker, slapd, tmp_path):
    ldap = settings(slapd, tmp_path)
    (tmp_path / "ldap-password").write_text("otra")
    answer = asker(ldap).ask("ana", "clave-ana")
    assert answer["outcome"] == "unavailable" and "the service account is refused" in answer["why"] and "otra" not in answer["why"]
