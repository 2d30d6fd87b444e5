"""Log-ins with client certificates: a broker that checks the certificate itself, and the same with the bundle."""
import json
import random
import statistics
import subprocess
import time

import brokers
import generate
from crl import REVOKED
from pki import Pki

AT_ONCE = 16
ROUNDS_A_START = 4  # then other brokers take over
TURN_SECONDS = 0.4
# "none" takes the user name from the certificate, as a broker without plugins can.
CONFIGS = ("none", "none again", "bundle", "bundle, a CRL of 100,000", "bundle, its own authorities", "bundle, state kept")


def cert_auth(own_authorities, crl, pki):
    file = {"identities": [{"name": "gateway", "match": {"cert.ou": "pasarela", "cert.issuer.cn": "Planta Device CA"}, "username": "${cert.cn}",
                            "client_id": {"prefix": "${cert.cn}-"}, "connections": {"max": 100}, "roles": ["bench"],
                            "attributes": {"linea": "linea1", "celda": {"from": "cert.cn", "pattern": "gw-([0-9]+)"}}}]}
    if own_authorities:
        file["authorities"] = {"planta": {"roots": [str(pki.ca.pem)]}}
    if crl:
        file["revocation"] = {"ca_files": [str(pki.ca.pem)], "crl_files": [str(crl)]}
    return json.dumps(file)


class LoginBroker(brokers.Broker):
    def __init__(self, name, folder, data, build, pki):
        super().__init__(name, folder, data, build)
        self.pki = pki

    def conf(self):
        common = (f"user root\nper_listener_settings false\npersistence false\nset_tcp_nodelay true\nlog_dest file {self.folder}/log\n"
                  f"log_type error\nlog_type warning\nlog_type notice\n")
        tls = (f"listener {self.port} 127.0.0.1\ncafile {self.pki.ca.pem}\ncertfile {self.pki.server.pem}\nkeyfile {self.pki.server.key}\n"
               f"require_certificate true\n")
        if not self.name.startswith("bundle"):
            return common + tls + "use_identity_as_username true\n"
        policies = self.folder / "policies"
        policies.mkdir()
        for path in (self.data / "policies").iterdir():
            (policies / path.name).write_bytes(path.read_bytes())
        crl = self.pki.crl(self.folder / "crl.pem", revoked=REVOKED) if "CRL" in self.name else None
        (policies / "cert_auth.json").write_text(cert_auth("authorities" in self.name, crl, self.pki))
        (policies / "iam_auth.json").write_text(json.dumps({"require": "certificate", "providers": []}))
        options = f"plugin_opt_policy_dir {policies}\n"
        if "state" in self.name:
            (self.folder / "state").mkdir()
            options += f"plugin_opt_state_dir {self.folder}/state\n"
        return common + "".join(f"plugin {self.build}/lib/aduana_{name}.so\n{options}" for name in brokers.PLUGINS) + tls

    def connect(self):
        cert = self.pki.client("gw-1", "pasarela")
        self.load = subprocess.Popen([f"{self.build}/tests/bench/bench_logins", brokers.LOAD_CPU, str(self.port), str(cert.pem), str(cert.key),
                                      "gw-1-", str(AT_ONCE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.expect("ready")

    def turn(self, logins):
        """(log-ins a second, ns of the broker's a log-in)."""
        began = time.monotonic()
        ns = super().turn(logins)
        return logins / (time.monotonic() - began), ns

    def calibrate(self):
        self.turn(50)
        return max(20, int(self.turn(200)[0] * TURN_SECONDS))


def rounds_of(all_brokers, rounds):
    """name -> [(log-ins a second, ns)], one for each round."""
    logins = min(broker.calibrate() for broker in all_brokers)
    turns = {broker.name: [] for broker in all_brokers}
    for _ in range(rounds):
        for broker in random.sample(all_brokers, len(all_brokers)):
            turns[broker.name].append(broker.turn(logins))
    return turns


def figures(turns):
    def median(values):
        return statistics.median(list(values))
    for name, values in turns.items():
        pairs = list(zip(values, turns["none"]))
        yield {"config": name, "per_second": round(median(rate for rate, _ in values), 1), "ns": round(median(ns for _, ns in values)),
               "rate_ratio": round(median(rate / none for (rate, _), (none, _) in pairs), 3),
               "ratio": round(median(ns / none for (_, ns), (_, none) in pairs), 3),
               "added_ns": round(median(ns - none for (_, ns), (_, none) in pairs)),
               "busy": round(median(rate * ns / 1e9 for rate, ns in values), 3)}


def fresh(work, data, build, pki, rounds):
    """Some rounds with brokers of their own: two that are configured alike can differ by several percent for as long as they run."""
    all_brokers = [LoginBroker(name, work / name.replace(" ", "-").replace(",", ""), data, build, pki) for name in CONFIGS]
    try:
        for broker in random.sample(all_brokers, len(all_brokers)):
            broker.start()
        for broker in all_brokers:
            broker.wait()
            broker.connect()
        return rounds_of(all_brokers, rounds)
    finally:
        for broker in all_brokers:
            broker.stop()


def measure(work, build, rounds):
    work.mkdir(exist_ok=True)
    generate.broker(work / "data", 1000)
    pki = Pki(work / "pki")
    turns = {name: [] for name in CONFIGS}
    for start in range(0, rounds, ROUNDS_A_START):
        (work / str(start)).mkdir()
        for name, more in fresh(work / str(start), work / "data", build, pki, min(ROUNDS_A_START, rounds - start)).items():
            turns[name] += more
    return list(figures(turns))
