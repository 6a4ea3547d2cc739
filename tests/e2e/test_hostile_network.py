"""A node seen through a network that does its worst: each fault alone, all mixed, with SIGKILLs. What counts at the end
is the chain: everybody paid exactly once; and the program never gives up by itself."""

import os
import pathlib
import time

import harness
from faulty_proxy import FaultyProxy

RPC_TIMEOUT_MS = 300
RSS_MAX_BYTES = 64 * 2**20


def peak_rss_bytes(run):
    status = pathlib.Path(f"/proc/{run.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def forget_peak_rss(run):
    pathlib.Path(f"/proc/{run.process.pid}/clear_refs").write_text("5")


class HostileNetworkTest(harness.ChainCase):
    def setUp(self):
        super().setUp()
        self.seed = os.environ.get("BURSAR_TEST_SEED") or str(time.time_ns())
        print(f"BURSAR_TEST_SEED={self.seed}")
        self.node_ = self.node(block_time=0.1)
        self.proxy = FaultyProxy(self.node_.port, self.seed)
        self.addCleanup(self.proxy.close)
        # Small batches, so that there is much to go wrong. Never so many failures that the breaker makes us wait.
        self.program = self.bursar(
            self.proxy, EXECUTOR_POLL_INTERVAL_MS=20, EXECUTOR_BATCH_SIZE=5, EXECUTOR_RPC_TIMEOUT_MS=RPC_TIMEOUT_MS,
            TREASURY_MAIN_MAX_IN_FLIGHT=8, BREAKER_FAILURE_THRESHOLD=1000, BREAKER_TIMEOUT_S=1,
            BREAKER_SUCCESS_THRESHOLD=1)
        self.payments = []

    # -- what all tests do ---------------------------------------------------------------------------------------------

    def pay_more(self, count):
        rows = harness.rows(f"hostile{len(self.payments)}", count)
        self.pay(self.program, rows)
        self.payments += rows

    def status(self):
        """Not through the proxy: what the run has seen and stored."""
        return self.program.status(settings={"BURSAR_TREASURY_MAIN_RPC": self.node_.url})

    def wait(self, condition, run, what, timeout_s=60):
        """As wait_until, for as long as the run lives."""
        def still():
            self.assertTrue(run.is_running, f"the run ended while waiting for {what}: {run.err()[-3000:]}")
            return condition()
        harness.wait_until(still, timeout_s, lambda: f"{what}; {dict(self.proxy.inflicted)}\n{run.err()[-3000:]}")

    def wait_for_error(self, run, words):
        self.wait(lambda: any(w in (self.status()["last_error"] or "") for w in words), run,
                  f"last_error to say one of {words}")

    def assert_all_well(self):
        """Through a healed connection, once nothing is held back any more."""
        self.proxy.heal()
        self.proxy.settle()
        self.assert_exit(0, self.program.run_until_idle())
        head = self.node_.block_number()
        harness.wait_until(lambda: self.node_.block_number() >= head + 2, 60, "blocks for what came late")
        self.assert_chain(self.node_, once=self.payments)
        self.assertEqual(self.node_.nonce(), len(self.payments))
        self.assertIsNone(self.status()["halt"])
        self.assertEqual(self.program.queue("finalized"), len(self.payments))
        self.assert_agrees(self.program)

    def afflict(self, fault, words=(), count=25):
        """One fault: first on every read, until status names it; then on some reads and on sends; then no more."""
        self.pay_more(count)
        if words:
            self.proxy.inflict(fault, on="reads")
        run = self.program.start("run", "--until-idle")
        if words:
            self.wait_for_error(run, words)
            self.proxy.heal()
        reads, sends = self.proxy.count(fault, "reads"), self.proxy.count(fault, "sends")
        self.proxy.inflict(fault, on="sends", times=3)
        self.proxy.inflict(fault, on="sends", probability=0.4)
        self.proxy.inflict(fault, on="reads", probability=0.15)
        self.wait(lambda: self.proxy.count(fault, "sends") > sends + 2 and self.proxy.count(fault, "reads") > reads + 2,
                  run, f"{fault} to be inflicted")
        self.proxy.heal()
        self.assertEqual(run.wait(), 0, run.err()[-3000:])

    def afflict_alone(self, *faults, words=(), count=25):
        for fault in faults:
            self.afflict(fault, words, count)
        self.assert_all_well()

    # -- each fault alone ----------------------------------------------------------------------------------------------

    def test_requests_that_never_arrive(self):
        self.afflict_alone("drop", words=["reply was cut off"])

    def test_replies_cut_after_the_request_arrived(self):
        self.afflict_alone("cut", words=["reply was cut off"])

    def test_replies_with_a_wrong_length(self):
        self.afflict_alone("wrong_length", words=["no complete reply within 300 ms", "not JSON"])

    def test_requests_delivered_long_after_they_were_given_up(self):
        self.afflict_alone("late", words=["no complete reply within 300 ms"])

    def test_requests_delivered_several_times(self):
        self.afflict_alone("duplicate")

    def test_replies_that_drip(self):
        self.afflict_alone("drip", words=["no complete reply within 300 ms"])

    def test_connections_closed_between_requests(self):
        self.afflict_alone("closed_keep_alive")

    def test_responses_nobody_asked_for(self):
        self.afflict_alone("said_twice")

    def test_connections_that_are_one_answer_behind(self):
        self.afflict_alone("one_behind", words=["no usable answer", "not a JSON-RPC reply to this request"])

    def test_connections_refused(self):
        self.proxy.refuse()
        self.pay_more(25)
        run = self.program.start("run", "--until-idle")
        self.wait_for_error(run, ["refused", "connect"])
        self.proxy.listen()
        self.wait(lambda: self.node_.nonce() > 5, run, "payments")
        self.proxy.refuse()
        self.wait_for_error(run, ["refused", "connect"])
        self.proxy.inflict("refused", probability=0.1)
        self.proxy.listen()
        self.assertEqual(run.wait(), 0, run.err()[-3000:])
        self.assert_all_well()

    def test_truncated_json(self):
        self.afflict_alone("truncated", words=["not JSON"])

    def test_too_many_requests_and_unavailable(self):
        self.afflict("http_429", words=["HTTP 429"])
        self.afflict_alone("http_503", words=["HTTP 503"])

    def test_web_pages_instead_of_answers(self):
        self.afflict_alone("html", words=["not JSON"])

    def test_answers_to_the_wrong_calls(self):
        words = ["calls got no usable answer", "not a JSON-RPC reply to this request", "not JSON"]
        self.afflict_alone("wrong_ids", "missing_ids", "doubled_ids", "string_ids", words=words, count=20)

    def test_nothing_known_about_anything(self):
        self.afflict_alone("nulls", words=["malformed", "no block", "is gone", "no transaction hash"])

    def test_errors_about_the_node(self):
        words = ["limit exceeded", "nternal", "header not found", "missing trie node", "resource", "oo many requests",
                 "deadline", "rate limit", "parse error", "not available"]
        self.afflict_alone("errors", words=words)

    def test_quantities_that_are_none(self):
        self.afflict_alone("garbage", words=["malformed", "something that is no block", "sent block"])

    def test_answers_from_a_while_ago(self):
        self.afflict_alone("stale_node", "stale_cache", count=40)

    def test_replies_without_end_cost_no_memory(self):
        for fault, words in (("oversized", ["larger than 33554432 bytes"]), ("endless_headers", ["larger than"]),
                             ("dense", ["more than 524288 values"])):
            self.pay_more(25)
            self.proxy.inflict(fault, on="reads")
            run = self.program.start("run", "--until-idle")
            self.wait(lambda: self.status()["last_error"], run, "the first failure")
            forget_peak_rss(run)  # the keystore's scrypt needed more, for a moment
            self.wait_for_error(run, words)
            done = self.proxy.count(fault)
            self.wait(lambda: self.proxy.count(fault) > done + 5, run, f"more of {fault}")
            peak = peak_rss_bytes(run)
            print(f"{fault}: {peak / 2**20:.1f} MiB")
            if b"__asan_init" not in harness.binary().read_bytes():
                self.assertLess(peak, RSS_MAX_BYTES, fault)
            self.proxy.heal()
            self.proxy.inflict(fault, on="sends", times=3)
            self.assertEqual(run.wait(), 0, run.err()[-3000:])
        self.assert_all_well()

    # -- mixed ---------------------------------------------------------------------------------------------------------

    MIX = ("drop", "late", "cut", "wrong_length", "duplicate", "drip", "closed_keep_alive", "said_twice", "one_behind",
           "refused", "truncated", "http_429", "http_503", "html", "wrong_ids", "missing_ids", "doubled_ids",
           "string_ids", "nulls", "errors", "garbage", "stale_cache", "stale_node")

    def inflict_mix(self, reads=0.0, sends=0.0):
        """Each with the same small chance, so that about this share of the requests is afflicted by one of them."""
        for fault in self.MIX:
            self.proxy.inflict(fault, on="reads", probability=reads / len(self.MIX))
            self.proxy.inflict(fault, on="sends", probability=sends / len(self.MIX))

    def kill_midway(self, kills, upto):
        """SIGKILLs, each after some progress, and the same command again."""
        for n in range(kills):
            run = self.program.start("run", "--until-idle")
            goal = upto * (n + 1) // (kills + 1)
            self.wait(lambda: self.node_.nonce() >= goal, run, f"{goal} payments", timeout_s=90)
            run.kill()

    def test_all_at_once_and_kills(self):
        self.inflict_mix(reads=0.2, sends=0.5)
        self.pay_more(120)
        self.kill_midway(5, 100)
        run = self.program.start("run", "--until-idle")
        self.assertEqual(run.wait(), 0, run.err()[-3000:])  # never healed, and yet it comes to its end
        print(f"inflicted: {dict(self.proxy.inflicted)}")
        self.assert_all_well()

    def test_reorgs_seen_through_nodes_that_lag_behind(self):
        self.program.settings["BURSAR_TREASURY_MAIN_FINALITY"] = "8"
        self.proxy.inflict("stale_node", on="reads", probability=0.3)
        self.inflict_mix(sends=0.3)
        self.pay_more(60)
        run = self.program.start("run", "--until-idle")
        for goal in (10, 35):
            self.wait(lambda: self.node_.nonce() >= goal and self.node_.block_number() > 8, run, f"{goal} payments")
            self.node_.reorg(4)
        self.assertEqual(run.wait(), 0, run.err()[-3000:])
        self.assert_all_well()

    def test_only_sends_are_afflicted(self):
        self.inflict_mix(sends=0.8)
        self.pay_more(60)
        self.kill_midway(2, 50)
        self.assert_exit(0, self.program.run_until_idle())
        self.assertEqual(self.proxy.count(kind="reads"), 0)
        self.assert_all_well()

    def test_only_reads_are_afflicted(self):
        self.inflict_mix(reads=0.3)
        self.pay_more(60)
        self.kill_midway(2, 50)
        self.assert_exit(0, self.program.run_until_idle())
        self.assertEqual(self.proxy.count(kind="sends"), 0)
        self.assert_all_well()

    # -- the other commands --------------------------------------------------------------------------------------------

    def test_reconcile_never_blames_the_network_on_the_books(self):
        self.pay_more(20)
        self.assert_exit(0, self.program.run_until_idle())
        # What tells no lies about the chain. Each read is tried again.
        for fault in ("drop", "cut", "wrong_length", "truncated", "http_429", "http_503", "html", "wrong_ids", "errors",
                      "garbage"):
            self.proxy.inflict(fault, probability=0.015)
        codes = [self.program.reconcile().code for _ in range(4)]
        self.assertIn(0, codes)
        self.assertEqual(set(codes) - {0, 4}, set())
        self.proxy.heal()
        self.proxy.inflict("http_503")
        self.assert_exit(4, self.program.reconcile())
        self.assert_all_well()

    def test_status_and_init_say_what_is_wrong_with_the_network(self):
        for fault, words in (("http_429", "429"), ("html", "not JSON"), ("drop", "cut off"), ("garbage", "")):
            self.proxy.inflict(fault)
            status = self.program.status()
            self.assertIsNone(status["balance"], fault)
            self.assertIsNone(status["halt"], fault)
            other = self.bursar(init=False, name=f"init-{fault}")
            result = self.assert_exit(4, other.init(self.proxy.url))
            self.assertIn(words, result.err)
            self.assertFalse(other.store.exists(), "a store was left behind")
            self.proxy.heal()
            self.assert_exit(0, other.init(self.proxy.url))
