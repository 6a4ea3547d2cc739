"""Payments that wait: for a time, for an epoch, for other payments."""

import datetime

import harness


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class ScheduleTest(harness.ChainCase):
    def test_a_payment_waits_for_its_time_on_the_chain(self):
        node = self.node()
        bursar = self.bursar(node)
        late_s = node.timestamp() + 5000
        now = harness.rows("past", 3, not_before="2020-02-29T23:59:59Z")
        later = harness.rows("later", 3, not_before=rfc3339(late_s))
        self.pay(bursar, now + later)
        run = bursar.start("run", "--until-idle")
        self.wait_paid(node, now, 3)
        start = node.block_number()
        harness.wait_until(lambda: node.block_number() >= start + 5, 60, "five more blocks")
        self.assertTrue(run.is_running, run.err())
        self.assert_chain(node, once=now, unpaid=later)
        node.increase_time(5100)
        self.assertEqual(run.wait(), 0, run.err())
        truth = self.assert_chain(node, once=now + later)
        for row in later:
            block = node.block(truth.payment(row["destination"])[1])
            self.assertGreaterEqual(int(block["timestamp"], 16), late_s)
        self.assert_agrees(bursar)

    def test_a_time_with_an_offset_is_the_same_moment(self):
        node = self.node()
        bursar = self.bursar(node)
        late_s = node.timestamp() + 3600
        east = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
        moment = datetime.datetime.fromtimestamp(late_s, east).isoformat()
        self.pay(bursar, harness.rows("zone", 1, not_before=moment))
        again = bursar.pay(harness.rows("zone", 1, not_before=rfc3339(late_s)))
        self.assertEqual(self.assert_exit(0, again).json["existing"], 1)
        node.increase_time(3700)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=harness.rows("zone", 1))

    def test_a_payment_waits_for_its_epoch(self):
        node = self.node()
        bursar = self.bursar(node, TREASURY_MAIN_EPOCH="block/10")
        epoch = node.block_number() // 10 + 5
        now = harness.rows("epoch-now", 2, not_before="epoch:0")
        later = harness.rows("epoch-later", 2, not_before=f"epoch:{epoch}")
        self.pay(bursar, now + later)
        run = bursar.start("run", "--until-idle")
        self.wait_paid(node, now, 2)
        self.assert_chain(node, once=now, unpaid=later)
        node.mine(60)
        self.assertEqual(run.wait(), 0, run.err())
        truth = self.assert_chain(node, once=now + later)
        for row in later:
            self.assertGreaterEqual(truth.payment(row["destination"])[1], epoch * 10)
        self.assert_agrees(bursar)

    def test_a_chain_of_dependencies_is_paid_in_order(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("chain", 6)
        for n, row in enumerate(payments[:-1]):
            row["depends_on"] = payments[n + 1]["ref"]  # the last row first
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        truth = self.assert_chain(node, once=payments)
        blocks = [truth.payment(row["destination"])[1] for row in payments]
        self.assertEqual(blocks, sorted(set(blocks), reverse=True))
        self.assert_agrees(bursar)

    def test_a_payment_with_several_dependencies_waits_for_all(self):
        node = self.node()
        bursar = self.bursar(node)
        first = harness.rows("stored", 2)
        self.pay(bursar, first)
        late_s = node.timestamp() + 5000
        last = harness.rows("last", 1, not_before=rfc3339(late_s))
        joint = harness.rows("joint", 1, depends_on=["stored-0", "last-0", "stored-1"])
        self.pay(bursar, joint + last, name="payments.jsonl")
        run = bursar.start("run", "--until-idle")
        harness.wait_until(lambda: bursar.queue("finalized") == 2, 60, run.err)
        self.assert_chain(node, once=first, unpaid=joint + last)
        node.increase_time(5100)
        self.assertEqual(run.wait(), 0, run.err())
        truth = self.assert_chain(node, once=first + joint + last)
        self.assertGreater(truth.payment(joint[0]["destination"])[1], truth.payment(last[0]["destination"])[1])
        self.assert_agrees(bursar)

    def test_fifty_due_rows_beside_a_hundred_thousand_waiting_ones_are_paid_at_once(self):
        node = self.node()
        bursar = self.bursar(node)
        due = harness.rows("due", 50)
        waiting = [{"ref": f"w{n}", "destination": harness.destination("waiting"), "amount": "1wei",
                    "not_before": "2099-01-01T00:00:00Z"} for n in range(100_000)]
        self.pay(bursar, waiting + due)
        bursar.start("run")
        self.wait_paid(node, due, 50, timeout_s=15)
        harness.wait_until(lambda: bursar.queue("finalized") == 50, 15, "50 finalized")
        self.assertEqual(bursar.queue("queued"), 100_000)
        self.assert_chain(node, once=due, unpaid=[{"destination": harness.destination("waiting"), "amount": "1wei"}])
