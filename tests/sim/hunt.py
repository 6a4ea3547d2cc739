#!/usr/bin/env python3
"""Plants the faults of faults.py, one at a time, and lets the simulator hunt each: a table of what found it and after how
many seeds and seconds. Exit code 1 when one got away.

usage: scripts/hunt [--list] [--seeds N] [--seconds S] [NAME...]
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import faults  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build/hunt"
COPY = WORK / "source"
BUILD = WORK / "build"
COPIED = ("CMakeLists.txt", "cmake", "src", "include", "tests", "tools")


def copy_tree():
    """Only what differs is written, so that a build from last time goes on."""
    for name in COPIED:
        source = ROOT / name
        for path in [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file()):
            target = COPY / path.relative_to(ROOT)
            content = path.read_bytes()
            if not target.exists() or target.read_bytes() != content:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)


def run(command, what):
    result = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit(f"hunt: {what} failed\n{result.stdout[-4000:]}")
    return result.stdout


def build():
    run(["cmake", "--build", BUILD, "--target", "bursar-sim"], "building the simulator")


def plant(fault):
    for edit in fault.edits:
        path = COPY / edit.path
        text = path.read_text()
        if text.count(edit.old) != 1:
            sys.exit(f"hunt: {fault.name}: this text is {text.count(edit.old)} times in {edit.path}, not once:\n{edit.old}")
        path.write_text(text.replace(edit.old, edit.new))


def hunt(seeds, seconds, arguments=()):
    """(property, seeds, seconds) of what was found first; property None: it got away."""
    started, done = time.monotonic(), 0
    while done < seeds and time.monotonic() - started < seconds:
        count = min(25, seeds - done)
        try:
            result = subprocess.run([BUILD / "bursar-sim", "--seed", str(1 + done), "--seeds", str(count),
                                     *arguments],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                    timeout=max(60.0, 2 * seconds))
            output, code = result.stdout, result.returncode
        except subprocess.TimeoutExpired:
            return "hang", done, time.monotonic() - started
        found = re.search(r"^VIOLATION seed (\d+) step \d+ (\w+)", output, re.M)
        if found:
            return found[2], int(found[1]), time.monotonic() - started
        if code != 0:
            return f"crash ({code})", done + 1, time.monotonic() - started
        done += count
    return None, done, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(prog="scripts/hunt", description="plants faults and lets the simulator find them")
    parser.add_argument("--list", action="store_true", help="the faults, and what each breaks")
    parser.add_argument("--seeds", type=int, default=2000, help="give up after so many (2000)")
    parser.add_argument("--seconds", type=float, default=120, help="or after so long, for each fault (120)")
    parser.add_argument("names", nargs="*", help="only these faults")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {fault.name for fault in faults.FAULTS}
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))} (see --list)")
    if arguments.list:
        for fault in faults.FAULTS:
            print(f"{fault.name:26} {fault.invariant:12} {fault.what}")
        return 0
    chosen = [fault for fault in faults.FAULTS if not arguments.names or fault.name in arguments.names]
    copy_tree()
    if not (BUILD / "build.ninja").exists():
        run(["cmake", "-S", COPY, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"], "configuring")
    build()
    found, seeds, seconds = hunt(25, arguments.seconds)
    print(f"{'fault':26} {'breaks':12} {'found by':18} {'seeds':>6} {'seconds':>8}")
    print(f"{'(none)':26} {'':12} {found or '-':18} {seeds:6} {seconds:8.1f}", flush=True)
    got_away = 1 if found else 0
    for fault in chosen:
        plant(fault)
        build()
        found, seeds, seconds = hunt(arguments.seeds, arguments.seconds, fault.arguments)
        print(f"{fault.name:26} {fault.invariant:12} {found or 'GOT AWAY':18} {seeds:6} {seconds:8.1f}", flush=True)
        got_away += found is None
        copy_tree()
    print(f"{len(chosen)} faults planted, {got_away} got away")
    return 1 if got_away else 0


if __name__ == "__main__":
    sys.exit(main())
