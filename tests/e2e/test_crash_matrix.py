"""The crash matrix, against a real node: killed before every system call and again while recovering; without memory at
every allocation; with every fsync, every write and every store call failing; with old copies put back. Whatever
happens, the chain shows each payment once, and what can't go on says so.

All of it takes long (the libraries' allocations an hour, all else ten minutes). Run as a test, it plays what fits into
its budget, evenly spread from a random place on. The program must be one without sanitizers: they bring their own
malloc.

    python3 tests/e2e/test_crash_matrix.py --all [TEST...]                  every case (also: BURSAR_MATRIX=all)
    BURSAR_MATRIX_MINUTES=20 python3 tests/e2e/test_crash_matrix.py TEST    what fits into that time, for each test
    BURSAR_MATRIX='kill 417 133' python3 tests/e2e/test_crash_matrix.py     that one case, as a failure names it
    BURSAR_TEST_SEED=N                                                      the same order again
"""

import itertools
import os
import random
import sys
import time
import unittest

import crash_matrix
import harness
from crash_matrix import Case, spread

LANES = 3  # a run waits as much as it works
HOW_MANY_FAIL = {"write_enospc": (1, 2, 0)}  # one write that is cut short, one that fails as well, all that follow
ONE_OR_ALL = (1, 0)


class CrashMatrixTest(harness.ChainCase):
    def setUp(self):
        super().setUp()
        seed = os.environ.get("BURSAR_TEST_SEED") or str(time.time_ns())
        print(f"BURSAR_TEST_SEED={seed}")
        self.chance = random.Random(seed)
        self.wanted = os.environ.get("BURSAR_MATRIX", "")
        self.minutes = os.environ.get("BURSAR_MATRIX_MINUTES")
        tools = crash_matrix.Tools(self.directory)
        self.lanes = [crash_matrix.Lane(self.directory / f"lane-{n}", self.node(**crash_matrix.Lane.NODE), tools)
                      for n in range(LANES)]
        for lane in self.lanes:
            self.addCleanup(lane.end)

    def play(self, budget_s, **cases_of):
        """cases_of: kind -> all its cases, in the order in which they are wanted."""
        if self.wanted not in ("", "all"):
            one = Case.parse(self.wanted)
            cases_of = {one.what: [one]} if one.what in cases_of else self.skipTest("not that one")
        budget_s = 60 * float(self.minutes) if self.minutes else float("inf") if self.wanted else budget_s
        started = time.monotonic()
        mixed = [case for row in itertools.zip_longest(*cases_of.values()) for case in row if case]
        outcome = crash_matrix.play_all(self.lanes, mixed, budget_s)
        for what, cases in cases_of.items():
            print(f"{what}: {len(cases)} cases, {outcome.played[what]} played, exit codes "
                  f"{dict(sorted(outcome.codes[what].items(), key=str))}")
        print(f"{len(outcome.violations)} violations, {time.monotonic() - started:.0f} s")
        self.assertEqual(outcome.violations, [], "\n\n".join(outcome.violations[:crash_matrix.SHOWN_MAX]))

    def calls(self, what):
        calls = self.lanes[0].calls(what)
        print(f"{what}: {calls} calls")
        self.assertGreater(calls, 10, "a payment takes more than that")
        return calls

    def failures(self, what):
        """Every call of this kind, failing in every manner."""
        ats, manners = spread(self.calls(what), self.chance), HOW_MANY_FAIL.get(what, ONE_OR_ALL)
        turns = [[Case(what, at, manners[(n + turn) % len(manners)]) for n, at in enumerate(ats)]
                 for turn in range(len(manners))]
        return sum(turns, [])

    def test_the_killer_kills_before_the_call_it_names(self):
        tracer, out = self.lanes[0].tracer, self.directory / "out"
        names, found = [], []
        for at in range(1, 100):
            out.unlink(missing_ok=True)
            result = tracer.command("--at", at, "--from", out, "--", "sh", "-c", f"echo told > {out}")
            found.append(out.read_text() if out.exists() else None)
            if result.code == 0:
                break
            self.assertEqual(result.code, crash_matrix.SIGKILLED, str(result))
            names.append(result.err.strip().rpartition("(")[2])
        write = names.index("write)")
        self.assertEqual(names[0], "openat)")
        self.assertEqual(found, [None] + [""] * write + ["told\n"] * (len(found) - write - 1))

    def test_killed_before_every_system_call_and_again_while_recovering(self):
        calls = self.calls("kill")
        self.play(28, kill=[Case("kill", at, self.chance.randint(1, calls)) for at in spread(calls, self.chance)])

    def test_without_memory_at_every_allocation_of_its_own(self):
        self.play(13, own_malloc=self.failures("own_malloc"))

    def test_without_memory_at_every_allocation(self):
        self.play(12, malloc=self.failures("malloc"))  # libraries ask for it a hundred times as often

    def test_with_every_sync_and_every_write_failing(self):
        self.play(14, fsync=self.failures("fsync"), write_enospc=self.failures("write_enospc"))

    def test_with_every_store_call_failing(self):
        self.play(15, **{what: self.failures(what) for what in ("store", "store_rollback", "store_after")})

    def test_with_old_copies_put_back(self):
        ats = [0, 0, 0, -1, -1, -1] + spread(self.calls("kill"), self.chance)
        self.play(8, copy=[Case("copy", at, n % len(crash_matrix.COPIES)) for n, at in enumerate(ats)])


if __name__ == "__main__":
    if "--all" in sys.argv:
        sys.argv.remove("--all")
        os.environ["BURSAR_MATRIX"] = "all"
    unittest.main()
