"""Policies for the benches: believable, of any size, the same for the same numbers.

core(): N rules among 1,000 roles and 10,000 sessions with one to three roles each, and questions that are all answered yes.
broker(): N grants for one user, as the bundle, acl_file and dynamic-security say them.

A rule is one pattern in a rule object of its own. Roles have at least ten, so few rules are those of few roles."""
import base64
import hashlib
import json
import pathlib
import random

ROLES, SESSIONS = 1000, 10000
QUESTIONS = 6  # of each kind, a session
SALT, PASSWORD, ITERATIONS = b"aduana bench", "bench", 101
HASH = base64.b64encode(hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), SALT, ITERATIONS)).decode()
SALT64 = base64.b64encode(SALT).decode()

# Ten rules of role L about its station K: what it is, the pattern, and a topic of it (for `subscribe` the filter).
# ${linea} is the line of the client's first role, so those patterns are shared by all roles.
SHAPES = (
    ("publish", "planta/${linea}/estacion{K}/+/valor", "planta/{linea}/estacion{K}/sensor{x}/valor"),
    ("subscribe", "planta/${linea}/estacion{K}/comandos/#", "planta/{linea}/estacion{K}/comandos/#"),
    ("publish", "planta/linea{L}/estacion{K}/horno/temperatura", "planta/linea{L}/estacion{K}/horno/temperatura"),
    ("receive", "planta/linea{L}/+/avisos/nivel{K}", "planta/linea{L}/estacion{x}/avisos/nivel{K}"),
    ("publish", "planta/linea{L}/estacion{K}/${celda}/+", "planta/linea{L}/estacion{K}/{celda}/motor{x}"),
    ("subscribe", "planta/linea{L}/estacion{K}/ordenes/+", "planta/linea{L}/estacion{K}/ordenes/+"),
    ("publish", "planta/linea{L}/estacion{K}/bitacora/#", "planta/linea{L}/estacion{K}/bitacora/turno{x}"),
    ("deny", "planta/+/estacion{K}/consigna/#", None),
    ("publish", "planta/linea{L}/robot{K}/eje/posicion", "planta/linea{L}/robot{K}/eje/posicion"),
    ("subscribe", "planta/linea{L}/robot{K}/+/estado", "planta/linea{L}/robot{K}/brazo{x}/estado"),
)
# What a client receives by a rule that lets it subscribe.
DELIVERED = {1: "planta/{linea}/estacion{K}/comandos/orden{x}", 5: "planta/linea{L}/estacion{K}/ordenes/orden{x}",
             9: "planta/linea{L}/robot{K}/brazo{x}/estado", 3: SHAPES[3][2]}


def fill(text, **values):
    for name, value in values.items():
        text = text.replace("{%s}" % name, str(value))
    return text


def write(path, value):
    """As a person or a program would lay it out: a rule a line."""
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def acl_text(roles):
    """acl.json; roles are (name, allow, deny) with lists of (action, pattern)."""
    def rules(pairs):
        return ",\n".join('    {"%s": ["%s"]}' % pair for pair in pairs)
    texts = ['  "%s": {"allow": [\n%s\n  ], "deny": [\n%s\n  ]}' % (name, rules(allow), rules(deny))
             for name, allow, deny in roles]
    return '{"roles": {\n%s\n}}\n' % ",\n".join(texts)


def other_files(folder, first_role):
    """The four stages before acl, each with something to do."""
    write(folder / "cert_auth.json", {"identities": [
        {"name": "gateway", "match": {"cert.ou": "edge"}, "username": "${cert.cn}", "client_id": "${cert.cn}",
         "attributes": {"serie": {"from": "cert.cn", "pattern": "edge-([0-9]+)"}}}]})
    write(folder / "topic_policy.json", {
        "names": {"lowercase": True, "spaces": False, "characters": "a-z0-9_-", "max_level_bytes": 64},
        "depth": {"min": 2, "max": 8}, "reserved_levels": {"_sys": {"publish_roles": [first_role]}},
        "exempt": ["$SYS/#"]})
    write(folder / "rate_monitor.json", {
        "classes": [{"name": "all", "match": {"username": {"pattern": ".*"}}, "publish": {"max_per_second": 1000000},
                     "connections": {"max_per_minute": 1000000}}],
        "alerts": {"topic": "planta/_sys/alertas/${kind}/${client_id}"}})


def iam_files(folder, users):
    write(folder / "iam_auth.json", {"require": "password", "providers": ["local"],
                                     "local": {"password_file": "passwd", "users": users}})
    write(folder / "passwd", "".join("%s:$7$%d$%s$%s\n" % (name, ITERATIONS, SALT64, HASH) for name in users))


class Plant:
    """Which role has which rules."""

    def __init__(self, rules):
        self.working = max(1, min(ROLES, rules // len(SHAPES)))  # roles that have rules
        self.per_role = rules // self.working

    def role(self, number):
        """(index, shape, K) of its rules."""
        if number < self.working:
            for i in range(self.per_role):
                yield i % len(SHAPES), SHAPES[i % len(SHAPES)], i // len(SHAPES)


def core_roles(plant):
    for number in range(ROLES):
        allow, deny = [], []
        for _, (kind, pattern, _), k in plant.role(number):
            rule = fill(pattern, L=number, K=k)
            if kind == "deny":
                deny.append(("publish", rule))
            else:
                allow.append((kind, rule))
        yield "rol%d" % number, allow, deny


def questions_of(chance, shape, plant, roles, values):
    """(action, topic), QUESTIONS of each action, every one granted by one of the roles. `shape` draws the kinds of rule
    alone, so that policies of all sizes are asked for the same kinds."""
    wanted = {"publish": (0, 2, 4, 6, 8), "receive": (1, 3, 5, 9), "subscribe": (1, 5, 9)}
    for action, shapes in wanted.items():
        for _ in range(QUESTIONS):
            role = chance.choice(roles)
            index = shape.choice(shapes)
            stations = (plant.per_role - index + len(SHAPES) - 1) // len(SHAPES)
            template = DELIVERED[index] if action == "receive" else SHAPES[index][2]
            yield action, fill(template, L=role, K=chance.randrange(stations), x=chance.randrange(1000), **values)


def core(folder, rules, sessions=SESSIONS):
    """FOLDER/policies, and FOLDER/questions: a line `client action topic` each, in no order."""
    folder = pathlib.Path(folder)
    policies = folder / "policies"
    policies.mkdir(parents=True)
    chance, shape, plant = random.Random(rules), random.Random(1), Plant(rules)
    write(policies / "acl.json", acl_text(core_roles(plant)))
    other_files(policies, "rol0")
    users, lines = {}, []
    for number in range(sessions):
        name = "cliente%05d" % number
        first = number % plant.working
        more = {chance.randrange(ROLES) for _ in range(chance.randrange(3))} - {first}
        values = {"linea": "linea%d" % first, "celda": "celda%d" % chance.randrange(50)}
        users[name] = {"roles": ["rol%d" % role for role in (first, *sorted(more))], "attributes": values}
        working = [role for role in (first, *more) if role < plant.working]
        lines += ["%s %s %s\n" % (name, *question) for question in questions_of(chance, shape, plant, working, values)]
    random.Random(2).shuffle(lines)
    iam_files(policies, users)
    write(folder / "questions", "".join(lines))


PUBLISH_SHAPES = [shape for shape in SHAPES if shape[0] == "publish"]


def broker(folder, rules, topics=100):
    """FOLDER/policies for the bundle, FOLDER/acl, FOLDER/dynsec.json, FOLDER/passwd and FOLDER/topics: `bench` may
    publish by N rules, `tablero` may receive planta/#."""
    folder = pathlib.Path(folder)
    policies = folder / "policies"
    policies.mkdir(parents=True)
    chance = random.Random(rules)
    values = {"linea": "linea1", "celda": "celda1"}
    patterns, samples = [], []
    for i in range(rules):
        _, pattern, sample = PUBLISH_SHAPES[i % len(PUBLISH_SHAPES)]
        where = {"L": i // 500, "K": i // len(PUBLISH_SHAPES) % 100 if "${linea}" not in pattern else i}
        patterns.append(fill(pattern, **where))
        samples.append(fill(sample, **where, **values))
    plain = [pattern.replace("${linea}", "linea1").replace("${celda}", "celda1") for pattern in patterns]
    assert len(set(plain)) == rules, "a rule is there twice"
    write(folder / "topics", "".join(fill(chance.choice(samples), x=n) + "\n" for n in range(topics)))
    write(policies / "acl.json", acl_text([("bench", [("publish", pattern) for pattern in patterns], []),
                                           ("tablero", [("subscribe", "planta/#")], [])]))
    other_files(policies, "bench")
    iam_files(policies, {"bench": {"roles": ["bench"], "attributes": values}, "tablero": {"roles": ["tablero"]}})
    write(folder / "passwd", (policies / "passwd").read_text())
    write(folder / "acl", "user bench\n" + "".join("topic write %s\n" % pattern for pattern in plain) +
          "user tablero\ntopic read planta/#\n")
    write(folder / "dynsec.json", dynsec(plain))


def dynsec(patterns):
    def client(name):
        return {"username": name, "password": HASH, "salt": SALT64, "iterations": ITERATIONS,
                "roles": [{"rolename": name}]}

    def grant(kind, topic):
        return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
    nothing = {"publishClientSend": False, "publishClientReceive": False, "subscribe": False, "unsubscribe": True}
    reading = [grant("publishClientReceive", "planta/#"), grant("subscribePattern", "planta/#")]
    return {"defaultACLAccess": nothing, "clients": [client("bench"), client("tablero")],
            "roles": [{"rolename": "bench", "acls": [grant("publishClientSend", pattern) for pattern in patterns]},
                      {"rolename": "tablero", "acls": reading}]}
