"""Somebody else uses the key. What they took the nonce of is paid with another one, once theirs is seen in a final block;
what they may have paid is not paid again before a person has decided. Judged from the chain."""

import harness
from harness import TREASURY


class ForeignUseTest(harness.ChainCase):
    def set_up(self, **settings):
        node = self.node(flags=["--slots-in-an-epoch", "1"])  # `finalized` is two blocks behind
        # Freed nonces are what these are about; that they open the money breaker is told by test_money.
        return node, self.bursar(node, **{"TREASURY_MAIN_FINALITY": "finalized", "MONEY_BREAKER_FOREIGN_NONCE": "off",
                                          **settings})

    def stop_mining(self, node):
        node.rpc("evm_setIntervalMining", 0)

    def start_mining(self, node):
        node.rpc("evm_setIntervalMining", 1)

    def send_without_mining(self, node, bursar, count):
        self.stop_mining(node)
        wanted = node.nonce() + count
        run = bursar.start("run")
        harness.wait_until(lambda: node.nonce(block="pending") >= wanted, 60, run.err)
        run.kill()

    def steal(self, node, bursar, payments, nonce, to, wei):
        """All payments are out; then the pool forgets them, and a stranger's takes one of their nonces, finally."""
        self.pay(bursar, payments)
        self.send_without_mining(node, bursar, len(payments))
        node.rpc("anvil_dropAllTransactions")
        self.by_hand(node, nonce, to, wei)
        node.mine(6)

    def by_hand(self, node, nonce, to, wei):
        return node.rpc("eth_sendTransaction", {"from": TREASURY, "to": to, "value": hex(wei), "gas": hex(21000),
                                                "nonce": hex(nonce)})

    def assert_held(self, node, bursar, *words):
        nonce = node.nonce()
        self.assert_exit(6, bursar.run_until_idle())
        self.assertEqual(node.nonce(), nonce, "something was sent")
        halt = bursar.status()["halt"]
        self.assertEqual(halt["code"], "foreign_nonce", halt)
        for word in words:
            self.assertIn(word, halt["reason"])

    def test_a_stranger_at_a_nonce_of_ours_frees_its_payment(self):
        node, bursar = self.set_up()
        payments = harness.rows("taken", 5)
        stranger = harness.destination("stranger")
        self.steal(node, bursar, payments, 0, stranger, 9)
        self.start_mining(node)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments + [{"destination": stranger, "amount": "9wei"}])
        self.assert_agrees(bursar)
        shown = bursar.show("ref:taken-0")
        self.assertEqual(shown["nonce"], 5)
        foreign = [attempt for attempt in shown["attempts"] if attempt["purpose"] == "foreign"]
        self.assertEqual([(attempt["nonce"], attempt["status"]) for attempt in foreign], [(0, "final")])
        freed = [event for event in shown["history"] if event["cause"] == "nonce_freed"]
        self.assertEqual(len(freed), 1)
        self.assertIn(foreign[0]["tx_hash"], freed[0]["detail"])
        self.assertIn("somebody else's", bursar.command("show", "ref:taken-0").out)
        told = bursar.status()["foreign"]
        self.assertEqual((told["count"], told["nonce"], told["tx_hash"]), (1, 0, foreign[0]["tx_hash"]))
        self.assertIn("Find out who has the key", bursar.command("status").out)

    def test_a_stranger_is_believed_only_when_it_is_final(self):
        node, bursar = self.set_up()
        payments = harness.rows("taken", 3)
        self.pay(bursar, payments)
        self.send_without_mining(node, bursar, 3)
        node.rpc("anvil_dropAllTransactions")
        self.by_hand(node, 0, harness.destination("stranger"), 9)
        node.mine(1)
        run = bursar.start("run")
        harness.wait_until(lambda: "nonce 0" in (bursar.status()["hold"] or ""), 60, run.err)
        self.assertEqual(bursar.queue("staged"), 3)
        node.reorg(1)  # and the stranger's is gone
        node.rpc("anvil_dropAllTransactions")
        self.start_mining(node)
        self.wait_paid(node, payments, 3, timeout_s=120)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_a_stranger_that_pays_what_is_owed_elsewhere_waits_for_a_person(self):
        node, bursar = self.set_up()
        payments = harness.rows("taken", 2)
        owed = harness.rows("owed", 1)
        self.steal(node, bursar, payments, 0, owed[0]["destination"], harness.wei(owed[0]["amount"]))
        self.pay(bursar, owed, name="owed.csv")
        self.start_mining(node)
        self.assert_held(node, bursar, "nonce 0", "still owes")
        self.assert_exit(0, bursar.command("cancel", "ref:owed-0", "--reason", "paid by hand"))
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments + owed)
        self.assert_agrees(bursar)

    def test_a_payment_by_hand_at_its_own_nonce_is_the_payment(self):
        node, bursar = self.set_up()
        payments = harness.rows("taken", 2)
        self.steal(node, bursar, payments, 0, payments[0]["destination"], harness.wei(payments[0]["amount"]))
        self.start_mining(node)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assertEqual(bursar.show("ref:taken-0")["nonce"], 0)
        self.assert_agrees(bursar)

    def test_where_finality_is_a_number_of_confirmations_a_person_frees(self):
        node, bursar = self.set_up(TREASURY_MAIN_FINALITY="3")
        payments = harness.rows("taken", 3)
        stranger = harness.destination("stranger")
        self.steal(node, bursar, payments, 0, stranger, 9)
        self.start_mining(node)
        self.assert_held(node, bursar, "nonce 0", "confirmations")
        self.assert_exit(0, bursar.command("reconcile", "--adopt", "--assign", "unmatched=foreign"))
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments + [{"destination": stranger, "amount": "9wei"}])
        self.assert_agrees(bursar)

    def test_a_gap_below_the_first_nonce_is_named_and_filled_when_a_person_says_so(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        for nonce in (0, 1):
            self.by_hand(node, nonce, harness.destination("earlier"), 9)
        bursar = self.bursar(node, init=False)
        self.assert_exit(0, bursar.init(node.url, "--adopt-account"))
        node.rpc("anvil_dropAllTransactions")  # what it started behind is never mined
        payments = harness.rows("stuck", 3)
        self.pay(bursar, payments)
        self.start_mining(node)
        run = bursar.start("run")
        harness.wait_until(lambda: "nonces 0 to 1 " in (bursar.status()["hold"] or ""), 60, run.err)
        self.assertIn("reconcile --adopt", bursar.status()["hold"])
        self.assertEqual(run.terminate()[0], 0)
        self.assert_exit(0, bursar.command("reconcile", "--adopt"))
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual(node.nonce(), 5)
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)


if __name__ == "__main__":
    harness.main()
