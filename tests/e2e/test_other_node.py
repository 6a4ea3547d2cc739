"""Against a node that shares no code with anvil and has stricter pool rules: see other_node.py."""

import random
import os
import time

import harness
from other_node import Hardhat

GWEI = 10**9


class OtherNodeTest(harness.ChainCase):
    def other(self, **options):
        return self.node(Hardhat, **options)

    # -- as always -----------------------------------------------------------------------------------------------------

    def test_some_dozens_of_payments(self):
        node = self.other(block_time=0.2)
        bursar = self.bursar(node)
        payments = harness.rows("plain", 60)
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual(bursar.queue("finalized"), 60)
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_its_finalized_block_is_used(self):
        node = self.other(block_time=0.2)
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY="finalized")
        payments = harness.rows("tag", 20)
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual(bursar.queue("finalized"), 20)
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_killed_again_and_again(self):
        seed = os.environ.get("BURSAR_TEST_SEED") or str(time.time_ns())
        print(f"BURSAR_TEST_SEED={seed}")
        chance = random.Random(seed)
        node = self.other(block_time=0.2)
        bursar = self.bursar(node, TREASURY_MAIN_MAX_IN_FLIGHT=6, EXECUTOR_BATCH_SIZE=3)
        payments = harness.rows("kill", 60)
        self.pay(bursar, payments)
        for _ in range(6):
            run = bursar.start("run")
            paid = node.nonce()
            harness.wait_until(lambda: node.nonce() > paid, harness.HANG_S, run.err)
            time.sleep(chance.uniform(0, 0.2))  # the moment is what varies here; nothing is waited for
            self.assertTrue(run.is_running, run.err())
            run.kill()
        self.assertLess(node.nonce(), 60)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assertEqual(node.nonce(), 60)
        self.assert_agrees(bursar)

    # -- replacing and cancelling --------------------------------------------------------------------------------------

    def pooled(self, label, count, base_fee_wei=0, **settings):
        """A node that mines on demand, and payments in its pool at a low base fee."""
        node = self.other(block_time=None, base_fee_wei=base_fee_wei)
        node.mine()  # patience is counted from a block above the first
        bursar = self.bursar(node, FEES_REPLACE_AFTER_BLOCKS=2, **settings)
        payments = harness.rows(label, count)
        self.pay(bursar, payments)
        run = bursar.start("run")
        harness.wait_until(lambda: len(node.pool()) == count, harness.HANG_S, lambda: f"the pool\n{run.err()}")
        return node, bursar, payments, run

    def mine_at(self, node, base_fee_wei):
        node.next_base_fee(base_fee_wei)
        node.mine()

    def mine_until(self, node, run, base_fee_wei, condition):
        def holds():
            self.mine_at(node, base_fee_wei)
            return condition()
        harness.wait_until(holds, harness.HANG_S, run.err, 0.1)

    def end(self, bursar, run):
        code, _ = run.terminate()
        self.assertEqual(code, 0, run.err())
        self.assert_agrees(bursar)

    def test_a_replacement_pays_what_its_pool_demands(self):
        # The least priority fee that is ever offered is as high now as later: the 10 % are what decides.
        node, bursar, payments, run = self.pooled("stuck", 4, base_fee_wei=20 * GWEI)
        fees = {int(tx["nonce"], 16): tx for tx in node.pool()}
        self.mine_until(node, run, 60 * GWEI, lambda: all(
            len(bursar.show(f"ref:stuck-{n}")["attempts"]) > 1 for n in range(4)))
        self.mine_until(node, run, 60 * GWEI, lambda: bursar.queue("finalized") == 4)
        self.end(bursar, run)
        truth = self.assert_chain(node, once=payments)
        for row in payments:
            _, _, tx_hash, nonce = truth.payment(row["destination"])
            mined = node.rpc("eth_getTransactionByHash", tx_hash)
            for field in ("maxFeePerGas", "maxPriorityFeePerGas"):
                self.assertGreaterEqual(int(mined[field], 16) * 10, int(fees[nonce][field], 16) * 11)
            shown = bursar.show(f"ref:{row['ref']}")
            self.assertEqual(shown["tx_hash"], tx_hash)
            self.assertNotIn("underpriced", [attempt["verdict"] for attempt in shown["attempts"]])

    def test_a_replacement_that_its_pool_loses_is_offered_again_not_replaced(self):
        node, bursar, payments, run = self.pooled("again", 2)
        for _ in range(3):
            self.mine_at(node, 60 * GWEI)

        def replacement():
            attempts = bursar.show("ref:again-0")["attempts"]
            newest = attempts[-1]["tx_hash"]
            return len(attempts) == 2 and newest in [tx["hash"] for tx in node.pool()] and newest
        newest = harness.wait_until(replacement, harness.HANG_S, run.err)
        node.rpc("hardhat_dropTransaction", newest)
        harness.wait_until(replacement, harness.HANG_S, run.err)
        self.mine_until(node, run, 0, lambda: bursar.queue("finalized") == 2)
        self.end(bursar, run)
        self.assert_chain(node, once=payments)

    def test_above_the_cap_it_waits_and_goes_on_when_fees_fall(self):
        node, bursar, payments, run = self.pooled("capped", 3, FEES_MAX_FEE_PER_GAS="50gwei")
        self.mine_until(node, run, 60 * GWEI, lambda: "max_fee_per_gas" in run.err())
        self.assertEqual(bursar.queue("staged"), 3)
        self.assertEqual(node.nonce(), 0)
        self.mine_until(node, run, 10 * GWEI, lambda: bursar.queue("finalized") == 3)
        self.end(bursar, run)
        self.assert_chain(node, once=payments)

    def test_what_was_sent_is_cancelled(self):
        node, bursar, payments, run = self.pooled("cancel", 3)
        self.assert_exit(0, bursar.command("cancel", "ref:cancel-1", "--reason", "paid by hand"))
        harness.wait_until(lambda: any(tx["to"] == harness.TREASURY for tx in node.pool()), harness.HANG_S, run.err)
        self.mine_until(node, run, 0, lambda: bursar.queue("finalized") == 2 and bursar.queue("cancelled") == 1)
        self.end(bursar, run)
        self.assert_chain(node, once=payments[:1] + payments[2:], unpaid=payments[1:2])
        self.assertEqual(node.nonce(), 3)

    # -- what a node can do to us --------------------------------------------------------------------------------------

    def test_its_pool_loses_transactions(self):
        node, bursar, payments, run = self.pooled("dropped", 6)
        for tx in node.pool()[1:4]:
            node.rpc("hardhat_dropTransaction", tx["hash"])
        self.assertLess(len(node.pool()), 6)
        self.mine_until(node, run, 0, lambda: bursar.queue("finalized") == 6)
        self.end(bursar, run)
        self.assert_chain(node, once=payments)
        self.assertEqual(node.nonce(), 6)

    def test_it_takes_blocks_back(self):
        node = self.other(block_time=None)
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY=4)
        node.mine(6)
        fork = node.snapshot()
        payments = harness.rows("reorg", 12)
        self.pay(bursar, payments)
        run = bursar.start("run")
        harness.wait_until(lambda: len(node.pool()) == 12, harness.HANG_S, run.err)
        node.mine(2)
        harness.wait_until(lambda: bursar.queue("executed") == 12, harness.HANG_S, run.err)
        node.back_to(fork)
        self.assertEqual(node.nonce(), 0)

        def paid_again():
            node.mine()
            return bursar.queue("finalized") == 12
        harness.wait_until(paid_again, harness.HANG_S, run.err, 0.1)
        self.end(bursar, run)
        self.assert_chain(node, once=payments)
        self.assertIn("reorg", run.err())

    def restarted(self, code, **born):
        """The node comes back with an empty chain of the same chain id."""
        node = self.other(block_time=0.2, **born)
        bursar = self.bursar(node)
        payments = harness.rows("before", 10)
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        waiting = harness.rows("after", 5)
        self.pay(bursar, waiting)
        genesis, old_head = node.block(0)["hash"], node.block_number()
        node.kill()
        node.start()
        self.assertEqual(node.block(0)["hash"] == genesis, bool(born))
        harness.wait_until(lambda: node.block_number() > old_head, harness.HANG_S, "blocks")
        self.assert_exit(6, bursar.run_until_idle())
        self.assertEqual(bursar.status()["halt"]["code"], code)
        self.assert_exit(6, bursar.run_until_idle())  # it latches
        self.assert_chain(node, unpaid=payments + waiting)
        self.assertEqual(node.nonce(block="pending"), 0)

    def test_restarted_on_a_chain_with_another_genesis_block_it_gets_nothing(self):
        self.restarted("genesis_mismatch")

    def test_restarted_on_a_chain_with_the_same_genesis_block_it_gets_nothing(self):
        self.restarted("anchor_mismatch", born="2026-01-01T00:00:00Z")
