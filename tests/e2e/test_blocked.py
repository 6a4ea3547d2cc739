"""What can't be paid now is passed over with a cause, and the rest is paid."""

import harness
from harness import ETHER, TREASURY


class BlockedTest(harness.ChainCase):
    def poor(self, node, wei):
        """A treasury on an account that has only so much. Nobody has stolen the rest."""
        node.set_balance(TREASURY, wei)
        return self.bursar(node, MONEY_BREAKER_BALANCE="off")

    def blocked(self, bursar):
        found = {b["ref"]: b for b in bursar.status()["blocked"]}
        for entry in found.values():
            self.assertTrue(entry["cause"] and entry["action"], entry)
        for item in bursar.items():
            self.assertEqual(item["blocked"] is not None, item["ref"] in found, item)
        return found

    def test_affordable_rows_are_paid_when_others_are_not(self):
        node = self.node()
        bursar = self.poor(node, 10 * ETHER)
        small = harness.rows("small", 6)
        huge = [{"ref": "huge", "destination": harness.destination("huge"), "amount": "50"}]
        self.pay(bursar, small[:3] + huge + small[3:])
        self.assert_exit(5, bursar.run_until_idle())
        self.assert_chain(node, once=small, unpaid=huge)
        self.assertEqual(set(self.blocked(bursar)), {"huge"})
        self.assert_agrees(bursar)
        node.set_balance(TREASURY, 60 * ETHER)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=small + huge)
        self.assertEqual(self.blocked(bursar), {})
        self.assert_agrees(bursar)

    def test_money_that_comes_while_it_runs_is_noticed(self):
        node = self.node()
        bursar = self.poor(node, ETHER)
        payments = [dict(row, amount="5") for row in harness.rows("funds", 3)]
        self.pay(bursar, payments)
        run = bursar.start("run")
        harness.wait_until(lambda: len(bursar.status()["blocked"]) == 3, 60, run.err)
        node.set_balance(TREASURY, 6 * ETHER)
        self.wait_paid(node, payments, 1)
        node.set_balance(TREASURY, 20 * ETHER)
        harness.wait_until(lambda: bursar.queue("finalized") == 3, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_the_balance_is_never_promised_twice(self):
        node = self.node()
        bursar = self.poor(node, 10 * ETHER)
        payments = [dict(row, amount="3") for row in harness.rows("third", 4)]  # three fit, with their fees
        self.pay(bursar, payments)
        self.assert_exit(5, bursar.run_until_idle())
        self.assertEqual(node.nonce(), 3)
        self.assertEqual(len(self.blocked(bursar)), 1)
        self.assertEqual(bursar.queue("finalized"), 3)
        self.assert_agrees(bursar)

    def test_what_waits_for_a_blocked_payment_waits_too(self):
        node = self.node()
        bursar = self.bursar(node)
        contract = harness.rows("contract", 1)
        node.set_code(contract[0]["destination"], "0x60006000fd")  # reverts
        after = harness.rows("after", 1, depends_on="contract-0")
        self.pay(bursar, contract + after)
        self.assert_exit(5, bursar.run_until_idle())
        self.assert_chain(node, unpaid=contract + after)
