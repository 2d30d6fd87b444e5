"""`aduana explain DIR` and `aduana test DIR`: the engine that decides, asked without a broker."""
import json
import pathlib
import re
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

from patience import PATIENCE
from plant import EDGE1, refused_publish

ROOT = pathlib.Path(__file__).resolve().parents[2]
YES, NO, USAGE = 0, 1, 2
CA = "cert.issuer.cn=Planta Device CA"
EDGE = ("--as", CA, "--as", "cert.ou=edge", "--as", "cert.cn=edge-linea1", "--as", "username=linea1")
DASHBOARD = ("--as", CA, "--as", "cert.ou=it", "--as", "cert.cn=dashboard-1")


@pytest.fixture
def policies(tmp_path):
    """A copy of the example that a test may change."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    return tmp_path / "policies"


@pytest.fixture
def run(lib):
    def run(*arguments):
        return subprocess.run([lib.parent / "bin/aduana", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE)
    return run


def edit(path, change):
    policy = json.loads(path.read_text())
    change(policy)
    path.write_text(json.dumps(policy, indent=1))


def asked(run, policies, *arguments):
    """The answer as JSON; the exit status says the same."""
    done = run("explain", policies, *arguments, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == (NO if answer["verdict"] == "refused" else YES) and done.stderr == ""
    return answer


# --- explain ---

def test_allowed(run, policies):
    done = run("explain", policies, *EDGE, "publish", "planta/linea1/temperatura")
    assert done.returncode == YES and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "allowed"
    assert "  roles: edge" in lines and '  linea: "linea1"' in lines
    assert '  + acl.json:9:42: edge allow planta/${linea}/+ "own line"' in lines


@pytest.mark.parametrize("arguments,reason,advice", [
    (["publish", "planta/linea2/temperatura"], "no rule grants it", 'add {"publish": ["planta/linea2/temperatura"]} to roles.edge.allow in acl.json'),
    (["subscribe", "planta/linea1/horno"], "no one rule grants", 'add {"subscribe": ["planta/${linea}/horno"]} to roles.edge.allow in acl.json'),
    (["publish", "planta/linea1/comandos/x"], "nobody commands himself", 'take it out of what acl.json:13:57 denies to the role "edge"'),
    (["subscribe", "planta/#"], "no one rule grants", 'give the client the role "tablero": acl.json:26:32 allows it'),
    (["receive", "planta/linea1/horno"], "no rule grants it", 'let acl.json:9:42 (of the role "edge") be about "receive" too'),
])
def test_refused(run, policies, arguments, reason, advice):
    answer = asked(run, policies, *EDGE, *arguments)
    assert answer["verdict"] == "refused" and reason in answer["reason"]
    assert advice in answer["advice"]


def test_advice_works(run, policies):
    """The first rule that it says to add, added."""
    question = (*EDGE, "publish", "planta/linea1/horno/zona/4")
    answer = asked(run, policies, *question)
    rule = json.loads(answer["advice"][-1].removeprefix("add ").removesuffix(" to roles.edge.allow in acl.json"))
    edit(policies / "acl.json", lambda policy: policy["roles"]["edge"]["allow"].append(rule))
    assert asked(run, policies, *question)["verdict"] == "allowed"


def test_rules_considered(run, policies):
    answer = asked(run, policies, *EDGE, "publish", "planta/linea1/comandos/x")
    assert answer["rule"] == {"file": "acl.json", "line": 13, "column": 57}
    said = [(rule["role"], rule["effect"], rule["pattern"], rule["applies"]) for rule in answer["rules"]]
    assert said[:2] == [("edge", "allow", "planta/${linea}/+/+", True), ("edge", "deny", "planta/+/comandos/#", True)]
    assert ("sensor", "deny", "planta/+/comandos/#", False) in said
    why = {rule["why_not"] for rule in answer["rules"]}
    assert why == {None, "the client does not have the role", "it is about another action"}


@pytest.mark.parametrize("arguments,verdict", [
    (["publish", "planta/linea1/a", "--qos", "1"], "refused"), (["publish", "planta/linea1/a", "--qos", "0"], "allowed"),
    (["publish", "planta/linea1/b", "--retain"], "refused"), (["publish", "planta/linea1/b"], "allowed"),
    (["publish", "planta/linea1/c", "--payload-bytes", "11"], "refused"), (["publish", "planta/linea1/c", "--payload-bytes", "10"], "allowed"),
    (["publish", "planta/linea1/d", "--from", "10.1.2.3"], "allowed"), (["publish", "planta/linea1/d", "--from", "10.2.2.3"], "refused"),
    (["publish", "planta/linea1/d"], "refused"),
    # 08:00 in Mexico City is 14:00 UTC.
    (["publish", "planta/linea1/e", "--at", "2026-11-23T08:00"], "allowed"), (["publish", "planta/linea1/e", "--at", "2026-11-23T14:00:30Z"], "allowed"),
    (["publish", "planta/linea1/e", "--at", "2026-11-23T15:00+01:00"], "allowed"), (["publish", "planta/linea1/e", "--at", "2026-11-23T08:00:00Z"], "refused"),
    (["publish", "planta/linea1/e", "--at", "2026-11-22T08:00"], "refused"),
])
def test_conditions(run, policies, arguments, verdict):
    def change(policy):
        policy["time_zone"] = "America/Mexico_City"
        policy["roles"]["edge"] = {"allow": [
            {"publish": ["planta/+/a"], "when": {"qos": {"max": 0}}}, {"publish": ["planta/+/b"], "when": {"retain": False}},
            {"publish": ["planta/+/c"], "when": {"payload_bytes": {"max": 10}}}, {"publish": ["planta/+/d"], "when": {"networks": ["10.1.0.0/16"]}},
            {"publish": ["planta/+/e"], "when": {"times": [{"days": ["mon-fri"], "from": "06:00", "to": "14:00"}]}}]}
    edit(policies / "acl.json", change)
    answer = asked(run, policies, *EDGE, *arguments)
    assert answer["verdict"] == verdict
    if verdict == "refused":
        assert any(advice.startswith("meet the conditions of acl.json:") for advice in answer["advice"])


def test_watched(run, policies):
    edit(policies / "acl.json", lambda policy: policy.update(mode="watch"))
    done = run("explain", policies, *EDGE, "publish", "planta/linea2/x")
    assert done.returncode == YES and done.stdout.startswith("allowed, but only because it is watched: acl: no rule grants it")


def leave_out(policies, *names):
    for name in names:
        (policies / f"{name}.json").write_text('{"if_not_loaded": "ignore"}')


def test_left_to_the_broker(run, policies):
    """A plant that only watches: three files of one line each."""
    leave_out(policies, "cert_auth", "iam_auth", "acl")
    answer = asked(run, policies, "--as", "username=linea1", "publish", "planta/linea2/temperatura")
    assert answer["verdict"] == "left to the broker" and list(answer["left_out"]) == ["cert_auth", "iam_auth", "acl"]
    assert asked(run, policies, "--as", "username=linea1", "connect")["verdict"] == "left to the broker"
    answer = asked(run, policies, "--as", "username=linea1", "publish", "Planta/x")
    assert answer["verdict"] == "refused" and "topic_policy" in answer["reason"]
    told = run("explain", policies, "--as", "username=linea1", "connect").stdout
    assert "left out\n  cert_auth: logins are left to the broker's password_file" in told


def test_only_permissions_left_to_the_broker(run, policies):
    leave_out(policies, "acl")
    assert asked(run, policies, *EDGE, "connect")["verdict"] == "allowed"
    assert asked(run, policies, "--as", "cert.cn=nadie", "connect")["verdict"] == "refused"
    assert asked(run, policies, *EDGE, "publish", "planta/linea2/temperatura")["verdict"] == "left to the broker"


@pytest.mark.parametrize("arguments,reason", [
    (["--as", "cert.cn=edge-linea1"], "no identity of cert_auth.json matches"),
    (["--as", CA, "--as", "cert.ou=edge", "--as", "cert.cn=edge-linea1"], "password"),
    ([*EDGE, "--as", "client_id=edge-linea2"], "must use the client id"),
    (["--as", "username=linea1"], "certificate"),
])
def test_not_let_in(run, policies, arguments, reason):
    for question in (["connect"], ["publish", "planta/linea1/temperatura"]):
        answer = asked(run, policies, *arguments, *question)
        assert answer["verdict"] == "refused" and reason in answer["reason"], answer
    assert asked(run, policies, *EDGE, "connect")["verdict"] == "allowed"


def test_identities_that_do_not_match(run, policies):
    done = run("explain", policies, "--as", CA, "--as", "cert.ou=edge", "--as", "cert.cn=edge-1", "connect")
    lines = done.stdout.splitlines()
    assert done.returncode == NO and lines[2] == "identities"
    assert lines[3] == '  - cert_auth.json:5:5: identity "edge gateway": a pattern of its "attributes" finds nothing'
    assert lines[4] == '  - cert_auth.json:15:5: identity "smart sensor": cert.ou is not "sensor"'


def test_certificate(make_broker, suite, version, run):
    """--cert is the certificate that the broker is shown, and the broker says the same."""
    broker = make_broker(suite)
    cert = ("--cert", broker.pki.client(EDGE1.cn, EDGE1.ou).pem, "--as", f"client_id={EDGE1.cn}", "--as", "username=linea1")
    client = broker.connect(EDGE1, version)
    for topic in ("planta/linea1/temperatura", "planta/linea2/temperatura", "planta/linea1/consigna", "Planta/linea1/x"):
        answer = asked(run, broker.policies, *cert, "publish", topic)
        assert client.publish(topic, "x", qos=1) == (0 if answer["verdict"] == "allowed" else refused_publish(version, 1)), topic
        if answer["verdict"] == "refused":
            broker.wait_log(re.escape(answer["reason"]))


@pytest.mark.parametrize("arguments,complaint", [
    ([], "usage: aduana explain"), (["publish", "a"], "usage: aduana explain"), (["/no/such/folder", "connect"], "/no/such/folder"),
    (["DIR", "publish"], "usage"), (["DIR", "red", "a"], "no such action: red"), (["DIR", "connect", "a"], "usage"),
    (["DIR", "--as", "linea=1", "connect"], "is neither cert.*"), (["DIR", "--as", "cert.cn", "connect"], "expected KEY=VALUE"),
    (["DIR", "--as", "cert.cn=", "connect"], "has no value"), (["DIR", "--as", "client_id=a", "--as", "client_id=b", "connect"], "is said twice"),
    (["DIR", "--cert", "/no/such", "connect"], "No such file"), (["DIR", "--cert", "/etc/passwd", "connect"], "holds no certificate"),
    (["DIR", "--from", "casa", "connect"], "expected an IP address"), (["DIR", "--qos", "3", "publish", "a"], "expected 0 to 2"),
    (["DIR", "--at", "ayer", "connect"], "expected a moment"), (["DIR", "--nada", "connect"], "unrecognized option"),
])
def test_wrong_usage(run, policies, arguments, complaint):
    done = run("explain", *[policies if argument == "DIR" else argument for argument in arguments])
    assert done.returncode == USAGE and complaint in done.stderr and done.stdout == "", done


def test_topics_that_mqtt_does_not_allow(run, policies):
    for topic in ("planta/+/x", "#", ""):
        assert asked(run, policies, *EDGE, "publish", topic)["verdict"] == "refused"


def test_a_policy_that_does_not_load(run, policies):
    (policies / "acl.json").write_text('{"roles": {"edge": {"alow": []}}}')
    done = run("explain", policies, *EDGE, "connect")
    assert done.returncode == USAGE and 'acl.json:1:21: roles.edge.alow: unknown key; did you mean "allow"?' in done.stderr


# --- test ---

def assertions(policies, *tests, **more):
    (policies / "tests/plant.json").write_text(json.dumps({"tests": tests, **more}))


GATEWAY = {"cert.issuer.cn": "Planta Device CA", "cert.ou": "edge", "cert.cn": "edge-linea1", "username": "linea1"}


def test_the_example(run):
    done = run("test", ROOT / "policies")
    assert done.returncode == YES and done.stderr == ""
    assert done.stdout.endswith("32 passed, 0 failed; 17 of 17 rules touched\n")


def test_failing(run, policies, tmp_path):
    assertions(policies,
               {"name": "uno & <dos>", "as": GATEWAY, "publish": ["planta/linea1/x", "planta/linea2/x"], "expect": "allow"},
               {"as": GATEWAY, "publish": "planta/linea2/x", "expect": "deny", "why": "acl.json:13"})
    done = run("test", policies, "--junit", tmp_path / "junit.xml")
    assert done.returncode == NO
    assert "FAIL tests/plant.json:1: edge-linea1 publish planta/linea2/x: expected allow, got deny: acl: no rule grants it" in done.stdout
    assert "expected deny by acl.json:13, got deny: acl: no rule" in done.stdout
    assert "acl.json:40:24: no assertion touches planta/#" in done.stdout
    assert done.stdout.endswith("1 passed, 2 failed; 1 of 17 rules touched\n")
    suite = xml.etree.ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    assert suite[1].get("name") == "uno & <dos>: edge-linea1 publish planta/linea2/x" and suite[1][0].tag == "failure"
    answer = json.loads(run("test", policies, "--json").stdout)
    assert (answer["passed"], answer["failed"], answer["rules"], len(answer["untouched"])) == (1, 2, 17, 16)
    assert [result["got"] for result in answer["results"]] == ["allow", "deny", "deny"]
    quiet = run("test", policies, "--quiet").stdout.splitlines()
    assert len(quiet) == 3


def test_no_assertions(run, policies):
    for empty in (lambda: assertions(policies), lambda: (policies / "tests/plant.json").unlink(), lambda: (policies / "tests").rmdir()):
        empty()
        done = run("test", policies)
        assert done.returncode == NO and "no assertions" in done.stdout


def test_assertions_left_to_the_broker(run, policies, tmp_path):
    leave_out(policies, "acl")
    assertions(policies,
               {"as": GATEWAY, "publish": "planta/linea2/x", "expect": "deny"}, {"as": GATEWAY, "publish": "planta/linea1/x", "expect": "allow"},
               {"as": GATEWAY, "publish": "Planta/x", "expect": "deny", "why": "topic_policy"})
    done = run("test", policies, "--junit", tmp_path / "junit.xml")
    assert done.returncode == YES and done.stdout.endswith("1 passed, 0 failed, 2 left to the broker; 0 of 0 rules touched\n")
    assert done.stdout.startswith("left out: acl: ") and "-    tests/plant.json:1: edge-linea1 publish planta/linea2/x: left to the broker\n" in done.stdout
    suite = xml.etree.ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert suite.get("skipped") == "2" and suite[0][0].tag == "skipped"
    answer = json.loads(run("test", policies, "--json").stdout)
    assert (answer["passed"], answer["failed"], answer["left"]) == (1, 0, 2)
    assertions(policies, {"as": GATEWAY, "publish": "planta/linea1/x", "expect": "allow"})
    assert run("test", policies).returncode == NO  # nothing can be said


def test_named_clients_lists_and_moments(run, policies):
    assertions(policies,
               {"as": "pasarela", "publish": "planta/linea1/x", "qos": 2, "retain": True, "payload_bytes": 100, "from": "10.1.2.3", "at": "2026-11-23T08:00",
                "expect": "allow"},
               {"as": "pasarela", "connect": True, "receive": [], "expect": "allow"}, clients={"pasarela": {**GATEWAY, "cert.ou": ["edge", "otra"]}})
    done = run("test", policies)
    assert done.returncode == USAGE and "an empty list asks nothing" in done.stderr
    assertions(policies, {"as": "pasarela", "publish": "planta/linea1/x", "expect": "allow"}, clients={"pasarela": {**GATEWAY, "cert.ou": ["edge", "otra"]}})
    assert run("test", policies).returncode == YES
    edit(policies / "acl.json", lambda policy: policy.update(mode="watch"))
    assertions(policies, {"as": GATEWAY, "publish": "planta/linea2/x", "expect": "watch", "why": "no rule"})
    assert run("test", policies).returncode == YES


@pytest.mark.parametrize("test,complaint", [
    ({"publish": "a", "expect": "allow"}, 'the key "as" is missing'), ({"as": GATEWAY, "expect": "allow"}, "asks nothing"),
    ({"as": GATEWAY, "publish": "a", "expect": "si"}, "expect"), ({"as": "nadie", "publish": "a", "expect": "deny"}, 'this file\'s "clients" name no such one'),
    ({"as": {"linea": "1"}, "publish": "a", "expect": "deny"}, "is neither cert.*"), ({"as": GATEWAY, "publish": "a", "at": "x", "expect": "deny"}, "a moment"),
    ({"as": GATEWAY, "publish": "a", "from": "x", "expect": "deny"}, "IP address"), ({"as": GATEWAY, "publish": 1, "expect": "deny"}, "string"),
    ({"as": GATEWAY, "publish": "a", "qos": 3, "expect": "deny"}, "qos"), ({"as": GATEWAY, "publsh": "a", "expect": "deny"}, 'did you mean "publish"'),
])
def test_assertions_that_cannot_be_understood(run, policies, test, complaint):
    assertions(policies, test)
    done = run("test", policies)
    assert done.returncode == USAGE and complaint in done.stderr and done.stderr.startswith("aduana: tests/plant.json:1:"), done


def test_wrong_usage_of_test(run, policies):
    for arguments in ([], [policies, policies], [policies, "--nada"], ["/no/such"], [policies, "--junit", "/no/such/file"]):
        assert run("test", *arguments).returncode == USAGE
