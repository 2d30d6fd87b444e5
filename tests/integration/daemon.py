"""One mosquitto with the bundle in a folder of its own: start, reload, stop, kill, and its log."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import time

import mqtt
from patience import PATIENCE

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
PLUGINS = ("cert_auth", "iam_auth", "rate_monitor", "topic_policy", "acl")
FILES = {name: f"{name}.json" for name in PLUGINS}

given = set()


def free_port():
    """One that no client is given for its end of a connection, as those of bind(0) are, and not one given before."""
    while True:
        port = random.randrange(10000, 32768)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in given:
            given.add(port)
            return port


def command_of(suite):
    """How to run this suite's broker. bookworm is what is installed."""
    if suite == "bookworm":
        return [shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin") or "mosquitto"]
    folder = subprocess.run([ROOT / "tests/brokers", suite], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return [folder + "/run"]


def until(condition, what="condition", *, timeout=PATIENCE, every=0.01):
    """Polls until condition() is true and returns its value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(every)


class Broker:
    """The folder holds mosquitto.conf, policies/, data/ (persistence and state) and broker.log."""

    def __init__(self, folder, command, lib, pki, environment=None):
        self.folder, self.command, self.lib, self.pki = pathlib.Path(folder), list(command), lib, pki
        self.environment = environment or {}
        self.policies, self.data = self.folder / "policies", self.folder / "data"
        self.log_file, self.conf = self.folder / "broker.log", self.folder / "mosquitto.conf"
        self.proc, self.clients, self.port = None, [], free_port()
        self.slow = 4 if self.environment else 1  # under sanitizers
        shutil.copytree(HERE / "policies", self.policies)
        self.data.mkdir()
        self.write_conf = lambda: self.plain_conf()

    # The configuration file

    def common_conf(self):
        user = "user root\n" if os.geteuid() == 0 else ""
        return (f"{user}log_dest stderr\nlog_type all\npersistence true\n"
                f"persistence_location {self.data}/\nautosave_interval 0\n")

    def listener_conf(self, port=None, more="require_certificate true"):
        pki = self.pki
        return (f"listener {port or self.port} 127.0.0.1\ncafile {pki.ca.pem}\ncertfile {pki.server.pem}\n"
                f"keyfile {pki.server.key}\n{more}\n")

    def plugin_conf(self, plugins=PLUGINS, **options):
        """`plugin` lines; options default to this broker's folders, one that is None is left out."""
        options = {"policy_dir": self.policies, "state_dir": self.data, **options}
        lines = "".join(f"plugin_opt_{key} {value}\n" for key, value in options.items() if value is not None)
        return "".join(f"plugin {self.lib}/aduana_{name}.so\n{lines}" for name in plugins)

    def plain_conf(self, plugins=PLUGINS, listener="require_certificate true", extra="", **options):
        return (self.common_conf() + "per_listener_settings false\n" + self.plugin_conf(plugins, **options) +
                extra + "\n" + self.listener_conf(more=listener))

    # The policy files

    def edit(self, name, change):
        """change(the parsed file) and write it back."""
        path = self.policies / name
        value = json.loads(path.read_text())
        change(value)
        path.write_text(json.dumps(value, indent=2))

    def write(self, name, text):
        (self.policies / name).write_text(text)

    def put_back(self, name):
        shutil.copy(HERE / "policies" / name, self.policies / name)

    # Life

    def spawn(self):
        self.conf.write_text(self.write_conf())
        with open(self.log_file, "ab") as log:
            # Whatever ends the tests ends their brokers.
            command = ["setpriv", "--pdeathsig", "KILL", *self.command, "-c", str(self.conf)]
            self.proc = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=log, cwd=self.folder, env={**os.environ, **self.environment})

    def answers(self):
        """Whether the broker has taken a connection, so that its loop runs and signals are handled."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                name = "New connection from 127.0.0.1:%d on" % probe.getsockname()[1]
                return until(lambda: name in self.log or self.proc.poll() is not None, "an answer")
        except OSError:
            return False

    def starts(self):
        """Starts it and waits; False if it ended instead. A lost race for the port is tried again."""
        for _ in range(5):
            mark = self.mark()
            self.spawn()
            until(lambda: self.proc.poll() is not None or " running" in self.log_since(mark) and self.answers(), "start")
            if self.proc.poll() is None:
                return True
            if "Address already in use" not in self.log_since(mark):
                break
            self.port = free_port()
        self.proc = None
        return False

    def start(self):
        assert self.starts(), "the broker did not start"
        return self

    def start_refused(self):
        """Starts a broker that must not start; what it logged."""
        mark = self.mark()
        self.spawn()
        try:
            code = self.proc.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            raise AssertionError("the broker started, though it should have refused to") from None
        finally:
            self.proc = None
        assert code > 0, f"exit status {code}"
        return self.log_since(mark)

    def stop(self):
        """SIGTERM, and it must end cleanly."""
        if self.proc:
            proc, self.proc = self.proc, None
            assert proc.poll() is None, f"the broker had died, exit status {proc.returncode}"
            proc.terminate()
            try:
                code = proc.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                proc.kill()
                proc.wait()
                raise AssertionError("the broker did not stop on SIGTERM") from None
            assert code == 0, f"the broker ended with exit status {code}"

    def kill9(self):
        self.proc.kill()
        self.proc.wait()
        self.proc = None

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        for client in self.clients:
            client.drop()
        self.stop()

    # The log

    def mark(self):
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def log_since(self, mark=0):
        return self.log_file.read_bytes()[mark:].decode(errors="replace") if self.log_file.exists() else ""

    @property
    def log(self):
        return self.log_since(0)

    def wait_log(self, pattern, since=0):
        """In lines that are whole: the broker writes long ones in parts."""
        return until(lambda: re.search(pattern, self.log_since(since).rpartition("\n")[0]), f"log line {pattern!r}")

    # Signals

    def hup(self):
        self.proc.send_signal(signal.SIGHUP)

    def reload(self):
        """SIGHUP, and the new policy must load; the generation."""
        mark = self.mark()
        self.hup()
        line = self.wait_log(r"aduana: policy (generation (\d+) loaded|not loaded).*", mark)
        assert line[2], line[0]
        return int(line[2])

    def reload_refused(self):
        """SIGHUP, and the new policy must not load; the log line that says why."""
        mark = self.mark()
        self.hup()
        line = self.wait_log(r"aduana: policy (generation \d+ loaded|not loaded).*", mark)
        assert "not loaded" in line[0], line[0]
        return line[0]

    def persist(self):
        """SIGUSR1: the broker writes its database now. It is there when the old one, if there was one, has been replaced."""
        def written():
            return database.stat().st_ino if database.exists() else None

        database = self.data / "mosquitto.db"
        before = written()
        self.proc.send_signal(signal.SIGUSR1)
        until(lambda: written() not in (before, None), what="mosquitto.db written")

    # Clients

    def connect(self, person, version=mqtt.V311, **more):
        """Connects as that person; keyword arguments replace anything of it (cert=False: without one)."""
        cert = more.pop("cert", None)
        if cert is None:
            cert = self.pki.client(person.cn, person.ou, ca=more.pop("ca", None))
        wish = dict(client_id=person.client_id or person.cn, username=person.username, password=person.password)
        wish.update(more)
        client = mqtt.Client(wish.pop("port", self.port), version=version, tls=self.pki.context(cert), **wish)
        self.clients.append(client)
        return client

    def refused(self, person, version=mqtt.V311, why=None, **more):
        """Asserts that the login is refused, and that the bundle logged `why`; without it, any refusal is right."""
        mark = self.mark()
        try:
            self.connect(person, version, **more)
        except mqtt.Refused:
            if why:
                self.wait_log(f"aduana: refused connect .*: {why}", mark)
            return
        raise AssertionError(f"{person.cn} was let in")
