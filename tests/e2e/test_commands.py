"""What a person decides: cancel, retry, breaker; and the statement that export writes, against the chain's own account."""

import csv
import datetime
import io
import json
import os
import pwd

import harness
from faulty_proxy import FaultyProxy
from harness import TREASURY

REVERTS = "0x60006000fd"


def who():
    return pwd.getpwuid(os.getuid()).pw_name


class CommandsTest(harness.ChainCase):
    def decide(self, bursar, command, identity, reason="because of the test"):
        return bursar.command(command, identity, "--reason", reason, "--json")

    def refused(self, bursar, command, identity, *said):
        """Exit 6, says why, changes nothing."""
        before = bursar.show(identity)
        result = self.assert_exit(6, self.decide(bursar, command, identity))
        for text in said:
            self.assertIn(text, result.json["errors"][0]["message"])
        after = bursar.show(identity)
        self.assertEqual(after["state"], before["state"])
        self.assertEqual(after["history"], before["history"])

    def still_node(self):
        """A node that makes a block only when told to."""
        return self.node(block_time=None, flags=["--no-mining"])

    def wait_state(self, bursar, identity, state, run, node=None):
        def there():
            if node:
                node.mine()
            return bursar.show(identity)["state"] == state
        harness.wait_until(there, 60, lambda: f"{identity} to be {state}\n{run.err()}")
        return bursar.show(identity)

    def wait_in_pool(self, node, nonce, run):
        harness.wait_until(lambda: node.nonce(block="pending") >= nonce, 60, run.err)

    # -- cancel --------------------------------------------------------------------------------------------------------

    def test_a_cancelled_payment_is_never_made_and_its_ref_stays_used(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("row", 4)
        ids = self.pay(bursar, payments).json["ids"]
        shown = self.assert_exit(0, self.decide(bursar, "cancel", "ref:row-1", "paid by bank")).json
        self.assertEqual((shown["id"], shown["ref"], shown["state"]), (ids[1], "row-1", "cancelled"))
        self.assertEqual(shown, bursar.show(ids[1]))
        last = shown["history"][-1]
        self.assertEqual((last["from"], last["to"], last["actor"], last["detail"]),
                         ("queued", "cancelled", who(), "paid by bank"))
        text = self.assert_exit(0, bursar.command("cancel", ids[2], "--reason", "twice in the list"))
        self.assertIn("cancelled", text.out)
        self.refused(bursar, "cancel", "ref:row-1", "already")

        kept = [payments[0], payments[3]]
        self.assert_exit(0, bursar.run_until_idle())  # what a person cancelled is no failure
        self.assert_chain(node, once=kept, unpaid=payments[1:3])
        again = self.assert_exit(0, bursar.pay(payments)).json
        self.assertEqual((again["added"], again["existing"]), (0, 4))
        other = self.assert_exit(3, bursar.pay([dict(payments[1], amount="9gwei")]))
        self.assertIn("row-1", other.err)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=kept, unpaid=payments[1:3])
        self.refused(bursar, "retry", "ref:row-1", "another ref")
        self.assert_agrees(bursar)

    def test_what_depends_on_a_cancelled_payment_is_blocked_with_that_reason(self):
        node = self.node()
        bursar = self.bursar(node)
        first = harness.rows("first", 1)
        after = harness.rows("after", 1, depends_on="first-0")
        other = harness.rows("other", 2)
        self.pay(bursar, first + after + other)
        self.assert_exit(0, self.decide(bursar, "cancel", "ref:first-0"))
        self.assert_exit(5, bursar.run_until_idle())
        self.assert_chain(node, once=other, unpaid=first + after)
        blocked = bursar.status()["blocked"]
        self.assertEqual([b["ref"] for b in blocked], ["after-0"])
        self.assertIn("first-0", blocked[0]["cause"])
        self.assertIn("cancelled", blocked[0]["cause"])
        self.assertIn("bursar cancel", blocked[0]["action"])
        self.assert_exit(0, self.decide(bursar, "cancel", "ref:after-0"))
        self.assertEqual(bursar.status()["blocked"], [])
        self.assert_exit(0, bursar.run_until_idle())

    def test_cancel_beside_a_running_executor_is_in_time(self):
        node = self.still_node()
        bursar = self.bursar(node, TREASURY_MAIN_MAX_IN_FLIGHT=5)
        payments = harness.rows("beside", 20)
        self.pay(bursar, payments)
        run = bursar.start("run")
        self.wait_in_pool(node, 5, run)
        self.refused(bursar, "retry", "ref:beside-0", "staged", "being paid")
        for n in (7, 12, 19):
            self.assert_exit(0, self.decide(bursar, "cancel", f"ref:beside-{n}"))
        node.mine()
        self.wait_state(bursar, "ref:beside-0", "executed", run)
        self.refused(bursar, "cancel", "ref:beside-0", "executed", "goes on being paid")

        def done():
            node.mine()
            return bursar.queue("finalized") == 17
        harness.wait_until(done, 60, run.err)
        self.refused(bursar, "cancel", "ref:beside-0", "finalized", "paid")
        self.assertEqual(run.terminate()[0], 0)
        cancelled = [payments[n] for n in (7, 12, 19)]
        self.assert_chain(node, once=[p for p in payments if p not in cancelled], unpaid=cancelled)
        self.assert_agrees(bursar)

    # -- retry ---------------------------------------------------------------------------------------------------------

    def failing(self, node, bursar, payment, run):
        """Takes a payment to failed: its destination gets code between binding and mining."""
        self.wait_in_pool(node, node.nonce() + 1, run)
        node.set_code(payment["destination"], REVERTS)
        return self.wait_state(bursar, f"ref:{payment['ref']}", "failed", run, node)

    def test_a_reverted_payment_is_retried_and_paid_once(self):
        node = self.still_node()
        bursar = self.bursar(node)
        first = harness.rows("first", 1)
        after = harness.rows("after", 1, depends_on="first-0")
        self.pay(bursar, first + after)
        run = bursar.start("run")
        failed = self.failing(node, bursar, first[0], run)
        self.assertEqual(failed["nonce"], 0)
        self.assertIn("bursar retry", failed["blocked"]["action"])
        self.assertEqual({b["ref"] for b in bursar.status()["blocked"]}, {"first-0", "after-0"})
        self.refused(bursar, "cancel", "ref:first-0", "failed")
        self.refused(bursar, "retry", "ref:after-0", "has not failed")
        self.assert_agrees(bursar)
        self.assertEqual(run.terminate()[0], 0)

        retried = self.assert_exit(0, self.decide(bursar, "retry", "ref:first-0", "they fixed their wallet")).json
        self.assertEqual(retried["state"], "queued")
        self.assertIsNone(retried["nonce"])
        self.assertIsNone(retried["tx_hash"])
        self.assertEqual(retried["attempts"][0]["tx_hash"], failed["tx_hash"])  # what was tried is not forgotten
        self.assertEqual((retried["history"][-1]["actor"], retried["history"][-1]["detail"]),
                         (who(), "they fixed their wallet"))
        self.assert_agrees(bursar)

        run = bursar.start("run")  # its code is still there: no second failure, it is blocked
        harness.wait_until(lambda: bursar.show("ref:first-0")["blocked"], 60, run.err)
        self.assertEqual(node.nonce(block="pending"), 1)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_exit(0, self.decide(bursar, "cancel", "ref:first-0"))
        self.assert_agrees(bursar)
        self.assert_chain(node, unpaid=first + after)

    def test_a_retried_payment_is_paid_with_another_nonce(self):
        node = self.still_node()
        bursar = self.bursar(node)
        first = harness.rows("first", 1)
        after = harness.rows("after", 1, depends_on="first-0")
        self.pay(bursar, first + after)
        run = bursar.start("run")
        failed = self.failing(node, bursar, first[0], run)
        node.set_code(first[0]["destination"], "0x")
        self.assert_exit(0, self.decide(bursar, "retry", "ref:first-0"))
        self.wait_in_pool(node, 2, run)
        self.assert_agrees(bursar)
        paid = self.wait_state(bursar, "ref:first-0", "finalized", run, node)
        self.assertEqual(paid["nonce"], 1)
        self.assertNotEqual(paid["tx_hash"], failed["tx_hash"])
        self.assertEqual(len(paid["attempts"]), 2)
        self.wait_state(bursar, "ref:after-0", "finalized", run, node)
        self.refused(bursar, "retry", "ref:first-0", "paid")
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=first + after)
        self.assert_agrees(bursar)
        row = self.statement(bursar)[0]
        self.assertEqual((row["state"], row["tx_hash"]), ("finalized", paid["tx_hash"]))
        self.assertEqual(bursar.status()["blocked"], [])

    def test_only_what_failed_is_retried(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("plain", 2)
        self.pay(bursar, payments)
        self.refused(bursar, "retry", "ref:plain-0", "has not failed")
        self.assert_exit(0, bursar.run_until_idle())
        self.refused(bursar, "retry", "ref:plain-0", "it is paid", "another ref")
        self.assert_chain(node, once=payments)

    # -- the command line ----------------------------------------------------------------------------------------------

    def test_decisions_need_an_id_and_a_reason(self):
        bursar = self.bursar(self.node())
        self.pay(bursar, harness.rows("row", 1))
        for command in ("cancel", "retry"):
            for arguments in ((), ("1",), ("--reason", "x"), ("1", "2", "--reason", "x"), ("1", "--reason"),
                              ("1", "--reason", ""), ("1", "--reason", "  "), ("1", "--reason", "x" * 501),
                              ("1", "--reason", "two\nlines"), ("1", "--reason", "\x1b[31m"), ("x", "--reason", "x"),
                              ("0", "--reason", "x")):
                with self.subTest(command=command, arguments=arguments):
                    self.assertEqual(self.assert_exit(2, bursar.command(command, *arguments)).out, "")
            for unknown in ("4711", "ref:nobody"):
                self.assert_exit(3, self.decide(bursar, command, unknown))
        for arguments in (("open",), ("close",), ("reset",), ("opened", "--reason", "x"), ("open", "now", "--reason", "x"),
                          ("show", "--reason", "x"), ("--reason", "x"), ("open", "--reason", "x" * 501)):
            with self.subTest(arguments=arguments):
                self.assert_exit(2, bursar.command("breaker", *arguments))
        for arguments in (("--format", "xml"), ("--format",), ("now",), ("--format", "csv", "--json")):
            with self.subTest(arguments=arguments):
                self.assert_exit(2, bursar.command("export", *arguments))
        self.assertEqual(bursar.show(1)["state"], "queued")
        self.assertEqual(len(bursar.show(1)["history"]), 1)
        self.assert_exit(0, self.decide(bursar, "cancel", 1, "ünïcode ✓ " + "x" * 480))
        for command in ("cancel", "retry", "breaker", "export"):
            self.assertIn(command, self.assert_exit(0, bursar.command("help", command)).out)
            self.assertIn(command, bursar.command("help").out)

    # -- breaker -------------------------------------------------------------------------------------------------------

    def breaker(self, bursar, *arguments):
        return self.assert_exit(0, bursar.command("breaker", *arguments, "--json")).json

    def test_the_breaker_is_shown_opened_closed_and_remembered(self):
        bursar = self.bursar(self.node())
        new = self.breaker(bursar)
        self.assertEqual((new["state"], new["failures"], new["successes"], new["forced"]), ("closed", 0, 0, False))
        self.assertIsNone(new["actor"])
        self.assertEqual(bursar.status()["breaker"], new)
        opened = self.breaker(bursar, "open", "--reason", "the node lies")
        self.assertEqual((opened["state"], opened["forced"], opened["command"], opened["actor"], opened["reason"]),
                         ("open", True, "open", who(), "the node lies"))
        self.assertTrue(opened["since"])
        self.assertIsNone(opened["half_open_at"])  # it does not end by itself
        self.assertEqual(self.breaker(bursar, "show"), opened)
        self.assertEqual(bursar.status()["breaker"], opened)
        text = self.assert_exit(0, bursar.command("breaker")).out + bursar.command("status").out
        for word in ("open", who(), "the node lies"):
            self.assertIn(word, text)
        closed = self.breaker(bursar, "close", "--reason", "another node")
        self.assertEqual((closed["state"], closed["forced"], closed["failures"], closed["reason"]),
                         ("closed", False, 0, "another node"))
        reset = self.breaker(bursar, "reset", "--reason", "as new")
        self.assertEqual((reset["state"], reset["since"], reset["command"]), ("closed", None, "reset"))

    def test_opened_for_a_time_it_tries_again_by_itself(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("pause", 10)
        self.pay(bursar, payments)
        for wrong in (("open", "--for", "2"), ("open", "--for", "31d"), ("close", "--for", "25h"),
                      ("close", "--for", ""), ("reset", "--for", "2s"), ("show", "--for", "2s")):
            self.assert_exit(2, bursar.command("breaker", *wrong, "--reason", "lunch"))
        opened = self.breaker(bursar, "open", "--for", "2s", "--reason", "lunch")
        self.assertEqual((opened["state"], opened["forced"]), ("open", True))
        self.assertTrue(opened["half_open_at"])
        self.assert_exit(0, bursar.run_until_idle())  # a time is waited for
        closed = self.breaker(bursar)
        self.assertEqual((closed["state"], closed["forced"], closed["reason"]), ("closed", False, "lunch"))
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_held_closed_it_does_not_open_however_often_the_node_fails(self):
        node = self.node()
        proxy = FaultyProxy(node.port, seed=13)
        self.addCleanup(proxy.close)
        bursar = self.bursar(node, BREAKER_FAILURE_THRESHOLD="2", BREAKER_TIMEOUT_S="86400")
        bursar.configure("treasury main", rpc=proxy.url)
        payments = harness.rows("held", 5)
        self.pay(bursar, payments)
        proxy.inflict("drop", on="sends")
        held = self.breaker(bursar, "close", "--for", "1d", "--reason", "the node stumbles, and must be tried")
        self.assertEqual((held["state"], held["forced"], held["command"], held["actor"]),
                         ("closed", True, "close", who()))
        self.assertTrue(held["held_until"])
        text = self.assert_exit(0, bursar.command("breaker")).out + bursar.command("status").out
        for word in ("held until " + held["held_until"], who(), "the node stumbles"):
            self.assertIn(word, text)
        self.assertIn("held until " + held["held_until"], bursar.command("top", "--once").out)
        run = bursar.start("run")
        harness.wait_until(lambda: proxy.count("drop") >= 5, 60, run.err)
        run.kill()
        run = bursar.start("run")  # a restart keeps the hold
        hurt = proxy.count("drop")
        harness.wait_until(lambda: proxy.count("drop") >= hurt + 5, 60, run.err)
        now = self.breaker(bursar)
        self.assertEqual((now["state"], now["forced"], now["failures"]), ("closed", True, 2))
        ends = [datetime.datetime.fromisoformat(one["held_until"].replace("Z", "+00:00")) for one in (held, now)]
        self.assertLessEqual(abs(ends[0] - ends[1]), datetime.timedelta(seconds=2))
        self.breaker(bursar, "close", "--reason", "enough")  # as ever: it opens when the node keeps failing
        harness.wait_until(lambda: self.breaker(bursar)["state"] == "open", 60, run.err)
        self.breaker(bursar, "close", "--for", "1h", "--reason", "once more")
        proxy.heal()
        harness.wait_until(lambda: bursar.queue("finalized") == 5, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_when_the_hold_is_over_failures_open_it_again(self):
        node = self.node()
        proxy = FaultyProxy(node.port, seed=13)
        self.addCleanup(proxy.close)
        bursar = self.bursar(node, BREAKER_FAILURE_THRESHOLD="2", BREAKER_TIMEOUT_S="1")
        bursar.configure("treasury main", rpc=proxy.url)
        payments = harness.rows("over", 5)
        self.pay(bursar, payments)
        proxy.inflict("drop", on="sends")
        self.breaker(bursar, "close", "--for", "3s", "--reason", "for a moment")
        run = bursar.start("run")
        harness.wait_until(lambda: self.breaker(bursar)["openings"] > 0, 60, run.err)
        self.assertIsNone(self.breaker(bursar)["held_until"])
        proxy.heal()
        harness.wait_until(lambda: bursar.queue("finalized") == 5, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_nothing_is_paid_while_a_person_has_opened_the_breaker(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("held", 10)
        self.pay(bursar, payments)
        self.breaker(bursar, "open", "--reason", "wait for the audit")
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.status()["lease"], 60, run.err)
        seen = bursar.status()["last_tick_at"]
        harness.wait_until(lambda: bursar.status()["last_tick_at"] not in (None, seen), 60, run.err)
        run.kill()
        run = bursar.start("run")  # also not after a restart
        seen = bursar.status()["last_tick_at"]
        harness.wait_until(lambda: bursar.status()["last_tick_at"] != seen, 60, run.err)
        self.assertEqual(node.nonce(block="pending"), 0)
        self.assertEqual(self.breaker(bursar)["reason"], "wait for the audit")
        self.breaker(bursar, "close", "--reason", "the audit is done")
        harness.wait_until(lambda: bursar.queue("finalized") == 10, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_opening_the_breaker_stops_a_running_executor(self):
        node = self.still_node()
        bursar = self.bursar(node, TREASURY_MAIN_MAX_IN_FLIGHT=5)
        payments = harness.rows("stop", 40)
        self.pay(bursar, payments)
        run = bursar.start("run")
        self.wait_in_pool(node, 5, run)
        self.breaker(bursar, "open", "--reason", "stop")
        bound = bursar.status()["next_nonce"]  # in force when the command returns
        node.mine(5)
        harness.wait_until(lambda: bursar.queue("finalized") == bound, 60, run.err)  # observing goes on
        self.assertEqual(bursar.status()["next_nonce"], bound)
        self.assertEqual(self.breaker(bursar)["forced"], True)  # the executor has not overwritten it
        self.breaker(bursar, "close", "--reason", "go on")

        def done():
            node.mine()
            return bursar.queue("finalized") == 40
        harness.wait_until(done, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    # -- export --------------------------------------------------------------------------------------------------------

    def statement(self, bursar, *options):
        result = self.assert_exit(0, bursar.command("export", *options))
        return list(csv.DictReader(io.StringIO(result.out, newline="")))

    def test_a_statement_is_what_the_chain_says(self):
        node = self.node()
        bursar = self.bursar(node)
        memo = 'Two\nlines, "quoted"; =1+1 ünï'
        payments = harness.rows("paid", 30, memo=memo)
        cancelled = harness.rows("=cancelled", 1)
        later = harness.rows("later", 1, not_before="2100-01-01T00:00:00Z")
        self.pay(bursar, payments + cancelled + later)
        self.assert_exit(0, self.decide(bursar, "cancel", "ref:=cancelled-0"))
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.queue("finalized") == 30, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        truth = self.assert_chain(node, once=payments, unpaid=cancelled + later)

        found = {row["ref"]: row for row in self.statement(bursar)}
        self.assertEqual(len(found), 32)
        paid_wei = fees_wei = 0
        for payment in payments:
            row = found[payment["ref"]]
            value, block, tx_hash, nonce = truth.payment(payment["destination"])
            receipt = node.rpc("eth_getTransactionReceipt", tx_hash)
            gas, price = int(receipt["gasUsed"], 16), int(receipt["effectiveGasPrice"], 16)
            self.assertEqual((row["destination"].lower(), row["asset"], row["amount"], row["memo"], row["state"]),
                             (payment["destination"], "native", str(value), memo, "finalized"))
            self.assertEqual(harness.wei(row["amount_ether"]), value)
            self.assertEqual((row["nonce"], row["tx_hash"], row["block_number"], row["block_hash"]),
                             (str(nonce), tx_hash, str(block), receipt["blockHash"]))
            self.assertEqual((row["gas_used"], row["effective_gas_price"], row["fee"]),
                             (str(gas), str(price), str(gas * price)))
            self.assertLessEqual(row["queued_at"], row["final_at"])
            paid_wei += int(row["amount"])
            fees_wei += int(row["fee"])
        self.assertEqual(10_000 * harness.ETHER - node.balance(TREASURY), paid_wei + fees_wei)
        self.assertEqual((found["=cancelled-0"]["state"], found["=cancelled-0"]["tx_hash"]), ("cancelled", ""))
        self.assertTrue(found["=cancelled-0"]["final_at"])
        self.assertEqual((found["later-0"]["state"], found["later-0"]["final_at"]), ("queued", ""))

        items = self.assert_exit(0, bursar.command("export", "--json")).json["items"]
        self.assertEqual(items, json.loads(bursar.command("export", "--format", "json").out)["items"])
        self.assertEqual(len(items), 32)
        for item in items:
            row = found[item["ref"]]
            for name, text in row.items():
                self.assertEqual("" if item[name] is None else str(item[name]), text, name)

    def test_a_statement_of_many_pages_has_every_row_once(self):
        bursar = self.bursar(self.node())
        empty = self.assert_exit(0, bursar.command("export"))
        self.assertEqual(empty.out.count("\n"), 1)
        self.assertEqual(self.assert_exit(0, bursar.command("export", "--json")).json, {"items": []})
        payments = harness.rows("page", 3000)
        self.pay(bursar, payments)
        expected = [p["ref"] for p in payments]
        self.assertEqual([row["ref"] for row in self.statement(bursar)], expected)
        items = self.assert_exit(0, bursar.command("export", "--json")).json["items"]
        self.assertEqual([item["ref"] for item in items], expected)
