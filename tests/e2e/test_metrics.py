"""/metrics of a working executor: what it says is what the chain says, also after failures."""

import signal
import unittest

from faulty_proxy import FaultyProxy
from harness import HANG_S, ROOT, TREASURY, ChainCase, free_port, rows, wait_until
from http_client import Http, HttpCase
from metrics import check_with_promtool, scrape


def fees(node):
    """What the treasury has paid for gas, by the chain's receipts."""
    total = 0
    for number in range(node.block_number() + 1):
        for transaction in node.rpc("eth_getBlockByNumber", hex(number), True)["transactions"]:
            if transaction["from"].lower() == TREASURY:
                receipt = node.rpc("eth_getTransactionReceipt", transaction["hash"])
                total += int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    return total


class MetricsCase(HttpCase):
    def wait_metrics(self, http, condition, what):
        """Until a page fulfils the condition; that page."""
        page = None

        def holds():
            nonlocal page
            page = scrape(http)
            return condition(page)
        wait_until(holds, HANG_S, lambda: f"{what}\n{page.text if page else 'no page'}")
        return page

    def wait_paid_page(self, http, count):
        return self.wait_metrics(
            http, lambda page: page.value("treasury_disbursements", status="finalized") == count
            and page.value("treasury_chain_nonce") == count, f"{count} to be paid")

    def assert_as_the_chain_has_it(self, node, page, count):
        """All are paid and final, and nothing else was sent."""
        self.assertEqual(page.value("treasury_disbursements", status="finalized"), count)
        self.assertEqual(page.value("treasury_chain_nonce"), node.nonce())
        self.assertEqual(page.value("treasury_executor_lease_last_nonce"), node.nonce() - 1)
        self.assertEqual(page.value("treasury_executor_last_submitted_nonce"), node.nonce() - 1)
        self.assertEqual(page.value("treasury_balance"), node.balance(TREASURY))
        self.assertEqual(page.value("treasury_due"), 0)
        for status in ("queued", "staged", "executed"):
            self.assertEqual(page.value("treasury_disbursement_backlog", status=status), 0)
        self.assertIsNone(page.value("treasury_disbursement_backlog", status="finalized"), "what was paid is no backlog")
        check_with_promtool(self, page.text)


class MetricsTest(MetricsCase):
    def test_a_healthy_run_is_counted_as_the_chain_has_it(self):
        node = self.node()
        bursar, _, http = self.serving(node)
        before = scrape(http)
        self.assertEqual(before.value("governance_disbursements_total", status="finalized"), 0)
        self.assertIsNone(before.value("treasury_executor_last_submitted_nonce"))
        self.pay(bursar, rows("healthy", 7))
        page = self.wait_paid_page(http, 7)
        self.assert_as_the_chain_has_it(node, page, 7)
        for status in ("queued", "staged", "executed", "finalized"):
            self.assertEqual(page.value("governance_disbursements_total", status=status), 7)
        self.assertEqual(page.value("treasury_fees_spent_wei_total"), fees(node))
        self.assertEqual(page.value("treasury_disbursement_lag_seconds_count"), 7)
        self.assertEqual(page.value("treasury_signatures_total", result="signed"), 7)
        self.assertEqual(page.value("treasury_attempts_total", purpose="payment"), 7)
        self.assertEqual(page.value("treasury_submissions_total", verdict="accepted"), 7)
        self.assertEqual(page.value("treasury_executor_lease_held"), 1)
        self.assertEqual(page.value("treasury_executor_lease_released"), 0)
        self.assertEqual(page.value("treasury_circuit_breaker_state"), 0)
        self.assertEqual(page.total("treasury_execution_errors_total"), 0)
        self.assertGreater(page.value("treasury_executor_ticks_total", outcome="complete"), 0)
        ticks = [p.total("treasury_executor_ticks_total") for p in (page, scrape(http))]
        self.assertIn(page.value("treasury_executor_tick_duration_seconds_count"), range(ticks[0], ticks[1] + 1))
        self.assertGreater(page.value("bursar_store_commit_duration_seconds_count"), 0)
        self.assertEqual(page.value("bursar_store_readable"), 1)
        self.assertGreater(page.value("treasury_node_request_duration_seconds_count", node=node.url), 0)
        self.assertEqual(page.value("treasury_node_healthy", node=node.url), 1)
        for name in ("tick", "success"):
            self.assertAlmostEqual(page.value(f"treasury_executor_last_{name}_seconds"), page.at, delta=HANG_S)
        self.assertEqual(page.value("treasury_executor_last_error_seconds"), 0)

    def test_after_failures_and_kills_it_is_still_as_the_chain_has_it(self):
        node = self.node()
        proxy = FaultyProxy(node.port, seed=6)
        self.addCleanup(proxy.close)
        port = free_port()
        bursar = self.bursar(node, HTTP_LISTEN=f"127.0.0.1:{port}", EXECUTOR_RPC_TIMEOUT_MS="300",
                             TREASURY_MAIN_MAX_IN_FLIGHT="4", BREAKER_FAILURE_THRESHOLD="1000")
        bursar.configure("treasury main", rpc=proxy.url)
        payments = rows("storm", 40)
        self.pay(bursar, payments)
        proxy.inflict("drop", on="sends", probability=0.3)
        proxy.inflict("late", on="all", probability=0.1)
        http = Http(port)
        for paid in (8, 16, 24):
            run = bursar.start("run")
            self.wait_served(run, http)
            self.wait_paid(node, payments, paid)
            run.kill()
        run = bursar.start("run")
        self.wait_served(run, http)
        self.wait_metrics(http, lambda page: page.total("treasury_execution_errors_total") > 0
                          and page.value("treasury_node_errors_total", node=proxy.url) > 0, "faults to be counted")
        proxy.heal()
        page = self.wait_paid_page(http, 40)
        self.assert_as_the_chain_has_it(node, page, 40)
        self.assertLess(page.value("governance_disbursements_total", status="finalized"), 40, "of this process only")
        self.assert_chain(node, payments)

    def test_an_open_breaker_is_shown_and_its_cut_short_ticks_are_counted(self):
        node = self.node()
        proxy = FaultyProxy(node.port, seed=7)
        self.addCleanup(proxy.close)
        port = free_port()
        bursar = self.bursar(node, HTTP_LISTEN=f"127.0.0.1:{port}", BREAKER_FAILURE_THRESHOLD="2", BREAKER_TIMEOUT_S="1")
        bursar.configure("treasury main", rpc=proxy.url)
        http = self.wait_served(bursar.start("run"), Http(port))
        proxy.inflict("drop", on="sends")
        self.pay(bursar, rows("open", 3))
        page = self.wait_metrics(
            http, lambda page: page.value("treasury_circuit_breaker_state") == 1
            and page.value("treasury_executor_ticks_total", outcome="cut_short") > 0, "the breaker to open")
        self.assertGreater(page.value("treasury_execution_errors_total", reason="circuit_breaker_open"), 0)
        self.assertGreater(page.value("treasury_circuit_breaker_changes_total", state="open"), 0)
        self.assertGreater(page.value("treasury_due"), 0)
        proxy.heal()
        page = self.wait_paid_page(http, 3)
        self.assertEqual(page.value("treasury_circuit_breaker_state"), 0)
        self.assertGreater(page.value("treasury_circuit_breaker_changes_total", state="closed"), 0)
        self.assert_exit(0, bursar.command("breaker", "open", "--reason", "to see it"))
        self.wait_metrics(http, lambda page: page.value("treasury_circuit_breaker_state") == 1
                          and page.value("treasury_circuit_breaker_forced") == 1, "the breaker to be forced open")
        self.assert_exit(0, bursar.command("breaker", "close", "--for", "1h", "--reason", "to see it"))
        self.wait_metrics(http, lambda page: page.value("treasury_circuit_breaker_state") == 0
                          and page.value("treasury_circuit_breaker_forced") == 1, "the breaker to be held closed")
        self.assert_exit(0, bursar.command("breaker", "close", "--reason", "seen"))
        self.wait_metrics(http, lambda page: page.value("treasury_circuit_breaker_forced") == 0, "the hold to be over")

    def opened_by(self, page):
        causes = ("reverts", "foreign_nonce", "balance_mismatch", "spending_rate", "person")
        return [cause for cause in causes if page.value("treasury_money_breaker_open", cause=cause) == 1]

    def bound(self, page):
        return (page.value("treasury_payments_bound_last_hour"), page.value("treasury_max_payments_per_hour"),
                page.value("treasury_amount_bound_last_hour", asset="native"),
                page.value("treasury_max_spend_per_hour", asset="native"))

    def test_an_open_money_breaker_is_shown_with_its_cause_beside_how_much_was_bound_of_what_may_be(self):
        gwei = 10**9
        bursar, run, http = self.serving(
            prepare=lambda bursar: bursar.configure("treasury main", max_payments_per_hour="5"))
        page = scrape(http)
        self.assertEqual((self.bound(page), self.opened_by(page)), ((0, 5, 0, None), []))
        self.pay(bursar, rows("few", 4))
        page = self.wait_paid_page(http, 4)
        self.assertEqual((self.bound(page), self.opened_by(page)), ((4, 5, 10 * gwei, None), []))
        self.pay(bursar, rows("more", 3), name="more.csv")
        page = self.wait_metrics(http, self.opened_by, "the money breaker to open")
        self.assertEqual(self.opened_by(page), ["spending_rate"])
        self.assertEqual(self.bound(page), (5, 5, 11 * gwei, None))
        check_with_promtool(self, page.text)
        bursar.configure("treasury main", max_payments_per_hour="0", max_spend_per_hour="1ether")
        run.process.send_signal(signal.SIGHUP)
        page = self.wait_metrics(http, lambda page: self.bound(page)[3], "the limits to be read again")
        self.assertEqual(self.bound(page), (5, None, 11 * gwei, 10**18))
        self.assert_exit(0, bursar.command("breaker", "close", "--money", "--reason", "as planned"))
        page = self.wait_paid_page(http, 7)
        self.assertEqual((self.bound(page), self.opened_by(page)), ((2, None, 5 * gwei, 10**18), []))
        self.assert_exit(0, bursar.command("breaker", "open", "--money", "--reason", "to see it"))
        self.assertEqual(self.opened_by(scrape(http)), ["person"])

    def test_what_went_wrong_is_counted_until_the_money_breaker_is_closed(self):
        node = self.node()
        bursar, _, http = self.serving(node)
        self.pay(bursar, rows("before", 1))
        self.wait_paid_page(http, 1)
        self.assertEqual(scrape(http).total("treasury_money_incidents"), 0)
        node.set_balance(TREASURY, node.balance(TREASURY) - 1)
        page = self.wait_metrics(http, self.opened_by, "the money breaker to open")
        self.assertEqual(self.opened_by(page), ["balance_mismatch"])
        self.assertEqual(page.value("treasury_money_incidents", cause="balance_mismatch"), 1)
        self.assertEqual(page.total("treasury_money_incidents"), 1)
        self.assert_exit(0, bursar.command("breaker", "close", "--money", "--reason", "seen"))
        page = scrape(http)
        self.assertEqual((page.total("treasury_money_incidents"), self.opened_by(page)), (0, []))

    def test_a_standby_shows_the_store_and_none_of_its_own_work(self):
        node = self.node()
        bursar, run, http = self.serving(node)
        port = free_port()
        standby = bursar.start("run", settings={"BURSAR_HTTP_LISTEN": f"127.0.0.1:{port}"})
        other = self.wait_served(standby, Http(port))
        self.pay(bursar, rows("standby", 2))
        self.wait_paid_page(http, 2)
        page = self.wait_metrics(other, lambda page: page.value("treasury_disbursements", status="finalized") == 2,
                                 "the standby to see it")
        self.assertEqual(page.value("governance_disbursements_total", status="finalized"), 2)
        self.assertEqual(page.value("treasury_executor_lease_held"), 0)
        self.assertEqual(page.value("treasury_signatures_total", result="signed"), 0)
        self.assertIsNone(page.value("treasury_chain_nonce"))
        run.kill()
        self.wait_metrics(other, lambda page: page.value("treasury_executor_lease_held") == 1, "the standby to take over")

    def test_what_others_wait_for_and_was_cancelled_is_counted(self):
        node = self.node()
        bursar, _, http = self.serving(node, BREAKER_FAILURE_THRESHOLD="5")
        first, second = rows("chain", 2)
        self.pay(bursar, [dict(first, not_before="epoch:1000000"), dict(second, depends_on=first["ref"])])
        self.assert_exit(0, bursar.command("cancel", f"ref:{first['ref']}", "--reason", "not any more"))
        page = self.wait_metrics(
            http, lambda page: page.value("treasury_dependency_failures_total", failure_type="cancelled") == 1,
            "it to be counted")
        self.assertEqual(page.value("treasury_dependency_failures_total", failure_type="failed"), 0)


class WithoutTelemetryTest(ChainCase):
    """The build with -DBURSAR_TELEMETRY=OFF."""

    def test_it_pays_and_has_no_metrics(self):
        node, port = self.node(), free_port()
        bursar = self.bursar(node, init=False, HTTP_LISTEN=f"127.0.0.1:{port}")
        bursar.program = ROOT / "build/lean/bursar"
        self.assert_exit(0, bursar.init(node.url))
        payments = rows("lean", 3)
        self.pay(bursar, payments)
        run, http = bursar.start("run"), Http(port)
        HttpCase.wait_served(self, run, http)
        self.wait_paid(node, payments, 3)
        answer = http.get("/metrics")
        self.assertEqual((answer.status, answer.json["code"]), (404, "no_metrics"), str(answer))
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, payments)


if __name__ == "__main__":
    unittest.main()
