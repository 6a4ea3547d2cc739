"""`bursar doctor` finds what is wrong, names it, says what to do, and changes nothing. Each test makes one thing wrong on a
real node; what is said must be enough for somebody who was woken up for it."""

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import unittest

import harness
from harness import ETHER, TREASURY

NOBODY = "http://127.0.0.1:1"  # nothing listens there


def files_of(program):
    """Everything that a treasury consists of, byte by byte. (The -shm is SQLite's scratch memory.)"""
    return {path.name: path.read_bytes() for path in sorted(program.directory.iterdir())
            if path.is_file() and not path.name.endswith("-shm") and not path.name.startswith("run-")}


class DoctorCase(harness.ChainCase):
    def examine(self, program, code, settings=None):
        """Runs it, both ways; without an executor at work every file must stay as it was."""
        quiet = not any(run.is_running for run in program.runs)
        before = files_of(program) if quiet else None
        text = self.assert_exit(code, program.command("doctor", settings=settings))
        result = self.assert_exit(code, program.command("doctor", "--json", settings=settings))
        if quiet:
            self.assertEqual(list(before), list(files_of(program)))
            self.assertEqual(before, files_of(program))
        self.assertEqual(result.json["ok"], code == 0)
        for check in result.json["checks"]:
            self.assertEqual(check["result"] in ("wrong", "warning"), check["action"] is not None, check)
            if check["result"] == "wrong":
                self.assertIn(f"to do: {check['action']}", text.out)
        return result.json["checks"]

    def found(self, checks, name, result, cause, action="", subject=""):
        """The one check of that name and result that says `cause`; its action holds `action`."""
        fitting = [c for c in checks if c["check"] == name and c["result"] == result and cause in c["found"]
                   and subject in (c["subject"] or "")]
        self.assertEqual(len(fitting), 1, [c for c in checks if c["check"] == name])
        self.assertIn(action, fitting[0]["action"] or "")
        return fitting[0]

    def wrong(self, checks):
        return sorted({c["check"] for c in checks if c["result"] == "wrong"})

    def not_checked(self, checks):
        return {c["check"] for c in checks if c["result"] == "not_checked"}

    def paid_some(self, node, count=3, **settings):
        program = self.bursar(node, **settings)
        self.pay(program, harness.rows("before", count))
        self.assert_exit(0, program.run_until_idle())
        return program


class HealthyTest(DoctorCase):
    def test_all_is_well_beside_a_running_executor(self):
        node = self.node()
        program = self.bursar(node)
        self.pay(program, harness.rows("well", 3))
        run = program.start("run")
        harness.wait_until(lambda: program.queue("finalized") == 3, 60, run.err)
        checks = self.examine(program, 0)
        self.assertEqual({c["result"] for c in checks}, {"ok"}, checks)
        self.found(checks, "log", "ok", f"in use by process {run.process.pid}")
        self.found(checks, "executor", "ok", "is running")
        self.found(checks, "node", "ok", "anvil", subject=node.url)
        self.assertTrue(run.is_running)
        self.assertEqual(run.terminate()[0], 0)

    def test_a_write_ahead_log_that_a_kill_left_behind_stays_as_it_is(self):
        node = self.node()
        program = self.bursar(node, EXECUTOR_LEASE_TTL_MS=500)
        self.pay(program, harness.rows("killed", 3))
        run = program.start("run")
        harness.wait_until(lambda: program.queue("finalized") == 3, 60, run.err)
        run.kill()
        self.assertGreater((program.directory / "bursar.db-wal").stat().st_size, 0)
        harness.wait_until(lambda: not program.status()["executor_running"], 60, "the lease to run out")

        def killed_again():
            self.pay(program, harness.rows(f"more{time.time_ns()}", 1))
            again = program.start("run")
            harness.wait_until(lambda: program.status()["executor_running"], 60, again.err)
            again.kill()
            return (program.directory / "bursar.db-wal").stat().st_size > 0
        harness.wait_until(killed_again, 60, "a write-ahead log with something in it")
        files = files_of(program)
        program.command("doctor")
        self.assertEqual(files, files_of(program))


    def test_a_busy_executor_is_never_taken_for_a_fault(self):
        node = self.node(block_time=0.1)
        program = self.bursar(node, EXECUTOR_POLL_INTERVAL_MS=10, EXECUTOR_BATCH_SIZE=5, TREASURY_MAIN_MAX_IN_FLIGHT=20)
        self.pay(program, harness.rows("busy", 300))
        run = program.start("run")
        harness.wait_until(lambda: program.status()["executor_running"], 60, run.err)
        looks = 0
        while program.queue("finalized") < 300:
            result = self.assert_exit(0, program.command("doctor", "--json"))
            self.assertEqual([c for c in result.json["checks"] if c["result"] == "wrong"], [])
            self.assertTrue(run.is_running, run.err())
            looks += 1
        self.assertGreater(looks, 0)
        self.assertEqual(run.terminate()[0], 0)

    def test_a_treasury_that_is_new_in_the_configuration(self):
        node = self.node()
        program = self.paid_some(node)
        for name in ("anvil1.json", "anvil1.pass"):
            shutil.copyfile(harness.KEYSTORE.parent / name, program.directory / name)
            (program.directory / name).chmod(0o600)
        program.configure("treasury second", chain_id=harness.CHAIN_ID, rpc=node.url, keystore="anvil1.json",
                          password_file="anvil1.pass")
        checks = self.examine(program, 0)
        self.found([c for c in checks if c["treasury"] == "main"], "nonce", "ok", "chain 3")
        second = [c for c in checks if c["treasury"] == "second"]
        self.found(second, "key", "ok", "opens with its password")
        self.found(second, "log", "warning", "there is no signing log", "`bursar run` makes it")
        self.found(second, "executor", "not_checked", "`bursar run` adds it")
        self.assertEqual(program.command("doctor", "--treasury", "third").code, 2)
        shutil.copyfile(program.directory / "treasury.json", program.directory / "copy.json")
        (program.directory / "copy.json").chmod(0o600)
        program.configure("treasury second", keystore="copy.json", password_file="treasury.pass")
        checks = self.examine(program, 6)  # and the copy has no signing log
        self.found(checks, "configuration", "wrong", "same account on the same chain", "take one of the two")


class NodeTest(DoctorCase):
    def test_a_node_that_is_down(self):
        node = self.node()
        program = self.paid_some(node)
        node.kill()
        checks = self.examine(program, 4)
        self.found(checks, "node", "wrong", "onnect", "start that node, or correct its URL", subject=node.url)
        self.assertEqual(self.wrong(checks), ["node"])
        self.assertEqual(self.not_checked(checks), {"chain", "clock", "fees", "nonce", "balance"})

    def test_a_node_that_takes_requests_and_never_answers(self):
        node = self.node()
        program = self.paid_some(node)
        deaf = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(deaf.close)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        program.configure("treasury main", rpc=url)
        program.configure("executor", rpc_timeout_ms=200)
        checks = self.examine(program, 4)
        self.found(checks, "node", "wrong", "200 ms", "start that node, or correct its URL", subject=url)

    def test_one_of_two_is_down(self):
        node = self.node()
        program = self.paid_some(node)
        program.configure("treasury main", rpc=f"{NOBODY} {node.url}")
        checks = self.examine(program, 0)
        self.found(checks, "node", "warning", "onnect", "start that node", subject=NOBODY)
        self.found(checks, "chain", "ok", "1 of 2 nodes")
        self.found(checks, "balance", "ok", "ETH")
        program.configure("treasury main", quorum=2)
        checks = self.examine(program, 4)
        self.found(checks, "chain", "wrong", "2 must agree", "see to the nodes above")

    def test_one_of_two_is_on_another_chain(self):
        node, other = self.node(), self.node(chain_id=31338)
        program = self.paid_some(node)
        program.configure("treasury main", rpc=f"{other.url} {node.url}")
        checks = self.examine(program, 5)
        self.found(checks, "node", "wrong", "on chain 31338, this treasury on chain 31337", "take it out of `rpc`",
                   subject=other.url)
        self.found(checks, "node", "ok", "chain 31337", subject=node.url)
        self.found(checks, "nonce", "ok", "chain 3")
        program.configure("treasury main", rpc=other.url)
        checks = self.examine(program, 6)
        self.found(checks, "node", "wrong", "on chain 31338", "point `rpc` in bursar.conf", subject=other.url)

    def test_a_clock_that_is_off(self):
        node = self.node()
        program = self.paid_some(node)
        node.rpc("evm_setNextBlockTimestamp", int(time.time()) + 7500)
        node.mine()
        checks = self.examine(program, 5)
        self.found(checks, "clock", "wrong", "2 h ahead of this machine's clock", "timedatectl set-ntp true")
        self.assertEqual(self.wrong(checks), ["clock"])

    def test_fees_above_the_cap(self):
        node = self.node(flags=("--block-time", "3600"), block_time=0)
        program = self.bursar(node, FEES_MAX_FEE_PER_GAS="2gwei", FEES_MAX_PRIORITY_FEE_PER_GAS="1gwei")
        node.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))
        node.mine()
        checks = self.examine(program, 5)
        self.found(checks, "fees", "wrong", "is above max_fee_per_gas, 2 gwei", "raise max_fee_per_gas in [fees]")


class MoneyTest(DoctorCase):
    def test_a_balance_that_does_not_cover_what_is_due(self):
        node = self.node()
        program = self.bursar(node, MONEY_BREAKER_BALANCE="off")  # nobody has stolen the rest
        node.set_balance(TREASURY, ETHER)
        self.pay(program, [{"ref": "big", "destination": harness.destination("big"), "amount": "5"}])
        checks = self.examine(program, 5)
        self.found(checks, "balance", "wrong", "1 due need up to 5.", "send at least 4.")
        self.assertIn("to 0xf39F", self.found(checks, "balance", "wrong", "1 ETH")["action"])
        self.assert_exit(5, program.run_until_idle())
        checks = self.examine(program, 5)
        self.found(checks, "balance", "wrong", "1 due need up to 5.", "send at least 4.")
        row = self.found(checks, "disbursements", "wrong", "not enough funds: 4.", "send at least 4.", subject="'big'")
        blocked = program.items()[0]["blocked"]
        self.assertEqual((blocked["cause"], blocked["action"]), (row["found"], row["action"]))
        self.assertEqual(program.status()["blocked"][0]["cause"], row["found"])

    def test_somebody_elses_transaction_in_the_pool(self):
        node = self.node(flags=("--block-time", "3600"), block_time=0)
        program = self.bursar(node)
        node.rpc("eth_sendTransaction", {"from": TREASURY, "to": harness.destination("thief"), "value": "0x1",
                                         "gas": hex(21000)})
        checks = self.examine(program, 6)
        self.found(checks, "nonce", "wrong", "something else sends from this account", "find out who else uses the key")
        self.assertEqual(self.wrong(checks), ["nonce"])


class StoreTest(DoctorCase):
    def test_a_signing_log_that_was_lost(self):
        program = self.paid_some(self.node())
        program.signing_logs()[0].unlink()
        checks = self.examine(program, 6)
        self.found(checks, "log", "wrong", "there is no signing log", "put back the newest signing log")
        self.assertEqual(self.wrong(checks), ["log"])
        self.assertEqual(self.not_checked(checks), {"nonce"})

    def test_a_store_that_is_an_older_copy(self):
        node = self.node()
        program = self.paid_some(node)
        shutil.copyfile(program.store, self.directory / "old.db")
        self.pay(program, harness.rows("after", 2))
        self.assert_exit(0, program.run_until_idle())
        shutil.copyfile(self.directory / "old.db", program.store)
        checks = self.examine(program, 6)
        self.found(checks, "log", "wrong", "signatures up to nonce 4, the store has bound nonces below 3 only",
                   "put back the newest store file")
        self.assertEqual(self.wrong(checks), ["log"])
        self.found(checks, "nonce", "not_checked", "must agree first")

    def test_a_store_that_is_missing_or_damaged(self):
        node = self.node()
        program = self.paid_some(node, 40)
        whole = program.store.read_bytes()
        page = 4096
        program.store.write_bytes(whole[:page * 3] + b"\xff" * page * 20 + whole[page * 23:])
        checks = self.examine(program, 4)
        self.found(checks, "store", "wrong", "damaged", "put back the newest backup")
        self.found(checks, "node", "ok", "anvil")
        program.store.unlink()
        checks = self.examine(program, 4)
        self.found(checks, "store", "wrong", "there is no store", "put back the newest backup")
        self.found(checks, "node", "ok", "anvil")
        self.found(checks, "key", "ok", "0xf39F")
        self.assertLessEqual({"executor", "breaker", "halt", "disbursements", "balance"}, self.not_checked(checks))

    def test_a_store_of_another_version(self):
        program = self.paid_some(self.node())
        newest = self.set_schema(program, 1)
        checks = self.examine(program, 4)
        self.found(checks, "store", "wrong", "older schema", "start `bursar run`: it upgrades the store")
        self.set_schema(program, newest + 1)
        checks = self.examine(program, 4)
        self.found(checks, "store", "wrong", "newer Bursar", "install the version")

    def set_schema(self, program, version):
        with contextlib.closing(sqlite3.connect(program.store)) as store:
            before = store.execute("PRAGMA user_version").fetchone()[0]
            store.execute(f"PRAGMA user_version = {version}")
        return before

    def test_a_disk_that_is_nearly_full(self):
        node = self.node()
        program = self.paid_some(node)
        place = self.directory / "small"
        place.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest("can't mount a small file system here")
        self.addCleanup(subprocess.run, ["umount", str(place)], check=False)
        shutil.copyfile(program.store, place / "bursar.db")
        program.configure("store", url=f"sqlite:{place}/bursar.db")
        checks = self.examine(program, 5)
        self.found(checks, "disk", "wrong", "nearly full", "make room", subject=str(place))
        self.assertEqual(len([c for c in checks if c["check"] == "disk"]), 2)  # and where the signing log lies


class ExecutorTest(DoctorCase):
    def test_work_and_nobody_who_does_it(self):
        program = self.bursar(self.node())
        checks = self.examine(program, 0)
        self.found(checks, "executor", "warning", "none is running; nothing is left to pay")
        self.pay(program, harness.rows("waiting", 2))
        checks = self.examine(program, 5)
        self.found(checks, "executor", "wrong", "none is running", "start `bursar run`")
        self.assertEqual(self.wrong(checks), ["executor"])
        for item in program.items():
            self.assertIsNone(item["blocked"])
            self.assertEqual(item["waiting"], {"cause": "no executor is running", "action": "start `bursar run`"})
        self.assertEqual(program.show(1)["waiting"]["action"], "start `bursar run`")

    def test_an_executor_that_hangs(self):
        program = self.bursar(self.node(), EXECUTOR_LEASE_TTL_MS=500)
        self.pay(program, harness.rows("hung", 1, not_before="2999-01-01T00:00:00Z"))
        run = program.start("run")
        harness.wait_until(lambda: program.status()["executor_running"], 60, run.err)
        run.process.send_signal(signal.SIGSTOP)
        self.addCleanup(run.process.send_signal, signal.SIGCONT)
        harness.wait_until(lambda: not program.status()["executor_running"], 60, "the lease to run out")
        checks = self.examine(program, 5)
        self.found(checks, "executor", "wrong", f"process {run.process.pid} still holds the signing log",
                   "end it if it hangs")

    def test_a_breaker_that_somebody_opened(self):
        program = self.bursar(self.node())
        self.pay(program, harness.rows("stopped", 1))
        self.assert_exit(0, program.command("breaker", "open", "--reason", "quarterly audit"))
        run = program.start("run")
        harness.wait_until(lambda: program.status()["executor_running"], 60, run.err)
        checks = self.examine(program, 5)
        self.found(checks, "breaker", "wrong", "quarterly audit", "`bursar breaker close --reason TEXT`")
        self.assertEqual(self.wrong(checks), ["breaker"])
        waiting = program.items()[0]["waiting"]
        self.assertIn("quarterly audit", waiting["cause"])
        self.assertIn("bursar breaker close", waiting["action"])
        self.assert_exit(0, program.command("breaker", "close", "--for", "1h", "--reason", "the audit is late"))
        self.found(self.examine(program, 0), "breaker", "warning", "held closed until", "let failures open it before")

    def test_a_halt_that_was_recorded(self):
        node = self.node()
        program = self.paid_some(node)
        node.send(harness.destination("thief"), 1)
        self.pay(program, harness.rows("halted", 1))
        self.assert_exit(6, program.run_until_idle())
        checks = self.examine(program, 6)
        self.found(checks, "halt", "wrong", "halted (store_behind_chain)", "find out who else uses the key")


class StuckTest(DoctorCase):
    def test_a_payment_whose_fee_may_not_be_raised(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        program = self.bursar(node, FEES_REPLACE_AFTER_BLOCKS=3, FEES_MAX_FEE_PER_GAS="50gwei")
        self.pay(program, harness.rows("capped", 3))
        run = program.start("run")
        harness.wait_until(lambda: int(node.rpc("txpool_status")["pending"], 16) == 3, 60, run.err)
        self.assertEqual(program.status()["blocked"], [])
        for item in program.items():
            self.assertIsNone(item["blocked"])
            self.assertTrue(item["waiting"]["cause"] and item["waiting"]["action"])

        def is_stuck():
            node.rpc("anvil_setNextBlockBaseFeePerGas", hex(60 * 10**9))
            node.mine()
            return program.status()["blocked"]
        stuck = harness.wait_until(is_stuck, 60, run.err)
        self.assertEqual([entry["ref"] for entry in stuck], ["capped-0"])
        self.assertIn("would exceed max_fee_per_gas, 50 gwei", stuck[0]["cause"])
        self.assertIn("raise max_fee_per_gas in [fees]", stuck[0]["action"])
        first, *others = program.items()
        self.assertEqual(first["blocked"]["action"], stuck[0]["action"])
        self.assertEqual(program.show(1)["blocked"]["action"], stuck[0]["action"])
        self.assertIn(stuck[0]["action"], program.command("show", "1").out)
        for item in others:
            self.assertIsNone(item["blocked"])
            self.assertIn("only after nonce 0", item["waiting"]["cause"])
        checks = self.examine(program, 5)
        self.found(checks, "disbursements", "wrong", "would exceed max_fee_per_gas", "raise max_fee_per_gas",
                   subject="'capped-0'")
        self.found(checks, "fees", "wrong", "is above max_fee_per_gas, 50 gwei", "raise max_fee_per_gas")
        self.assertEqual(run.terminate()[0], 0)


class FilesTest(DoctorCase):
    def test_a_configuration_that_can_not_be_read(self):
        program = self.paid_some(self.node())
        conf = program.directory / "bursar.conf"
        text = conf.read_text()
        conf.write_text(text.replace("keystore =", "keystone ="))
        checks = self.examine(program, 5)
        self.found(checks, "configuration", "wrong", "keystone", "correct that file")
        self.assertLessEqual({"store", "key", "node", "log", "balance"}, self.not_checked(checks))
        conf.unlink()
        checks = self.examine(program, 5)
        self.found(checks, "configuration", "wrong", "bursar.conf", "bursar -c FILE doctor")

    def test_a_keystore_that_can_not_be_read(self):
        program = self.paid_some(self.node())
        keystore = program.directory / "treasury.json"
        if os.geteuid() == 0:
            keystore.unlink()
            keystore.mkdir()  # nothing else keeps root from reading it
            cause, action = "not a regular file", "correct its path"
        else:
            keystore.chmod(0)
            self.addCleanup(keystore.chmod, 0o600)
            cause, action = "can't be read", "chmod 600"
        checks = self.examine(program, 5)
        self.found(checks, "keystore", "wrong", cause, action, subject="treasury.json")
        self.found(checks, "store", "ok", "whole")
        self.found(checks, "node", "ok", "anvil")
        self.assertLessEqual({"key", "log", "nonce", "balance", "executor"}, self.not_checked(checks))

    def test_a_wrong_password(self):
        program = self.paid_some(self.node())
        (program.directory / "treasury.pass").write_text("wrong\n")
        checks = self.examine(program, 5)
        self.found(checks, "key", "wrong", "password", "write the password of treasury.json into treasury.pass")
        self.found(checks, "balance", "ok", "ETH")  # the account is named in the keystore

    def test_a_password_that_only_the_running_executor_was_handed(self):
        program = self.paid_some(self.node())
        run = program.start("run")
        harness.wait_until(lambda: program.status()["lease"], 60, run.err)
        (program.directory / "treasury.pass").unlink()
        checks = self.examine(program, 0)
        self.found(checks, "password_file", "warning", "is running, and has it", "hands it to a service", subject="treasury.pass")
        self.assertIn("key", self.not_checked(checks))
        self.assertEqual(run.terminate()[0], 0)
        self.found(self.examine(program, 5), "password_file", "wrong", "can't be found", "put it there")

    def test_files_that_others_may_read(self):
        program = self.paid_some(self.node())
        (program.directory / "treasury.pass").chmod(0o644)
        checks = self.examine(program, 0)
        self.found(checks, "password_file", "warning", "others than its owner may use it (mode 0644)",
                   "chmod 600 treasury.pass")


if __name__ == "__main__":
    unittest.main()
