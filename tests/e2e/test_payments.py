"""The plain way: a file in, everybody paid once, and every page of the program says so."""

import harness
from harness import CHAIN_ID, TREASURY

STATES = {"draft", "voting", "queued", "staged", "executed", "finalized", "cancelled", "failed", "rolled_back"}


class PaymentsTest(harness.ChainCase):
    def test_a_csv_file_is_paid_and_shown(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("csv", 50, memo='Gehalt für "März", net')
        imported = self.pay(bursar, payments)
        self.assertEqual(imported.json["existing"], 0)
        self.assertEqual(len(set(imported.json["ids"])), 50)
        self.assertEqual(bursar.queue("queued"), 50)

        self.assert_exit(0, bursar.run_until_idle())
        truth = self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

        status = bursar.status()
        self.assertEqual(status["treasury"], "main")
        self.assertEqual(status["address"].lower(), TREASURY)
        self.assertEqual(status["chain_id"], CHAIN_ID)
        self.assertEqual(status["balance"], str(node.balance(TREASURY)))
        self.assertLessEqual(STATES, set(status["queue"]))
        self.assertEqual(sum(status["queue"].values()), status["queue"]["finalized"])
        self.assertEqual(status["queue"]["finalized"], 50)
        self.assertEqual(status["breaker"]["state"], "closed")
        self.assertIsNone(status["lease"])
        self.assertIsNone(status["halt"])
        self.assertEqual(status["blocked"], [])

        items = bursar.items()
        self.assertEqual([i["ref"] for i in items], [p["ref"] for p in payments])
        self.assertEqual({i["id"] for i in items}, set(imported.json["ids"]))
        for item, payment in zip(items, payments):
            self.assertEqual(item["destination"].lower(), payment["destination"])
            self.assertEqual(item["amount"], str(harness.wei(payment["amount"])))
            self.assertEqual(item["memo"], payment["memo"])
            self.assertEqual(item["state"], "finalized")
            self.assertIsNone(item["blocked"])
            _, block, tx_hash, nonce = truth.payment(payment["destination"])
            self.assertEqual((item["block_number"], item["tx_hash"], item["nonce"]), (block, tx_hash, nonce))

    def test_list_goes_page_by_page_and_by_state(self):
        node = self.node()
        bursar = self.bursar(node)
        self.pay(bursar, harness.rows("page", 25))
        page = bursar.list("--limit", 10)
        pages = [[i["ref"] for i in page["items"]]]
        while page["next"] is not None:
            page = bursar.list("--limit", 10, "--after", page["next"])
            pages.append([i["ref"] for i in page["items"]])
        self.assertEqual(sum(pages, []), [f"page-{n}" for n in range(25)])
        self.assertLessEqual(max(len(p) for p in pages), 10)
        self.assertEqual(len(bursar.items("--state", "queued")), 25)
        self.assertEqual(bursar.items("--state", "finalized"), [])
        self.assert_exit(2, bursar.command("list", "--state", "paid", "--json"))

    def test_show_has_the_whole_history(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("shown", 1)
        identity = self.pay(bursar, payments).json["ids"][0]
        self.assert_exit(0, bursar.run_until_idle())
        shown = bursar.show("ref:shown-0")
        self.assertEqual(shown, bursar.show(identity))
        self.assertEqual((shown["id"], shown["ref"], shown["state"]), (identity, "shown-0", "finalized"))
        whole = bursar.command("show", identity).out
        for word in ("queued", "staged", "executed", "finalized", shown["tx_hash"]):
            self.assertIn(word, whole)
        self.assertNotEqual(bursar.command("show", "ref:nobody", "--json").code, 0)

    def test_json_lines_from_stdin_are_paid(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("jsonl", 30, memo="ünïcode \u2713")
        result = bursar.command("pay", "-", "--json", stdin=harness.jsonl_text(payments))
        self.assert_exit(0, result)
        self.assertEqual(result.json["added"], 30)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assertEqual({i["memo"] for i in bursar.items()}, {"ünïcode \u2713"})
        self.assert_agrees(bursar)

    def test_the_same_file_again_adds_and_pays_nothing(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("again", 10)
        first = self.pay(bursar, payments)
        for _ in range(2):
            again = self.assert_exit(0, bursar.pay(payments))
            self.assertEqual((again.json["added"], again.json["existing"]), (0, 10))
            self.assert_exit(0, bursar.run_until_idle())
        more = payments + harness.rows("more", 2)
        grown = self.assert_exit(0, bursar.pay(more))
        self.assertEqual((grown.json["added"], grown.json["existing"]), (2, 10))
        # The same content said in other words is the same content.
        reworded = [dict(p, amount=f"{harness.wei(p['amount'])}wei", asset="native") for p in payments]
        self.assertEqual(self.assert_exit(0, bursar.pay(reworded, name="payments.jsonl")).json["existing"], 10)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=more)
        self.assertEqual(len(first.json["ids"]), 10)
        self.assert_agrees(bursar)

    def test_a_ref_with_other_content_is_refused_for_ever(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("ref", 3)
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        changes = ({"amount": "77gwei"}, {"destination": harness.destination("elsewhere")}, {"memo": "other"},
                   {"not_before": "2031-01-01T00:00:00Z"}, {"depends_on": "ref-0"})
        for change in changes:
            with self.subTest(change=change):
                result = self.assert_exit(3, bursar.pay(harness.rows("new", 1) + [dict(payments[1], **change)]))
                self.assertEqual(result.json["added"], 0)
                self.assertEqual(result.json["errors"][0]["line"], 3)
                self.assertIn("ref-1", result.json["errors"][0]["message"])
        self.assertEqual(len(bursar.items()), 3)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments, unpaid=harness.rows("new", 1))
        self.assert_agrees(bursar)

    def test_a_dry_run_adds_nothing(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("dry", 3)
        self.assert_exit(0, bursar.pay(payments, "--dry-run"))
        self.assertEqual(bursar.items(), [])
        self.assert_exit(3, bursar.pay([dict(payments[0], amount="0")], "--dry-run"))
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, unpaid=payments)

    def test_pay_waits_until_all_is_final(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("wait", 5)
        run = bursar.start("run")
        self.assert_exit(0, bursar.pay(payments, "--wait"))
        self.assertEqual(bursar.queue("finalized"), 5)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_pay_says_when_nobody_runs_what_it_waits_for(self):
        node = self.node()
        bursar = self.bursar(node)
        (bursar.directory / "payments.csv").write_text(harness.csv_text(harness.rows("wait", 1)))
        pay = bursar.start("pay", "payments.csv", "--wait")
        harness.wait_until(lambda: "run" in pay.err() and bursar.queue("queued") == 1, 30, lambda: pay.err())
        code, took_s = pay.terminate()
        self.assertEqual(code, 0)
        self.assertLess(took_s, 2)

    def test_a_batch_larger_than_every_limit_is_paid(self):
        node = self.node()
        bursar = self.bursar(node, EXECUTOR_BATCH_SIZE=7, TREASURY_MAIN_MAX_IN_FLIGHT=20)
        payments = harness.rows("large", 200)
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_one_destination_can_have_many_refs(self):
        node = self.node()
        bursar = self.bursar(node)
        to = harness.destination("often")
        self.pay(bursar, [{"ref": f"often-{n}", "destination": to, "amount": "3wei"} for n in range(4)])
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual(node.balance(to), 12)
        self.assert_agrees(bursar)
