"""Pages of /metrics that were recorded, as Prometheus would have scraped them, and which alerts they raise.

Pages are recorded seconds apart and shown to the rules as if a minute lay between two of them; then the run is taken to go
on as it did between the last two: counters go on rising as they rose, times that moved go on moving. So only the pace is
made up, never a value.
"""

import contextlib
import json
import re
import tempfile

from harness import ROOT
from metrics import run_promtool, scrape

RULES = ROOT / "monitoring/bursar.rules.yml"
SCRAPED = {"instance": "bursar:9478", "job": "bursar"}
TIMES = ("process_start_time_seconds",) + tuple(f"treasury_executor_last_{what}_seconds"
                                                for what in ("tick", "success", "error"))


class Recording:
    """What was scraped of one process, or of several that followed each other on one address."""

    def __init__(self):
        self.pages = []  # Metrics, or None where nobody answered

    def take(self, http):
        with contextlib.suppress(OSError):
            self.pages.append(scrape(http))
            return self.pages[-1]
        self.pages.append(None)
        return None

    def series(self, minutes, growing=()):
        """promtool's input_series. `growing`: ages that go on growing after the last page."""
        keys = sorted({key for page in self.pages if page for key in page.series})
        found = [self._line(("up", ()), [0 if page is None else 1 for page in self.pages], 0, minutes)]
        for key in keys:
            values = [None if page is None else self._shown(key, page, minute) for minute, page in enumerate(self.pages)]
            found.append(self._line(key, values, self._pace(key, values, growing), minutes))
        return found

    def _shown(self, key, page, minute):
        value = page.series.get(key)
        if key[0] in TIMES and value:
            return minute * 60 - (page.at - value)  # as long ago as it was
        return value

    def _pace(self, key, values, growing):
        """Growth a minute behind the last page."""
        last, before = values[-1], values[-2] if len(values) > 1 else None
        if last is None or before is None:
            return 0
        name = key[0]
        if name in growing:
            return 60
        if name in TIMES:
            pages = self.pages[-2:]
            return 60 if pages[0].series.get(key) != pages[1].series.get(key) else 0
        kind = self.pages[-1].types.get(re.sub("_(bucket|sum|count)$", "", name)) or self.pages[-1].types.get(name)
        is_counter = self.pages[-1].types.get(name) == "counter" or kind == "histogram"
        return max(0, last - before) if is_counter else 0

    @staticmethod
    def _line(key, values, pace, minutes):
        name, labels = key
        written = ",".join(f'{label}="{value}"' for label, value in (*labels, *SCRAPED.items()))
        after = [None if values[-1] is None else values[-1] + pace * n for n in range(1, minutes - len(values) + 2)]
        return {"series": f"{name}{{{written}}}",
                "values": " ".join("_" if value is None else f"{value:.17g}" for value in values + after)}

    def silent(self, minute, queries):
        """Those of the queries that find nothing, or can't be read."""
        found = ask(self.series(minute), minute, [f"count({query}) or vector(-1)" for query in queries])
        return [query for query, result in zip(queries, found) if not re.search(r"got: \{\} [1-9]", result)]

    def firing(self, minute, growing=()):
        """The names of the alerts that fire at this minute."""
        return firing(self.series(minute, growing), minute)


def ask(series, minute, queries):
    """What promtool finds for each query, as it writes it. It compares and does not tell: so it is given something to
    expect that can't be, and what it has got is read."""
    test = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [{
        "interval": "1m", "input_series": series,
        "promql_expr_test": [{"expr": query, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{no=\"such\"}", "value": 7}]}
                             for query in queries]}]}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(test, file)
        file.flush()
        code, output = run_promtool("test", "rules", file.name)
    assert code == 1, output
    found = re.split(r"expr: ", output)[1:]
    assert len(found) == len(queries), output
    return found


def firing(series, minute):
    found = ask(series, minute, ['group by (alertname) (ALERTS{alertstate="firing"})'])
    return set(re.findall(r'alertname="(\w+)"', found[0].split("got:")[1]))
