"""A second node that shares no code with anvil: Hardhat Network 2.20, the last with an EVM of its own (ethereumjs), which
runs on the Node of Debian 12. Its pool is stricter: a replacement must pay 10 % more of both fees, and what it has
already is an error in other words.

Not ganache: it takes the bytes of a mined transaction again and mines them a second time.
"""

import json
import shutil

import harness

HARDHAT = harness.ROOT / "node_modules/hardhat/internal/cli/bootstrap.js"


class Hardhat(harness.Anvil):
    """Its chain is in memory: start() after kill() or stop() is another chain with the same chain id. `born`: the time
    of its genesis block (RFC 3339): two that are born at the same time share it."""

    environment = {"HARDHAT_DISABLE_TELEMETRY_PROMPT": "true"}

    def __init__(self, directory, *, born=None, base_fee_wei=0, **options):
        super().__init__(directory, **options)
        assert not self.state and not self.flags, "it has neither"
        network = {"chainId": self.chain_id, "hardfork": "shanghai", "initialBaseFeePerGas": base_fee_wei,
                   "mining": {"auto": False, "interval": int((self.block_time or 0) * 1000)},
                   **({"initialDate": born} if born else {})}
        (self.directory / "node_modules").symlink_to(harness.ROOT / "node_modules")
        (self.directory / "hardhat.config.js").write_text(
            f"module.exports = {json.dumps({'networks': {'hardhat': network}})};\n")

    def _command(self):
        return [shutil.which("node") or "node", str(HARDHAT), "node", "--hostname", "127.0.0.1",
                "--port", str(self.port)]

    def mine(self, blocks=1):
        for _ in range(blocks):
            self.rpc("evm_mine")

    def next_base_fee(self, wei):
        self.rpc("hardhat_setNextBlockBaseFeePerGas", hex(wei))

    def pool(self):
        """Its transactions: mined with the next block, or gapped."""
        return self.rpc("eth_pendingTransactions")

    def reorg(self, depth):
        raise NotImplementedError("snapshot() and back_to() do that here")

    def snapshot(self):
        return self.rpc("evm_snapshot")

    def back_to(self, snapshot):
        """The blocks since then are gone; the pool is what it was then."""
        assert self.rpc("evm_revert", snapshot) is True

    def set_balance(self, address, wei):
        self.rpc("hardhat_setBalance", address, hex(wei))

    def set_code(self, address, code="0x00"):
        self.rpc("hardhat_setCode", address, code)
