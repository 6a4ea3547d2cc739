"""Pages of /metrics, read as Prometheus reads them, and promtool."""

import os
import re
import subprocess
import time

from harness import ROOT

SERIES = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One page. Values are exact: integers where they are written as such."""

    def __init__(self, text, at=None):
        self.text = text
        self.at = at  # seconds since 1970
        self.types = {}
        self.series = {}  # (name, ((label, value), ...)) -> value
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.types[name] = kind
            elif not line.startswith("#"):
                name, labels, value = SERIES.fullmatch(line).groups()
                key = name, tuple(sorted(LABEL.findall(labels or "")))
                assert key not in self.series, f"twice: {line}"
                self.series[key] = int(value) if re.fullmatch("[0-9]+", value) else float(value)

    def value(self, name, **labels):
        """Of a treasury, unless it is of the process; None when it is absent."""
        if not name.startswith(("bursar_", "process_")):
            labels.setdefault("treasury", "main")
        return self.series.get((name, tuple(sorted(labels.items()))))

    def total(self, name):
        """Of all series of this name."""
        return sum(value for (found, _), value in self.series.items() if found == name)


def scrape(http):
    answer = http.get("/metrics", token=" ")
    assert answer.status == 200, str(answer)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", str(answer)
    return Metrics(answer.body.decode(), time.time())


def promtool():
    """As scripts/setup has put it there."""
    return ROOT / "build/promtool/usr/bin/promtool"


def run_promtool(*arguments, stdin=None, cwd=None):
    done = subprocess.run([str(promtool()), *map(str, arguments)], input=stdin, capture_output=True, text=True, cwd=cwd,
                          env={**os.environ, "NO_COLOR": "1"}, check=False)
    return done.returncode, done.stdout + done.stderr


def check_with_promtool(case, text):
    code, output = run_promtool("check", "metrics", stdin=text)
    case.assertEqual((code, output.strip()), (0, ""), output)
