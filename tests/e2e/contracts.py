"""Contracts on a test node: tests/contracts/*.sol, compiled once with solc from npm, deployed and called as a user of the
chain would. Python's standard library only: the selectors come from the compiler, for want of a Keccak.

    token = contracts.deploy(node, "Token", 6, 1_000_000)      # decimals, supply: see its constructor
    token.send("transfer", harness.TREASURY, 500)              # from OWNER, whose key the node has
    token.balance(destination)
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import subprocess

import harness

SOURCES = harness.ROOT / "tests/contracts"
COMPILED = harness.ROOT / "build/contracts.json"
OWNER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"  # anvil's second development account: not the treasury's
GAS = 3_000_000
TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"  # Transfer(address,address,uint256)


def _sources_hash():
    parts = [harness.ROOT / "package-lock.json", SOURCES / "compile.js", *sorted(SOURCES.glob("*.sol"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in parts)).hexdigest()


@functools.lru_cache(maxsize=None)
def compiled():
    """{name: {"bytecode", "methods"}}. Compiled when a source changed; tests in other processes wait for that."""
    wanted = _sources_hash()
    stamp = COMPILED.with_suffix(".hash")
    COMPILED.parent.mkdir(exist_ok=True)
    with open(COMPILED.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):
            if stamp.read_text() == wanted:
                return json.loads(COMPILED.read_text())
        done = subprocess.run(["node", str(SOURCES / "compile.js"), str(COMPILED)], capture_output=True, text=True,
                              timeout=harness.HANG_S, cwd=harness.ROOT, env=dict(os.environ, NO_COLOR="1"))
        if done.returncode != 0:
            raise AssertionError(f"solc: {done.stdout}{done.stderr}")
        stamp.write_text(wanted)
        return json.loads(COMPILED.read_text())


def encode(types, values):
    """ABI words (hex, without 0x) of static values, and of `bytes`."""
    assert len(types) == len(values), (types, values)
    head, tail = [], ""
    for kind, value in zip(types, values):
        if kind == "bytes":
            head.append(f"{32 * len(types) + len(tail) // 2:064x}")
            tail += f"{len(value):064x}" + value.hex().ljust((len(value) + 31) // 32 * 64, "0")
        elif kind == "address":
            head.append(value.lower().removeprefix("0x").rjust(64, "0"))
        else:
            head.append(f"{int(value):064x}")
    return "".join(head) + tail


class Contract:
    def __init__(self, node, name, address):
        self.node = node
        self.name = name
        self.address = address.lower()
        self.methods = compiled()[name]["methods"]

    def data(self, method, *values):
        signature = next(s for s in self.methods if s.startswith(method + "("))
        kinds = [kind for kind in signature[len(method) + 1:-1].split(",") if kind]
        return "0x" + self.methods[signature] + encode(kinds, values)

    def call(self, method, *values, block="latest"):
        """What a view returns, as a number."""
        answer = self.node.rpc("eth_call", {"to": self.address, "data": self.data(method, *values)}, block)
        return int(answer, 16)

    def send(self, method, *values, sender=OWNER):
        """Mined, and it must succeed."""
        return _mined(self.node, {"from": sender, "to": self.address, "data": self.data(method, *values)})

    def balance(self, address, block="latest"):
        return self.call("balanceOf", address, block=block)

    def transfers(self, sender=None):
        """Every Transfer log, in order: [(from, to, value, transaction hash)]; of one sender's, if named."""
        logs = self.node.rpc("eth_getLogs", {"address": self.address, "topics": [TRANSFER_TOPIC],
                                             "fromBlock": "0x0", "toBlock": "latest"})
        found = [("0x" + log["topics"][1][-40:], "0x" + log["topics"][2][-40:], int(log["data"], 16),
                  log["transactionHash"]) for log in logs]
        return [transfer for transfer in found if sender is None or transfer[0] == sender.lower()]


def _mined(node, transaction):
    tx_hash = node.rpc("eth_sendTransaction", {"gas": hex(GAS), **transaction})
    if not node.block_time:
        node.mine()
    receipt = harness.wait_until(lambda: node.rpc("eth_getTransactionReceipt", tx_hash), harness.HANG_S,
                                 f"{tx_hash} to be mined")
    assert int(receipt["status"], 16) == 1, f"{transaction['data'][:10]} to {transaction.get('to')} was reverted"
    return receipt


def deploy(node, name, *values, sender=OWNER):
    """A contract of tests/contracts on `node`; `values` are its constructor's."""
    kinds = ["bytes" if isinstance(value, bytes) else "uint256" for value in values]
    receipt = _mined(node, {"from": sender, "data": compiled()[name]["bytecode"] + encode(kinds, values)})
    return Contract(node, name, receipt["contractAddress"])
