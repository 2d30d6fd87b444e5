"""Tokens as passwords, from an issuer of their own and from a real one. Attack 11."""
import hashlib
import hmac
import json
import re
import shutil
import time

import pytest

import glewlwyd
import issuer
import mqtt
from daemon import free_port, until
from plant import Person, payloads, seen, watcher

ANA = Person("ana", "servicio", "ana", None, "ana-1")
CODES = {4: 5, 5: 0x87}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {kid: issuer.Key(folder, kid, algorithm)
            for kid, algorithm in (("rsa", "RS256"), ("ed", "EdDSA"), ("next", "EdDSA"), ("stranger", "EdDSA"))}


@pytest.fixture
def web(pki, keys):
    web = issuer.Web(pki)
    web.keys = [keys["rsa"], keys["ed"]]
    yield web
    web.close()


@pytest.fixture
def start(make_broker, suite, pki, keys):
    """start(**more): a broker with a listener where a token is enough. Keys are those of a file, but for `jwks`."""
    def begin(providers=("oidc", "local"), policy=None, **more):
        port = free_port()
        broker = make_broker(suite, lambda self: self.plain_conf() + self.listener_conf(port, "require_certificate false"), start=False)
        broker.open_port = port
        write_keys(broker, keys["rsa"], keys["ed"])
        shutil.copy(pki.ca.pem, broker.policies / "ca.pem")
        broker.write("broker.secret", "s3cret\n")
        oidc = {"issuer": issuer.NAME, "audience": "mqtt", "jwks": {"file": "sso.jwks"},
                "attributes": {"linea": "planta.linea"}, "roles_claim": "realm_access.roles",
                "roles": {"gateway": ["edge"], "operator": ["operador"]}, "skew_seconds": 0, **more}
        changed = {"require": "either", "providers": list(providers), "oidc": oidc, "cache": {"refused_seconds": 0}, **(policy or {})}
        broker.edit("iam_auth.json", lambda policy: policy.update(changed))
        broker.audit = broker.data / "audit.log"  # where no refusal is left out, however many there are
        broker.write("aduana.json", json.dumps({"audit": {"to": f"file:{broker.audit}"}}))
        return broker.start()
    return begin


def write_keys(broker, *keys):
    broker.write("sso.jwks", json.dumps({"keys": [key.jwk() for key in keys]}))


def once(broker, token, version=4, **more):
    return broker.connect(ANA, version, cert=False, port=broker.open_port, **{"password": token, **more})


def gets_in(broker, token, version=4, **more):
    """As a device does: again, while the broker only hangs up."""
    def attempt():
        try:
            return once(broker, token, version, **more)
        except mqtt.Refused as refused:
            assert refused.code is None, f"refused with {refused.code}: {broker.log[-400:]}"
            return None
    return until(attempt, "log-in", every=0.2)


def is_refused(broker, token, why, version=4, **more):
    """With a proper refusal in the end, and for that reason."""
    def audited():
        return broker.audit.read_bytes() if broker.audit.exists() else b""

    mark = len(audited())

    def attempt():
        with pytest.raises(mqtt.Refused) as refused:
            once(broker, token, version, **more)
        assert refused.value.code in (None, CODES[version])
        return refused.value.code and re.search(why, audited()[mark:].decode())
    until(attempt, why, every=0.2)


def introspection(web):
    return {"url": web.url + "/introspect", "ca_file": "ca.pem", "client_id": "broker", "client_secret_file": "broker.secret"}


PLANTA = {"planta": {"linea": "linea1"}, "realm_access": {"roles": ["gateway", "no-such"]}}


@pytest.mark.parametrize("kid,version", [("rsa", 4), ("ed", 5)])
def test_a_token_says_who_and_what(start, keys, kid, version):
    """Its claims are attributes and roles, which say what may be done; local users are there as ever."""
    broker = start()
    watch = watcher(broker, "planta/#")
    client = gets_in(broker, issuer.token(keys[kid], "ana", **PLANTA), version)
    assert client.publish("planta/linea1/temperatura", "20", qos=1) == 0
    client.publish("planta/linea2/temperatura", "no", qos=1)
    assert payloads(seen(watch)) == [b"20"]
    persona = gets_in(broker, "paso", username="persona", client_id="persona")
    assert persona.publish("planta/linea3/temperatura", "3", qos=1) == 0
    assert payloads(seen(watch)) == [b"3"]


def with_public_key(keys):
    """HS256, with the public RSA key as the secret that everybody has."""
    return issuer.assemble({"alg": "HS256", "kid": "rsa"}, issuer.claims("ana", **PLANTA),
                           lambda text: hmac.new(keys["rsa"].public_pem(), text, hashlib.sha256).digest())


def forged(keys, **header):
    return issuer.token(keys["stranger"], "ana", {"kid": "ed", **header}, **PLANTA)


now = time.time
ATTACKS = {
    "alg-none": (lambda k: issuer.assemble({"alg": "none"}, issuer.claims("ana", **PLANTA), lambda _: b""), "an algorithm that is not allowed"),
    "alg-none-and-kid": (lambda k: issuer.assemble({"alg": "none", "kid": "rsa"}, issuer.claims("ana"), lambda _: b""), "an algorithm that is not"),
    "hs256-with-public-key": (with_public_key, "an algorithm that is not allowed"),
    "unknown-kid": (lambda k: forged(k, kid="stranger"), "a key that its issuer does not have"),
    "kid-path": (lambda k: forged(k, kid="../../../../dev/null"), "a key that its issuer does not have"),
    "kid-url": (lambda k: forged(k, kid="https://evil.example/jwks.json"), "a key that its issuer does not have"),
    "forged": (lambda k: forged(k), "signature is wrong"),
    "jku": (lambda k: forged(k, jku="https://127.0.0.1:1/jwks"), "signature is wrong"),
    "x5u": (lambda k: forged(k, x5u="https://127.0.0.1:1/x.pem", jwk=k["stranger"].jwk()), "signature is wrong"),
    "expired": (lambda k: issuer.token(k["ed"], "ana", exp=int(now()) - 1), "has expired"),
    "never-expires": (lambda k: issuer.token(k["ed"], "ana", exp=None), "never expires"),
    "future-nbf": (lambda k: issuer.token(k["ed"], "ana", nbf=int(now()) + 600), "is not valid yet"),
    "future-iat": (lambda k: issuer.token(k["ed"], "ana", iat=int(now()) + 600), "was issued in the future"),
    "wrong-aud": (lambda k: issuer.token(k["ed"], "ana", aud="erp"), "another audience"),
    "wrong-iss": (lambda k: issuer.token(k["ed"], "ana", iss=issuer.NAME + "/"), "another issuer"),
    "two-algs": (lambda k: issuer.assemble('{"alg": "none", "alg": "EdDSA", "kid": "ed"}', issuer.claims("ana"), k["ed"].sign), "says something twice"),
    "duplicate-claims": (lambda k: issuer.assemble({"alg": "EdDSA", "kid": "ed"}, json.dumps(issuer.claims("luis"))[:-1] + ', "sub": "ana"}', k["ed"].sign),
                         "says something twice"),
    "of-somebody-else": (lambda k: issuer.token(k["ed"], "luis"), "is of somebody else"),
    "as-long-as-mqtt-allows": (lambda k: issuer.token(k["ed"], "ana", x="x" * 40000), "more than 16384 bytes"),
}


def test_attack_11(start, keys):
    """Each line of it, against one broker that lives, and lets the right one in at the end."""
    broker = start(providers=["oidc"])
    for name, (make, why) in ATTACKS.items():
        is_refused(broker, make(keys), why, client_id=name)
    for version, username in ((4, "luis"), (5, None), (5, "")):
        is_refused(broker, issuer.token(keys["ed"], "ana"), "(of somebody else|gave no user name|says who this is)", version, username=username)
    assert gets_in(broker, issuer.token(keys["ed"], "ana")).is_alive()


def test_the_session_ends_with_the_token(start, keys):
    broker = start()
    client = gets_in(broker, issuer.token(keys["ed"], "ana", exp=int(time.time()) + 10))
    other = gets_in(broker, issuer.token(keys["ed"], "luis"), username="luis", client_id="luis")
    client.wait_closed()
    assert other.is_alive()


def test_rotation_of_keys(start, keys, web, pki):
    """A key that is new is fetched when it is first used; an issuer that is away stops nobody whose key is known; and a flood of
    unknown keys does not become one of requests."""
    broker = start(jwks={"url": web.url + "/jwks", "ca_file": "ca.pem"})
    assert gets_in(broker, issuer.token(keys["ed"], "ana")).is_alive()
    assert web.asked == ["/jwks"]
    begin = time.monotonic()
    for number in range(3):
        is_refused(broker, forged(keys, kid=f"flood-{number}"), "a key that its issuer does not have", client_id=f"flood-{number}")
    assert len(web.asked) <= 2 + (time.monotonic() - begin) / 10
    web.keys = [keys["next"]]

    def with_the_new_key():
        try:
            return once(broker, issuer.token(keys["next"], "ana"))
        except mqtt.Refused:
            return None
    assert until(with_the_new_key, "the new key", every=1).is_alive()
    web.away = True
    assert gets_in(broker, issuer.token(keys["next"], "luis"), username="luis", client_id="luis").is_alive()
    broker.reload()  # what was fetched is kept
    assert gets_in(broker, issuer.token(keys["next"], "eva"), username="eva", client_id="eva").is_alive()


def test_attack_11_token_of_a_user_since_disabled(start, keys, web):
    """Its signature is good, but its issuer says no; and while he cannot be asked nobody new gets in."""
    broker = start(introspection=introspection(web), policy={"cache": {"refused_seconds": 300}})
    good, bad = issuer.token(keys["ed"], "ana"), issuer.token(keys["ed"], "luis")
    web.revoked.add(bad)
    assert gets_in(broker, good).is_alive()
    for _ in range(3):  # and for the same reason where that is remembered
        is_refused(broker, bad, 'the account is not to be used \\\\?"its issuer says that the token is not active', username="luis", client_id="luis")
    assert web.asked.count("/introspect") == 2
    web.away = True
    is_refused(broker, issuer.token(keys["ed"], "eva"), "cannot be asked", username="eva", client_id="eva")
    for secret in (good, bad, "s3cret"):
        assert secret not in broker.log + broker.audit.read_text()


def test_attack_11_token_revoked_while_it_is_in_use(start, keys, web):
    """Whoever is connected by it goes, and nobody else; its issuer's absence ends nothing; and it is on no disk."""
    broker = start(introspection=introspection(web), policy={"recheck_seconds": 1})
    tokens = [issuer.token(keys["ed"], "ana", jti=str(number)) for number in range(3)]
    one, other = (gets_in(broker, token, client_id=f"ana-{number}", clean=False) for number, token in enumerate(tokens[:2]))
    web.away, mark = True, len(web.asked)
    until(lambda: len(web.asked) > mark + 1, "it is asked about")
    assert one.is_alive() and other.is_alive()
    web.away = False
    web.revoked.add(tokens[0])
    one.wait_closed()
    is_refused(broker, tokens[0], "its issuer says that the token is not active", client_id="ana-0")
    mark = len(web.asked)
    until(lambda: len(web.asked) > mark + 1, "the other is asked about")
    assert other.is_alive() and gets_in(broker, tokens[2], client_id="ana-0", clean=False).is_alive()
    broker.persist()
    kept = b"".join(path.read_bytes() for path in broker.data.iterdir() if path.is_file()) + broker.log.encode()
    assert not any(token.encode() in kept for token in tokens)


def test_a_client_may_leave_its_name_out(start, keys):
    broker = start(username="optional")
    watch = watcher(broker, "planta/#")
    client = gets_in(broker, issuer.token(keys["ed"], "ana", **PLANTA), 5, username=None)
    assert client.publish("planta/linea1/temperatura", "20", qos=1) == 0
    assert payloads(seen(watch)) == [b"20"]
    is_refused(broker, "paso", "says who this is", 5, username=None)
    is_refused(broker, forged(keys), "signature is wrong", 5, username=None)


@pytest.mark.skipif(glewlwyd.missing(), reason=str(glewlwyd.missing()))
def test_a_real_issuer(start, tmp_path):
    """Its keys are fetched, its tokens let their user in, its word that one is revoked is heard."""
    sso = glewlwyd.Glewlwyd(tmp_path)
    try:
        about = {"url": sso.sso + "introspect", "client_id": "broker", "client_secret_file": "broker.secret"}
        broker = start(issuer=sso.name, jwks={"url": sso.sso + "jwks"}, username_claim="preferred_username",
                       attributes={"turno": "scope"}, roles_claim="scope", roles={"mqtt": ["operador"]}, introspection=about,
                       policy={"recheck_seconds": 1})
        watch = watcher(broker, "planta/#")
        token = sso.token("ana", "clave-de-ana")
        client = gets_in(broker, token)
        assert client.publish("planta/linea1/consigna", "7", qos=1) == 0
        assert payloads(seen(watch)) == [b"7"]
        later = sso.token("ana", "clave-de-ana")
        in_use = gets_in(broker, later, client_id="ana-3")
        sso.revoke(later)
        in_use.wait_closed()
        assert client.is_alive()
        is_refused(broker, token, "is of somebody else", username="luis", client_id="luis")
        revoked = sso.token("ana", "clave-de-ana")
        sso.revoke(revoked)
        is_refused(broker, revoked, "the token is not active", client_id="ana-2")
    finally:
        sso.close()
