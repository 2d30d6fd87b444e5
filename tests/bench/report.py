"""What was measured, as tables for people; targets beside it."""


def lines(head, rows):
    """Columns as wide as their widest cell, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    texts = ["| " + " | ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))) + " |" for row in cells]
    texts.insert(1, "|" + "|".join("-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths)) + "|")
    return "\n".join(texts) + "\n"


def unique(rows, name):
    return list(dict.fromkeys(row[name] for row in rows))


def core(rows):
    sizes = [int(size) for size in unique(rows, "rules")]
    found = {(row["part"], row["action"], row["heat"], int(row["rules"])): row for row in rows}
    table = []
    for part, heat, action in dict.fromkeys((row["part"], row["heat"], row["action"]) for row in rows):
        series = [found[part, action, heat, size] for size in sizes]
        table.append([f"{part}, {action}, {heat}", *("%.0f / %.0f" % (row["ns"], row["p99_ns"]) for row in series),
                      "%.2f" % (series[-1]["ns"] / series[0]["ns"]), "%.1f" % (1e3 / series[-1]["ns"])])
    head = ["decision, ns median / p99", *(f"{size:,} rules" for size in sizes), "last : first", "million/s"]
    return lines(head, table)


def broker(rows):
    sizes = unique(rows, "rules")
    found = {(row["load"], row["config"], row["rules"]): row for row in rows}
    table = []
    for load, config in dict.fromkeys((row["load"], row["config"]) for row in rows):
        series = [found[load, config, size] for size in sizes]
        table.append([f"{load}, {config}", *("%.2fx (%.2f us)" % (row["ratio"], row["ns"] / 1e3) for row in series)])
    return lines(["broker CPU a message", *(f"{size:,} rules" for size in sizes)], table)


def table(part, rows):
    return {"core": core, "broker": broker}[part](rows)
