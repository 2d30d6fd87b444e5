"""The JSON Schemas and the loader agree: a corpus of good and bad policies (tests/corpus) is judged by ajv, so by what
editors do, and by `aduana check`, so by what the broker does."""
import json
import pathlib
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/corpus"))

import corpus
import mutations
from flood import LONG

INVALID = ROOT / "tests/unit/policies/invalid"


@pytest.fixture
def check_many(lib):
    return lib.parent / "tests/check_many"


def some(cases, sanitized):
    """Every sixth; all in the long mode; under sanitizers, where each costs ten times as much, a few."""
    return dict(list(cases.items())[::1 if LONG else 40 if sanitized else 6])


def report(wrong):
    return f"{len(wrong)} cases:\n" + "\n".join(line[:400] for line in wrong[:20])


@pytest.mark.parametrize("name", corpus.NAMES)
def test_systematic_changes(name, check_many, tmp_path, sanitized):
    """Whatever is changed in a good file, both accept it or both refuse it, or loader_only.json says why not."""
    cases = some(corpus.systematic(name), sanitized)
    assert len(cases) > (5 if sanitized else 20)
    wrong, _ = corpus.disagreements(check_many, tmp_path, name, cases)
    assert not wrong, report(wrong)


@pytest.mark.long
def test_values_by_hand(check_many, tmp_path):
    """What people write, with the verdict that is right; and loader_only.json is no longer than it must be."""
    wrong, used = [], set()
    for name in corpus.NAMES:
        more, excuses = corpus.surprises(check_many, tmp_path / name, name, corpus.by_hand(name))
        wrong += more
        used |= excuses
    assert not wrong, report(wrong)
    assert [entry["error"] for entry in corpus.LOADER_ONLY if entry["error"] not in used] == []


@pytest.mark.parametrize("name", corpus.NAMES)
def test_every_key_is_in_the_corpus(name, check_many, tmp_path):
    """plant/ has each key of the schema, so that it is changed; and the loader knows the same keys in the same places."""
    document = corpus.document_of(name)
    with corpus.Loader(check_many, tmp_path / "plant", name) as loader:
        for keys, (path, used, is_open) in corpus.kinds_of_objects(name).items():
            assert keys <= used, f"{name}: {path}: plant/ lacks {sorted(keys - used)}"
            error = loader.ask(json.dumps(mutations.replaced(document, path + (mutations.UNKNOWN,), 1)).encode())
            known = re.search("unknown key; known here: (.*)", error)
            assert known or is_open or "cert.cn" in keys, error
            if known:
                assert {*known[1].split(", "), "//"} == keys, f"{name}: {path}"


def test_every_attribute_is_in_the_corpus():
    """Those that the loader knows by itself stand in each match object of plant/, so in the schemas."""
    source = (ROOT / "common/vocabulary.c").read_text()
    known = set(re.findall(r'"(cert\.[a-z_.]*[a-z])"', source))
    known |= {prefix + part for prefix in ("cert.", "cert.issuer.") for part in re.findall(r'prefix "([a-z_]+)"', source)}
    assert len(known) > 30
    for match in (corpus.document_of("cert_auth")["identities"][0], corpus.document_of("acl")["bindings"][0], corpus.document_of("rate_monitor")["classes"][0]):
        assert known == {key for key in match["match"] if re.match(r"cert\.(?!ext\.|san\.other\.)", key)}


@pytest.mark.parametrize("name", corpus.NAMES)
def test_invalid_policies_of_the_unit_tests(name):
    """The loader refuses each of them, as its unit test says; so does the schema, or only the loader can know."""
    cases = [path for path in sorted(INVALID.glob(f"*/{name}.json")) if (path.parent / "error").read_text().startswith(f"{name}.json:")]
    for path, verdict in zip(cases, corpus.ask_ajv(name, [path.read_bytes() for path in cases])):
        error = (path.parent / "error").read_text()
        assert verdict != "good" or corpus.excuses(error), f"{path.parent.name}: {error}"


@pytest.mark.parametrize("folder", ["policies", "tests/integration/policies", "tests/unit/policies/planta"])
def test_whole_policies(folder):
    """What is given to people, and what the tests run on."""
    for name in corpus.NAMES:
        if (ROOT / folder / f"{name}.json").exists():
            assert corpus.ask_ajv(name, [(ROOT / folder / f"{name}.json").read_bytes()]) == ["good"], name


@pytest.mark.parametrize("name", [name for name in corpus.NAMES if name != "aduana"])
def test_a_file_for_a_broker_without_its_plugin(name, check_many, tmp_path):
    """Nothing else need be there; without it, what was needed still is."""
    with corpus.Loader(check_many, tmp_path / "plant", name) as loader:
        assert loader.ask(b'{"if_not_loaded": "ignore"}') is None
    assert corpus.ask_ajv(name, [b'{"if_not_loaded": "ignore", "//": [1], "$schema": "x"}']) == ["good"]
    bad = [b"{}", b'{"if_not_loaded": "refuse"}', b'{"if_not_loaded": "ignore", "nada": 1}', b'{"if_not_loaded": "ignore", "mode": "enforce"}']
    assert name == "topic_policy" or corpus.ask_ajv(name, bad) == ["bad"] * 4
