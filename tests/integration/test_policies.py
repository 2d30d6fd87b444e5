"""The example plant of policies/: its files satisfy their schemas, the schemas refuse nonsense, a broker runs on them."""
import json
import pathlib
import re
import shutil
import subprocess

import jsonschema
import pytest

from daemon import PLUGINS

POLICIES = pathlib.Path(__file__).parents[2] / "policies"
FIXTURES = pathlib.Path(__file__).parent / "policies"


def schema(name):
    value = json.loads((POLICIES / "schemas" / f"{name}.schema.json").read_text())
    kind = jsonschema.validators.validator_for(value)
    kind.check_schema(value)
    return kind(value)


@pytest.mark.parametrize("folder", [POLICIES, FIXTURES], ids=["example", "tests"])
@pytest.mark.parametrize("name", PLUGINS)
def test_files_satisfy_their_schema(name, folder):
    value = json.loads((folder / f"{name}.json").read_text())
    assert [error.message for error in schema(name).iter_errors(value)] == []
    if folder == POLICIES:
        assert (POLICIES / value["$schema"]).is_file()


def test_the_example_with_a_directory(lib, pki, tmp_path):
    """The plant's other files and that one are a policy; what it says to put beside it is all that it lacks."""
    example = POLICIES / "examples/ldap/iam_auth.json"
    value = json.loads(example.read_text())
    assert [error.message for error in schema("iam_auth").iter_errors(value)] == [] and (example.parent / value["$schema"]).is_file()
    folder = shutil.copytree(POLICIES, tmp_path / "policies")
    shutil.copy(example, folder)
    shutil.copy(pki.ca.pem, folder / "ldap-ca.pem")
    (folder / "ldap-password").write_text("clave\n")
    (folder / "ldap-password").chmod(0o600)
    done = subprocess.run([lib.parent / "bin/aduana", "check", folder], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def places(value, path=()):
    """Every object in a policy that has fixed keys: maps of a user's own names do not count."""
    if isinstance(value, dict):
        yield path
        for key, below in value.items():
            yield from places(below, path + (key,))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from places(below, path + (at,))


OWN_NAMES = {"roles", "users", "attributes", "match", "reserved_levels"}


@pytest.mark.parametrize("name", PLUGINS)
def test_schemas_refuse_unknown_keys(name):
    """A misspelt key is marked in the editor, in whatever object it is; a comment never."""
    original = (FIXTURES / f"{name}.json").read_text()
    for path in places(json.loads(original)):
        if path and path[-1] in OWN_NAMES:
            continue
        for key, good in ("no-such-key", False), ("//", True):
            value = json.loads(original)
            target = value
            for step in path:
                target = target[step]
            target[key] = "x"
            assert schema(name).is_valid(value) == good, (path, key)


@pytest.mark.parametrize("name,value", [
    ("acl", {"roles": {"a": {"allow": [{}]}}}), ("acl", {"roles": {"a": {"allow": [{"publish": []}]}}}), ("acl", {"mode": "off"}),
    ("iam_auth", {"require": "nothing"}), ("topic_policy", {"depth": {"min": "3"}}), ("rate_monitor", {"classes": []}),
    ("cert_auth", {"identities": [{"match": {}, "username": "x"}]}), ("cert_auth", {"identities": [{"name": "a", "match": {}}]}),
    ("cert_auth", {"if_not_loaded": "maybe"})])
def test_schemas_refuse_nonsense(name, value):
    assert not schema(name).is_valid(value)


def test_a_broker_runs_on_the_example(make_broker, suite):
    broker = make_broker(suite, start=False)
    shutil.rmtree(broker.policies)
    shutil.copytree(POLICIES, broker.policies)
    broker.start()
    broker.wait_log("pipeline ready: cert_auth, iam_auth, rate_monitor, topic_policy, acl")
    assert broker.reload() == 2


def test_a_broker_runs_on_the_examples_of_the_references(make_broker, suite):
    """The whole files that plugins/*/README.md show: they satisfy their schemas, and fit together."""
    broker = make_broker(suite, start=False)
    for name in PLUGINS:
        text = (POLICIES.parent / "plugins" / name / "README.md").read_text()
        example, = [block for block in re.findall(r"```json\n(.*?)```", text, re.S) if '"$schema"' in block]
        assert [error.message for error in schema(name).iter_errors(json.loads(example))] == []
        (broker.policies / f"{name}.json").write_text(example)
    line = (broker.policies / "passwd").read_text().splitlines()[0]
    (broker.policies / "passwd").write_text("".join(f"{user}:{line.split(':', 1)[1]}\n" for user in ("linea1", "sala-control")))
    broker.start()
    broker.wait_log("pipeline ready: cert_auth, iam_auth, rate_monitor, topic_policy, acl")
