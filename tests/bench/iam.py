"""Log-ins by a directory: what those who are connected feel of them, and how fast they are."""
import base64
import contextlib
import hashlib
import json
import pathlib
import random
import resource
import socket
import statistics
import subprocess
import sys
import time

import brokers
import generate
from daemon import command_of
from pki import Pki

HERE = pathlib.Path(__file__).resolve().parent
SUITES = ("bookworm", "sid")
CROWD, CROWD_SECONDS = 200, 30
CUT, CUT_SECONDS, CUT_DELAY = 10000, 120, 0.05
AT_ONCE, TURN_SECONDS = 16, 0.4
DEAR = 1000  # iterations, as mosquitto_passwd of 2.1 and `aduana passwd` have them


# --- directories ---

@contextlib.contextmanager
def slow(pki, delay):
    command = [sys.executable, HERE / "slow_directory.py", pki.server.pem, pki.server.key, str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield int(process.stdout.readline())
        process.stdin.close()


@contextlib.contextmanager
def black_hole():
    """A port whose packets are dropped: its queue of connections is full, and nobody takes any."""
    with socket.socket() as listener, contextlib.ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


# --- brokers ---

class Broker(brokers.Broker):
    """A plain listener, and whoever has a password; iam_auth.json is `iam`, or there is a password file and no plugin."""

    def __init__(self, name, suite, folder, data, build, iam):
        super().__init__(name, folder, data, build)
        self.suite, self.iam = suite, iam

    def conf(self):
        common = (f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous false\npersistence false\nset_tcp_nodelay true\n"
                  f"log_dest file {self.folder}/log\nlog_type error\nlog_type warning\nlog_type notice\n")
        if self.iam is None:
            return common + f"password_file {self.data}\n"
        policies = self.folder / "policies"
        policies.mkdir()
        for path in (self.data / "policies").iterdir():
            (policies / path.name).write_bytes(path.read_bytes())
        (policies / "iam_auth.json").write_text(json.dumps({"require": "password", **self.iam}))
        (policies / "clave").write_text("clave\n")
        (policies / "clave").chmod(0o600)
        return common + "".join(f"plugin {self.build}/lib/aduana_{name}.so\nplugin_opt_policy_dir {policies}\n" for name in brokers.PLUGINS)

    def start(self):
        self.folder.mkdir()
        (self.folder / "mosquitto.conf").write_text(self.conf())
        self.proc = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command_of(self.suite), "-c",
                                      str(self.folder / "mosquitto.conf")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def memory(self):
        """The most it has held, in bytes."""
        lines = pathlib.Path(f"/proc/{self.proc.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def connect(self):
        self.load = subprocess.Popen([f"{self.build}/tests/bench/bench_logins", brokers.LOAD_CPU, str(self.port), "-", generate.PASSWORD, "c-", str(AT_ONCE)],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.expect("ready")

    def turn(self, logins):
        """(log-ins a second, ns of the broker's a log-in)."""
        began = time.monotonic()
        ns = super().turn(logins)
        return logins / (time.monotonic() - began), ns


def hashed(iterations):
    digest = hashlib.pbkdf2_hmac("sha512", generate.PASSWORD.encode(), generate.SALT, iterations)
    return "$7$%d$%s$%s" % (iterations, generate.SALT64, base64.b64encode(digest).decode())


def local(iterations):
    return {"users": {"bench": {"password": hashed(iterations), "roles": ["bench"], "attributes": {"linea": "linea1", "celda": "celda1"}}}}


def by_directory(port, pki):
    """The user `bench` is local, everybody else of the directory."""
    return {"providers": ["local", "ldap"], "local": local(generate.ITERATIONS), "ldap": {
        "servers": [f"ldaps://127.0.0.1:{port}"], "ca_file": str(pki.ca.pem), "bind_dn": "cn=aduana,dc=planta", "bind_password_file": "clave",
        "user": {"base": "ou=personas,dc=planta", "filter": "(uid=${username})"},
        "groups": {"base": "ou=grupos,dc=planta", "roles": {}}}}


@contextlib.contextmanager
def running(*arguments):
    broker = Broker(*arguments)
    try:
        broker.start()
        broker.wait()
        yield broker
    finally:
        broker.stop()


# --- crowds ---

def crowd(broker, users, seconds):
    done = subprocess.run([sys.executable, HERE / "crowd.py", "logins", str(broker.port), str(users), str(seconds)],
                          check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


@contextlib.contextmanager
def pinging(broker, found):
    command = [sys.executable, HERE / "crowd.py", "pings", str(broker.port), "bench", generate.PASSWORD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        yield
        process.stdin.write("\n")
        process.stdin.flush()
        found.update(json.loads(process.stdout.readline()))


def pings(work, build, pki, seconds):
    directories = {"nobody logs in": None, "a directory that answers after 2 s": lambda: slow(pki, 2), "a directory of which nothing comes back": black_hole}
    for suite in SUITES:
        for name, directory in directories.items():
            with (directory or (lambda: slow(pki, 0)))() as port:
                folder = work / f"{suite}-{len(list(work.iterdir()))}"
                with running(name, suite, folder, work / "data", build, by_directory(port, pki)) as broker:
                    row = {"suite": suite, "while": name}
                    with pinging(broker, row):
                        if directory:
                            row.update(crowd(broker, CROWD, seconds))
                        else:
                            time.sleep(min(seconds, 10))
                    yield row


def power_cut(work, build, pki, users):
    for suite in SUITES:
        with slow(pki, CUT_DELAY) as port:
            with running("cut", suite, work / f"cut-{suite}", work / "data", build, by_directory(port, pki)) as broker:
                before = broker.memory()
                yield {"suite": suite, **crowd(broker, users, CUT_SECONDS), "memory_bytes": broker.memory(), "memory_before_bytes": before}


# --- what is remembered ---

def remembered(work, build, pki, rounds):
    """Log-ins of one user again and again: the broker's own password file, and the bundle."""
    made = []
    with slow(pki, 0) as port:
        for iterations in (generate.ITERATIONS, DEAR):
            file = work / f"passwd-{iterations}"
            file.write_text(f"bench:{hashed(iterations)}\n")
            file.chmod(0o600)
            made.append(Broker(f"password_file, {iterations} iterations", "bookworm", work / f"own-{iterations}", file, build, None))
            made.append(Broker(f"bundle, {iterations} iterations", "bookworm", work / f"local-{iterations}", work / "data", build, {"providers": ["local"], "local": local(iterations)}))
        only_directory = {**by_directory(port, pki), "providers": ["ldap"], "login_budget_ms": 1000}
        made.append(Broker("bundle, a directory", "bookworm", work / "ldap", work / "data", build, only_directory))
        turns = {broker.name: [] for broker in made}
        try:
            for broker in made:
                broker.start()
            for broker in made:
                broker.wait()
                broker.connect()
                broker.turn(20)
            logins = max(50, int(min(broker.turn(200)[0] for broker in made) * TURN_SECONDS))
            for _ in range(rounds):
                for broker in random.sample(made, len(made)):
                    turns[broker.name].append(broker.turn(logins))
        finally:
            for broker in made:
                broker.stop()
    for name, values in turns.items():
        own = turns[f"password_file, {DEAR if str(DEAR) in name else generate.ITERATIONS} iterations"]
        yield {"config": name, "per_second": round(statistics.median(rate for rate, _ in values)), "ns": round(statistics.median(ns for _, ns in values)),
               "rate_ratio": round(statistics.median(rate / other for (rate, _), (other, _) in zip(values, own)), 3),
               "ratio": round(statistics.median(ns / other for (_, ns), (_, other) in zip(values, own)), 3)}


def core(build, rounds):
    output = subprocess.run([build / "tests/bench/bench_lookups", brokers.BROKER_CPU, "10000", str(rounds)], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {"ns": float(output.split()[1])}


def measure(work, build, rounds, quick, say):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    generate.broker(work / "data", 10)
    pki = Pki(work / "pki")
    found = {"core": core(build, rounds), "pings": [], "cut": []}
    say(f"iam: {CROWD} log-ins beside one who pings")
    found["pings"] = list(pings(work, build, pki, 5 if quick else CROWD_SECONDS))
    say("iam: what is remembered")
    found["remembered"] = list(remembered(work, build, pki, rounds))
    users = 500 if quick else min(CUT, most - 1000)
    say(f"iam: {users} log-ins at once")
    found["cut"] = list(power_cut(work, build, pki, users))
    return found
