"""Where store, signing log and chain tell different stories, nothing is paid: exit 6, and status says why."""

import shutil

import harness
from harness import CHAIN_ID


class SafetyTest(harness.ChainCase):
    def copy_store(self, bursar, name):
        folder = bursar.directory / name
        folder.mkdir()
        for path in bursar.directory.glob("bursar.db*"):
            shutil.copy2(path, folder)
        return folder

    def put_back(self, bursar, folder):
        for path in bursar.directory.glob("bursar.db*"):
            path.unlink()
        for path in folder.iterdir():
            shutil.copy2(path, bursar.directory)

    def assert_halted(self, node, bursar, code=None):
        nonce = node.nonce()
        result = self.assert_exit(6, bursar.run_until_idle())
        self.assertEqual(node.nonce(), nonce, "something was sent")
        halt = bursar.status()["halt"]
        self.assertIsNotNone(halt)
        self.assertTrue(halt["code"] and halt["reason"], halt)
        if code:
            self.assertEqual(halt["code"], code, halt)
        return result

    def paid(self, node, bursar, label, count=5):
        payments = harness.rows(label, count)
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        return payments

    def test_an_old_copy_of_the_store_pays_nobody(self):
        node = self.node()
        bursar = self.bursar(node)
        first = self.paid(node, bursar, "first")
        old = self.copy_store(bursar, "old")
        second = self.paid(node, bursar, "second")
        self.put_back(bursar, old)
        self.pay(bursar, second)  # the old store has never heard of them
        self.assert_halted(node, bursar, "store_behind_log")
        self.assert_chain(node, once=first + second)
        self.assert_exit(6, bursar.reconcile())

    def test_an_old_copy_without_anything_to_pay_is_noticed_too(self):
        node = self.node()
        bursar = self.bursar(node)
        old = self.copy_store(bursar, "old")
        paid = self.paid(node, bursar, "only")
        self.put_back(bursar, old)
        self.assert_halted(node, bursar)
        self.assert_chain(node, once=paid)

    def test_an_old_copy_taken_in_flight_pays_nobody_twice(self):
        node = self.node()
        bursar = self.bursar(node, TREASURY_MAIN_MAX_IN_FLIGHT=8, EXECUTOR_BATCH_SIZE=5)
        payments = harness.rows("flight", 100)
        self.pay(bursar, payments)
        run = bursar.start("run")
        harness.wait_until(lambda: node.nonce() >= 20, 60, run.err)
        run.kill()
        old = self.copy_store(bursar, "old")
        self.assert_exit(0, bursar.run_until_idle())
        self.put_back(bursar, old)
        self.assert_halted(node, bursar)
        self.assert_chain(node, once=payments)

    def test_a_lost_signing_log_stops_everything(self):
        node = self.node()
        bursar = self.bursar(node)
        paid = self.paid(node, bursar, "logged")
        waiting = harness.rows("waiting", 3)
        self.pay(bursar, waiting)
        logs = bursar.signing_logs()
        self.assertEqual(len(logs), 1)
        logs[0].unlink()
        self.assert_halted(node, bursar)
        self.assert_chain(node, once=paid, unpaid=waiting)
        self.assert_exit(6, bursar.reconcile())

    def test_a_damaged_signing_log_stops_everything(self):
        node = self.node()
        bursar = self.bursar(node)
        paid = self.paid(node, bursar, "logged")
        waiting = harness.rows("waiting", 3)
        self.pay(bursar, waiting)
        log = bursar.signing_logs()[0]
        content = bytearray(log.read_bytes())
        content[len(content) // 2] ^= 1
        log.write_bytes(content)
        self.assert_halted(node, bursar)
        self.assert_chain(node, once=paid, unpaid=waiting)

    def test_a_foreign_transaction_while_we_were_away_stops_everything(self):
        node = self.node()
        bursar = self.bursar(node)
        paid = self.paid(node, bursar, "ours")
        node.send(harness.destination("foreign"), 7)
        waiting = harness.rows("waiting", 3)
        self.pay(bursar, waiting)
        self.assert_halted(node, bursar)
        self.assert_chain(node, once=paid + [{"destination": harness.destination("foreign"), "amount": "7wei"}],
                          unpaid=waiting)
        self.assert_exit(6, bursar.reconcile())

    def test_a_foreign_transaction_that_only_waits_in_the_pool_is_a_difference(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        bursar = self.bursar(node)
        self.assert_exit(0, bursar.reconcile())
        node.rpc("eth_sendTransaction", {"from": harness.TREASURY, "to": harness.destination("foreign"), "value": "0x7"})
        said = bursar.reconcile()
        self.assert_exit(6, said)
        self.assertIn("something else sends from this account", said.out + said.err)

    def test_a_foreign_transaction_beside_a_running_executor_stops_it(self):
        node = self.node()
        bursar = self.bursar(node)
        paid = self.paid(node, bursar, "ours")
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.status()["lease"], 30, run.err)
        node.send(harness.destination("foreign"), 7)
        harness.wait_until(lambda: bursar.status()["halt"], 60, run.err)
        waiting = harness.rows("waiting", 3)
        self.pay(bursar, waiting)
        start = node.block_number()
        harness.wait_until(lambda: node.block_number() > start + 5, 60, "five blocks")
        self.assertTrue(run.is_running, "a halted treasury stays up")
        self.assertEqual(run.terminate()[0], 0)
        self.assert_halted(node, bursar)
        self.assert_chain(node, once=paid + [{"destination": harness.destination("foreign"), "amount": "7wei"}],
                          unpaid=waiting)

    def test_another_chain_id_stops_everything(self):
        node = self.node()
        bursar = self.bursar(node)
        waiting = harness.rows("waiting", 3)
        self.pay(bursar, waiting)
        other = self.node(chain_id=CHAIN_ID + 1)
        result = bursar.run_until_idle(settings={"BURSAR_TREASURY_MAIN_RPC": other.url})
        self.assert_exit(6, result)
        self.assertEqual(bursar.status(settings={"BURSAR_TREASURY_MAIN_RPC": other.url})["halt"]["code"], "wrong_chain")
        self.assert_chain(other, unpaid=waiting)
        # Derived anew each tick: on the right chain it goes on.
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=waiting)
        self.assert_agrees(bursar)

    def test_another_chain_with_the_same_id_latches_a_halt(self):
        node = self.node()
        bursar = self.bursar(node)
        waiting = harness.rows("waiting", 3)
        self.pay(bursar, waiting)
        other = self.node(flags=["--timestamp", "1700000000"])
        self.assertNotEqual(other.block(0)["hash"], node.block(0)["hash"])
        other_rpc = {"BURSAR_TREASURY_MAIN_RPC": other.url}
        self.assert_exit(6, bursar.run_until_idle(settings=other_rpc))
        self.assertEqual(bursar.status(settings=other_rpc)["halt"]["code"], "genesis_mismatch")
        self.assert_chain(other, unpaid=waiting)
        # It latches: back on the right chain, a person has to look first.
        self.assert_halted(node, bursar, "genesis_mismatch")
        self.assert_chain(node, unpaid=waiting)

    def test_two_stores_with_one_key_pay_from_one_only(self):
        node = self.node()
        bursar = self.bursar(node)
        first = self.paid(node, bursar, "first")
        twin = self.bursar(init=False, name="twin")
        self.assert_exit(6, twin.init(node.url))  # no log of its own: the account has history
        self.assert_chain(node, once=first)
