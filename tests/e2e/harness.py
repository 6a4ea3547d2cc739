"""What the end-to-end tests and the demo stand on: a real node (anvil), the program, and the chain's own account of who
was paid. Python's standard library only.

Rules: a test waits for a condition, never for a time; every process started here is ended by its pid, and dies with the
test should that die first (PDEATHSIG: so start processes from the main thread); only 127.0.0.1.
"""

import contextlib
import csv
import ctypes
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ANVIL = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
KEYSTORE = ROOT / "tests/fixtures/keystore/anvil0.json"
PASSWORD = ROOT / "tests/fixtures/keystore/anvil0.pass"
TREASURY = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"  # anvil's first development account, whose key everybody knows
CHAIN_ID = 31337
ETHER = 10**18

HANG_S = 120.0  # guards against a hang; nothing that works comes near it

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def binary():
    """The program under test: BURSAR_BIN, else the dev build."""
    return pathlib.Path(os.environ.get("BURSAR_BIN", ROOT / "build/dev/bursar")).resolve()


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, timeout_s, what, interval_s=0.02):
    """Polls until `condition()` is truthy and returns that. `what` says what was waited for (text or callable)."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise AssertionError(f"waited {timeout_s:g} s in vain: {text}")
        time.sleep(interval_s)


class RpcError(Exception):
    """The node answered with an error."""


class Anvil:
    """A real node on a free loopback port. Usable again after kill() or stop(): start() is on the same port, and goes
    on from the state file where there is one (a kill loses up to a second of blocks, and the pool)."""

    environment = {}  # what another kind of node needs

    def __init__(self, directory, *, block_time=0.2, keeps_state=False, chain_id=CHAIN_ID, flags=(), outlives_us=False):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.block_time = block_time
        self.chain_id = chain_id
        self.flags = list(flags)
        self.state = self.directory / "anvil-state.json" if keeps_state else None
        self.outlives_us = outlives_us
        self.process = None
        self._connection = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _command(self):
        command = [str(ANVIL), "-q", "--host", "127.0.0.1", "--port", str(self.port), "-a", "100",
                   "--block-base-fee-per-gas", "0", "--chain-id", str(self.chain_id)]
        if self.block_time:
            command += ["--block-time", str(self.block_time)]
        if self.state:
            command += ["--state", str(self.state), "--state-interval", "1"]
        return command + self.flags

    def start(self):
        assert self.process is None, "already running"
        command = self._command()
        self._keep_first_genesis()
        # Its cache and configuration go into our directory, not into somebody's home.
        environment = dict(os.environ, HOME=str(self.directory), NO_COLOR="1", **self.environment)
        with open(self.directory / "anvil.log", "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                cwd=self.directory, start_new_session=self.outlives_us,
                preexec_fn=None if self.outlives_us else _die_with_parent)
        wait_until(self._answers, HANG_S, lambda: f"the node to answer at {self.url}\n{self.log()}", interval_s=0.01)
        return self

    def _keep_first_genesis(self):
        """A restarted anvil makes itself a genesis block before it loads the old one, and writes both into its next
        state: a second restart may then pick the wrong one, as no real node would."""
        if not self.state or not self.state.exists():
            return
        state = json.loads(self.state.read_bytes())
        born = [int(b["header"]["timestamp"], 16) for b in state["blocks"] if int(b["header"]["number"], 16) == 0]
        if len(born) > 1:
            state["blocks"] = [b for b in state["blocks"] if int(b["header"]["number"], 16) != 0
                               or int(b["header"]["timestamp"], 16) == min(born)]
            self.state.write_text(json.dumps(state))

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the node ended with {self.process.returncode}\n{self.log()}")
        try:
            return int(self.rpc("eth_chainId"), 16) == self.chain_id
        except (OSError, http.client.HTTPException):
            return False

    def log(self):
        return (self.directory / "anvil.log").read_text(errors="replace")[-4000:]

    def kill(self):
        """SIGKILL. What it comes back with is a chain that was: a half-written state file is put back to what it was
        just before."""
        if self.process is None:
            return
        good = self._whole_state() if self.state and self.process.poll() is None else None
        self._end(signal.SIGKILL)
        if good is not None and not _is_whole_state(self.state.read_bytes()):
            self.state.write_bytes(good)

    def _whole_state(self):
        def read():
            if not self.state.exists() or time.time() - self.state.stat().st_mtime > 1.5:
                return None
            data = self.state.read_bytes()
            return data if _is_whole_state(data) else None
        return wait_until(read, HANG_S, "anvil's state file")

    def stop(self):
        """As an operator would: anvil writes its state and ends."""
        self._end(signal.SIGTERM)

    def _end(self, how):
        process, self.process = self.process, None
        self._disconnect()
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(HANG_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def restart(self):
        self.kill()
        return self.start()

    # -- JSON-RPC ------------------------------------------------------------------------------------------------------

    def rpc(self, method, *params):
        return self.batch([(method, *params)])[0]

    def batch(self, calls):
        body = json.dumps([{"jsonrpc": "2.0", "id": n, "method": call[0], "params": list(call[1:])}
                           for n, call in enumerate(calls)])
        answers = {answer["id"]: answer for answer in json.loads(self._post(body))}
        for n, call in enumerate(calls):
            if "error" in answers[n]:
                raise RpcError(f"{call[0]}: {answers[n]['error']}")
        return [answers[n]["result"] for n in range(len(calls))]

    def _post(self, body):
        for is_retry in (False, True):
            try:
                if self._connection is None:
                    self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
                return self._connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                self._disconnect()
                if is_retry:  # the first may be a kept connection that the node had closed
                    raise
        raise AssertionError("unreachable")

    def _disconnect(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def block_number(self):
        return int(self.rpc("eth_blockNumber"), 16)

    def block(self, number="latest"):
        return self.rpc("eth_getBlockByNumber", hex(number) if isinstance(number, int) else number, False)

    def timestamp(self):
        return int(self.block()["timestamp"], 16)

    def balance(self, address, block="latest"):
        return int(self.rpc("eth_getBalance", address, block), 16)

    def nonce(self, address=TREASURY, block="latest"):
        return int(self.rpc("eth_getTransactionCount", address, block), 16)

    def mine(self, blocks=1):
        self.rpc("anvil_mine", hex(blocks))

    def reorg(self, depth):
        """Replaces the newest `depth` blocks by empty ones. Their transactions are gone, not pooled again."""
        self.rpc("anvil_reorg", depth, [])

    def set_balance(self, address, wei):
        self.rpc("anvil_setBalance", address, hex(wei))

    def set_code(self, address, code="0x00"):
        self.rpc("anvil_setCode", address, code)

    def set_storage(self, address, slot, value):
        self.rpc("anvil_setStorageAt", address, hex(slot), f"0x{value:064x}")

    def increase_time(self, seconds):
        self.rpc("evm_increaseTime", hex(seconds))
        self.mine()

    def send(self, to, wei, sender=TREASURY, **fields):
        """A transaction that somebody else makes with the treasury's key."""
        transaction = {"from": sender, "to": to, "value": hex(wei), "gas": hex(21000), **fields}
        tx_hash = self.rpc("eth_sendTransaction", transaction)
        if self.block_time:
            wait_until(lambda: self.rpc("eth_getTransactionReceipt", tx_hash), HANG_S, f"{tx_hash} to be mined")
        return tx_hash


def _is_whole_state(data):
    """Anvil writes its state in place, and while blocks go on: the file may be cut off, or have accounts that are one
    block ahead of its blocks. No node's disk would show either."""
    try:
        state = json.loads(data)
    except ValueError:
        return False
    nonces = [account["nonce"] for address, account in state["accounts"].items() if address.lower() == TREASURY]
    return nonces == [sum(len(block["transactions"]) for block in state["blocks"])]


class ChainTruth:
    """Who was paid, how often: judged from the chain alone, by the blocks' transactions and by balances."""

    BLOCKS_A_BATCH = 50

    def __init__(self, node, treasury=TREASURY):
        self.node = node
        self.treasury = treasury
        self.payments = {}  # destination -> [(value, block number, hash, nonce)], successful ones with value only
        self._walk()

    def _walk(self):
        head = self.node.block_number()
        for start in range(0, head + 1, self.BLOCKS_A_BATCH):
            numbers = range(start, min(start + self.BLOCKS_A_BATCH, head + 1))
            blocks = self.node.batch([("eth_getBlockByNumber", hex(n), True) for n in numbers])
            sent = [tx for block in blocks for tx in block["transactions"] if tx["from"].lower() == self.treasury]
            receipts = self.node.batch([("eth_getTransactionReceipt", tx["hash"]) for tx in sent]) if sent else []
            for tx, receipt in zip(sent, receipts):
                if int(receipt["status"], 16) == 1 and int(tx["value"], 16) > 0 and tx["to"]:
                    self.payments.setdefault(tx["to"].lower(), []).append(
                        (int(tx["value"], 16), int(tx["blockNumber"], 16), tx["hash"].lower(), int(tx["nonce"], 16)))

    def verdict(self, expected):
        """expected: {destination: wei}. Returns {"once", "twice", "unpaid", "wrong"}: lists of destinations. A balance
        other than what the blocks' transactions add up to, or another amount than the expected one, is wrong."""
        found = {"once": [], "twice": [], "unpaid": [], "wrong": []}
        destinations = list(expected)
        for start in range(0, len(destinations), 500):
            part = destinations[start:start + 500]
            balances = self.node.batch([("eth_getBalance", d, "latest") for d in part])
            for destination, balance in zip(part, balances):
                values = [payment[0] for payment in self.payments.get(destination.lower(), [])]
                found[self._judge(expected[destination], values, int(balance, 16))].append(destination)
        return found

    @staticmethod
    def _judge(amount, values, balance):
        if len(values) > 1:
            return "twice"
        if balance != sum(values) or (values and values != [amount]):
            return "wrong"
        return "once" if values else "unpaid"

    def payment(self, destination):
        """The one payment of a destination: (value, block number, hash, nonce)."""
        payments = self.payments.get(destination.lower(), [])
        assert len(payments) == 1, f"{destination} was paid {len(payments)} times"
        return payments[0]


# -- payment files -----------------------------------------------------------------------------------------------------

COLUMNS = ("ref", "destination", "amount", "asset", "memo", "not_before", "depends_on")


def destination(label):
    """A fresh address for this label: nobody's, without code, the same every time."""
    return "0x" + hashlib.sha256(f"bursar test destination {label}".encode()).hexdigest()[:40]


def rows(label, count, **fields):
    """`count` payments to destinations of their own, each another amount of a few gwei."""
    return [{"ref": f"{label}-{n}", "destination": destination(f"{label}-{n}"), "amount": f"{n + 1}gwei", **fields}
            for n in range(count)]


def wei(amount):
    """Base units of a payment file's amount. Exact."""
    match = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?(ether|gwei|wei)?", amount)
    whole, fraction, unit = match.groups()
    decimals = {"wei": 0, "gwei": 9}.get(unit, 18)
    return int(whole + (fraction or "").ljust(decimals, "0"))


def expected(*lists):
    return {row["destination"]: wei(row["amount"]) for payments in lists for row in payments}


def csv_text(payments, columns=None):
    columns = columns or [c for c in COLUMNS if any(c in row for row in payments)] or ["ref", "destination", "amount"]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\r\n", restval="")
    writer.writeheader()
    for row in payments:
        writer.writerow({k: ";".join(v) if isinstance(v, (list, tuple)) else v for k, v in row.items()})
    return out.getvalue()


def jsonl_text(payments):
    return "".join(json.dumps(row) + "\n" for row in payments)


# -- the program -------------------------------------------------------------------------------------------------------


class Result:
    """What a finished command left: exit code, stdout, its JSON (None without --json), stderr."""

    def __init__(self, arguments, code, out, err):
        self.arguments = arguments
        self.code = code
        self.out = out
        self.err = err
        self.json = None
        if "--json" in arguments and out.strip():
            self.json = json.loads(out)  # exactly one document

    def __str__(self):
        return (f"bursar {' '.join(self.arguments)}: exit {self.code}\n"
                f"stdout: {self.out[-3000:]}\nstderr: {self.err[-3000:]}")


class Run:
    """A `bursar` in the background."""

    def __init__(self, process, arguments, log):
        self.process = process
        self.arguments = arguments
        self.log = log

    @property
    def is_running(self):
        return self.process.poll() is None

    def err(self):
        return self.log.read_text(errors="replace")

    def kill(self):
        if self.is_running:
            self.process.kill()
        self.process.wait(HANG_S)

    def terminate(self):
        """SIGTERM; returns (exit code, seconds it took)."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.wait(), time.monotonic() - started

    def wait(self, timeout_s=HANG_S):
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"bursar {' '.join(self.arguments)} still running after {timeout_s:g} s\n"
                                 + self.err()[-4000:]) from None


class Bursar:
    """The program in a folder of its own, with a treasury whose key is anvil's first account."""

    FAST = {"BURSAR_EXECUTOR_POLL_INTERVAL_MS": "50", "BURSAR_TREASURY_MAIN_FINALITY": "2",
            "BURSAR_HTTP_LISTEN": "off"}

    def __init__(self, directory, *, program=None, settings=FAST):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.program = pathlib.Path(program or binary())
        self.settings = dict(settings)
        self.runs = []
        for source, name in ((KEYSTORE, "treasury.json"), (PASSWORD, "treasury.pass")):
            shutil.copyfile(source, self.directory / name)
            (self.directory / name).chmod(0o600)

    @property
    def store(self):
        return self.directory / "bursar.db"

    def signing_logs(self):
        return sorted(self.directory.glob("*.signlog"))

    def _environment(self, settings):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("BURSAR_")}
        return {**clean, "NO_COLOR": "1", **self.settings, **(settings or {})}

    def command(self, *arguments, stdin=None, settings=None, timeout_s=HANG_S):
        arguments = [str(a) for a in arguments]
        done = subprocess.run([str(self.program), *arguments], cwd=self.directory, env=self._environment(settings),
                              input=stdin if stdin is not None else "", capture_output=True, text=True,
                              encoding="utf-8", errors="replace", timeout=timeout_s, preexec_fn=_die_with_parent)
        result = Result(arguments, done.returncode, done.stdout, done.stderr)
        check_sanitizers(result.err, str(result))
        return result

    def start(self, *arguments, settings=None):
        """A command in the background: `run` when nothing is named."""
        arguments = [str(a) for a in arguments] or ["run"]
        log = self.directory / f"run-{len(self.runs)}.log"
        with open(log, "wb") as err:
            process = subprocess.Popen([str(self.program), *arguments], cwd=self.directory, stdin=subprocess.DEVNULL,
                                       stdout=err, stderr=err, env=self._environment(settings),
                                       preexec_fn=_die_with_parent)
        run = Run(process, arguments, log)
        self.runs.append(run)
        return run

    def init(self, url, *extra, settings=None):
        return self.command("init", "--rpc", url, "--keystore", "treasury.json", "--password-file", "treasury.pass",
                            *extra, settings=settings)

    def configure(self, section, **keys):
        """Sets keys of a section of bursar.conf."""
        path = self.directory / "bursar.conf"
        lines = path.read_text().splitlines()
        header = f"[{section}]"
        if header not in lines:
            lines.append(header)
        start = lines.index(header) + 1
        end = next((n for n in range(start, len(lines)) if lines[n].startswith("[")), len(lines))
        kept = [line for line in lines[start:end] if line.split("=")[0].strip() not in keys]
        lines[start:end] = [f"{key} = {value}" for key, value in keys.items()] + kept
        path.write_text("\n".join(lines) + "\n")

    def pay(self, payments, *options, name="payments.csv"):
        """Writes a payment file (rows, or a file's text) and imports it."""
        if isinstance(payments, bytes):
            (self.directory / name).write_bytes(payments)
        else:
            text = payments if isinstance(payments, str) else (
                jsonl_text(payments) if name.endswith("jsonl") else csv_text(payments))
            (self.directory / name).write_text(text, encoding="utf-8", newline="")
        return self.command("pay", name, "--json", *options)

    def run_until_idle(self, settings=None, timeout_s=HANG_S):
        return self.command("run", "--until-idle", settings=settings, timeout_s=timeout_s)

    def status(self, settings=None):
        result = self.command("status", "--json", settings=settings)
        assert result.code == 0, str(result)
        return result.json

    def queue(self, state):
        return self.status()["queue"].get(state, 0)

    def list(self, *options):
        result = self.command("list", "--json", *options)
        assert result.code == 0, str(result)
        return result.json

    def items(self, *options):
        """Every disbursement, page after page."""
        found, after = [], None
        while True:
            page = self.list(*options, "--limit", 1000, *(() if after is None else ("--after", after)))
            found += page["items"]
            if page["next"] is None:
                return found
            after = page["next"]

    def show(self, identity):
        result = self.command("show", identity, "--json")
        assert result.code == 0, str(result)
        return result.json

    def reconcile(self):
        return self.command("reconcile", "--json")

    def end(self):
        """Kills what still runs."""
        for run in self.runs:
            run.kill()


def check_sanitizers(text, context):
    if re.search(r"ERROR: (Address|Leak|Undefined|Thread)\w*Sanitizer|WARNING: ThreadSanitizer|runtime error: ", text):
        raise AssertionError(f"the sanitizer found something:\n{context}\n{text[-6000:]}")


class ChainCase(unittest.TestCase):
    """A test with a folder of its own; nodes and programs it starts end with it."""

    maxDiff = 4000

    def setUp(self):
        if not binary().exists():
            self.fail(f"{binary()} is missing: build it, or name another in BURSAR_BIN")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bursar-e2e-"))
        self.addCleanup(self._clean_up)
        self._nodes, self._programs = [], []

    def _clean_up(self):
        failed = any(error for _, error in getattr(getattr(self, "_outcome", None), "errors", []) or [])
        for program in self._programs:
            program.end()
        for node in self._nodes:
            with contextlib.suppress(Exception):
                node.kill()
        reports = []
        for program in self._programs:
            for run in program.runs:
                try:
                    check_sanitizers(run.err(), str(run.log))
                except AssertionError as report:
                    reports.append(str(report))
                if failed:
                    print(f"--- {run.log.name}: bursar {' '.join(run.arguments)}\n{run.err()[-3000:]}")
        shutil.rmtree(self.directory, ignore_errors=True)
        self.assertEqual(reports, [])

    def node(self, kind=Anvil, **options):
        """A node that is up."""
        node = kind(self.directory / f"node-{len(self._nodes)}", **options)
        self._nodes.append(node)
        return node.start()

    def bursar(self, node=None, *, init=True, name=None, **settings):
        """A treasury on `node`. Settings: TREASURY_MAIN_FINALITY="20" and so on, as in the environment."""
        program = Bursar(self.directory / (name or f"bursar-{len(self._programs)}"),
                         settings=dict(Bursar.FAST, **{f"BURSAR_{k}": str(v) for k, v in settings.items()}))
        self._programs.append(program)
        if init:
            self.assert_exit(0, program.init(node.url))
        return program

    def assert_exit(self, code, result):
        self.assertEqual(result.code, code, str(result))
        return result

    def pay(self, program, payments, **options):
        """Imports rows that are all new."""
        result = self.assert_exit(0, program.pay(payments, **options))
        self.assertEqual(result.json["added"], len(payments), str(result))
        return result

    def assert_chain(self, node, once=(), unpaid=()):
        """The chain itself: these rows were paid exactly once, those never, and the treasury paid nobody else."""
        truth = ChainTruth(node)
        verdict = truth.verdict(expected(once))
        self.assertEqual({k: len(v) for k, v in verdict.items()},
                         {"once": len(expected(once)), "twice": 0, "unpaid": 0, "wrong": 0}, verdict["wrong"][:5])
        self.assertEqual(len(truth.verdict(expected(unpaid))["unpaid"]), len(expected(unpaid)))
        self.assertEqual(set(truth.payments) - set(expected(once)), set(), "somebody else was paid")
        return truth

    def assert_agrees(self, program):
        result = self.assert_exit(0, program.reconcile())
        self.assertIs(result.json["ok"], True, str(result))
        return result

    def wait_paid(self, node, payments, count, timeout_s=60):
        """Until the chain shows `count` of these paid."""
        goal = expected(payments)

        def paid():
            return sum(int(b, 16) > 0 for b in node.batch([("eth_getBalance", d, "latest") for d in goal]))
        wait_until(lambda: paid() >= count, timeout_s, f"{count} of {len(goal)} payments on the chain")
