"""What a list of 100,000 revoked certificates costs, beside the log-ins that ask it."""
import shutil
import subprocess

from pki import Pki

ENTRIES = 100_000
REVOKED = range(1 << 100, (1 << 100) + ENTRIES)  # serial numbers of nobody


def measure(work, build, rounds):
    work.mkdir(exist_ok=True)
    pki = Pki(work / "pki")
    for name in ("a.pem", "b.pem"):
        pki.crl(work / name, revoked=REVOKED, hours=48)
    shutil.copy(pki.ca.pem, work / "ca.pem")
    shutil.copy(pki.client("gw-1").pem, work / "leaf.pem")
    output = subprocess.run([build / "tests/bench/bench_crl", str(rounds), work], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [{"entries": ENTRIES, **{name: float(value) for name, value in (line.split() for line in output.splitlines())}}]
