"""What loading costs: bench_loading of each size, and the command on the same folders."""
import resource
import statistics
import subprocess

import generate

BASE, FEW_CLIENTS = 10, 100
NOT_THERE = 2  # the command's exit status for what it does not know


def bench_loading(build, folder, rounds, clients):
    command = [build / "tests/bench/bench_loading", str(rounds), folder, str(clients)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in output.splitlines())}


def process_ms(command, rounds):
    """The processor's time of a whole process, the median; None where the command does not know what is asked."""
    times = []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if status >= NOT_THERE:
            return None
        times.append((after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1e3)
    return statistics.median(times)


def explain_command(build, folder):
    """Asks one of the questions that the policy answers with yes."""
    client, action, topic = (folder / "questions").read_text().splitlines()[0].split()
    return [build / "bin/aduana", "explain", folder / "policies", "--as", f"username={client}", action, topic]


def measure(work, sizes, build, rounds):
    found, arena = [], {}
    for rules in dict.fromkeys((BASE, *sizes)):
        folder = work / str(rules)
        generate.core(folder, rules, FEW_CLIENTS)
        row = bench_loading(build, folder, rounds, 0)
        arena[rules] = row["arena_bytes"]
        if rules > BASE:  # beyond what roles and clients take
            row["bytes_a_rule"] = (arena[rules] - arena[BASE]) / (rules - BASE)
        if rules in sizes:
            commands = {"check_ms": [build / "bin/aduana", "check", folder / "policies"],
                        "explain_ms": explain_command(build, folder)}
            row.update({name: process_ms(command, min(rounds, 7)) for name, command in commands.items()})
            found.append({"rules": rules, "clients": 0, **row})
    generate.core(work / "online", sizes[-1])
    online = bench_loading(build, work / "online", rounds, generate.SESSIONS)
    swapped = {name: online[name] for name in ("swap_ms", "swap_ms_least", "sweep_ms", "sweep_ms_least")}
    return [*found, {"rules": sizes[-1], "clients": generate.SESSIONS, **swapped}]
