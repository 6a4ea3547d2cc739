"""A real headless Chromium, driven through playwright-core by browser.cjs. One a test; ends with it."""

import json
import shutil
import subprocess

from harness import HANG_S, ROOT, _die_with_parent

CHROMIUM = "/usr/bin/chromium"
DRIVER = ROOT / "tests/e2e/browser.cjs"


class Browser:
    def __init__(self, directory, **context):
        """`context`: of playwright, e.g. viewport={"width": 360, "height": 740}, colorScheme="dark"."""
        assert shutil.which(CHROMIUM), f"{CHROMIUM} is missing: ./scripts/setup tests"
        directory.mkdir(parents=True, exist_ok=True)
        settings = {"program": CHROMIUM, "profile": str(directory / "profile"), "timeout_ms": HANG_S * 1000 / 2,
                    "context": {"viewport": {"width": 1280, "height": 900}, "reducedMotion": "reduce", **context}}
        self.log = open(directory / "browser.log", "wb")
        self.process = subprocess.Popen(["node", str(DRIVER), json.dumps(settings)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True, cwd=ROOT,
                                        preexec_fn=_die_with_parent)
        self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        assert line, f"the browser ended: {open(self.log.name, errors='replace').read()[-3000:]}"
        answer = json.loads(line)
        assert "error" not in answer, answer.get("error")
        return answer["value"]

    def do(self, code, argument=None):
        """Runs JavaScript with playwright's `page`; returns what it returns."""
        self.process.stdin.write(json.dumps({"code": code, "argument": argument}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()  # the driver closes the browser and ends
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.log.close()
