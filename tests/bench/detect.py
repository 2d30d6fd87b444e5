"""The detector over the labelled series of the Numenta Anomaly Benchmark: `aduana detect --scores`, and NAB's standard score.

The data is not part of the project: a folder of CSV files with a windows.json that names them and the labelled windows of each.
Of a window counts the earliest score at the threshold, the more the earlier; what is outside of every window costs, the more the
farther it is from the window before; a window without any costs one. The first 15 % of a series, 750 values at most, do not count.
100 is every window seen at its first value and nothing else, 0 is nothing seen at all."""
import csv
import json
import math
import os
import pathlib
import subprocess

THRESHOLD = 0.5  # ADU_DETECTOR_UNUSUAL: one for all, and the one that the monitor uses
FALSE_COST = 0.11


def folder(given, root):
    """Where the series are, or None: what is given, $ADUANA_NAB, or shared/nab beside the checkout."""
    for path in (given, os.environ.get("ADUANA_NAB"), root.parent / "shared" / "nab"):
        if path:
            path = pathlib.Path(path)
            return path if (path / "windows.json").is_file() else None
    return None


def weight(position):
    """Of a detection: positions run from -1, the first value of a window, to 0, its end, and on."""
    return -1.0 if position > 3 else 2 / (1 + math.exp(5 * position)) - 1


class Series:
    def __init__(self, name, stamps, scores, windows):
        first = {}
        for row, stamp in enumerate(stamps):
            first.setdefault(stamp, row)
        self.name, self.scores = name, scores
        self.windows = [(first[begin], first[end]) for begin, end in windows]
        self.probation = min(math.floor(0.15 * len(scores)), 750)
        self.counted = {window for window in self.windows if window[1] >= self.probation}

    def judge(self, threshold):
        """(how much each counted window gives, what all that is outside costs, how many that is)"""
        seen, cost, false = {}, 0.0, 0
        for row in range(self.probation, len(self.scores)):
            if self.scores[row] < threshold:
                continue
            inside = next((w for w in self.windows if w[0] <= row <= w[1]), None)
            if inside:
                begin, end = inside
                seen.setdefault(inside, weight(-(end - row + 1) / (end - begin + 1)) / weight(-1))
                continue
            before = [w for w in self.windows if w[1] < row]
            false += 1
            cost += FALSE_COST * (weight((row - before[-1][1]) / (before[-1][1] - before[-1][0])) if before else -1)
        return [seen.get(window, -1.0) for window in sorted(self.counted)], cost, false


def read(path, column):
    with open(path, newline="") as rows:
        return [row[column].split(".")[0] for row in csv.DictReader(rows)]


def load(data, aduana):
    for name, windows in json.loads((data / "windows.json").read_text()).items():
        output = subprocess.run([aduana, "detect", "--scores", data / name], check=True, stdout=subprocess.PIPE, text=True).stdout
        yield Series(name, read(data / name, "timestamp"), [float(line) for line in output.split()[1:]],
                     [[stamp.split(".")[0] for stamp in window] for window in windows])


def score(judged):
    """Of (gains, cost, false) of each series."""
    windows = sum(len(gains) for gains, _, _ in judged)
    return 100 * (sum(sum(gains) + cost for gains, cost, _ in judged) + windows) / (2 * windows) if windows else 0.0


def measure(data, build):
    series = list(load(data, build / "bin/aduana"))
    judged = [one.judge(THRESHOLD) for one in series]
    rows = [{"series": one.name, "values": len(one.scores), "windows": len(gains), "seen": sum(gain >= 0 for gain in gains),
             "false": false, "gain": sum(gains) + cost} for one, (gains, cost, false) in zip(series, judged)]
    groups = {}
    for one, result in zip(series, judged):
        groups.setdefault(one.name.split("/")[0], []).append(result)
    return {"score": score(judged), "threshold": THRESHOLD, "groups": {name: score(found) for name, found in groups.items()}, "rows": rows}
