"""init makes the only store there will be, and refuses where an earlier life of the account could be paid again."""

import stat

import harness
from harness import TREASURY


class InitTest(harness.ChainCase):
    def files(self, program):
        return {p.name for p in program.directory.iterdir()} - {"treasury.json", "treasury.pass"}

    def test_it_writes_configuration_store_and_signing_log(self):
        bursar = self.bursar(self.node())
        mode = stat.S_IMODE((bursar.directory / "bursar.conf").stat().st_mode)
        self.assertEqual(mode, 0o600)
        self.assertTrue(bursar.store.exists())
        self.assertEqual(len(bursar.signing_logs()), 1)
        self.assertIn("chain_id = 31337", (bursar.directory / "bursar.conf").read_text())
        self.assertEqual(bursar.items(), [])
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_agrees(bursar)

    def test_it_refuses_to_overwrite(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("kept", 3)
        self.pay(bursar, payments)
        configuration = bursar.directory / "bursar.conf"
        for aside in (None, configuration):  # all there; the store alone
            text = configuration.read_text()
            if aside:
                aside.unlink()
            before = self.files(bursar)
            result = bursar.init(node.url)
            self.assertIn(result.code, (3, 6), str(result))
            self.assertEqual(self.files(bursar), before)
            configuration.write_text(text)
        self.assertEqual(len(bursar.items()), 3)

    def test_an_unreachable_node_is_exit_4_and_leaves_nothing(self):
        bursar = self.bursar(init=False)
        self.assert_exit(4, bursar.init(f"http://127.0.0.1:{harness.free_port()}"))
        self.assertEqual(self.files(bursar), set())

    def test_a_wrong_password_leaves_nothing(self):
        node = self.node()
        bursar = self.bursar(init=False)
        (bursar.directory / "treasury.pass").write_text("not this one\n")
        self.assert_exit(3, bursar.init(node.url))
        self.assertEqual(self.files(bursar), set())

    def test_an_account_that_has_sent_before_needs_acknowledgement(self):
        node = self.node()
        node.send(harness.destination("earlier"), 5)
        bursar = self.bursar(init=False)
        refused = self.assert_exit(6, bursar.init(node.url))
        self.assertIn("--adopt-account", refused.err)
        self.assertEqual(self.files(bursar), set())
        self.assert_exit(0, bursar.init(node.url, "--adopt-account"))
        payments = harness.rows("adopted", 5)
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments + [{"destination": harness.destination("earlier"), "amount": "5wei"}])
        self.assert_agrees(bursar)

    def test_pending_transactions_count_as_history(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        node.send(harness.destination("pending"), 5)
        bursar = self.bursar(init=False)
        self.assert_exit(6, bursar.init(node.url))
        self.assertEqual(self.files(bursar), set())

    def test_adopting_never_overrides_a_log_with_entries(self):
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("logged", 3)
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        for path in (bursar.directory / "bursar.conf", *bursar.directory.glob("bursar.db*")):
            path.unlink()
        log = bursar.signing_logs()[0].read_bytes()
        result = bursar.init(node.url, "--adopt-account")
        self.assertEqual(bursar.signing_logs()[0].read_bytes(), log)
        if result.code == 0:  # a store may be made, but nothing may be paid with it again
            self.pay(bursar, payments)
            self.assert_exit(6, bursar.run_until_idle())
        else:
            self.assertEqual(result.code, 6, str(result))
        self.assert_chain(node, once=payments)
        self.assertEqual(node.nonce(TREASURY), 3)

    def test_nothing_else_creates_a_store(self):
        bursar = self.bursar(self.node())
        for path in bursar.directory.glob("bursar.db*"):
            path.unlink()
        for arguments in (("run", "--until-idle"), ("list",), ("status",), ("reconcile",), ("show", "1")):
            result = bursar.command(*arguments)
            self.assertEqual(result.code, 4, str(result))
            self.assertIn("init", result.err)
        self.assertEqual(bursar.pay(harness.rows("none", 1)).code, 4)
        self.assertEqual(list(bursar.directory.glob("bursar.db*")), [])
