"""Figures of several rounds to medians, ratios, gates and markdown."""
import json
import os
import statistics

from harness.machine import HERE


def limits(section):
    with open(os.path.join(HERE, "limits.json")) as file:
        return json.load(file)[section]


def short(value):
    """Three digits, without an exponent."""
    return "-" if value is None else "%.0f" % value if abs(value) >= 100 else "%.3g" % value


def summarise(rounds, figure, reference):
    """rounds: [{peer: {figure: value}}]. Gives {peer: median, min, max and the median ratio within a round}."""
    result = {}
    for peer in dict.fromkeys(name for row in rounds for name in row):
        values = [row[peer][figure] for row in rounds if peer in row]
        ratios = [row[peer][figure] / row[reference][figure] for row in rounds
                  if peer in row and reference in row and row[reference][figure]]
        result[peer] = {"median": statistics.median(values), "min": min(values), "max": max(values),
                        "ratio": statistics.median(ratios) if ratios else None, "rounds": len(values)}
    return result


def within(bound, value, ratio, of=None):
    """Whether a figure keeps a bound of limits.json; of: the figure of the other benchmark that it names."""
    fine = True
    if "ratio" in bound:
        fine = ratio is not None and ratio <= bound["ratio"]
    if "value" in bound:
        fine = fine and value <= bound["value"]
    if "of" in bound and of is not None:
        fine = fine and value <= of * bound["of"][1]
    return fine


def bound_text(bound):
    parts = []
    if "ratio" in bound:
        parts.append("%gx" % bound["ratio"])
    if "value" in bound:
        parts.append("%g" % bound["value"])
    if "of" in bound:
        parts.append("%gx %s" % (bound["of"][1], bound["of"][0]))
    return ", ".join(parts)


def verdict(bound, met):
    """A bound, if there is one, and whether it is kept: None where nobody knows."""
    return "-" if not bound else bound_text(bound) + ("" if met is None else " ok" if met else " **missed**")


def cell(figures, with_ratio=True):
    text = "%s [%s-%s]" % (short(figures["median"]), short(figures["min"]), short(figures["max"]))
    ratio = figures["ratio"] if with_ratio else None
    return text if ratio is None else text + " **%sx**" % ("%.0f" if ratio >= 100 else "%.2f") % ratio


def table(title, head, rows):
    print("\n### %s\n" % title)
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


class Tally:
    """Checks passed, failed and skipped, each with a line."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, fine, text):
        self.passed += bool(fine)
        self.failed += not fine
        print("%s %s" % ("ok    " if fine else "FAILED", text), flush=True)

    def skip(self, text):
        self.skipped += 1
        print("SKIP %s" % text, flush=True)

    def bounded(self, name, value, unit, bounds, of=None):
        """A figure against its gate, or against what is allowed until that is met."""
        met = within(bounds["gate"], value, None, of)
        fine = met or ("allowed" in bounds and within(bounds["allowed"], value, None, of))
        self.check(fine, "%s: %.6g%s (gate %s%s, aim %s%s)" % (
            name, value, unit and " " + unit, bound_text(bounds["gate"]),
            "" if met else ", MISSED; allowed %s until then" % bound_text(bounds["allowed"]) if fine else ", missed",
            bound_text(bounds["aim"]), ", met" if within(bounds["aim"], value, None) else ""))

    def end(self):
        """Prints the last line; gives the exit code."""
        print("%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped), flush=True)
        return 1 if self.failed else 0
