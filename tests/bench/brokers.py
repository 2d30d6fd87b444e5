"""What a message costs the broker: brokers that differ in their access control alone, each given messages in turn.

All run at the same time and wait; only one is given messages at a time, for a fraction of a second, and then the next.
What is compared are the turns of one round. The time is the broker's own (/proc/PID/task/*/schedstat), all threads."""
import json
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from daemon import PLUGINS, free_port  # noqa: E402

BROKER_CPU, LOAD_CPU = "0", "1"
PUBLISHERS = 10
TURN_NS = 250e6  # of the broker's time; a turn's messages are chosen for it
START_SECONDS = 900  # dynamic-security with 100,000 rules takes its time
CONFIGS = ("none", "none again", "any plugin", "acl_file", "dynamic-security", "bundle")
MORE = ("bundle again", "bundle-throttle")  # measured where they are asked for


def dynsec_plugin():
    return next(pathlib.Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"), None)


class Broker:
    """One mosquitto with one kind of access control, and the load program that is connected to it."""

    def __init__(self, name, folder, data, build, program):
        self.name, self.folder, self.data, self.build, self.program = name, folder, data, build, program
        self.port, self.proc, self.load = free_port(), None, None

    def conf(self):
        common = (f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous false\npersistence false\n"
                  f"log_dest file {self.folder}/log\nlog_type error\nlog_type warning\nlog_type notice\n")
        passwords = f"password_file {self.data}/passwd\n"
        if self.name == "any plugin":
            return common + passwords + f"plugin {self.build}/tests/bench/bench_yes.so\n"
        if self.name == "acl_file":
            return common + passwords + f"acl_file {self.data}/acl\n"
        if self.name == "dynamic-security":
            shutil.copy(self.data / "dynsec.json", self.folder)
            return common + f"plugin {dynsec_plugin()}\nplugin_opt_config_file {self.folder}/dynsec.json\n"
        if self.name.startswith("bundle"):
            return common + "".join(f"plugin {self.build}/lib/aduana_{name}.so\n"
                                    f"plugin_opt_policy_dir {self.policies()}\n" for name in PLUGINS)
        return common + passwords

    def policies(self):
        """With throttle: for a limit that nobody reaches here."""
        if self.name != "bundle-throttle":
            return self.data / "policies"
        throttling = shutil.copytree(self.data / "policies", self.folder / "policies", dirs_exist_ok=True)
        rates = json.loads((throttling / "rate_monitor.json").read_text())
        rates["classes"][0]["actions"] = {"throttle": ["publish_rate"]}
        (throttling / "rate_monitor.json").write_text(json.dumps(rates))
        return throttling

    def start(self):
        self.folder.mkdir()
        (self.folder / "mosquitto.conf").write_text(self.conf())
        self.proc = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "taskset", "-c", BROKER_CPU, self.program, "-c",
                                      str(self.folder / "mosquitto.conf")], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.proc.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                return
            except OSError:
                time.sleep(0.05)
        log = self.folder / "log"
        raise SystemExit(f"the broker with {self.name} did not start\n" + (log.read_text() if log.exists() else ""))

    def connect(self, subscriber):
        self.disconnect()
        self.load = subprocess.Popen([f"{self.build}/tests/bench/bench_publish", LOAD_CPU, str(self.port),
                                      str(self.data / "topics"), str(PUBLISHERS), str(int(subscriber))],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.expect("ready")

    def disconnect(self):
        if self.load:
            self.load.stdin.close()
            self.load.wait()
            self.load = None

    def expect(self, word):
        line = self.load.stdout.readline().strip()
        if line != word:
            raise SystemExit(f"the load for {self.name} broke off" + (f": {line}" if line else ""))

    def cpu_ns(self):
        tasks = pathlib.Path(f"/proc/{self.proc.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks)

    def turn(self, messages):
        """ns a message."""
        before = self.cpu_ns()
        self.load.stdin.write(f"{messages}\n")
        self.load.stdin.flush()
        self.expect("done")
        return (self.cpu_ns() - before) / messages

    def calibrate(self):
        """How many messages make a turn; warms up as well."""
        messages, cost = 200, self.turn(200)
        while messages * cost < TURN_NS / 4 and messages < 1000000:
            messages *= 4
            cost = self.turn(messages)
        return max(200, int(TURN_NS / cost))

    def stop(self):
        self.disconnect()
        if self.proc:
            self.proc.terminate()
            self.proc.wait()


def rounds_of(brokers, rounds):
    """name -> ns a message, one for each round."""
    messages = {broker.name: broker.calibrate() for broker in brokers}
    costs = {broker.name: [] for broker in brokers}
    for _ in range(rounds):
        for broker in random.sample(brokers, len(brokers)):  # nobody always comes after the same one
            costs[broker.name].append(broker.turn(messages[broker.name]))
    return costs


def figures(rules, load, costs):
    for name, values in costs.items():
        pairs = list(zip(values, costs["none"]))
        yield {"rules": rules, "load": load, "config": name, "ns": round(statistics.median(values), 1),
               "least_ns": round(min(values), 1), "ratio": round(statistics.median(value / none for value, none in pairs), 3),
               "ratio_of_least": round(min(values) / min(costs["none"]), 3),
               "added_ns": round(statistics.median(value - none for value, none in pairs), 1)}


def measure(data, rules, build, rounds, configs=CONFIGS, program="mosquitto"):
    """The figures of one number of rules; `data` is a folder of generate.broker()."""
    brokers = [Broker(name, data / name.replace(" ", "-"), data, build, program) for name in configs]
    found = []
    try:
        for broker in brokers:
            broker.start()
        for broker in brokers:
            broker.wait()
        for load in ("publish", "publish and deliver"):
            for broker in brokers:
                broker.connect(load != "publish")
            found += figures(rules, load, rounds_of(brokers, rounds))
    finally:
        for broker in brokers:
            broker.stop()
    return found
