"""Nodes that are down, die, forget, or take blocks back."""

import harness


class NodeTest(harness.ChainCase):
    def test_run_waits_for_a_node_that_is_down(self):
        node = self.node(keeps_state=True)
        bursar = self.bursar(node)
        payments = harness.rows("down", 20)
        self.pay(bursar, payments)
        node.stop()
        run = bursar.start("run", "--until-idle")
        status = harness.wait_until(lambda: bursar.status() if bursar.status()["last_error"] else None, 60, run.err)
        self.assertIsNone(status["balance"])
        self.assertEqual(status["queue"]["queued"], 20)
        self.assert_exit(4, bursar.reconcile())
        self.assertTrue(run.is_running, run.err())
        node.start()
        self.assertEqual(run.wait(), 0, run.err())
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_a_node_killed_midway_that_lost_its_pool_and_some_blocks(self):
        node = self.node(keeps_state=True)
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY=20, TREASURY_MAIN_MAX_IN_FLIGHT=30)
        payments = harness.rows("lost", 240)
        self.pay(bursar, payments)
        # An anvil younger than its first written state would come back as another chain.
        harness.wait_until(lambda: node.block_number() > 10 and node.state.exists(), 60, "anvil's first written state")
        run = bursar.start("run", "--until-idle")
        for share in (40, 100, 170):
            harness.wait_until(lambda: node.nonce() >= share, 60, run.err, interval_s=0.005)
            node.kill()
            harness.wait_until(lambda: bursar.status()["last_error"], 60, "the failure to be noticed")
            node.start()
        self.assertEqual(run.wait(), 0, run.err())
        self.assert_chain(node, once=payments)
        self.assertEqual(node.nonce(), 240)
        self.assert_agrees(bursar)

    def test_node_and_program_killed_together(self):
        node = self.node(keeps_state=True)
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY=20, TREASURY_MAIN_MAX_IN_FLIGHT=20)
        payments = harness.rows("both", 150)
        self.pay(bursar, payments)
        harness.wait_until(lambda: node.block_number() > 10 and node.state.exists(), 60, "anvil's first written state")
        for share in (30, 80):
            run = bursar.start("run")
            harness.wait_until(lambda: node.nonce() >= share, 60, run.err, interval_s=0.005)
            run.kill()
            node.kill()
            node.start()
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_a_reorg_of_included_payments(self):
        node = self.node()
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY=20, TREASURY_MAIN_MAX_IN_FLIGHT=30)
        payments = harness.rows("reorg", 120)
        self.pay(bursar, payments)
        run = bursar.start("run", "--until-idle")

        def takes_back():
            before = node.nonce()
            node.reorg(min(12, node.block_number()))
            return node.nonce() < before

        for share in (40, 90):
            harness.wait_until(lambda: bursar.queue("executed") + bursar.queue("finalized") >= share, 60, run.err)
            harness.wait_until(takes_back, 60, run.err)
        self.assertEqual(run.wait(), 0, run.err())
        self.assert_chain(node, once=payments)
        self.assertEqual(node.nonce(), 120)
        self.assert_agrees(bursar)
        histories = [bursar.command("show", f"ref:reorg-{n}").out for n in range(120)]
        self.assertTrue(any("reorg" in h.replace("ref:reorg", "").replace("reorg-", "") for h in histories),
                        "no history tells of the reorg")

    def test_a_reorg_while_the_program_is_down(self):
        node = self.node()
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY=20)
        payments = harness.rows("asleep", 30)
        self.pay(bursar, payments)
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.queue("executed") == 30, 60, run.err)
        run.kill()
        node.reorg(min(12, node.block_number()))
        self.assertLess(node.nonce(), 30)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_a_payment_that_a_reorg_moves_to_an_older_block_is_paid_once(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY=12)
        payments = harness.rows("moved", 5)
        self.pay(bursar, payments)
        node.mine(6)
        run = bursar.start("run", "--until-idle")
        harness.wait_until(lambda: node.nonce(block="pending") == 5, 60, run.err)
        raws = [node.rpc("eth_getRawTransactionByHash", item["tx_hash"]) for item in bursar.items()]
        node.mine(3)
        harness.wait_until(lambda: bursar.queue("executed") == 5, 60, run.err)
        was = bursar.items()[0]["block_number"]
        node.rpc("anvil_reorg", 6, [[raw, 0] for raw in raws])  # into the first of the new blocks
        self.assertEqual(node.nonce(), 5)
        harness.wait_until(lambda: (bursar.items()[0]["block_number"] or was) < was, 60, run.err)
        node.mine(14)
        self.assertEqual(run.wait(), 0, run.err())
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_a_node_that_comes_back_as_another_chain_is_paid_nothing(self):
        node = self.node()
        bursar = self.bursar(node)
        first = harness.rows("first", 3)
        self.pay(bursar, first)
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.queue("finalized") == 3, 60, run.err)
        node.kill()
        node.flags += ["--timestamp", "1700000000"]
        node.start()  # the same address, the same chain id
        waiting = harness.rows("waiting", 3)
        self.pay(bursar, waiting)
        harness.wait_until(lambda: bursar.status()["halt"], 60, run.err)
        self.assertEqual(bursar.status()["halt"]["code"], "genesis_mismatch")
        start = node.block_number()
        harness.wait_until(lambda: node.block_number() > start + 5, 60, "five blocks")
        self.assertEqual(run.terminate()[0], 0)
        self.assertEqual(node.nonce(), 0)
        self.assertEqual(bursar.queue("finalized"), 3)
        self.assertEqual(bursar.queue("queued"), 3)

    def test_a_node_that_comes_back_with_another_history_is_paid_nothing(self):
        node = self.node(flags=["--timestamp", "1700000000"])
        bursar = self.bursar(node)
        genesis = node.block(0)["hash"]
        first = harness.rows("first", 3)
        self.pay(bursar, first)
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.queue("finalized") == 3, 60, run.err)
        seen = node.block_number()
        node.kill()
        node.start()  # everything is forgotten
        self.assertEqual(node.block(0)["hash"], genesis)
        self.pay(bursar, harness.rows("waiting", 3))
        node.mine(seen + 10)
        harness.wait_until(lambda: bursar.status()["halt"], 60, run.err)
        self.assertEqual(bursar.status()["halt"]["code"], "anchor_mismatch")
        self.assertEqual(run.terminate()[0], 0)
        self.assertEqual(node.nonce(), 0)
        self.assertEqual(bursar.queue("finalized"), 3)
        self.assertEqual(bursar.queue("queued"), 3)

    def test_the_finalized_tag_is_the_default(self):
        node = self.node(flags=["--slots-in-an-epoch", "1"])
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY="finalized")
        payments = harness.rows("tag", 30)
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)
