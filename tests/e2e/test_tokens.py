"""Payments in tokens (ERC-20), judged by the tokens themselves: their balances and their Transfer logs."""

import contracts
import harness
import test_adopt
from harness import TREASURY

UNIT = 10**18


class TokensTest(harness.ChainCase):
    def token(self, node, name="Token", supply=10**6, funds=1000, **fields):
        values = (18, supply * UNIT) if name == "Token" else (supply * UNIT,)
        token = contracts.deploy(node, name, *values)
        if funds:
            token.send("transfer", TREASURY, funds * UNIT)
        return token

    def rows(self, token, label, count, amount="2"):
        return [{"ref": f"{label}-{n}", "destination": harness.destination(f"{label}-{n}"), "amount": amount,
                 "asset": token.address} for n in range(count)]

    def paid(self, token):
        """{destination: [value]} by the token's own logs, fees of the token's left out."""
        found = {}
        for _, to, value, _ in token.transfers(TREASURY):
            if to != contracts.OWNER:
                found.setdefault(to, []).append(value)
        return found

    def assert_tokens(self, token, rows, each):
        self.assertEqual(self.paid(token), {row["destination"]: [each] for row in rows})
        for row in rows:
            self.assertEqual(token.balance(row["destination"]), each, row)

    def blocked(self, bursar):
        return {entry["ref"]: entry for entry in bursar.status()["blocked"]}

    def test_tokens_and_coins_are_paid_beside_each_other(self):
        node = self.node()
        bursar = self.bursar(node)
        token, silent = self.token(node), self.token(node, "SilentToken")
        coins = harness.rows("coins", 5)
        a, b = self.rows(token, "a", 10), self.rows(silent, "b", 3, amount="2000000000000")  # it has 6 decimals
        self.pay(bursar, [dict(row, asset="") for row in coins[:2]] + a + b + [dict(row, asset="") for row in coins[2:]])
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=coins)
        self.assert_tokens(token, a, 2 * UNIT)
        self.assert_tokens(silent, b, 2 * UNIT)
        self.assertEqual(token.balance(TREASURY), 980 * UNIT)
        self.assertEqual({item["state"] for item in bursar.items()}, {"finalized"})
        self.assertEqual({item["short_by"] for item in bursar.items()}, {None})
        self.assertEqual({t["token"].lower(): t["paid"] for t in self.assert_agrees(bursar).json["tokens_paid"]},
                         {token.address: str(20 * UNIT), silent.address: str(6 * UNIT)})

    def test_what_lacks_tokens_waits_for_them_and_the_others_go_on(self):
        node = self.node()
        bursar = self.bursar(node)
        token, other = self.token(node, funds=3), self.token(node, funds=1000)
        short, fine = self.rows(token, "short", 4), self.rows(other, "fine", 3)
        self.pay(bursar, short + fine)
        self.assert_exit(5, bursar.run_until_idle())
        self.assertEqual(len(self.paid(token)), 1)
        self.assert_tokens(other, fine, 2 * UNIT)
        found = self.blocked(bursar)
        self.assertEqual(len(found), 3)
        for entry in found.values():
            self.assertIn("1 of " + token.address, entry["cause"].lower().replace("  ", " "), entry)
        run = bursar.start("run")
        token.send("transfer", TREASURY, 100 * UNIT)
        harness.wait_until(lambda: bursar.queue("finalized") == 7, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_tokens(token, short, 2 * UNIT)
        self.assertEqual(token.balance(TREASURY), 95 * UNIT)
        self.assert_agrees(bursar)

    def test_a_token_that_would_refuse_costs_no_nonce(self):
        node = self.node()
        bursar = self.bursar(node)
        paused, false = self.token(node), self.token(node, "FalseToken")
        paused.send("setPaused", True)
        false.send("setRefuses", True)
        reverts, answers = self.rows(paused, "reverts", 1), self.rows(false, "answers", 1)
        coins = harness.rows("coins", 2)
        self.pay(bursar, reverts + answers + [dict(row, asset="") for row in coins])
        self.assert_exit(5, bursar.run_until_idle())
        self.assertEqual(node.nonce(), 2)
        found = self.blocked(bursar)
        self.assertIn("Token: paused", found["reverts-0"]["cause"])
        self.assertIn("returns false", found["answers-0"]["cause"])
        paused.send("setPaused", False)
        false.send("setRefuses", False)
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.queue("finalized") == 4, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_tokens(paused, reverts, 2 * UNIT)
        self.assert_tokens(false, answers, 2 * UNIT)
        self.assert_chain(node, once=coins)
        self.assert_agrees(bursar)

    def test_a_fee_on_transfer_is_reported_as_short_paid_and_never_retried(self):
        node = self.node()
        bursar = self.bursar(node)
        token = self.token(node, "FeeToken")
        rows = self.rows(token, "fee", 3)
        self.pay(bursar, rows)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_tokens(token, rows, 2 * UNIT * 99 // 100)
        for item in bursar.items():
            self.assertEqual((item["state"], item["short_by"]), ("finalized", str(2 * UNIT // 100)))
        self.assertIn("short by", bursar.command("show", "ref:fee-0").out)
        self.assertIn("short-paid", bursar.show("ref:fee-0")["history"][-1]["detail"])
        self.assertNotEqual(bursar.command("retry", "ref:fee-0", "--reason", "more").code, 0)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_tokens(token, rows, 2 * UNIT * 99 // 100)
        self.assert_agrees(bursar)

    def test_false_from_a_mined_transfer_is_no_payment_and_a_person_may_retry_it(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        bursar = self.bursar(node)
        token = self.token(node, "FalseToken")
        rows = self.rows(token, "answers", 1)
        self.pay(bursar, rows)
        run = bursar.start("run")
        harness.wait_until(lambda: node.nonce(block="pending") == 1, 60, run.err)
        node.set_storage(token.address, 0, 1)  # refuses, from now on
        node.mine(6)
        harness.wait_until(lambda: bursar.queue("failed") == 1, 60, run.err)
        self.assertEqual(self.paid(token), {})
        receipt = node.rpc("eth_getTransactionReceipt", bursar.show("ref:answers-0")["tx_hash"])
        self.assertEqual(int(receipt["status"], 16), 1, "it was to go through")
        self.assertIn("no transfer", self.blocked(bursar)["answers-0"]["cause"])
        self.assert_agrees(bursar)
        node.set_storage(token.address, 0, 0)
        self.assert_exit(0, bursar.command("retry", "ref:answers-0", "--reason", "it takes it now"))
        harness.wait_until(lambda: node.nonce(block="pending") == 2, 60, run.err)
        node.mine(6)
        harness.wait_until(lambda: bursar.queue("finalized") == 1, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_tokens(token, rows, 2 * UNIT)
        self.assert_agrees(bursar)

    def test_a_stuck_token_payment_is_replaced_with_the_same_call(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        bursar = self.bursar(node, FEES_REPLACE_AFTER_BLOCKS=2)
        token = self.token(node)
        rows = self.rows(token, "stuck", 1)
        self.pay(bursar, rows)
        run = bursar.start("run")
        harness.wait_until(lambda: node.nonce(block="pending") == 1, 60, run.err)
        node.rpc("anvil_dropAllTransactions")
        node.rpc("anvil_setBlockGasLimit", hex(30000))  # blocks take no call of a token
        node.mine(4)
        harness.wait_until(lambda: len(bursar.show("ref:stuck-0")["attempts"]) > 1, 60, run.err)
        node.rpc("anvil_setBlockGasLimit", hex(30_000_000))

        def done():
            node.mine()
            return bursar.queue("finalized") == 1
        harness.wait_until(done, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_tokens(token, rows, 2 * UNIT)
        self.assert_agrees(bursar)


class AdoptTokensTest(test_adopt.AdoptCase):
    def test_token_payments_after_the_copy_are_adopted_and_nobody_is_paid_twice(self):
        node = self.node()
        bursar = self.bursar(node)
        token, fee = contracts.deploy(node, "Token", 18, 10**6 * UNIT), contracts.deploy(node, "FeeToken", 10**6 * UNIT)
        for each in (token, fee):
            each.send("transfer", TREASURY, 1000 * UNIT)
        rows = [{"ref": f"{name}-{n}", "destination": harness.destination(f"adopt-{name}-{n}"), "amount": "2",
                 "asset": asset.address} for name, asset in (("token", token), ("fee", fee)) for n in range(6)]
        coins = harness.rows("coins", 4)
        self.pay(bursar, rows + [dict(row, asset="") for row in coins])
        old = self.copy_store(bursar)
        self.assert_exit(0, bursar.run_until_idle())
        before = {item["ref"]: (item["state"], item["short_by"]) for item in bursar.items()}
        self.put_back(bursar, old)
        self.assert_pays_nothing(node, bursar, "store_behind_log")
        done = self.adopt_for_good(bursar)
        self.assertEqual(self.steps(done), {"paid": 16})
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual({item["ref"]: (item["state"], item["short_by"]) for item in bursar.items()}, before)
        self.assert_chain(node, once=coins)
        for row in rows:
            asset, each = (token, 2 * UNIT) if row["asset"] == token.address else (fee, 2 * UNIT * 99 // 100)
            self.assertEqual(asset.balance(row["destination"]), each)
        self.assert_agrees(bursar)
