#!/usr/bin/env python3
"""Builds, checks and tests everything, and counts: the last line is `N passed, N failed`; exit 0 only if none failed.

usage: tests/run.py [--list] [NAME...]      NAME: run only what contains one of these, e.g. "layers", "unit/dev", "kill"

One result each: a static check, a test of a cmocka program (TAP), a method of an end-to-end test. A program that
crashes, ends early or runs no test at all is a failure of its own. What this machine can't run is named, with the reason. Everything's full output is
under build/logs.
"""

import concurrent.futures
import ctypes
import hashlib
import json
import os
import pathlib
import re
import signal
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOGS = ROOT / "build/logs"
E2E = ROOT / "tests/e2e"
CORES = len(os.sched_getaffinity(0))
HANG_S = 300  # guards against a hang only
BUILD_HANG_S = 1800
SIM_HANG_S = 1200
ROOT_HANG_S = 1200
FILE_LINES_MAX = 600
SHOWN_LINES_MAX = 120
CROSS_CHECKED = 500  # random transactions
# Started first, so that no long one is left over at the end.
SLOW = ("test_kill.KillTest.test_killed_at_every", "test_systemd", "test_service.PackageTest", "test_kill", "test_node")
# These fetch a Debian from its mirror.
MAKE_ROOTS = ("test_systemd", "test_service.PackageTest")
PRESETS = ("dev", "asan", "tsan", "lean")
# Of the thread sanitizer's build only what has threads; of the one without telemetry only the program.
ONLY_TARGETS = {"tsan": ("unit_embed_loop", "unit_embed_tick", "unit_domain_breaker", "unit_domain_breaker_threads",
                         "unit_telemetry_page"),
                "lean": ("bursar",)}
# The simulator's budget: seeds of a run, how many of them are run again with the sanitizers' build, and short runs in which
# stores and signing logs are lost all the time.
SIM_SEEDS, SIM_SEEDS_ASAN, SIM_SEEDS_FORGETFUL, SIM_CHUNK = 600, 20, 60, 50
# Is run again with the sanitizers' build.
E2E_ASAN = "test_kill.KillTest.test_300_payouts_survive_20_kills"

sys.pycache_prefix = str(ROOT / "build/pycache")
os.environ.update(
    PYTHONPYCACHEPREFIX=sys.pycache_prefix, CMOCKA_MESSAGE_OUTPUT="TAP",
    ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
_libc = ctypes.CDLL(None)


def _die_with_us():
    _libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


class Results:
    """Counts, prints a line where something ends, keeps what failed for the end."""

    def __init__(self):
        self.passed = 0
        self.skipped = 0
        self.failures = []  # (name, output)
        self._lock = threading.Lock()

    def add(self, name, passed, output="", shown=None):
        """`shown`: also the line of a success, with this behind the name, is worth printing."""
        with self._lock:
            if passed:
                self.passed += 1
            else:
                self.failures.append((name, output))
            if not passed or shown is not None:
                print(f"{'ok    ' if passed else 'FAILED'}  {name}  {shown or ''}".rstrip(), flush=True)

    def skip(self, name, reason):
        """Neither passed nor failed: a test found that this machine can't run it."""
        self.skipped += 1
        self.say(f"skipped  {name}  {reason}")

    def say(self, text):
        with self._lock:
            print(text, flush=True)

    def finish(self):
        for name, output in self.failures:
            lines = output.rstrip().splitlines()
            if len(lines) > SHOWN_LINES_MAX:
                left_out = len(lines) - SHOWN_LINES_MAX
                lines = [f"... {left_out} lines left out, all of it is in build/logs"] + lines[-SHOWN_LINES_MAX:]
            print(f"\n--- {name}\n" + "\n".join("    " + line for line in lines))
        sys.stdout.flush()
        if not self.passed and not self.failures and not self.skipped:
            print("no check or test is called that: see --list")
        print(f"{self.passed} passed, {len(self.failures)} failed", flush=True)
        return 0 if self.passed and not self.failures else 1


def run_command(command, log_name, timeout_s=HANG_S, environment=None):
    """(exit code or None on a hang, output): its own session, so that a hang takes its children with it."""
    log = LOGS / (re.sub(r"[^\w.-]+", "_", log_name) + ".log")
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [str(c) for c in command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env=dict(os.environ, **(environment or {})), start_new_session=True, preexec_fn=_die_with_us)
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            code = None
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    output = log.read_text(errors="replace")
    return code, output if code is not None else output + f"\nended after {timeout_s} s: it hung"


# -- static checks: each a function that returns (passed, output) ------------------------------------------------------


def _command_check(*command):
    def check():
        code, output = run_command(command, "check_" + pathlib.Path(command[0]).name)
        return code == 0, output
    return check


def check_file_lengths():
    sizes = [(len(path.read_bytes().splitlines()), path.relative_to(ROOT))
             for pattern in ("src/**/*.[ch]", "include/**/*.h") for path in ROOT.glob(pattern)]
    long = [f"{path}: {lines} lines, more than {FILE_LINES_MAX}"
            for lines, path in sorted(sizes) if lines > FILE_LINES_MAX]
    return bool(sizes) and not long, "\n".join(long)


def _tidy_units():
    units = {}
    for entry in json.loads((ROOT / "build/dev/compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if any((ROOT / room) in path.parents for room in ("src", "tools")):
            units.setdefault(path, entry.get("command", ""))
    return units


def check_clang_tidy():
    """Every file of src/ and tools/. What was clean is not looked at again until it, a header or the rules change."""
    units = _tidy_units()
    shared = hashlib.sha256()
    for path in sorted([ROOT / ".clang-tidy", *ROOT.glob("src/**/*.h"), *ROOT.glob("include/**/*.h")]):
        shared.update(str(path).encode() + path.read_bytes())
    clean_file = LOGS.parent / "clang-tidy-clean.json"
    clean = set(json.loads(clean_file.read_text())) if clean_file.exists() else set()
    keys = {path: hashlib.sha256(shared.digest() + command.encode() + path.read_bytes()).hexdigest()
            for path, command in units.items()}

    def tidy(path):
        code, output = run_command(["clang-tidy", "--quiet", "-p", "build/dev", path], f"tidy_{path.relative_to(ROOT)}")
        if code == 0:
            clean.add(keys[path])
        return "" if code == 0 else output

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        complaints = list(pool.map(tidy, [path for path in sorted(units) if keys[path] not in clean]))
    clean_file.write_text(json.dumps(sorted(clean & set(keys.values()))))
    return bool(units) and not any(complaints), "\n".join(c for c in complaints if c) or "no file to look at"


def check_transactions():
    """Random signed transactions of ours, read by an independent implementation."""
    emit = ROOT / "build/dev/tests/unit/emit_transactions"
    seed = str(int.from_bytes(os.urandom(4), "big"))
    code, output = run_command(
        ["bash", "-o", "pipefail", "-c", f'"{emit}" {seed} {CROSS_CHECKED} | node tests/vectors/make_transactions.mjs --check'],
        "check_transactions")
    return code == 0, f"seed {seed}\n{output}"


# -- the library as hosts get it: installed, found with pkg-config -----------------------------------------------------

DECLARED = re.compile(r"\b(bursar_[a-z0-9_]+)\(")


class Installed:
    """build/dev installed under a prefix of its own, for as long as the `with` lasts."""

    def __enter__(self):
        self.prefix = pathlib.Path(tempfile.mkdtemp(prefix="bursar-install-"))
        self.output = ""
        if self.run("cmake", "--install", "build/dev", "--prefix", self.prefix):
            found = list(self.prefix.glob("**/bursar.pc"))
            self.environment = {"PKG_CONFIG_PATH": str(found[0].parent)} if found else {}
            self.libraries = found[0].parents[1] if found else self.prefix
            self.environment["LD_LIBRARY_PATH"] = str(self.libraries)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.prefix, ignore_errors=True)

    def run(self, *command):
        code, output = run_command(command, "installed_" + pathlib.Path(str(command[0])).name,
                                   environment=getattr(self, "environment", None))
        self.output += f"$ {' '.join(str(c) for c in command)}\n{output}"
        self.last = output
        return code == 0

    def flags(self, *options):
        return self.last.split() if self.run("pkg-config", *options, "bursar") else []


def check_embed_installed():
    """examples/embed.c, built with nothing but what is installed, linked both ways, pays each once."""
    with Installed() as installed:
        compile_flags = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", *installed.flags("--cflags")]
        shared, static = installed.prefix / "embed-shared", installed.prefix / "embed-static"
        archived = [flag if flag != "-lbursar" else "-l:libbursar.a" for flag in installed.flags("--static", "--libs")]
        passed = (installed.run("cc", *compile_flags, "examples/embed.c", "-o", shared, *installed.flags("--libs"))
                  and installed.run(shared)
                  and installed.run("cc", *compile_flags, "examples/embed.c", "-o", static, *archived)
                  and installed.run("env", "-u", "LD_LIBRARY_PATH", static)
                  and installed.run("readelf", "-d", shared) and "[libbursar.so.0]" in installed.last
                  and installed.run("readelf", "-d", static) and "libbursar" not in installed.last
                  and installed.run(installed.prefix / "bin/bursar", "--version"))
        return passed, installed.output


def check_installed_headers():
    """Each compiles by itself, strictly; all together in C++ as well."""
    with Installed() as installed:
        headers = sorted((installed.prefix / "include/bursar").glob("*.h"))
        ours = sorted(path.name for path in (ROOT / "include/bursar").glob("*.h"))
        strict = ["-fsyntax-only", "-Wall", "-Wextra", "-pedantic", "-Werror", *installed.flags("--cflags")]
        passed = [header.name for header in headers] == ours and all(
            installed.run("cc", "-std=c17", *strict, "-xc", header) for header in headers)
        if shutil.which("c++"):
            passed = passed and installed.run("c++", *strict, "-xc++", installed.prefix / "include/bursar/bursar.h")
        return passed, installed.output


def check_exported_symbols():
    """What the installed headers declare is exported, by both libraries, and nothing else is."""
    with Installed() as installed:
        text = "".join(path.read_text() for path in sorted((installed.prefix / "include/bursar").glob("*.h")))
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        text = re.sub(r"static inline[^{]*\{.*?\n\}", "", text, flags=re.S)
        text = re.sub(r"^\s*#(?:.*\\\n)*.*$|^typedef[^;]*;", "", text, flags=re.M)
        declared = set(DECLARED.findall(text))
        passed = len(declared) > 40
        for command in (["nm", "-D", "--defined-only", installed.libraries / "libbursar.so"],
                        ["nm", "-g", "--defined-only", installed.libraries / "libbursar.a"]):
            passed = installed.run(*command) and passed
            exported = {line.split()[2].split("@")[0] for line in installed.last.splitlines()
                        if len(line.split()) == 3 and line.split()[1] != "A"}
            for symbol in sorted(exported ^ declared):
                installed.output += f"{symbol}: {'exported' if symbol in exported else 'declared'} only\n"
            passed = passed and exported == declared
        return passed, installed.output


CHECKS = {
    "check/layers": _command_check(ROOT / "scripts/check_layers"),
    "check/layers self-test": _command_check(ROOT / "scripts/check_layers", "--self-test"),
    "check/file lengths": check_file_lengths,
    "check/transactions as others read them": check_transactions,
    "check/docs generated": _command_check(ROOT / "scripts/generate", "--check"),
    "check/embed against the installed library": check_embed_installed,
    "check/installed headers": check_installed_headers,
    "check/exported symbols": check_exported_symbols,
    "check/clang-tidy": check_clang_tidy,
}

# -- builds ------------------------------------------------------------------------------------------------------------


def build(preset, results, counts):
    """A failed build is always a failure; a good one is a result of its own only where `counts`."""
    started = time.monotonic()
    targets = [part for target in ONLY_TARGETS.get(preset, ()) for part in ("--target", target)]
    for command in (["cmake", "--preset", preset], ["cmake", "--build", "--preset", preset, *targets]):
        code, output = run_command(command, f"build_{preset}_{command[1].strip('-')}", BUILD_HANG_S)
        if code != 0:
            results.add(f"build/{preset}", False, output)
            return False
    if counts:
        results.add(f"build/{preset}", True, shown=f"{time.monotonic() - started:.0f} s")
    return True


# -- unit tests --------------------------------------------------------------------------------------------------------

TAP_LINE = re.compile(r"^\s*(not )?ok \d+ - (.*?)\s*$")
TAP_PLAN = re.compile(r"^\s*1\.\.(\d+)\s*$")


def unit_programs(preset):
    folder = ROOT / "build" / preset / "tests"
    return sorted(p for p in folder.glob("*/unit_*") if p.is_file() and os.access(p, os.X_OK))


def read_tap(output):
    """([(test, passed)], number planned)."""
    tests, planned = [], 0
    for line in output.splitlines():
        if TAP_PLAN.match(line):
            planned += int(TAP_PLAN.match(line).group(1))
        elif TAP_LINE.match(line):
            tests.append((TAP_LINE.match(line).group(2), not TAP_LINE.match(line).group(1)))
    return tests, planned


def run_unit(name, program, results):
    code, output = run_command([program], name)
    tests, planned = read_tap(output)
    for test, passed in tests:
        results.add(f"{name}/{test}", passed, output)
    if code is None or code < 0 or (code != 0 and all(passed for _, passed in tests)):
        results.add(f"{name} (ends well)", False, f"exit {code}\n{output}")
    elif not tests or len(tests) != planned:
        results.add(f"{name} (runs all its tests)", False, f"{len(tests)} of {planned} tests ran\n{output}")


# -- end-to-end tests --------------------------------------------------------------------------------------------------


def e2e_names():
    sys.path.insert(0, str(E2E))
    loader = unittest.TestLoader()
    found = []

    def collect(suite):
        for item in suite:
            if isinstance(item, unittest.TestSuite):
                collect(item)
            else:
                found.append(item.id())
    collect(loader.discover(str(E2E), pattern="test_*.py", top_level_dir=str(E2E)))
    # A module that can't be imported shows up as a test of this name; running it would say less than this does.
    for error in loader.errors:
        print(error)
    return sorted(found)


def run_e2e(name, test, program, results):
    started = time.monotonic()
    code, output = run_command([sys.executable, "-m", "unittest", "-v", test], name,
                               ROOT_HANG_S if test.startswith(MAKE_ROOTS) else HANG_S,
                               environment={"BURSAR_BIN": str(program), "PYTHONPATH": str(E2E)})
    skipped = re.search(r"\.\.\. skipped (.*)", output)
    if code == 0 and skipped:
        results.skip(name, skipped.group(1))
        return
    ran = re.search(r"^Ran 1 test in", output, re.M)
    results.add(name, code == 0 and bool(ran), output if ran else output + "\nit did not run",
                f"{time.monotonic() - started:.1f} s")


# -- the simulator -----------------------------------------------------------------------------------------------------


def all_sim():
    """(name, program, arguments): a fixed budget of seeds, and every one that once found something."""
    jobs = [(f"sim/seeds {first}-{first + SIM_CHUNK - 1}", "dev", ["--seed", str(first), "--seeds", str(SIM_CHUNK)])
            for first in range(1, SIM_SEEDS + 1, SIM_CHUNK)]
    jobs.append((f"sim/forgetful seeds 1-{SIM_SEEDS_FORGETFUL}", "dev",
                 ["--forgetful", "--steps", "150", "--seed", "1", "--seeds", str(SIM_SEEDS_FORGETFUL)]))
    jobs.append((f"sim asan/seeds 1-{SIM_SEEDS_ASAN}", "asan", ["--seed", "1", "--seeds", str(SIM_SEEDS_ASAN)]))
    for line in (ROOT / "tests/sim/named_seeds.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            arguments, name = re.fullmatch(r"(\d+(?: --\w+(?: \d+)?)*) (.+)", line).groups()
            jobs.append((f"sim/{name} (seed {arguments})", "dev", ["--seed", *arguments.split()]))
    return jobs


def run_sim(name, preset, arguments, results):
    started = time.monotonic()
    code, output = run_command([ROOT / "build" / preset / "bursar-sim", *arguments], name, SIM_HANG_S)
    results.add(name, code == 0, output, f"{time.monotonic() - started:.1f} s")


def in_parallel(jobs, workers):
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for done in concurrent.futures.as_completed([pool.submit(job) for job in jobs]):
            done.result()


def all_e2e():
    names = sorted(e2e_names(), key=lambda test: [not test.startswith(slow) for slow in SLOW])
    jobs = [(f"e2e/{test}", test, ROOT / "build/dev/bursar") for test in names]
    asan = [(f"e2e asan/{test}", test, ROOT / "build/asan/bursar") for _, test, _ in jobs if test == E2E_ASAN]
    return jobs[:1] + asan + jobs[1:]


def main():
    arguments = sys.argv[1:]
    wanted = [a for a in arguments if a != "--list"]
    if any(a.startswith("-") for a in wanted):
        print(__doc__)
        return 2

    def is_wanted(name):
        return not wanted or any(w in name for w in wanted)

    if "--list" in arguments:
        units = [f"unit/{preset}/{p.name}" for preset in PRESETS for p in unit_programs(preset)]
        print("\n".join([*CHECKS, *units, *(job[0] for job in all_sim()), *(job[0] for job in all_e2e())]))
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    results = Results()
    started = time.monotonic()
    built = {preset: build(preset, results, not wanted) for preset in PRESETS}
    if not all(built.values()):
        return results.finish()
    for name, check in CHECKS.items():
        if is_wanted(name):
            passed, output = check()
            results.add(name, passed, output, "")
    for preset in built:
        before = results.passed
        units = [(f"unit/{preset}/{p.name}", p) for p in unit_programs(preset)]
        in_parallel([lambda u=u: run_unit(*u, results) for u in units if is_wanted(u[0])], CORES)
        if results.passed > before:
            results.say(f"unit/{preset}: {results.passed - before} passed")
        if not wanted and not units and preset != "lean":
            results.add(f"unit/{preset}", False, "no unit test was built")
    in_parallel([lambda j=j: run_sim(*j, results) for j in all_sim() if is_wanted(j[0])], CORES)
    jobs = [job for job in all_e2e() if is_wanted(job[0])]
    in_parallel([lambda j=j: run_e2e(*j, results) for j in jobs], min(2, CORES))
    skipped = f", {results.skipped} skipped" if results.skipped else ""
    results.say(f"{time.monotonic() - started:.0f} s in all{skipped}")
    return results.finish()


if __name__ == "__main__":
    sys.exit(main())
