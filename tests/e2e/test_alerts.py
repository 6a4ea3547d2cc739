"""Alerts fire on what the program shows in the trouble that they are for, and never on a healthy run. And runbook, rules and
dashboard speak of nothing that does not exist."""

import contextlib
import fcntl
import json
import re
import shutil
import sqlite3
import unittest

import contracts
from alerts import RULES, Recording
from faulty_proxy import FaultyProxy
from harness import HANG_S, ROOT, TREASURY, ChainCase, free_port, rows, wait_until
from http_client import Http, HttpCase
from metrics import run_promtool, scrape

ALERT = re.compile(r"^      - alert: (\w+)$", re.M)


class AlertCase(HttpCase):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.http = Http(self.port)
        self.record = Recording()

    def treasury(self, node, through=None, **settings):
        """A treasury that will serve on our port, its node behind `through`."""
        bursar = self.bursar(node, HTTP_LISTEN=f"127.0.0.1:{self.port}", **settings)
        if through:
            bursar.configure("treasury main", rpc=through.url)
        return bursar

    def proxy(self, node):
        proxy = FaultyProxy(node.port, seed=11)
        self.addCleanup(proxy.close)
        return proxy

    def start(self, bursar):
        run = bursar.start("run")
        return self.wait_answers(run)

    def wait_answers(self, run):
        def answers():
            self.assertTrue(run.is_running, run.err())
            with contextlib.suppress(OSError):
                return self.http.get("/healthz").status == 200
        wait_until(answers, HANG_S, lambda: "an answer\n" + run.err())
        return run

    def wait_page(self, condition, what):
        page = None

        def holds():
            nonlocal page
            page = scrape(self.http)
            return condition(page)
        wait_until(holds, HANG_S, lambda: f"{what}\n{page.text if page else ''}")

    def take(self, count=3):
        """Pages, at least a tick between two."""
        for _ in range(count):
            ticks = scrape(self.http).total("treasury_executor_ticks_total")
            self.wait_page(lambda page, ticks=ticks: page.total("treasury_executor_ticks_total") > ticks, "a tick")
            self.record.take(self.http)

    def assert_fires(self, minute, *names, growing=()):
        self.assertEqual(self.record.firing(minute, growing), {f"Bursar{name}" for name in names})


def dashboard_queries():
    """Of every panel and variable, as Grafana would send them."""
    dashboard = json.loads((ROOT / "monitoring/grafana.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    queries += [re.fullmatch(r"label_values\((\w+), \w+\)", variable["query"])[1]
                for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
    return [query.replace("$__rate_interval", "5m").replace("$treasury", ".*") for query in queries]


class DashboardTest(AlertCase):
    def test_every_query_finds_something_on_a_run(self):
        bursar = self.treasury(self.node(), TREASURY_MAIN_MAX_PAYMENTS_PER_HOUR="100", TREASURY_MAIN_MAX_SPEND_PER_HOUR="1ether")
        self.start(bursar)
        self.take(2)
        self.pay(bursar, rows("seen", 5))
        self.wait_page(lambda page: page.value("treasury_disbursements", status="finalized") == 5, "all to be paid")
        self.take()
        queries = dashboard_queries()
        self.assertGreater(len(queries), 30)
        self.assertEqual(self.record.silent(6, queries), [])
        self.assertEqual(self.record.silent(6, ["treasury_no_such", "sum("]), ["treasury_no_such", "sum("])


class AlertTest(AlertCase):
    def test_none_on_a_healthy_run(self):
        node = self.node()
        bursar = self.treasury(node)
        self.start(bursar)
        self.take()
        self.pay(bursar, rows("healthy", 5))
        self.wait_page(lambda page: page.value("treasury_disbursements", status="finalized") == 5, "all to be paid")
        self.take()
        for minute in (6, 20, 60):
            self.assert_fires(minute)

    def test_executor_down(self):
        run = self.start(self.treasury(self.node()))
        self.take()
        run.kill()
        self.record.take(self.http)
        self.assertIsNone(self.record.pages[-1])
        self.assert_fires(4)
        self.assert_fires(10, "ExecutorDown")

    def test_no_tick_while_a_node_never_answers(self):
        node = self.node()
        proxy = self.proxy(node)
        bursar = self.treasury(node, proxy, EXECUTOR_RPC_TIMEOUT_MS="100000")
        self.start(bursar)
        self.take()
        proxy.inflict("late")
        wait_until(lambda: proxy.count("late"), HANG_S, "a request that is not answered")
        self.record.take(self.http)
        self.record.take(self.http)
        self.assert_fires(5)
        self.assert_fires(12, "NoTick")

    def test_lease_released_while_another_program_holds_the_signing_log(self):
        bursar = self.treasury(self.node())
        with open(bursar.signing_logs()[0], "rb") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            self.start(bursar)
            self.take()
            self.assert_fires(4)
            self.assert_fires(20, "LeaseReleased", "NoTick")

    def test_a_store_that_was_put_back_regresses_and_halts(self):
        bursar = self.treasury(self.node())
        old = bursar.directory / "old"
        for label in ("first", "second"):
            self.pay(bursar, rows(label, 3))
            run = self.start(bursar)
            count = 3 if label == "first" else 6
            self.wait_page(lambda page, count=count: page.value("treasury_disbursements", status="finalized") == count, "it")
            self.take()
            self.assertEqual(run.terminate()[0], 0)
            if label == "first":
                old.mkdir()
                for path in bursar.directory.glob("bursar.db*"):
                    shutil.copy2(path, old)
        for path in bursar.directory.glob("bursar.db*"):
            path.unlink()
        for path in old.iterdir():
            shutil.copy2(path, bursar.directory)
        self.start(bursar)
        self.wait_page(lambda page: page.value("treasury_halt", code="store_behind_log") == 1, "the halt")
        self.take()
        self.assert_fires(5)
        self.assert_fires(12, "NonceRegressed", "SafetyHalt")

    def test_nonces_that_are_bound_and_not_handed_over(self):
        node = self.node()
        proxy = self.proxy(node)
        bursar = self.treasury(node, proxy, BREAKER_FAILURE_THRESHOLD="1", BREAKER_TIMEOUT_S="3600",
                               EXECUTOR_BATCH_SIZE="1000", TREASURY_MAIN_MAX_IN_FLIGHT="1000")
        self.start(bursar)
        self.take(1)
        proxy.inflict("drop", on="sends")  # the first of several requests that these take
        self.pay(bursar, rows("lag", 1000))
        self.wait_page(lambda page: page.value("treasury_circuit_breaker_state") == 1, "the breaker to open")
        self.take()
        self.assert_fires(5, "BreakerOpen")
        self.assert_fires(20, "BreakerOpen", "NonceLagging")

    def test_breaker_open(self):
        node = self.node()
        proxy = self.proxy(node)
        bursar = self.treasury(node, proxy, BREAKER_FAILURE_THRESHOLD="2", BREAKER_TIMEOUT_S="3600")
        self.start(bursar)
        proxy.inflict("drop", on="sends")
        self.take(2)
        self.pay(bursar, rows("open", 3))
        self.wait_page(lambda page: page.value("treasury_circuit_breaker_state") == 1, "the breaker to open")
        self.take()
        self.assert_fires(20, "BreakerOpen")

    def test_breaker_flapping(self):
        node = self.node()
        proxy = self.proxy(node)
        bursar = self.treasury(node, proxy, BREAKER_FAILURE_THRESHOLD="1", BREAKER_TIMEOUT_S="1")
        self.start(bursar)
        proxy.inflict("drop", on="sends")
        self.take(1)
        self.pay(bursar, rows("flap", 1))
        for opened in range(1, 6):
            self.wait_page(lambda page, opened=opened: page.value("treasury_circuit_breaker_changes_total", state="open")
                           >= opened and page.value("treasury_circuit_breaker_state") == 1, "the breaker to open")
            self.take(1)
        self.assert_fires(6, "BreakerFlapping", "BreakerOpen")

    def test_money_breaker_open_at_once(self):
        node = self.node()
        bursar = self.treasury(node)
        self.start(bursar)
        self.pay(bursar, rows("before", 1))
        self.wait_page(lambda page: page.value("treasury_disbursements", status="finalized") == 1, "it to be paid")
        self.take(2)
        node.set_balance(TREASURY, node.balance(TREASURY) - 1)
        self.wait_page(lambda page: page.total("treasury_money_breaker_open") == 1, "the money breaker to open")
        self.take(1)
        self.assert_fires(1)
        self.assert_fires(2, "MoneyBreakerOpen")
        self.assert_exit(0, bursar.command("breaker", "close", "--money", "--reason", "seen"))
        self.take(1)
        self.assert_fires(3)

    def near(self, bursar, within, above):
        """Some of an hour's limit is used, then more than four fifths of it."""
        self.start(bursar)
        for label, payments in (("within", within), ("above", above)):
            paid = bursar.queue("finalized")
            self.pay(bursar, payments, name=f"{label}.csv")
            self.wait_page(lambda page, count=paid + len(payments): page.value("treasury_disbursements", status="finalized")
                           == count, "all to be paid")
            self.take(2)
        self.assert_fires(1)
        self.assert_fires(3, "HourlyLimitNear")

    def test_most_of_the_payments_of_an_hour_are_made(self):
        bursar = self.treasury(self.node(), TREASURY_MAIN_MAX_PAYMENTS_PER_HOUR="10")
        self.near(bursar, rows("within", 8), rows("above", 1))

    def test_most_of_the_coin_of_an_hour_is_paid(self):
        bursar = self.treasury(self.node(), TREASURY_MAIN_MAX_SPEND_PER_HOUR="10ether")
        self.near(bursar, rows("within", 2, amount="4ether"), rows("above", 1))

    def test_most_of_a_token_of_an_hour_is_paid(self):
        node = self.node()
        token = contracts.deploy(node, "Token", 6, 10**12)
        token.send("transfer", TREASURY, 10**9)
        bursar = self.treasury(node)
        bursar.configure("asset usdc", token=token.address, decimals=6, max_spend_per_hour="10")
        self.near(bursar, rows("within", 2, amount="4", asset="usdc"), rows("above", 1, amount="0.000001", asset="usdc"))

    def test_backlog_balance_and_oldest_due(self):
        node = self.node()
        node.set_balance(TREASURY, 10)
        bursar = self.treasury(node, MONEY_BREAKER_BALANCE="off")  # nobody has stolen the rest
        self.start(bursar)
        self.pay(bursar, rows("poor", 120))
        self.wait_page(lambda page: page.value("treasury_executor_pending_matured") == 120, "all to be due")
        self.take()
        oldest = ("treasury_oldest_due_seconds",)
        self.assert_fires(3, growing=oldest)
        self.assert_fires(30, "Backlog", "BalanceBelowDue", growing=oldest)
        self.assert_fires(140, "Backlog", "BalanceBelowDue", "OldestDue", growing=oldest)

    def test_paid_late(self):
        bursar = self.treasury(self.node())
        self.pay(bursar, rows("late", 5))
        with contextlib.closing(sqlite3.connect(bursar.store)) as store:  # as if imported two hours ago
            store.executescript("DROP TRIGGER event_unchanged; UPDATE event SET at_ms = at_ms - 7200000")
        proxy = self.proxy(self._nodes[0])
        bursar.configure("treasury main", rpc=proxy.url)
        proxy.inflict("drop", on="sends")
        self.start(bursar)
        self.take(2)
        proxy.heal()
        self.wait_page(lambda page: page.value("treasury_disbursement_lag_seconds_count") == 5, "all to be paid")
        self.take()
        self.assertGreater(self.record.pages[-1].value("treasury_disbursement_lag_seconds_sum"), 5 * 7200)
        self.assert_fires(15, "PaidLate")

    def test_errors_with_the_node_down(self):
        node = self.node()
        self.start(self.treasury(node))
        self.wait_page(lambda page: page.value("treasury_finality_lag_seconds") is not None, "a final block")
        self.take(2)
        node.kill()
        self.wait_page(lambda page: page.value("treasury_node_healthy", node=node.url) == 0, "the node to be missed")
        for faults in range(5, 30, 5):
            self.wait_page(lambda page, faults=faults: page.value("treasury_execution_errors_total",
                                                                  reason="node_unreachable") >= faults, "faults")
            self.record.take(self.http)
        self.assert_fires(20, "Errors", "NodeUnhealthy")
        self.assert_fires(50, "Errors", "NodeUnhealthy", "FinalityStalled", growing=("treasury_finality_lag_seconds",))

    def test_finality_stalled_on_a_chain_without_blocks(self):
        node = self.node()
        self.start(self.treasury(node))
        self.wait_page(lambda page: page.value("treasury_chain_final_block"), "a final block")
        node.rpc("evm_setIntervalMining", 0)
        self.take()
        lag = ("treasury_finality_lag_seconds",)
        self.assert_fires(20, growing=lag)
        self.assert_fires(50, "FinalityStalled", growing=lag)

    def test_a_foreign_transaction(self):
        node = self.node()
        self.start(self.treasury(node))
        self.take()
        node.send(rows("foreign", 1)[0]["destination"], 7)
        self.wait_page(lambda page: page.total("treasury_halt") == 1, "the halt")
        self.take()
        self.assert_fires(6, "ForeignNonce", "SafetyHalt")

    def test_a_cancelled_dependency(self):
        bursar = self.treasury(self.node())
        self.start(bursar)
        first, second = rows("chain", 2)
        self.pay(bursar, [dict(first, not_before="epoch:1000000"), dict(second, depends_on=first["ref"])])
        self.take()
        self.assert_exit(0, bursar.command("cancel", f"ref:{first['ref']}", "--reason", "not any more"))
        self.take(1)
        self.assert_fires(5, "DependencyFailed")

    def test_a_reverted_payment(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        bursar = self.treasury(node)
        payment = rows("revert", 1)[0]
        self.pay(bursar, [payment])
        self.start(bursar)
        wait_until(lambda: bursar.queue("staged") == 1 and int(node.rpc("eth_getTransactionCount", TREASURY, "pending"), 16),
                   HANG_S, "it to be handed over")
        node.set_code(payment["destination"], "0x60006000fd")
        node.mine(5)
        self.wait_page(lambda page: page.value("treasury_disbursements", status="failed") == 1, "it to fail")
        self.take()
        self.assert_fires(4, "DisbursementFailed")

    def test_a_store_that_cannot_be_read(self):
        bursar = self.treasury(self.node())
        run = bursar.start("run")
        self.wait_answers(run)  # which opens no store; the executor has its own
        bursar.store.rename(bursar.directory / "moved")
        for _ in range(3):
            page = self.record.take(self.http)
        self.assertEqual(page.value("bursar_store_readable"), 0)
        self.assert_fires(10, "StoreUnreadable")


class SpokenOfTest(ChainCase):
    """What rules, dashboard and runbook name exists."""

    def setUp(self):
        super().setUp()
        self.runbook = (ROOT / "docs/runbook.md").read_text()
        self.rules = RULES.read_text()
        self.metrics = {match[1]: match[2] for match in
                        re.finditer(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/METRICS.md").read_text(), re.M)}
        self.names = set(self.metrics) | {f"{name}_{part}" for name, kind in self.metrics.items() if kind == "histogram"
                                          for part in ("bucket", "sum", "count")}

    def unknown_metrics(self, text):
        return set(re.findall(r"\b(?:treasury|governance|bursar)_[a-z_]+\b(?=[\s{\[)*]|$)", text)) - self.names

    def test_rules_are_sound_and_know_their_metrics(self):
        code, output = run_promtool("check", "rules", RULES)
        self.assertEqual(code, 0, output)
        expressions = re.findall(r"expr: >-\n\s+(.*)$", self.rules, re.M)
        self.assertEqual(len(expressions), len(ALERT.findall(self.rules)))
        for expression in expressions:
            self.assertEqual(self.unknown_metrics(expression), set(), expression)

    def test_every_alert_has_severity_summary_and_a_section_of_the_runbook(self):
        headings = {heading.lower().replace(" ", "-"): heading for heading in re.findall(r"^## (.*)$", self.runbook, re.M)}
        alerts = self.rules.split("      - alert: ")[1:]
        self.assertGreater(len(alerts), 10)
        for alert in alerts:
            name = alert.split("\n")[0]
            self.assertRegex(alert, r"severity: (critical|warning)\n", name)
            self.assertRegex(alert, r'summary: "[^"]{20,}"', name)
            anchor = re.search(r"runbook: docs/runbook.md#(\S+)", alert)[1]
            self.assertIn(anchor, headings, name)
            section = self.runbook.split(f"## {headings[anchor]}\n")[1].split("\n## ")[0]
            self.assertIn(f"*`{name}`.*", section)
        for anchor in re.findall(r"\]\(#([^)]*)\)", self.runbook):
            self.assertIn(anchor, headings)

    def test_commands_and_metrics_of_the_runbook_exist(self):
        self.assertEqual(self.unknown_metrics(" ".join(re.findall(r"`([^`]*)`", self.runbook))), set())
        commands = re.findall(r"`(bursar [^`]*)`", self.runbook) + re.findall(r"^(bursar [^#\n]*)", self.runbook, re.M)
        self.assertGreater(len(commands), 20)
        program = self.bursar(init=False)
        for command in commands:
            words = re.sub(r"^bursar( -c \S+| --treasury \S+)*", "", command).split()
            told = program.command("help", words[0])
            self.assertEqual(told.code, 0, command)
            for word in words[1:]:
                if word.startswith("-") or (words[0] == "breaker" and word.islower() and word not in "TEXT"):
                    self.assertRegex(told.out, rf"(?<![\w-]){re.escape(word)}(?![\w-])", command)

    def test_the_dashboard_knows_its_metrics_and_shows_all_that_is_kept_by_name(self):
        queries = dashboard_queries()
        for query in queries:
            self.assertEqual(self.unknown_metrics(query), set(), query)
        panels = json.loads((ROOT / "monitoring/grafana.json").read_text())["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        told = {match for query in queries for match in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", query)}
        silent = {name for name in self.metrics if not any(word.startswith(name) for word in told)}
        self.assertLessEqual(silent, {"treasury_circuit_breaker_forced", "treasury_executor_last_success_seconds",
                                      "treasury_executor_last_error_seconds", "bursar_event_log_behind", "treasury_owed_is_all",
                                      "process_start_time_seconds"})

    def test_settings_of_the_runbook_exist(self):
        told = self.bursar(init=False).command("help", "config").out
        for setting in ("rpc", "rpc_timeout_ms", "max_fee_per_gas", "max_priority_fee_per_gas", "replace_after_blocks",
                        "max_in_flight", "batch_size", "finality"):
            self.assertIn(f"`{setting}`", self.runbook)
            self.assertRegex(told, rf"\b{setting}\b")


if __name__ == "__main__":
    unittest.main()
