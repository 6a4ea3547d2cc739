"""Stuck payments are replaced, sent ones cancelled, on a node whose base fee and blocks are set by hand."""

import harness

GWEI = 10**9


class ReplacementTest(harness.ChainCase):
    def started(self, label, count, **settings):
        """A node that mines on demand, and payments in its pool at a low base fee."""
        node = self.node(block_time=None, flags=["--no-mining"])
        bursar = self.bursar(node, FEES_REPLACE_AFTER_BLOCKS=3, **settings)
        payments = harness.rows(label, count)
        self.pay(bursar, payments)
        run = bursar.start("run")
        harness.wait_until(lambda: int(node.rpc("txpool_status")["pending"], 16) == count, harness.HANG_S,
                           f"{count} in the pool\n{run.err()}")
        return node, bursar, payments, run

    def mine_at(self, node, base_fee_wei):
        node.rpc("anvil_setNextBlockBaseFeePerGas", hex(base_fee_wei))
        node.mine()

    def end(self, bursar, run):
        code, _ = run.terminate()
        self.assertEqual(code, 0, run.err())
        self.assert_agrees(bursar)

    def test_stuck_payments_are_replaced_when_fees_rise(self):
        node, bursar, payments, run = self.started("stuck", 12)

        def paid():
            self.mine_at(node, 60 * GWEI)
            return bursar.queue("finalized") == 12

        harness.wait_until(paid, harness.HANG_S, f"all to be final\n{run.err()}", 0.1)
        self.end(bursar, run)
        self.assert_chain(node, once=payments)
        shown = bursar.show("ref:stuck-0")
        self.assertGreaterEqual(len(shown["attempts"]), 2, shown)
        fees = [int(attempt["max_fee_per_gas"]) for attempt in shown["attempts"]]
        tips = [int(attempt["max_priority_fee_per_gas"]) for attempt in shown["attempts"]]
        for lower, higher in list(zip(fees, fees[1:])) + list(zip(tips, tips[1:])):
            self.assertGreaterEqual(higher * 10, lower * 11)

    def test_above_the_cap_nothing_is_offered_and_it_goes_on_when_fees_fall(self):
        node, bursar, payments, run = self.started("capped", 3, FEES_MAX_FEE_PER_GAS="50gwei")

        def waits():
            self.mine_at(node, 60 * GWEI)
            return "max_fee_per_gas" in run.err()

        harness.wait_until(waits, harness.HANG_S, f"a word about the cap\n{run.err()}", 0.1)
        for _ in range(5):
            self.mine_at(node, 60 * GWEI)
        self.assertEqual(bursar.queue("staged"), 3)

        def paid():
            self.mine_at(node, 10 * GWEI)
            return bursar.queue("finalized") == 3

        harness.wait_until(paid, harness.HANG_S, f"all to be final\n{run.err()}", 0.1)
        self.end(bursar, run)
        self.assert_chain(node, once=payments)

    def test_what_a_pool_drops_is_offered_again(self):
        node, bursar, payments, run = self.started("dropped", 8)
        sent = [bursar.show(f"ref:dropped-{n}")["tx_hash"] for n in range(8)]
        for tx_hash in sent[2:5]:
            node.rpc("anvil_dropTransaction", tx_hash)

        def back():
            return all(node.rpc("eth_getTransactionByHash", tx_hash) for tx_hash in sent[2:5])

        harness.wait_until(back, harness.HANG_S, f"the same bytes again\n{run.err()}")

        def paid():
            node.mine()
            return bursar.queue("finalized") == 8

        harness.wait_until(paid, harness.HANG_S, f"all to be final\n{run.err()}", 0.1)
        self.end(bursar, run)
        truth = self.assert_chain(node, once=payments)
        self.assertEqual([truth.payment(row["destination"])[2] for row in payments], sent)

    def test_a_whole_pool_lost_with_its_replacements(self):
        node, bursar, payments, run = self.started("lostpool", 4)

        def replaced():
            self.mine_at(node, 60 * GWEI)
            return len(bursar.show("ref:lostpool-0")["attempts"]) > 1

        harness.wait_until(replaced, harness.HANG_S, f"a replacement\n{run.err()}", 0.1)
        node.rpc("anvil_dropAllTransactions")

        def paid():
            self.mine_at(node, 60 * GWEI)
            return bursar.queue("finalized") == 4

        harness.wait_until(paid, harness.HANG_S, f"all to be final\n{run.err()}", 0.1)
        self.end(bursar, run)
        self.assert_chain(node, once=payments)
        self.assertEqual(node.nonce(), 4)

    def test_a_reorg_takes_back_what_a_replacement_paid(self):
        """The replacement is in a block, the first attempt is offered nowhere; then the block is gone."""
        node, bursar, payments, run = self.started("reorged", 5, TREASURY_MAIN_FINALITY=30)

        def executed():
            self.mine_at(node, 60 * GWEI)
            return bursar.queue("executed") == 5

        harness.wait_until(executed, harness.HANG_S, f"all to be included\n{run.err()}", 0.1)
        self.assertGreaterEqual(len(bursar.show("ref:reorged-0")["attempts"]), 2)
        included = [int(bursar.show(f"ref:reorged-{n}")["block_number"]) for n in range(5)]
        node.reorg(node.block_number() - min(included) + 1)
        self.assertEqual(node.nonce(), 0)
        harness.wait_until(lambda: "reorg" in run.err(), harness.HANG_S, lambda: f"the reorg\n{run.err()}")

        def paid():
            self.mine_at(node, 60 * GWEI)
            return bursar.queue("finalized") == 5

        harness.wait_until(paid, harness.HANG_S, f"all to be final\n{run.err()}", 0.1)
        self.end(bursar, run)
        self.assert_chain(node, once=payments)
        self.assertEqual(node.nonce(), 5)

    def test_a_reorg_puts_the_first_attempt_where_the_replacement_was(self):
        """INV-3: whichever of them is mined is the payment."""
        node, bursar, payments, run = self.started("swapped", 1, TREASURY_MAIN_FINALITY=30)
        first = bursar.show("ref:swapped-0")["tx_hash"]
        raw = node.rpc("eth_getRawTransactionByHash", first)

        def executed():
            self.mine_at(node, 60 * GWEI)
            return bursar.queue("executed") == 1

        harness.wait_until(executed, harness.HANG_S, f"it to be included\n{run.err()}", 0.1)
        shown = bursar.show("ref:swapped-0")
        self.assertNotEqual(shown["tx_hash"], first)
        run.kill()
        node.reorg(node.block_number() - int(shown["block_number"]) + 1)
        node.rpc("anvil_dropAllTransactions")
        node.rpc("anvil_setNextBlockBaseFeePerGas", "0x0")
        node.rpc("eth_sendRawTransaction", raw)
        self.mine_at(node, 0)
        self.assertEqual(node.nonce(), 1)
        run = bursar.start("run")

        def final():
            node.mine()
            return bursar.queue("finalized") == 1

        harness.wait_until(final, harness.HANG_S, f"it to be final\n{run.err()}", 0.1)
        self.end(bursar, run)
        self.assert_chain(node, once=payments)
        self.assertEqual(bursar.show("ref:swapped-0")["tx_hash"], first)

    def test_what_was_sent_is_cancelled_and_its_neighbours_are_paid(self):
        node, bursar, payments, run = self.started("neighbour", 5)
        self.assert_exit(0, bursar.command("cancel", "ref:neighbour-2", "--reason", "paid by hand"))
        again = bursar.command("cancel", "ref:neighbour-2", "--reason", "paid by hand")
        self.assert_exit(6, again)
        self.assertIn("already", again.err)
        harness.wait_until(lambda: len(bursar.show("ref:neighbour-2")["attempts"]) == 2, harness.HANG_S,
                           f"the cancel to be sent\n{run.err()}")
        harness.wait_until(lambda: bursar.show("ref:neighbour-2")["attempts"][1]["sends"] > 0, harness.HANG_S,
                           f"the cancel to be sent\n{run.err()}")

        def settled():
            node.mine()
            return bursar.queue("finalized") == 4 and bursar.queue("cancelled") == 1

        harness.wait_until(settled, harness.HANG_S, f"an end\n{run.err()}", 0.1)
        self.end(bursar, run)
        self.assert_chain(node, once=payments[:2] + payments[3:], unpaid=payments[2:3])
        self.assert_exit(0, bursar.run_until_idle())

    def test_a_cancel_after_the_payment_was_mined_is_told_so(self):
        node, bursar, payments, run = self.started("late", 2)
        run.kill()
        node.mine()  # nobody has seen it
        self.assert_exit(0, bursar.command("cancel", "ref:late-0", "--reason", "paid by hand"))
        run = bursar.start("run")

        def settled():
            node.mine()
            return bursar.queue("finalized") == 2

        harness.wait_until(settled, harness.HANG_S, f"an end\n{run.err()}", 0.1)
        self.end(bursar, run)
        self.assert_chain(node, once=payments)
        history = str(bursar.show("ref:late-0"))
        self.assertIn("cancel_requested", history)
        self.assertIn("mined first", history)
