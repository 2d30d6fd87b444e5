"""A real Prometheus with the files of docker/prometheus, but for whom it asks and how often."""
import json
import pathlib
import shlex
import subprocess
import urllib.parse
import urllib.request

from daemon import ROOT, free_port, until
from patience import PATIENCE


class Prometheus:
    """Scrapes one broker. Its host may be another: see docker/tester."""

    host = address = "127.0.0.1"
    files = ROOT / "docker/prometheus"

    def __init__(self, folder, target):
        self.folder, self.port = pathlib.Path(folder), free_port()
        self.folder.mkdir(parents=True)
        files, here = shlex.quote(str(self.files)), shlex.quote(str(self.folder))
        self.proc = self.spawn(f"""set -e
sed -e s/broker:9883/{target}/ -e s/10s/1s/ {files}/prometheus.yml >{here}/prometheus.yml
cp {files}/aduana.rules.yml {here}
exec {shlex.quote(self.installed())} --config.file={here}/prometheus.yml --storage.tsdb.path={here}/data \\
    --web.listen-address={self.address}:{self.port} >{here}/prometheus.log 2>&1
""")

    def installed(self):
        return subprocess.run([ROOT / "tests/promtool", "prometheus"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def spawn(self, script):
        return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "sh", "-c", script], stdin=subprocess.DEVNULL)

    def ask(self, what, **parameters):
        """The data of an answer of its API; waits until it listens."""
        url = f"http://{self.host}:{self.port}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"

        def attempt():
            assert self.proc.poll() is None, (self.folder / "prometheus.log").read_text()
            try:
                with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                    return json.load(answer)
            except OSError:
                return None
        return until(attempt, f"an answer to {what}")["data"]

    def health(self):
        """Of the broker, as the last scrape found it: up, down or unknown."""
        targets = self.ask("targets")["activeTargets"]
        return targets[0]["health"] if targets else "unknown"

    def value(self, expression):
        """None: nothing is known of it."""
        found = self.ask("query", query=expression)["result"]
        return float(found[0]["value"][1]) if found else None

    def rules(self):
        """What has become of each: inactive, pending or firing."""
        rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        assert all(rule["health"] in ("ok", "unknown") for rule in rules), rules
        return {rule["name"]: rule["state"] for rule in rules}

    def stop(self):
        self.proc.terminate()
        self.proc.wait()
