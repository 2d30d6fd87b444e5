"""Systematic changes of a policy file: every value of another type, out of bounds, empty or odd; every key missing,
misspelt, or one that nobody knows. Each is a new file's text; most are bad, and some stay good."""
import copy
import json

UNKNOWN = "zzzzzzzzzzzz"

VALUES = [None, True, False, 0, 1, -1, 1.5, 1.0, "", "x", [], ["x"], [""], [0], [None], {}, {"//": 0}, {"x": 1}, {"pattern": "x"}]
KEYS = [UNKNOWN, "", " ", "a/b", "+", "ñ", "\u0085", "\u2028", "a\n", "__proto__", "constructor", "toString", "a" * 64, "a" * 65, "9a", "cert.x", "role"]
TEXTS = ["", " ", "\n", "\u007f", "\u0085", "\u2028", "ñandú 🏭", "a" * 64, "a" * 65, "a" * 1025, "a" * 65536,
         "x/", "/x", "//", "+", "#", "x+", "x#", "#/x", "+/+/#", "$share/g/x", "$share", "$SYS/#", "$CONTROL/x",
         "${", "${}", "${x", "${linea}", "${linea}x", "x${linea}", "${linea}/x", "${linea}}", "$${linea}", "${cert.cn}", "${client_id}",
         "${" + UNKNOWN + "}", "\u2028${", "\u2028x${linea}", "\n${", "]", "\\", "\\]", "[", "(", ")", "*", "a{", "[:x:]", "^", "-", "z-a"]
NUMBERS = [-1, 0, 1, 2, 3, 127, 128, 129, 1023, 1024, 1025, 65535, 65536, 86400, 86401, 1000000, 1000001, 268435455, 268435456,
           2**31, 2**53, 2**63 - 1, 1.5, 2.0, 1e300]


def paths(value, path=()):
    """Of every value in the document, the whole of it first."""
    yield path
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in below:
        if key != "//":
            yield from paths(child, path + (key,))


def at(document, path):
    for step in path:
        document = document[step]
    return document


def replaced(document, path, value):
    """A copy of the document with another value there; a key that is not there is added."""
    if not path:
        return value
    document = copy.deepcopy(document)
    at(document, path[:-1])[path[-1]] = value
    return document


def odd_texts(text):
    return TEXTS + [text + tail for tail in ("x", " ", "\n", "/", "+", "${", "$", "=")] + ["x" + text, text[1:], text[:-1], text.upper()]


def odd_objects(value):
    for key in value:
        yield {other: value[other] for other in value if other != key}
        if key != "//":
            for misspelt in (key[:-1], key + "s", key.capitalize(), key + " "):
                yield {misspelt if other == key else other: value[other] for other in value}
    for key in KEYS:
        yield {**value, key: next((value[other] for other in value if other != "//"), "x")}
    for comment in (None, 1.5, [[]], {"": {}}):
        yield {**value, "//": comment}


def odd_lists(value):
    yield from (value + [new] for new in VALUES)
    yield from (value + [new] for new in value)


def odd(value):
    """What stands in the place of a value, one after another."""
    yield from VALUES
    if isinstance(value, str):
        yield from odd_texts(value)
    elif isinstance(value, dict):
        yield from odd_objects(value)
    elif isinstance(value, list):
        yield from odd_lists(value)
    elif not isinstance(value, bool) and value is not None:
        yield from NUMBERS


def mutations(document):
    """name -> text. The name says what stands where."""
    cases = {}
    for path in paths(document):
        for value in odd(at(document, path)):
            text = json.dumps(replaced(document, path, value), ensure_ascii=False)
            where = "/".join(map(str, path))
            cases.setdefault(text, f"{where} = {json.dumps(value)[:100]}")
    return {name: text for text, name in cases.items()}
