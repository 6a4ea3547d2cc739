"""The money breaker: when payments go wrong nothing more is paid until a person closes it. Judged from the chain."""

import signal

import contracts
import harness
from harness import TREASURY


class MoneyBreakerTest(harness.ChainCase):
    def money(self, bursar):
        return bursar.status()["breaker"]["money"]

    def assert_open(self, bursar, cause, *words):
        money = self.money(bursar)
        self.assertEqual((money["state"], money["cause"]), ("open", cause), money)
        for word in words:
            self.assertIn(word, money["detail"])
        told = bursar.command("status").out
        self.assertIn("money", told)
        self.assertIn("bursar breaker close --money", told)
        self.assertNotIn("holds", told)

    def close(self, bursar, reason="looked at"):
        self.assert_exit(0, bursar.command("breaker", "close", "--money", "--reason", reason))
        self.assertEqual(self.money(bursar)["state"], "closed")

    def test_more_payments_within_an_hour_than_expected(self):
        node = self.node()
        bursar = self.bursar(node, TREASURY_MAIN_MAX_PAYMENTS_PER_HOUR="3")
        payments = harness.rows("many", 5)
        self.pay(bursar, payments)
        self.assert_exit(6, bursar.run_until_idle())
        self.assert_open(bursar, "spending_rate", "max_payments_per_hour", "3")
        self.assertEqual(node.nonce(), 3)
        waiting = [item for item in bursar.items() if item["state"] == "queued"]
        self.assertEqual(len(waiting), 2)
        shown = bursar.command("show", waiting[0]["ref"] and f"ref:{waiting[0]['ref']}").out
        self.assertIn("money breaker is open (spending_rate)", shown)
        self.assert_exit(6, bursar.run_until_idle())  # a restart does not close it
        self.assertEqual(node.nonce(), 3)
        self.close(bursar)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)
        events = [event["cause"] for event in bursar.show("ref:many-0")["history"]]
        self.assertNotIn("money_breaker_opened", events)

    def test_more_of_the_coin_within_an_hour_than_expected_and_the_limit_is_raised(self):
        node = self.node()
        bursar = self.bursar(node, TREASURY_MAIN_MAX_SPEND_PER_HOUR="2.5ether")
        payments = harness.rows("large", 4, amount="1ether")
        self.pay(bursar, payments)
        self.assert_exit(6, bursar.run_until_idle())
        self.assert_open(bursar, "spending_rate", "max_spend_per_hour", "2500000000000000000")
        self.assertEqual(node.nonce(), 2)
        self.close(bursar)
        self.assert_exit(0, bursar.run_until_idle(settings={"TREASURY_MAIN_MAX_SPEND_PER_HOUR": "0"}))
        self.assert_chain(node, once=payments)

    def test_a_stranger_at_a_nonce_of_ours(self):
        node = self.node(flags=["--slots-in-an-epoch", "1"])
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY="finalized")
        payments = harness.rows("taken", 3)
        self.pay(bursar, payments)
        node.rpc("evm_setIntervalMining", 0)
        run = bursar.start("run")
        harness.wait_until(lambda: node.nonce(block="pending") == 3, 60, run.err)
        run.kill()
        node.rpc("anvil_dropAllTransactions")
        stranger = harness.destination("stranger")
        node.rpc("eth_sendTransaction", {"from": TREASURY, "to": stranger, "value": hex(9), "gas": hex(21000),
                                         "nonce": hex(0)})
        node.mine(6)
        node.rpc("evm_setIntervalMining", 1)
        self.assert_exit(6, bursar.run_until_idle())
        self.assert_open(bursar, "foreign_nonce", "nonce 0", "pays none of ours")
        self.assertEqual(bursar.queue("queued"), 1)
        self.close(bursar)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments + [{"destination": stranger, "amount": "9wei"}])
        self.assert_agrees(bursar)

    def test_payments_that_revert_when_they_are_mined(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY="2", MONEY_BREAKER_REVERTS="2")
        receiver = contracts.deploy(node, "Receiver")
        first = [dict(row, destination=receiver.address) for row in harness.rows("refused", 2)]
        self.pay(bursar, first)
        run = bursar.start("run")
        harness.wait_until(lambda: node.nonce(block="pending") == 2, 60, run.err)
        node.rpc("eth_sendTransaction", {  # overtakes the payments in their block
            "from": contracts.OWNER, "to": receiver.address, "gas": hex(100000),
            "data": receiver.data("setRefuses", True), "maxPriorityFeePerGas": hex(10**12), "maxFeePerGas": hex(10**12)})
        node.mine(4)
        harness.wait_until(lambda: self.money(bursar)["state"] == "open", 60, run.err)
        self.assert_open(bursar, "reverts", "2 payments failed on chain", "nonce 1")
        later = harness.rows("later", 3)
        self.pay(bursar, later, name="later.csv")
        node.rpc("evm_setIntervalMining", 1)
        height = node.block_number()
        harness.wait_until(lambda: node.block_number() >= height + 3, 60, "blocks")
        self.assertEqual(node.nonce(block="pending"), 2, "nothing is bound while it is open")
        self.close(bursar, "the receiver is known to refuse")
        harness.wait_until(lambda: bursar.queue("finalized") == 3, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=later, unpaid=first)

    def test_coin_that_is_missing(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("before", 3)
        self.pay(bursar, payments)
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.queue("finalized") == 3, 60, run.err)
        node.set_balance(TREASURY, node.balance(TREASURY) + 10**18)
        more = harness.rows("deposit", 3)
        self.pay(bursar, more, name="more.csv")
        harness.wait_until(lambda: bursar.queue("finalized") == 6, 60, run.err)
        self.assertEqual(self.money(bursar)["state"], "closed", "what comes in is not missing")
        node.set_balance(TREASURY, node.balance(TREASURY) - 7)
        harness.wait_until(lambda: self.money(bursar)["state"] == "open", 60, run.err)
        self.assert_open(bursar, "balance_mismatch", "7 wei left the account")
        after = harness.rows("after", 2)
        self.pay(bursar, after, name="after.csv")
        self.close(bursar)
        harness.wait_until(lambda: bursar.queue("finalized") == 8, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=payments + more + after)

    def test_a_person_opens_it(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("paused", 3)
        self.assert_exit(2, bursar.command("breaker", "open", "--money"))
        self.assert_exit(2, bursar.command("breaker", "open", "--money", "--for", "1h", "--reason", "x"))
        self.assert_exit(2, bursar.command("breaker", "reset", "--money", "--reason", "x"))
        self.assert_exit(0, bursar.command("breaker", "open", "--money", "--reason", "audit"))
        self.pay(bursar, payments)
        self.assert_exit(6, bursar.run_until_idle())
        self.assert_open(bursar, "person", "audit")
        self.assertEqual(bursar.status()["breaker"]["state"], "closed", "the circuit breaker is another")
        self.assert_exit(0, bursar.command("breaker", "close", "--reason", "not this one"))
        self.assertEqual(self.money(bursar)["state"], "open")
        self.assertEqual(node.nonce(), 0)
        self.close(bursar)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)

    def test_its_limits_are_reloaded(self):
        node = self.node()
        bursar = self.bursar(node)
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.status()["last_success_at"], 60, run.err)
        bursar.configure("treasury main", max_payments_per_hour="2")
        run.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: "max_payments_per_hour was changed: in force now" in run.err(), 60, run.err)
        payments = harness.rows("reloaded", 3)
        self.pay(bursar, payments)
        harness.wait_until(lambda: self.money(bursar)["state"] == "open", 60, run.err)
        harness.wait_until(lambda: bursar.queue("finalized") == 2, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assertEqual(node.nonce(block="pending"), 2)
