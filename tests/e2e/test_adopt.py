"""Restored from a backup, set up anew, or without its signing log: nothing is paid until it is adopted what was paid
already; then the rest is, and nobody twice. Judged from the chain."""

import shutil
import signal
import sqlite3
import subprocess

import harness
from harness import TREASURY


class AdoptCase(harness.ChainCase):
    def copy_store(self, bursar, name="backup"):
        folder = bursar.directory / name
        folder.mkdir()
        for path in bursar.directory.glob("bursar.db*"):
            shutil.copy2(path, folder)
        return folder

    def remove_store(self, bursar):
        for path in bursar.directory.glob("bursar.db*"):
            path.unlink()

    def put_back(self, bursar, folder):
        self.remove_store(bursar)
        for path in folder.iterdir():
            shutil.copy2(path, bursar.directory)

    def stop_mining(self, node):
        node.rpc("evm_setIntervalMining", 0)

    def start_mining(self, node):
        node.rpc("evm_setIntervalMining", 1)

    def let_blocks_pass(self, node, count=4):
        node.mine(count)

    def assert_pays_nothing(self, node, bursar, code=None):
        before = node.nonce(block="pending")
        self.assert_exit(6, bursar.run_until_idle())
        self.assertEqual(node.nonce(block="pending"), before, "something was sent")
        if code:
            self.assertEqual(bursar.status()["halt"]["code"], code)

    def dry_run(self, bursar, *options, code=0):
        result = self.assert_exit(code, bursar.command("reconcile", "--dry-run", "--json", *options))
        self.assertIs(result.json["dry_run"], True)
        self.assertIs(result.json["adopted"], False)
        return result.json

    def adopt(self, bursar, *options, code=0):
        result = self.assert_exit(code, bursar.command("reconcile", "--adopt", "--json", *options))
        return result.json

    def steps(self, report):
        found = {}
        for item in report["items"]:
            found[item["step"]] = found.get(item["step"], 0) + 1
        return found

    def dump(self, bursar):
        """All that the store knows, but for who held the lease when."""
        with sqlite3.connect(f"file:{bursar.store}?mode=ro", uri=True) as store:
            tables = ("intent", "intent_item", "attempt", "event", "disbursement", "block")
            rows = {table: store.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables}
            rows["treasury"] = store.execute("SELECT id, first_nonce, anchor_no, anchor_hash, scan_no, scan_hash, "
                                             "halt_code, halt_reason FROM treasury").fetchall()
        store.close()
        return rows

    def adopt_for_good(self, bursar, *options):
        """A dry run changes nothing, adopting does what it said, and doing it again changes nothing."""
        before = self.dump(bursar)
        planned = self.dry_run(bursar, *options)
        self.assertEqual(self.dump(bursar), before, "a dry run has changed something")
        done = self.adopt(bursar, *options)
        self.assertIs(done["adopted"], True)
        self.assertEqual([(i["nonce"], i["id"], i["tx_hash"]) for i in done["items"]],
                         [(i["nonce"], i["id"], i["tx_hash"]) for i in planned["items"]])
        after = self.dump(bursar)
        again = self.adopt(bursar, *options)
        self.assertIs(again["adopted"], False, again)
        self.assertEqual(again["items"], [])
        self.assertEqual(self.dump(bursar), after, "the second time has changed something")
        return done

    def assert_all_paid(self, node, bursar, payments, also=()):
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual(bursar.queue("finalized"), len(payments))
        self.assert_chain(node, once=list(payments) + list(also))
        self.assert_agrees(bursar)

    def pay_some(self, node, bursar, label, count):
        payments = harness.rows(label, count)
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        return payments

    def send_without_mining(self, node, bursar, count):
        """Until the node's pool holds `count` transactions more; nothing is mined."""
        self.stop_mining(node)
        wanted = node.nonce() + count
        run = bursar.start("run")
        harness.wait_until(lambda: node.nonce(block="pending") >= wanted, 60, run.err)
        run.kill()


class RestoredCopyTest(AdoptCase):
    def test_fifty_payments_after_the_copy_some_only_in_the_pool(self):
        node = self.node()
        bursar = self.bursar(node)
        first = self.pay_some(node, bursar, "first", 10)
        later = harness.rows("later", 60)
        self.pay(bursar, later)
        old = self.copy_store(bursar)
        run = bursar.start("run")
        self.wait_paid(node, later, 1)
        run.kill()
        mined = node.nonce()
        self.send_without_mining(node, bursar, max(0, 60 - mined))  # of 70; at least 50 are out
        self.put_back(bursar, old)
        self.assert_pays_nothing(node, bursar, "store_behind_log")
        done = self.adopt_for_good(bursar)
        self.assertGreaterEqual(len(done["items"]), 50)
        self.assertLessEqual(set(self.steps(done)), {"paid", "in_flight", "sign_again"})
        self.assertIn("in_flight", self.steps(done))
        self.assertIsNone(bursar.status()["halt"])
        self.start_mining(node)
        self.assert_all_paid(node, bursar, first + later)

    def test_what_was_signed_and_never_sent_is_signed_again(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("lost", 20)
        self.pay(bursar, payments)
        old = self.copy_store(bursar)
        self.send_without_mining(node, bursar, 20)
        node.rpc("anvil_dropAllTransactions")
        self.put_back(bursar, old)
        self.assert_pays_nothing(node, bursar, "store_behind_log")
        done = self.adopt_for_good(bursar)
        self.assertEqual(self.steps(done), {"sign_again": 20})
        self.start_mining(node)
        self.assert_all_paid(node, bursar, payments)

    def test_payments_imported_after_the_copy_wait_for_their_file(self):
        node = self.node()
        bursar = self.bursar(node)
        old = self.copy_store(bursar)
        paid = self.pay_some(node, bursar, "paid", 5)
        self.let_blocks_pass(node)
        self.put_back(bursar, old)
        report = self.dry_run(bursar, code=6)
        self.assertEqual(self.steps(report), {"undecided": 5})
        for item in report["items"]:
            self.assertTrue(item["tx_hash"] and item["block_number"] and item["to"] and int(item["value"]) > 0, item)
            self.assertIn("pay FILE", item["action"])
        before = self.dump(bursar)
        self.adopt(bursar, code=6)
        self.assertEqual(self.dump(bursar), before, "something was adopted without the rest")
        new = harness.rows("new", 3)
        self.pay(bursar, paid + new, name="again.csv")
        self.assert_pays_nothing(node, bursar, "store_behind_log")
        self.assertEqual(self.steps(self.adopt_for_good(bursar)), {"paid": 5})
        self.assert_all_paid(node, bursar, paid + new)

    def test_payments_that_owe_the_same_are_counted_each_once(self):
        node = self.node()
        bursar = self.bursar(node)
        same = [{"ref": f"same-{n}", "destination": harness.destination("same"), "amount": "5gwei"} for n in range(6)]
        self.pay(bursar, same[:4])
        old = self.copy_store(bursar)
        self.assert_exit(0, bursar.run_until_idle())
        self.let_blocks_pass(node)
        self.put_back(bursar, old)
        self.pay(bursar, same[4:], name="more.csv")
        done = self.adopt_for_good(bursar)
        self.assertEqual(self.steps(done), {"paid": 4})
        self.assertEqual([item["ref"] for item in done["items"]], ["same-0", "same-1", "same-2", "same-3"])
        self.assertEqual({item["equal"] for item in done["items"]}, {6})
        self.assertEqual(len(done["items"][0]["candidates"]), 6)
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual(node.balance(harness.destination("same")), 6 * 5 * 10**9)
        self.assertEqual(node.nonce(), 6)
        self.assert_agrees(bursar)

    def cancelled_twin(self, tag):
        """Of two that owe the same, the first is cancelled and the second paid, after the copy. Returns what the second
        has become by adopting, and what its transaction has used."""
        node = self.node()
        bursar = self.bursar(node, TREASURY_MAIN_TAG=tag)
        twins = [dict(row, destination=harness.destination("twins"), amount="5gwei") for row in harness.rows("twin", 2)]
        self.pay(bursar, twins)
        backup = self.copy_store(bursar)
        self.assert_exit(0, bursar.command("cancel", "ref:twin-0", "--reason", "paid by bank"))
        self.assert_exit(0, bursar.run_until_idle())
        paid = bursar.show("ref:twin-1")
        sent = node.rpc("eth_getTransactionByHash", paid["tx_hash"])
        self.assertEqual(sent["input"], paid["content_hash"] if tag == "on" else "0x")
        self.put_back(bursar, backup)
        self.assert_pays_nothing(node, bursar)
        self.adopt_for_good(bursar)
        return bursar.show("ref:twin-1")["state"], int(paid["gas_used"])

    def test_with_a_tag_it_is_certain_which_of_two_that_owe_the_same_was_paid(self):
        state, gas_used = self.cancelled_twin("on")
        self.assertEqual(state, "finalized")
        self.assertGreater(gas_used, 21000)
        self.assertLessEqual(gas_used, 21000 + 1280)  # EIP-7623; bytes that are zero cost less

    def test_without_a_tag_the_first_of_two_that_owe_the_same_counts_as_paid(self):
        self.assertEqual(self.cancelled_twin("off"), ("queued", 21000))

    def test_a_second_payment_is_left_to_a_person(self):
        node = self.node()
        bursar = self.bursar(node)
        row = {"ref": "once", "destination": harness.destination("once"), "amount": "5gwei"}
        twin = dict(row, ref="twin")
        old = self.copy_store(bursar)
        self.pay(bursar, [row, twin])
        self.assert_exit(0, bursar.run_until_idle())
        self.let_blocks_pass(node)
        self.put_back(bursar, old)
        self.pay(bursar, [row], name="only-one.csv")
        report = self.dry_run(bursar, code=6)
        self.assertEqual(self.steps(report), {"paid": 1, "undecided": 1})
        before = self.dump(bursar)
        self.adopt(bursar, code=6)
        self.assertEqual(self.dump(bursar), before)
        undecided = next(item for item in report["items"] if item["step"] == "undecided")
        self.assertEqual([c["ref"] for c in undecided["candidates"]], ["once"])
        done = self.adopt_for_good(bursar, "--assign", f"{undecided['tx_hash']}=foreign")
        self.assertEqual(self.steps(done), {"paid": 1, "foreign": 1})
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual(node.balance(row["destination"]), 2 * 5 * 10**9)
        self.assert_agrees(bursar)

    def test_a_person_says_which_of_two_was_paid(self):
        node = self.node()
        bursar = self.bursar(node)
        pair = [{"ref": f"pair-{n}", "destination": harness.destination("pair"), "amount": "5gwei"} for n in (0, 1)]
        old = self.copy_store(bursar)
        self.pay(bursar, pair[1:])
        self.assert_exit(0, bursar.run_until_idle())
        self.let_blocks_pass(node)
        self.put_back(bursar, old)
        self.pay(bursar, pair, name="both.csv")
        tx_hash = self.dry_run(bursar)["items"][0]["tx_hash"]
        self.assert_exit(2, bursar.command("reconcile", "--dry-run", "--assign", f"{tx_hash}=what"))
        self.assert_exit(2, bursar.command("reconcile", "--dry-run", "--assign", "0x12=1"))
        self.adopt_for_good(bursar, "--assign", f"{tx_hash}=ref:pair-1")
        self.assertEqual(bursar.show("ref:pair-1")["state"], "finalized")
        self.assertEqual(bursar.show("ref:pair-0")["state"], "queued")
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual(node.balance(pair[0]["destination"]), 2 * 5 * 10**9)
        self.assert_agrees(bursar)

    def cancel_after_a_copy(self):
        """Three are signed, the middle one is cancelled; nothing is mined; then the store from before comes back."""
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("cancel", 3)
        self.pay(bursar, payments)
        old = self.copy_store(bursar)
        self.stop_mining(node)
        run = bursar.start("run")
        harness.wait_until(lambda: node.nonce(block="pending") >= 3, 60, run.err)
        self.assert_exit(0, bursar.command("cancel", "ref:cancel-1", "--reason", "a mistake"))
        harness.wait_until(lambda: self.pool_to(node, 1) == TREASURY, 30, run.err)
        run.kill()
        self.put_back(bursar, old)
        return node, bursar, payments

    def pool_to(self, node, nonce):
        pending = node.rpc("txpool_content")["pending"]
        return next(tx["to"].lower() for account in pending.values() for n, tx in account.items() if int(n) == nonce)

    def assert_cancelled(self, node, bursar, payments):
        self.start_mining(node)
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual(bursar.show("ref:cancel-1")["state"], "cancelled")
        self.assert_chain(node, once=[payments[0], payments[2]], unpaid=payments[1:2])
        self.assert_agrees(bursar)

    def test_what_was_cancelled_after_the_copy_stays_cancelled(self):
        node, bursar, payments = self.cancel_after_a_copy()
        node.mine(6)
        self.assert_pays_nothing(node, bursar, "store_behind_log")
        self.assertEqual(self.steps(self.adopt_for_good(bursar)), {"paid": 2, "cancelled": 1})
        self.assert_cancelled(node, bursar, payments)

    def test_a_cancellation_in_the_pool_is_adopted_with_its_bytes(self):
        node, bursar, payments = self.cancel_after_a_copy()
        self.assert_pays_nothing(node, bursar, "store_behind_log")
        self.assertEqual(self.steps(self.adopt_for_good(bursar)), {"in_flight": 3})
        self.assert_cancelled(node, bursar, payments)

    def test_a_cancellation_that_is_seen_nowhere_is_asked_for_again(self):
        node, bursar, payments = self.cancel_after_a_copy()
        node.rpc("anvil_dropAllTransactions")
        self.assert_pays_nothing(node, bursar, "store_behind_log")
        self.assertEqual(self.steps(self.adopt_for_good(bursar)), {"sign_again": 2, "cancelling": 1})
        self.assert_cancelled(node, bursar, payments)

    def test_a_running_executor_is_not_interfered_with(self):
        node = self.node()
        bursar = self.bursar(node)
        self.pay_some(node, bursar, "some", 2)
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.status()["lease"], 30, run.err)
        result = self.assert_exit(6, bursar.command("reconcile", "--adopt"))
        self.assertIn("bursar run", result.err)
        self.assertTrue(run.is_running)
        self.dry_run(bursar)
        self.assertEqual(run.terminate()[0], 0)


class SetUpAnewTest(AdoptCase):
    def test_store_lost_and_set_up_anew_beside_the_old_signing_log(self):
        node = self.node()
        bursar = self.bursar(node)
        paid = self.pay_some(node, bursar, "paid", 30)
        open_ones = harness.rows("open", 20)
        self.pay(bursar, open_ones, name="open.csv")
        self.send_without_mining(node, bursar, 10)
        self.remove_store(bursar)
        (bursar.directory / "bursar.conf").unlink()
        result = self.assert_exit(0, bursar.init(node.url, "--adopt-account"))
        self.assertIn("reconcile --adopt", result.err)
        new = harness.rows("new", 5)
        self.pay(bursar, paid + open_ones + new, name="all.csv")
        self.assert_pays_nothing(node, bursar, "store_behind_log")
        done = self.adopt_for_good(bursar)
        self.assertEqual(sum(self.steps(done).values()), len({i["nonce"] for i in done["items"]}))
        self.assertGreaterEqual(len(done["items"]), 40)
        self.start_mining(node)
        self.assert_all_paid(node, bursar, paid + open_ones + new)

    def test_a_new_store_leads_a_key_that_has_signed_for_later_leases(self):
        node = self.node()
        bursar = self.bursar(node)
        paid = []
        for n in range(10):  # a lease each, and the signing log knows the newest
            paid += self.pay_some(node, bursar, f"lease{n}", 1)
        self.let_blocks_pass(node)
        self.remove_store(bursar)
        (bursar.directory / "bursar.conf").unlink()
        self.assert_exit(0, bursar.init(node.url))
        new = harness.rows("new", 2)
        self.pay(bursar, paid + new)
        self.adopt(bursar)
        self.assert_all_paid(node, bursar, paid + new)

    def test_an_account_with_history_is_acknowledged_where_it_is(self):
        node = self.node()
        somebody = harness.destination("before")
        node.send(somebody, 3)
        # A treasury that the configuration has got since `init`, for an account with a past.
        bursar = self.bursar(self.node(chain_id=1234))
        bursar.configure("treasury main", chain_id=node.chain_id, rpc=node.url)
        payments = harness.rows("history", 3)
        self.pay(bursar, payments)
        self.assert_pays_nothing(node, bursar, "account_history")
        self.adopt_for_good(bursar)
        self.assert_all_paid(node, bursar, payments, also=[{"destination": somebody, "amount": "3wei"}])


class LostLogTest(AdoptCase):
    def test_signing_log_lost_and_the_store_is_there(self):
        node = self.node()
        bursar = self.bursar(node)
        paid = self.pay_some(node, bursar, "paid", 20)
        waiting = harness.rows("waiting", 10)
        self.pay(bursar, waiting)
        self.send_without_mining(node, bursar, 5)
        bursar.signing_logs()[0].unlink()
        self.assert_pays_nothing(node, bursar, "signing_log_lost")
        report = self.dry_run(bursar)
        self.assertIs(report["signing_log_missing"], True)
        self.assertEqual(bursar.signing_logs(), [], "a dry run has made a signing log")
        self.adopt_for_good(bursar)
        self.start_mining(node)
        self.assert_all_paid(node, bursar, paid + waiting)

    def test_an_older_signing_log_is_completed(self):
        node = self.node()
        bursar = self.bursar(node)
        first = self.pay_some(node, bursar, "first", 5)
        log = bursar.signing_logs()[0]
        older = log.read_bytes()
        second = self.pay_some(node, bursar, "second", 5)
        log.write_bytes(older)
        third = harness.rows("third", 2)
        self.pay(bursar, third)
        self.assert_pays_nothing(node, bursar, "signing_log_lost")
        self.assertEqual(self.dry_run(bursar)["signing_log_lacks"], 5)
        self.adopt_for_good(bursar)
        self.assert_all_paid(node, bursar, first + second + third)

    def test_an_older_machine_finds_its_payments_in_the_blocks(self):
        """Store and signing log both put back from one backup: only the chain knows."""
        node = self.node()
        bursar = self.bursar(node)
        first = self.pay_some(node, bursar, "first", 3)
        later = harness.rows("later", 12)
        self.pay(bursar, later)
        old, log = self.copy_store(bursar), bursar.signing_logs()[0]
        older = log.read_bytes()
        self.assert_exit(0, bursar.run_until_idle())
        self.let_blocks_pass(node)
        self.put_back(bursar, old)
        log.write_bytes(older)
        new = harness.rows("new", 3)
        self.pay(bursar, new, name="new.csv")
        self.assert_pays_nothing(node, bursar, "store_behind_chain")
        done = self.adopt_for_good(bursar)
        self.assertEqual(self.steps(done), {"paid": 12})
        self.assertEqual({item["in_signing_log"] for item in done["items"]}, {False})
        self.assert_all_paid(node, bursar, first + later + new)

    def test_an_old_store_beside_the_log_of_another_key_is_refused(self):
        node = self.node()
        bursar = self.bursar(node)
        old = self.copy_store(bursar)
        self.pay_some(node, bursar, "paid", 3)
        self.put_back(bursar, old)
        other = self.bursar(init=False, name="other")
        for suffix in ("json", "pass"):
            shutil.copyfile(harness.KEYSTORE.with_name(f"anvil1.{suffix}"), other.directory / f"treasury.{suffix}")
        self.assert_exit(0, other.init(node.url))
        log = bursar.signing_logs()[0]
        log.write_bytes(other.signing_logs()[0].read_bytes())
        before, content = self.dump(bursar), log.read_bytes()
        for how in ("--dry-run", "--adopt"):
            result = self.assert_exit(6, bursar.command("reconcile", how))
            self.assertIn("0x7099", result.err.lower(), "whose log it is")
            self.assertIn("Put the right log there", result.err)
        self.assertEqual(self.dump(bursar), before)
        self.assertEqual(log.read_bytes(), content)


class KilledTest(AdoptCase):
    """SIGKILL before every write, sync, send and receive; then the same command again."""

    def killed_everywhere(self, bursar, node, restore):
        shim = self.directory / "kill_at.so"
        source = harness.ROOT / "tests/e2e/kill_at.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
        restore()
        said = [(i["nonce"], i["id"], i["step"]) for i in self.dry_run(bursar)["items"]]
        settled, kill_at = None, 1
        while True:
            restore()
            result = bursar.command("reconcile", "--adopt", "--json",
                                    settings={"LD_PRELOAD": str(shim), "BURSAR_KILL_AT": str(kill_at)})
            self.assertIn(result.code, (0, -signal.SIGKILL), str(result))
            again = self.adopt(bursar)
            self.assertIn([(i["nonce"], i["id"], i["step"]) for i in again["items"]], (said, []), kill_at)
            self.assert_exit(0, bursar.reconcile())
            bound = [row[:8] for row in self.dump(bursar)["intent"]]
            settled = settled or bound
            self.assertEqual(bound, settled, kill_at)
            if result.code == 0:
                break
            kill_at += 1
        print(f"killed at {kill_at - 1} points")
        self.assertGreater(kill_at, 40)

    def test_an_old_copy_is_adopted_whole_or_not_at_all(self):
        node = self.node()
        bursar = self.bursar(node)
        first = self.pay_some(node, bursar, "first", 2)
        payments = harness.rows("killed", 8)
        self.pay(bursar, payments)
        old = self.copy_store(bursar)
        self.send_without_mining(node, bursar, 4)
        log = bursar.signing_logs()[0]
        newest = log.read_bytes()

        def restore():
            self.put_back(bursar, old)
            log.write_bytes(newest)
        self.killed_everywhere(bursar, node, restore)
        self.start_mining(node)
        self.assert_all_paid(node, bursar, first + payments)

    def test_a_lost_signing_log_is_made_anew(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("killed", 8)
        self.pay(bursar, payments)
        self.send_without_mining(node, bursar, 6)
        newest = self.copy_store(bursar)

        def restore():
            self.put_back(bursar, newest)
            for log in bursar.signing_logs():
                log.unlink()
        self.killed_everywhere(bursar, node, restore)
        self.start_mining(node)
        self.assert_all_paid(node, bursar, payments)


class ForeignUseTest(AdoptCase):
    def test_a_stranger_at_a_nonce_of_ours_frees_its_payment(self):
        node = self.node()
        bursar = self.bursar(node)
        first = self.pay_some(node, bursar, "first", 2)
        payments = harness.rows("taken", 5)
        self.pay(bursar, payments)
        self.send_without_mining(node, bursar, 5)
        node.rpc("anvil_dropAllTransactions")
        node.rpc("eth_sendTransaction", {"from": TREASURY, "to": harness.destination("stranger"), "value": "0x9",
                                         "gas": hex(21000), "nonce": hex(2)})
        node.mine(6)
        self.assert_pays_nothing(node, bursar, "foreign_nonce")
        report = self.dry_run(bursar, code=6)
        self.assertEqual(self.steps(report), {"undecided": 1})
        self.assertEqual(report["items"][0]["nonce"], 2)
        done = self.adopt_for_good(bursar, "--assign", f"{report['items'][0]['tx_hash']}=foreign")
        self.assertEqual(self.steps(done), {"foreign": 1})
        self.start_mining(node)
        self.assert_all_paid(node, bursar, first + payments,
                             also=[{"destination": harness.destination("stranger"), "amount": "9wei"}])

    def test_a_stranger_is_believed_only_when_it_is_final(self):
        node = self.node()
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY="8")
        first = self.pay_some(node, bursar, "first", 2)
        self.stop_mining(node)
        node.rpc("eth_sendTransaction", {"from": TREASURY, "to": harness.destination("stranger"), "value": "0x9",
                                         "gas": hex(21000)})
        self.assertEqual(self.steps(self.dry_run(bursar, code=6)), {"wait": 1})
        node.mine(1)
        report = self.dry_run(bursar, "--assign", "unmatched=foreign", code=6)
        self.assertEqual(self.steps(report), {"wait": 1})
        self.assertIn("final", report["items"][0]["cause"])
        node.mine(8)
        self.adopt_for_good(bursar, "--assign", "unmatched=foreign")
        self.assertIsNone(bursar.status()["halt"])  # what was never ours to sign is not missing in the signing log
        self.start_mining(node)
        more = harness.rows("more", 2)
        self.pay(bursar, more)
        self.assert_all_paid(node, bursar, first + more,
                             also=[{"destination": harness.destination("stranger"), "amount": "9wei"}])

    def test_a_payment_made_by_hand_counts(self):
        node = self.node()
        bursar = self.bursar(node)
        first = self.pay_some(node, bursar, "first", 2)
        payments = harness.rows("byhand", 3)
        node.send(payments[1]["destination"], harness.wei(payments[1]["amount"]))
        self.pay(bursar, payments)
        self.let_blocks_pass(node)
        self.assert_pays_nothing(node, bursar, "store_behind_chain")
        done = self.adopt_for_good(bursar)
        self.assertEqual([(i["step"], i["ref"]) for i in done["items"]], [("paid", "byhand-1")])
        self.assert_all_paid(node, bursar, first + payments)


class HistoryTest(AdoptCase):
    def test_who_ended_the_halt_and_why_is_kept(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("kept", 3)
        self.pay(bursar, payments)
        old = self.copy_store(bursar)
        self.assert_exit(0, bursar.run_until_idle())
        self.let_blocks_pass(node)
        self.put_back(bursar, old)
        self.assert_pays_nothing(node, bursar, "store_behind_log")
        self.adopt(bursar, "--reason", "the disk died, put back from Tuesday")
        with sqlite3.connect(f"file:{bursar.store}?mode=ro", uri=True) as store:
            actor, detail = store.execute("SELECT actor, detail FROM event WHERE disbursement IS NULL AND intent IS NULL "
                                          "ORDER BY seq DESC LIMIT 1").fetchone()
        store.close()
        self.assertTrue(actor)
        self.assertIn("the disk died, put back from Tuesday", detail)
        self.assertIn("store_behind_log", detail)
        history = bursar.show("ref:kept-0")["history"]
        self.assertTrue(any("adopted" in event.get("detail", "") for event in history), history)

    def test_a_latched_halt_ends_on_the_right_chain_only(self):
        node = self.node()
        bursar = self.bursar(node)
        waiting = harness.rows("waiting", 3)
        self.pay(bursar, waiting)
        other = self.node(flags=["--timestamp", "1700000000"])
        other_rpc = {"BURSAR_TREASURY_MAIN_RPC": other.url}
        self.assert_exit(6, bursar.run_until_idle(settings=other_rpc))
        self.assert_exit(6, bursar.command("reconcile", "--adopt", settings=other_rpc))
        self.assert_pays_nothing(node, bursar, "genesis_mismatch")
        self.adopt_for_good(bursar)
        self.assert_all_paid(node, bursar, waiting)

    def somebody_else_sends(self, node):
        """So that a replaced block is another one."""
        node.rpc("eth_sendTransaction", {"from": node.rpc("eth_accounts")[5], "to": harness.destination("else"),
                                         "value": "0x1"})
        node.mine(1)

    def test_a_replaced_history_that_still_holds_all_payments_is_taken_over(self):
        node = self.node()
        bursar = self.bursar(node)
        paid = self.pay_some(node, bursar, "paid", 5)
        self.stop_mining(node)
        node.mine(4)
        self.somebody_else_sends(node)
        node.mine(6)
        self.assert_exit(0, bursar.run_until_idle())  # pins a block behind the payments as final
        node.reorg(8)
        node.mine(10)
        self.assert_pays_nothing(node, bursar, "anchor_mismatch")
        self.assertIs(self.dry_run(bursar)["history_replaced"], True)
        self.adopt_for_good(bursar)
        self.start_mining(node)
        more = harness.rows("more", 3)
        self.pay(bursar, more)
        self.assert_all_paid(node, bursar, paid + more)

    def test_a_replaced_history_that_lost_a_final_payment_is_not(self):
        node = self.node()
        bursar = self.bursar(node)
        self.pay_some(node, bursar, "paid", 5)
        self.stop_mining(node)
        node.reorg(node.block_number())
        node.mine(10)
        self.assert_pays_nothing(node, bursar, "anchor_mismatch")
        before = self.dump(bursar)
        report = self.dry_run(bursar, code=6)
        self.assertEqual(self.steps(report), {"undecided": 5})
        self.adopt(bursar, code=6)
        self.assertEqual(self.dump(bursar), before)
