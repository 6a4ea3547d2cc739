"""Several simulators side by side, each with seeds of its own, every other one with processes that hardly ever live long
(--deadly: they make the crashes, the others the payouts); their figures added up. Run it with scripts/soak."""

import os
import re
import subprocess
import sys
import time

SEEDS_APART = 10**9
RATES = ("payouts/s",)
SUMMARY = {"seeds": "seeds", "payouts": "payouts", "crashes": "deaths", "reorgs": "reorgs", "disk faults": "disk_faults",
           "violations": "violations"}  # crashes: of processes, in the middle of something; power losses are apart


def figures(output):
    """The table line: name -> number."""
    lines = [line for line in output.splitlines() if line.startswith("seeds ") and " | " in line]
    if not lines:
        return {}
    return {name: float(value) for name, value in (part.strip().rsplit(" ", 1) for part in lines[-1].split("|"))}


def main():
    if len(sys.argv) not in (3, 4) or not sys.argv[2].isdigit() or int(sys.argv[2]) < 1:
        print("usage: scripts/soak MINUTES [FIRST_SEED]", file=sys.stderr)
        return 2
    program, minutes = sys.argv[1], int(sys.argv[2])
    first = int(sys.argv[3]) if len(sys.argv) == 4 else time.time_ns() // 1000 % 10**12
    simulators = max(2, len(os.sched_getaffinity(0)))
    print(f"soak: {minutes} min, {simulators} simulators, seeds from {first}", flush=True)
    started = time.monotonic()
    running = [subprocess.Popen([program, "--seed", str(first + i * SEEDS_APART), "--minutes", str(minutes), "--keep-going",
                                 *(["--deadly"] if i % 2 else [])],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
               for i in range(simulators)]
    total, broken, ended_well = {}, [], True
    try:
        for i, process in enumerate(running):
            output, _ = process.communicate()
            broken += [line + (" (--deadly)" if i % 2 else "") for line in re.findall(r"^VIOLATION .*$", output, re.M)]
            mine = figures(output)
            ended_well = ended_well and bool(mine) and process.returncode in (0, 1)
            if not mine or process.returncode not in (0, 1):
                print(f"soak: a simulator ended with {process.returncode}:\n{output[-2000:]}")
            for name, value in mine.items():
                if name not in RATES:
                    total[name] = total.get(name, 0) + value
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
    for line in broken:
        print(line)
    if total.get("cpu_s"):
        total["payouts/s of a core"] = total["payouts"] / total["cpu_s"]
    for name, value in total.items():
        print(f"{name:22} {value:14.1f}" if value % 1 else f"{name:22} {value:12.0f}")
    minutes = (time.monotonic() - started) / 60
    print(f"soak: {minutes:.1f} min, {total.get('payouts', 0) / minutes:.0f} payouts and "
          f"{total.get('deaths', 0) / minutes:.0f} crashes a minute")
    print("soak: " + ", ".join(f"{total.get(figure, 0):.0f} {name}" for name, figure in SUMMARY.items()))
    return 1 if broken or not ended_well else 0


if __name__ == "__main__":
    sys.exit(main())
