"""A pytest plugin (`-p containers`): every broker of a test runs on a host of its own, and the tester is another.

It replaces daemon.Broker by one that starts, signals and reads the broker through the folder that the tester
and the hosts of brokers share; the bodies of the tests do not know. `host` there is the other end.
"""
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import time

import daemon
import directory
import network
import pki
import prometheus

PLANT = pathlib.Path("/plant")
HOSTS = os.environ.get("ADUANA_HOSTS", "norte sur").split()
GATE = os.environ.get("ADUANA_GATE", "puerta")
DIRECTORY = os.environ.get("ADUANA_DIRECTORY", "directorio")
PROMETHEUS = os.environ.get("ADUANA_PROMETHEUS", "vigia")


def tell(requests, line):
    """Writes a request to a host's FIFO: an error, not a wait, if nobody is there to read it."""
    fifo = os.open(requests, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(fifo, (line + "\n").encode())  # one write of a short line is atomic, so several testers may share a host
    finally:
        os.close(fifo)


class Process:
    """What subprocess.Popen would be for a broker on another host, or for what a script there does."""

    def __init__(self, host, folder, script=None):
        self.requests, self.folder = PLANT / "hosts" / host, folder
        self.number = len(list(folder.glob("run-*.pid")))
        self.returncode = None
        if script:
            (folder / f"run-{self.number}.sh").write_text(script)
        self._ask(f"{'run' if script else 'start'} {folder} {self.number}")
        self.pid = int(daemon.until(lambda: self._read("pid"), f"{host} starts it"))

    def _ask(self, line):
        tell(self.requests, line)

    def _read(self, what):
        path = self.folder / f"run-{self.number}.{what}"
        return path.read_text().strip() if path.exists() else None

    def poll(self):
        if self.returncode is None and self._read("exit") is not None:
            code = int(self._read("exit"))
            self.returncode = code if code <= 128 else 128 - code  # as Popen says it: minus the signal
        return self.returncode

    def wait(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if deadline and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("mosquitto", timeout)
            time.sleep(0.005)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            self._ask(f"kill {signal.Signals(number).name[3:]} {self.pid}")

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def address_towards(host):
    """This machine's address as that host sees it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, 9))
        return probe.getsockname()[0]


class Broker(daemon.Broker):
    """The first broker of a test runs on the first host, the second on the second, and so on."""

    def __init__(self, folder, *arguments, **more):
        super().__init__(folder, *arguments, **more)
        self.host = HOSTS[int(self.folder.name[len("broker"):]) % len(HOSTS)]
        self.policies.chmod(0o755)

    def listener_conf(self, *arguments, **more):
        return super().listener_conf(*arguments, **more).replace(" 127.0.0.1\n", "\n")

    def spawn(self):
        self.conf.write_text(self.write_conf())
        self.log_file.touch()
        self.proc = Process(self.host, self.folder)

    def answers(self):
        try:
            with socket.create_connection((self.host, self.port), 1) as probe:
                name = "New connection from %s:%d on" % probe.getsockname()
                return daemon.until(lambda: name in self.log or self.proc.poll() is not None, "an answer")
        except OSError:
            return False

    def connect(self, person, *arguments, **more):
        return super().connect(person, *arguments, **{"host": self.host, **more})

    def wait_log(self, pattern, *arguments, **more):
        mine = address_towards(self.host)
        return super().wait_log(pattern.replace("address=127.0.0.1", f"address={mine}"), *arguments, **more)


class Slapd(directory.Slapd):
    """A directory on the host for them."""

    host, address = DIRECTORY, "0.0.0.0"

    def installed(self):
        return "/usr/sbin/slapd"

    def run(self, *command):
        words = shlex.join(map(str, command))
        done = Process(self.host, self.folder, f"LDAPTLS_CACERT={shlex.quote(str(self.pki.ca.pem))} exec {words}\n")
        code = done.wait(daemon.PATIENCE)
        assert code == 0, (self.folder / f"run-{done.number}.log").read_text()

    def spawn(self, *command):
        return Process(self.host, self.folder, f"exec {shlex.join(map(str, command))} >>{shlex.quote(str(self.log_file))} 2>&1\n")


class Prometheus(prometheus.Prometheus):
    """Prometheus of the image, with the files that the image has."""

    host, address, files = PROMETHEUS, "0.0.0.0", "/etc/aduana-prometheus"

    def installed(self):
        return "prometheus"

    def spawn(self, script):
        return Process(self.host, self.folder, script)


class Gate:
    """A way to a broker through a third host, whose network can be taken away; see network.Gate."""

    numbers = iter(range(1, 1 << 30))

    def __init__(self, broker):
        self.host, self.port = GATE, daemon.free_port()
        self._ask(f"open {self.port} {broker.host} {broker.port}")

    def _ask(self, request):
        answer = PLANT / "hosts" / f"{GATE}.{os.getpid()}.{next(self.numbers)}"
        tell(PLANT / "hosts" / GATE, f"{answer} {request}")
        daemon.until(answer.exists, f"{GATE} does {request}")
        answer.unlink()

    def cut(self):
        self._ask("cut")

    def mend(self):
        self._ask("mend")

    def close(self):
        self.mend()


daemon.Broker = Broker
directory.Slapd = Slapd
network.Gate = Gate
prometheus.Prometheus = Prometheus
pki.SERVER_NAMES = "subjectAltName=" + ",".join(f"DNS:{name}" for name in [*HOSTS, GATE, DIRECTORY, socket.gethostname()]) + \
    "\nextendedKeyUsage=serverAuth\n"
