"""What was measured, as tables for people, and the targets beside it."""

NS, RATIO, MS, BYTES, PLAIN = "%.0f ns", "%.2fx", "%.2f ms", "%.0f bytes", "%.1f"
WHOLE, SECONDS = "%.0f", "%.1f s"

# What the project wants to reach: of which part, what, at most (AT_LEAST: at least), and how it is written. See targets().
AT_LEAST = {"bundle, log-ins a second", "bundle, a CRL of 100,000, log-ins a second", "remembered log-ins, 101 iterations", "remembered log-ins, 1000 iterations", "remembered log-ins a second, core",
            "2.0, log-ins by a directory at 50 ms", "2.1, log-ins by a directory at 50 ms", "detector, score on labelled series"}
WANTED = (
    ("broker", "bundle, a message published, 10 rules", 1.10, RATIO),
    ("broker", "bundle, a message published, 100,000 rules", 1.15, RATIO),
    *(("core", f"{part}, {heat}, {kind}, 100,000 rules", most, NS) for part in ("acl", "all stages")
      for heat, most in (("warm", 80), ("cold", 400)) for kind in ("a message", "a subscription")),
    *(("core", f"{part}, {heat}, {kind}, 100,000 : 10 rules", 1.3, RATIO) for part in ("acl", "all stages")
      for heat in ("warm", "cold") for kind in ("a message", "a subscription")),
    ("load", "100,000 rules loaded and compiled", 500, MS),
    ("load", "swap in TICK, 100,000 rules, nobody online", 0.1, MS),
    ("load", "swap in TICK, 100,000 rules, 10,000 clients online", 0.1, MS),
    ("load", "a rule of 100,000", 150, BYTES),
    ("load", "aduana check, 100,000 rules", 1000, MS),
    ("load", "aduana explain, 100,000 rules", 50, MS),
    *(("monitor", f"monitor, {what}: {name}", most, text) for name in ("publish and connections", "learn", "publish and connections, learn", "every limit, for the client, its class and all; learn")
      for what, most, text in (("a message", 40, NS), ("bytes a client", 256, BYTES), ("share of the loop", 1, "%.2f %%"))),
    ("logins", "bundle, log-ins a second", 0.97, RATIO),
    ("logins", "bundle, a CRL of 100,000, log-ins a second", 0.97, RATIO),
    ("crl", "swap in TICK, a CRL of 100,000", 0.1, MS),
    *(("iam", f"{version}, PINGREQ p99 beside {what}", most, MS) for version, most in (("2.0", 50), ("2.1", 5))
      for what in ("a directory that answers after 2 s", "a directory of which nothing comes back")),
    ("iam", "remembered log-ins, 101 iterations", 0.9, RATIO),
    ("iam", "remembered log-ins, 1000 iterations", 0.9, RATIO),
    ("iam", "remembered log-ins a second, core", 20000, WHOLE),
    *(("iam", f"{version}, {what}", most, text) for version in ("2.0", "2.1")
      for what, most, text in (("log-ins by a directory at 50 ms", 10000, WHOLE), ("the last of them", 60, SECONDS))),
    ("detect", "detector, score on labelled series", 65, PLAIN),
)


def lines(head, rows):
    """Columns as wide as their widest cell; all but the first to the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    texts = ["| " + " | ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))) + " |" for row in cells]
    rule = ["-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths)]
    return "\n".join([texts[0], "|" + "|".join(rule) + "|", *texts[1:]]) + "\n"


def unique(values):
    return list(dict.fromkeys(values))


def count(number):
    return f"{number:,} rules"


def core(rows):
    sizes = unique(row["rules"] for row in rows)
    found = {(row["part"], row["action"], row["heat"], row["rules"]): row for row in rows}
    table = []
    for part, heat, action in unique((row["part"], row["heat"], row["action"]) for row in rows):
        series = [found[part, action, heat, size] for size in sizes]
        table.append([f"{part}, {heat}, {action}", *("%.0f / %.0f" % (row["ns"], row["p99_ns"]) for row in series),
                      "%.2fx" % (series[-1]["ns"] / series[0]["ns"]), "%.1f" % (1e3 / series[-1]["ns"])])
    text = lines(["ns a decision, median / p99", *map(count, sizes), "last : first", "million/s"], table)
    return text + ("\nThe machine, in the same rounds: 100 multiplications in a row %.0f ns, a load from 64 MB of memory %.0f ns.\n"
                   % (rows[0]["arithmetic_ns"], rows[0]["memory_ns"]))


def broker(rows):
    sizes = unique(row["rules"] for row in rows)
    found = {(row["load"], row["config"], row["rules"]): row for row in rows}
    table = []
    for load, config in unique((row["load"], row["config"]) for row in rows):
        texts = ["%.2f us" % (row["ns"] / 1e3) if config == "none" else "%.2fx %+.2f us" % (row["ratio"], row["added_ns"] / 1e3)
                 for row in (found[load, config, size] for size in sizes)]
        table.append([f"{load}, {config}", *texts])
    return lines(["broker CPU a message", *map(count, sizes)], table)


def load(rows):
    head = ["", "load", "of it JSON", "peak memory", "held", "bytes a rule", "swap", "clients", "longest tick after", "check",
            "explain"]

    def cell(row, name, text, scale=1):
        return text % (row[name] / scale) if row.get(name) is not None else "-"
    table = [[count(row["rules"]), cell(row, "load_ms", "%.1f ms"), cell(row, "parse_ms", "%.1f ms"),
              cell(row, "peak_bytes", "%.1f MB", 1e6), cell(row, "arena_bytes", "%.1f MB", 1e6),
              cell(row, "bytes_a_rule", "%.0f"), cell(row, "swap_ms", "%.3f ms"), f"{row['clients']:,}",
              cell(row, "sweep_ms", "%.3f ms"), cell(row, "check_ms", "%.0f ms"), cell(row, "explain_ms", "%.0f ms")]
             for row in rows]
    return lines(head, table)


def logins(rows):
    table = [[row["config"], "%.0f" % row["per_second"], "%.3fx" % row["rate_ratio"], "%.0f us" % (row["ns"] / 1e3), "%.3fx" % row["ratio"],
              "%+.1f us" % (row["added_ns"] / 1e3), "%.0f %%" % (row["busy"] * 100)] for row in rows]
    return lines(["log-ins with a client certificate", "a second", "to none", "broker CPU each", "to none", "added", "broker busy"], table)


def crl(rows):
    table = [["%d entries" % row["entries"], "%.0f ms" % row["read_ms"], "%.1f MB" % (row["held_bytes"] / 1e6), "%.3f ms" % row["swap_ms"],
              "%.3f ms" % row["swap_ms_most"], "%.0f ns" % row["ask_ns"]] for row in rows]
    return lines(["a list of revoked certificates", "read, by a worker", "held", "swap in TICK", "at most", "asked"], table)


def monitor(found):
    table = [[name, "%.0f ns" % found[f"{key}_message_ns"], "%.0f" % found[f"{key}_client_bytes"], "%.2f ms" % found[f"{key}_tick_ms"],
              "%.2f ms" % found[f"{key}_tick_p99_ms"], "%.2f %%" % found[f"{key}_loop_percent"]] for key, name in MONITORED.items()]
    return lines(["what a class asks for", "a message", "bytes a client", "TICK, 100,000 clients", "p99", "of the loop"], table)


MONITORED = {"fixed": "publish and connections", "learn": "learn", "fixed_learn": "publish and connections, learn",
             "every": "every limit, for the client, its class and all; learn"}
VERSIONS = {"bookworm": "2.0", "trixie": "2.0", "sid": "2.1"}


def iam(found):
    beside = [[f"{VERSIONS[row['suite']]}, {row['while']}", "%.2f ms" % row["p50_ms"], "%.2f ms" % row["p99_ms"], "%.1f ms" % row["most_ms"],
               "%d of %d" % (row["in"], row["users"]) if "users" in row else "-", "%.1f s" % row["last_in_s"] if row.get("last_in_s") else "-"] for row in found["pings"]]
    remembered = [[row["config"], row["per_second"], "%.2fx" % row["rate_ratio"], "%.0f us" % (row["ns"] / 1e3), "%.2fx" % row["ratio"]] for row in found["remembered"]]
    cut = [[VERSIONS[row["suite"]], "%d of %d" % (row["in"], row["users"]), row["refused"], row["came_again"], "%.1f s" % row["last_in_s"] if row["last_in_s"] else "-",
            "%.0f MB" % (row["memory_bytes"] / 1e6), "%.0f MB" % (row["memory_before_bytes"] / 1e6)] for row in found["cut"]]
    return "\n".join([
        lines(["PINGREQ to PINGRESP, 200 log-ins beside", "median", "p99", "longest", "in", "the last"], beside),
        lines(["remembered log-ins", "a second", "to password_file", "broker CPU each", "to password_file"], remembered),
        lines(["a directory at 50 ms a bind", "in", "refused", "came again", "the last", "memory", "before"], cut),
        "A remembered log-in in the core, 10,000 users: %.0f ns, %.0f a second.\n" % (found["core"]["ns"], 1e9 / found["core"]["ns"])])


def detect(found):
    rows = [[row["series"], f"{row['values']:,}", f"{row['seen']} of {row['windows']}", row["false"], "%+.2f" % row["gain"]] for row in found["rows"]]
    groups = [[name, "%.1f" % score] for name, score in found["groups"].items()]
    return (lines(["series", "values", "windows seen", "false", "gain"], rows) + "\n"
            + lines(["score, one threshold of %g" % found["threshold"], ""], [*groups, ["all", "%.1f" % found["score"]]]))


# --- targets ---

def broker_values(rows):
    for row in rows:
        if row["config"] == "bundle" and row["load"] == "publish":
            yield f"bundle, a message published, {count(row['rules'])}", row["ratio"]


def core_values(rows):
    """Of a message: the worse of publish and receive."""
    found = {(row["part"], row["heat"], row["action"], row["rules"]): row["ns"] for row in rows}
    sizes = unique(row["rules"] for row in rows)
    for part, heat in unique((row["part"], row["heat"]) for row in rows):
        name = {"pipeline": "all stages"}.get(part, part)
        for kind, actions in (("a message", ("publish", "receive")), ("a subscription", ("subscribe",))):
            for size in sizes:
                yield f"{name}, {heat}, {kind}, {count(size)}", max(found[part, heat, action, size] for action in actions)
            yield (f"{name}, {heat}, {kind}, {sizes[-1]:,} : {count(sizes[0])}",
                   max(found[part, heat, action, sizes[-1]] / found[part, heat, action, sizes[0]] for action in actions))


def load_values(rows):
    for row in rows:
        rules = count(row["rules"])
        online = f"{row['clients']:,} clients" if row["clients"] else "nobody"
        yield f"swap in TICK, {rules}, {online} online", row["swap_ms"]
        if row["clients"] == 0:
            yield f"{rules} loaded and compiled", row["load_ms"]
            yield f"a rule of {row['rules']:,}", row.get("bytes_a_rule")
            yield f"aduana check, {rules}", row["check_ms"]
            yield f"aduana explain, {rules}", row["explain_ms"]


def login_values(rows):
    for row in rows:
        yield f"{row['config']}, log-ins a second", row["rate_ratio"]


def crl_values(rows):
    for row in rows:
        yield f"swap in TICK, a CRL of {row['entries']:,}", row["swap_ms"]


def monitor_values(found):
    for key, name in MONITORED.items():
        yield f"monitor, a message: {name}", found[f"{key}_message_ns"]
        yield f"monitor, bytes a client: {name}", found[f"{key}_client_bytes"]
        yield f"monitor, share of the loop: {name}", found[f"{key}_loop_percent"]


def iam_values(found):
    for row in found["pings"]:
        yield f"{VERSIONS[row['suite']]}, PINGREQ p99 beside {row['while']}", row["p99_ms"]
    for row in found["remembered"]:
        yield f"remembered log-ins, {row['config'].removeprefix('bundle, ')}", row["rate_ratio"]
    yield "remembered log-ins a second, core", 1e9 / found["core"]["ns"]
    for row in found["cut"]:
        yield f"{VERSIONS[row['suite']]}, log-ins by a directory at 50 ms", row["in"]
        yield f"{VERSIONS[row['suite']]}, the last of them", row["last_in_s"]


def detect_values(found):
    yield "detector, score on labelled series", found["score"]


def targets(found):
    readers = {"core": core_values, "broker": broker_values, "load": load_values, "logins": login_values, "crl": crl_values, "monitor": monitor_values, "iam": iam_values, "detect": detect_values}
    rows = []
    for part, what, most, text in WANTED:
        value = dict(readers[part](found[part])).get(what) if part in found else None
        if value is not None:
            word, reached = ("at least ", value >= most) if what in AT_LEAST else ("at most ", value <= most)
            rows.append([what, word + text % most, text % value, "yes" if reached else "NO"])
    return lines(["target", "wanted", "measured", "reached"], rows) if rows else ""


def table(part, rows):
    return {"core": core, "broker": broker, "load": load, "logins": logins, "crl": crl, "monitor": monitor, "iam": iam, "detect": detect}[part](rows)
