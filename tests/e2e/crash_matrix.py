"""What test_crash_matrix.py stands on: a payment run made anew for each case (chain, store, log and all), a fault in
it, a second run without, and a judge who asks the chain.

A case is written "kill 417 133" or "malloc 1200 1"; Case says what the numbers mean.
"""

import collections
import concurrent.futures
import math
import re
import shutil
import subprocess
import threading
import time
import typing

import harness

ROWS = harness.rows("matrix", 6)
LATER = harness.rows("later", 1)  # work that comes after a copy was put back
SETTINGS = {"BURSAR_EXECUTOR_POLL_INTERVAL_MS": "10", "BURSAR_TREASURY_MAIN_FINALITY": "1",
            "BURSAR_EXECUTOR_BATCH_SIZE": "3",  # two batches
            "BURSAR_HTTP_LISTEN": "off"}
BLOCK_TIME_S = 0.02
HANG_S = 30  # guards against a hang: a run takes a tenth of a second
PATIENCE_S = 1  # with a fault that lasts: it may also wait for better times, and is then killed
WAITS = "waits"
SHOWN_MAX = 10
SAY_EVERY = 1000  # cases

SIGKILLED = 128 + 9  # as kill_syscall says it
IOERR, FULL = 10, 13  # SQLite's
HONEST_CODES = {0, 1, 4, 5, 6}
NOTHING_CHANGED = 3  # "invalid input": the wrong word for a machine that fails, but a promise that can be checked
TOLD = re.compile(r"^(bursar: |\S+Z (warn|error) )", re.M)  # an error, a halt, a fault in the log
COPIES = (["bursar.db*"], ["*.signlog"], ["bursar.db*", "*.signlog"])


class Case(typing.NamedTuple):
    """
    kill AT MORE            killed before system call AT, then, recovering, before call MORE, then left alone
    malloc|own_malloc|fsync|write_enospc|store|store_rollback|store_after AT MORE
                            MORE calls (0: all) from call AT on fail (fail_at.c says how), then it is left alone
    copy AT MORE            everything was paid; then store, log or both (COPIES[MORE]) of a run killed before call AT
                            are put back (0: of before the import, -1: of a twin with the same key that has paid
                            the same in another order); the same file and one more row are imported
    """

    what: str
    at: int
    more: int

    def __str__(self):
        return f"{self.what} {self.at} {self.more}"

    @staticmethod
    def parse(text):
        what, at, more = text.split()
        return Case(what, int(at), int(more))


class Violation(Exception):
    """The program did what it must not."""


class Tools:
    """The two programs in C, built."""

    def __init__(self, directory):
        self.kill_syscall = directory / "kill_syscall"
        self.fail_at = directory / "fail_at.so"
        here = harness.ROOT / "tests/e2e"
        subprocess.run(["gcc", "-O1", "-o", self.kill_syscall, here / "kill_syscall.c"], check=True)
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", self.fail_at, here / "fail_at.c", "-ldl"], check=True)


class Miner(threading.Thread):
    """Makes the node's blocks. Not while the chain is being looked at or put back: anvil's own miner would leave holes
    in a chain that goes back under it."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node = node
        self.is_still = threading.Lock()
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(BLOCK_TIME_S):
            with self.is_still:
                self.node.mine()

    def end(self):
        self.ended.set()
        self.join()


class Lane:
    """A node and a treasury that can be put back to where payments were imported and none was made. Used by one thread
    at a time; its node was started by another."""

    NODE = {"block_time": 0, "flags": ["--no-mining"]}

    def __init__(self, directory, node, tools):
        self.node = node
        self.miner = Miner(node)
        self.tools = tools
        self.bursar = harness.Bursar(directory / "bursar", settings=SETTINGS)
        self.tracer = harness.Bursar(directory / "bursar", program=tools.kill_syscall, settings=SETTINGS)
        self.directory = directory
        self._must(0, self.bursar.init(node.url))
        self.save("empty")
        self._must(0, self.bursar.pay(ROWS))
        self.save("fresh")
        self.snapshot = node.rpc("evm_snapshot")
        self.miner.start()
        self._make_twin()

    def end(self):
        self.miner.end()

    def _make_twin(self):
        self.put_back_files("empty")
        self._must(0, self.bursar.pay(list(reversed(ROWS))))
        self._must(0, self.run())
        self.save("twin")

    @staticmethod
    def _must(code, result):
        if result.code != code:
            raise Violation(f"exit {code} was expected: {result}")
        return result

    def start_over(self):
        """The chain and the folder as they were before anything was paid, and an empty pool."""
        with self.miner.is_still:
            self.node.rpc("anvil_dropAllTransactions")
            if not self.node.rpc("evm_revert", self.snapshot):
                raise AssertionError("the node lost its snapshot")
            self.snapshot = self.node.rpc("evm_snapshot")
        self.put_back_files("fresh")

    def _saved(self, name):
        return self.directory / f"saved-{name}"

    def save(self, name):
        """A copy of the folder. Returns its name."""
        shutil.rmtree(self._saved(name), ignore_errors=True)
        shutil.copytree(self.bursar.directory, self._saved(name))
        return name

    def put_back_files(self, name, patterns=("*",)):
        """Files of that copy; those of now are gone."""
        for pattern in patterns:
            for path in self.bursar.directory.glob(pattern):
                path.unlink()
            for path in self._saved(name).glob(pattern):
                shutil.copy2(path, self.bursar.directory)

    # -- one run -------------------------------------------------------------------------------------------------------

    def run(self, settings=None):
        return self._checked(self.bursar.run_until_idle(settings=settings, timeout_s=HANG_S))

    def run_killed(self, at):
        """Killed before system call `at` since the store was opened (0: never); it may well have ended before."""
        options = ["--at", at] if at else []
        return self._checked(self.tracer.command(*options, "--from", "bursar.db", "--", self.bursar.program, "run",
                                                 "--until-idle", timeout_s=HANG_S))

    def run_failing(self, what, at, count):
        settings = {"LD_PRELOAD": str(self.tools.fail_at), "FAIL_WHAT": what,
                    "FAIL_AT": f"{at},{count}" if count else str(at), "FAIL_CODE": str(IOERR if at % 2 else FULL)}
        if count or not at:
            return self.run(settings)
        try:
            return self._checked(self.bursar.run_until_idle(settings=settings, timeout_s=PATIENCE_S))
        except subprocess.TimeoutExpired as late:
            return harness.Result(["run", "--until-idle"], WAITS, "", (late.stderr or b"").decode(errors="replace"))

    @staticmethod
    def _checked(result):
        if result.code < 0:
            raise Violation(f"ended by signal {-result.code}: {result}")
        return result

    def calls(self, what):
        """How many calls of this kind an undisturbed run makes. Varies a little, with when the blocks come."""
        most = 0
        for _ in range(3):
            self.start_over()
            result = self.run_killed(0) if what == "kill" else self.run_failing(what, 0, 0)
            self._must(0, result)
            most = max(most, int(re.search(r"(\d+) calls$", result.err.strip()).group(1)))
        return most

    # -- judging -------------------------------------------------------------------------------------------------------

    def judge(self, once, unpaid=()):
        """By the chain alone."""
        with self.miner.is_still:
            self._judge(once, unpaid)

    def _judge(self, once, unpaid):
        truth = harness.ChainTruth(self.node)
        verdict = {k: len(v) for k, v in truth.verdict(harness.expected(once)).items()}
        if verdict != {"once": len(once), "twice": 0, "unpaid": 0, "wrong": 0}:
            raise Violation(f"paid: {verdict}")
        if set(truth.payments) != set(harness.expected(once)):
            raise Violation("somebody else was paid")
        if self.node.nonce() != len(once):
            raise Violation(f"{self.node.nonce()} transactions for {len(once)} payments")
        if any(self.node.balance(row["destination"]) for row in unpaid):
            raise Violation("somebody was paid who should not be")

    def all_paid(self):
        try:
            self.judge(ROWS)
        except Violation:
            return False
        return True

    def judge_recovery(self):
        """Left alone now, it pays the rest, and its books agree with the chain."""
        self._must(0, self.run())
        self.judge(ROWS)
        self._must(0, self.bursar.reconcile())

    # -- cases ---------------------------------------------------------------------------------------------------------

    def play(self, case):
        """Returns the exit code under the fault. Raises Violation."""
        seen = []
        self.start_over()
        try:
            if case.what == "kill":
                return self._play_kill(case, seen)
            if case.what == "copy":
                return self._play_copy(case, seen)
            return self._play_failure(case, seen)
        except (Violation, AssertionError, harness.RpcError, subprocess.TimeoutExpired) as why:
            raise Violation(f"{why}\n" + "".join(f"before that: {result}\n" for result in seen)) from None

    def _play_kill(self, case, seen):
        for at in (case.at, case.more):
            if at:
                seen.append(self.run_killed(at))
                self._judge_kill(seen[-1])
        self.judge_recovery()
        return seen[0].code

    def _judge_kill(self, result):
        if result.code != SIGKILLED or "killed before call" not in result.err:
            self._must(0, result)  # it ended before its time came
            self.judge(ROWS)

    def _play_failure(self, case, seen):
        result = self.run_failing(*case)
        seen.append(result)
        if result.code == NOTHING_CHANGED:
            self.judge([])
        elif result.code not in HONEST_CODES | {WAITS}:
            raise Violation("that exit code says something else")
        if result.code == 0 and not self.all_paid():
            raise Violation("it says that all is done")
        if result.code != 0 and not TOLD.search(result.err) and " fails\n" in result.err:
            raise Violation("it says nothing")
        self.judge_recovery()
        return result.code

    def _play_copy(self, case, seen):
        """What was bound, signed or sent since the copy was made must not be paid again, whatever came back."""
        copy = "twin" if case.at < 0 else "empty"
        if case.at > 0:
            seen.append(self.run_killed(case.at))
            self._judge_kill(seen[-1])
            copy = self.save("copy")
        self.judge_recovery()
        good = self.save("good")
        self.put_back_files(copy, COPIES[case.more])
        seen.append(self._must(0, self.bursar.pay(ROWS + LATER)))
        seen.append(self.run())
        if seen[-1].code == 0:  # nothing had happened since
            self.judge(ROWS + LATER)
            return 0
        if seen[-1].code != 6:
            raise Violation("exit 0 or 6 was expected")
        self.judge(ROWS, unpaid=LATER)
        # A person puts back what is right.
        self.put_back_files(good, COPIES[-1])
        self._must(0, self.bursar.pay(LATER))
        self._must(0, self.run())
        self.judge(ROWS + LATER)
        return 6


# -- many cases --------------------------------------------------------------------------------------------------------


def spread(count, chance):
    """1 to count, each once, in such an order that any beginning of it is spread evenly: an even stride round and
    round, from a random place."""
    step = max(1, round(count * (math.sqrt(5) - 1) / 2))
    while math.gcd(step, count) != 1:
        step += 1
    start = chance.randrange(count)
    return [1 + (start + n * step) % count for n in range(count)]


class Outcome:
    def __init__(self):
        self.lock = threading.Lock()
        self.played = collections.Counter()  # by kind
        self.codes = collections.defaultdict(collections.Counter)  # by kind, of the first run
        self.violations = []


def _work(lane, cases, outcome, deadline):
    while True:
        with outcome.lock:
            case = next(cases, None) if time.monotonic() < deadline else None
        if case is None:
            return
        try:
            code, why = lane.play(case), None
        except Violation as violation:
            code, why = None, str(violation)
        with outcome.lock:
            outcome.played[case.what] += 1
            if why is None:
                outcome.codes[case.what][code] += 1
            else:
                outcome.violations.append(f"BURSAR_MATRIX='{case}': {why}")
            if outcome.played.total() % SAY_EVERY == 0:
                print(f"{outcome.played.total()} played, {len(outcome.violations)} violations", flush=True)


def play_all(lanes, cases, budget_s):
    """Plays cases, side by side, until none is left or the time is up."""
    outcome, cases = Outcome(), iter(cases)
    deadline = time.monotonic() + budget_s
    with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
        for work in [pool.submit(_work, lane, cases, outcome, deadline) for lane in lanes]:
            work.result()
    return outcome
