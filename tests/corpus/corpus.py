"""The two judges of a policy file, ajv with its JSON Schema and `aduana check`, and what they are asked about.

A file is judged in a folder of good ones (plant/). The schema of X.json is policies/schemas/X.schema.json, so a new
file needs a schema, its place in plant/, and a table in values/ - nothing here.
"""
import base64
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import mutations
import values

HERE = pathlib.Path(__file__).parent
SCHEMAS = HERE.parents[1] / "policies/schemas"
PLANT = HERE / "plant"
NAMES = sorted(str(path.relative_to(PLANT).with_suffix("")) for path in PLANT.rglob("*.json"))


def schema_of(name):
    return SCHEMAS / f"{pathlib.Path(name).name}.schema.json"


def document_of(name):
    return json.loads((PLANT / f"{name}.json").read_text())


# The judges

def ask_ajv(name, texts):
    """good, bad, or json (no JSON at all) of each text; one process for all."""
    lines = "".join(base64.b64encode(text).decode() + "\n" for text in texts)
    environment = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}  # where Debian keeps what it packages
    done = subprocess.run(["node", HERE / "judge.js", schema_of(name)], input=lines, stdout=subprocess.PIPE, text=True,
                          check=True, env=environment)
    verdicts = done.stdout.split()
    assert len(verdicts) == len(texts)
    return verdicts


def errors_of(output):
    """The lines of `aduana check` that are errors: neither warnings nor what is shown below a finding."""
    return [line for line in output.split("\n") if line and line[0] not in " \t" and ": warning: " not in line]


class Loader:
    """`aduana check`, by check_many, on a folder of its own, in which one file changes."""

    def __init__(self, check_many, folder, name):
        self.folder = folder
        self.process = subprocess.Popen([check_many], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        shutil.copytree(PLANT, folder)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o640)  # a password is not for everybody
        self.file = folder / f"{name}.json"

    def __enter__(self):
        error = self.ask(self.file.read_bytes())
        assert error is None, f"plant/ itself is not good: {error}"
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(60) == 0

    def ask(self, text):
        """What is wrong with the text as that file; None if nothing is."""
        self.file.write_bytes(text)
        self.process.stdin.write(os.fsencode(self.folder) + b"\n")
        self.process.stdin.flush()
        output = bytearray()
        while b"\0" not in output:
            more = self.process.stdout.read1()
            assert more, "check_many has ended"
            output += more
        if not output.endswith(b"\n", output.index(b"\0")):
            output += self.process.stdout.readline()
        output, status = bytes(output).split(b"\0")
        output, status = output.decode(errors="replace"), int(status)
        errors = errors_of(output)
        assert status in ((1, 2) if errors else (0, 1)), f"exit status {status}: {output}"
        return "\n".join(errors) or None


def ask_loader(check_many, folder, name, texts, jobs=os.cpu_count() or 1):
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        loaders = [stack.enter_context(Loader(check_many, folder / str(job), name)) for job in range(jobs)]
        parts = pool.map(lambda job: [loaders[job].ask(text) for text in texts[job::jobs]], range(jobs))
        verdicts = [None] * len(texts)
        for job, part in enumerate(parts):
            verdicts[job::jobs] = part
    return verdicts


# What a schema knows

def parts(root, schema):
    """The schema and all that it takes over from others."""
    yield schema
    for other in schema.get("allOf", []) + schema.get("anyOf", []):
        yield from parts(root, other)
    if "$ref" in schema:
        yield from parts(root, root["definitions"][schema["$ref"].rsplit("/", 1)[1]])


def of_key(schema, key):
    """The schemas of that key's value."""
    patterns = [value for pattern, value in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
    if key in schema.get("properties", {}):
        patterns.append(schema["properties"][key])
    more = schema.get("additionalProperties")
    return patterns or ([more] if isinstance(more, dict) else [])


def objects(root, schemas, value, path=()):
    """(path, keys that the schema names, whether others are possible) of every object in the value."""
    every = [part for schema in schemas for part in parts(root, schema)]
    if isinstance(value, dict):
        open_ = any(part.get("patternProperties") or isinstance(part.get("additionalProperties"), dict) for part in every)
        yield path, frozenset(key for part in every for key in part.get("properties", {})), open_
        for key in value:
            if key != "//":
                yield from objects(root, [schema for part in every for schema in of_key(part, key)], value[key], path + (key,))
    elif isinstance(value, list):
        items = [part["items"] for part in every if "items" in part]
        for at, below in enumerate(value):
            yield from objects(root, items, below, path + (at,))


def kinds_of_objects(name):
    """keys that the schema names -> (one path in plant/, the keys used there in all such objects, whether others are possible)."""
    root, document, kinds = json.loads(schema_of(name).read_text()), document_of(name), {}
    for path, keys, open_ in objects(root, [root], document):
        kinds.setdefault(keys, (path, set(), open_))[1].update(mutations.at(document, path))
    return kinds


# What only the loader can know

LOADER_ONLY = json.loads((HERE / "loader_only.json").read_text())


def excuses(error):
    """The entries of loader_only.json that allow the loader to refuse with this error what the schema accepts."""
    return [entry["error"] for entry in LOADER_ONLY if re.search(entry["error"], error)]


def encoded(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def disagreements(check_many, folder, name, cases):
    """(a line for each case {name: text} on which the judges differ without excuse, the excuses used)."""
    texts = [encoded(text) for text in cases.values()]
    wrong, used = [], set()
    for case, ajv, error in zip(cases, ask_ajv(name, texts), ask_loader(check_many, folder, name, texts)):
        if ajv != "good" and error is None:
            wrong.append(f"{name}: {case}: the loader accepts what ajv refuses ({ajv})")
        elif ajv == "good" and error is not None:
            used.update(excuses(error))
            if not excuses(error):
                wrong.append(f"{name}: {case}: ajv accepts, the loader says: {error}")
    return wrong, used


def systematic(name):
    return mutations.mutations(document_of(name))


def by_hand(name):
    """{case: (text, expected)} of values.py; expected is good, bad or loader."""
    document, cases = document_of(name), {}
    for place, *parts in values.VALUES.get(name, ()):
        path = tuple(int(step) if step.isdigit() else step for step in place.split("/") if place)
        for expected, part in zip(("good", "bad", "loader"), parts):
            for value in part:
                cases[f"{place} = {json.dumps(value)[:100]} ({expected})"] = (
                    json.dumps(mutations.replaced(document, path, value), ensure_ascii=False), expected)
    for expected, texts in zip(("good", "bad", "loader"), values.texts((PLANT / f"{name}.json").read_text())):
        cases.update({f"{case} ({expected})": (text, expected) for case, text in texts.items()})
    return cases


def surprises(check_many, folder, name, cases):
    """The same for cases with an expectation: (a line for each that is judged otherwise, the excuses used)."""
    texts = [encoded(text) for text, _ in cases.values()]
    wrong, used = [], set()
    for (case, (_, expected)), ajv, error in zip(cases.items(), ask_ajv(name, texts), ask_loader(check_many, folder, name, texts)):
        got = "bad" if ajv != "good" and error else "loader" if error else "good" if ajv == "good" else "schema"
        excuse = excuses(error) if got == "loader" else []
        used.update(excuse)
        if got != expected or got == "loader" and not excuse:
            wrong.append(f"{name}: {case}: ajv says {ajv}, the loader {error}")
    return wrong, used
