"""Wrong usage, wrong configuration, and help."""

import harness


class UsageTest(harness.ChainCase):
    def test_wrong_usage_is_exit_2_with_a_hint(self):
        bursar = self.bursar(init=False)
        for arguments in ((), ("pya",), ("run", "--quick"), ("run", "now"), ("pay",), ("pay", "a", "b"), ("show",),
                          ("list", "--limit", "many"), ("list", "--limit"), ("list", "--limit", "-1"),
                          ("--frob", "run"), ("init",), ("help", "pya"), ("-c",)):
            with self.subTest(arguments=arguments):
                result = self.assert_exit(2, bursar.command(*arguments))
                self.assertEqual(result.out, "")
                self.assertIn("help", result.err)

    def test_help_and_version_go_to_stdout(self):
        bursar = self.bursar(init=False)
        overview = self.assert_exit(0, bursar.command("help")).out
        for command in ("init", "pay", "run", "status", "list", "show", "reconcile"):
            self.assertIn(command, overview)
            self.assertIn(command, self.assert_exit(0, bursar.command("help", command)).out)
        self.assertRegex(self.assert_exit(0, bursar.command("--version")).out, r"^bursar [0-9]+\.[0-9]+\.[0-9]+")

    def test_a_missing_payment_file_is_named(self):
        bursar = self.bursar(self.node())
        result = bursar.command("pay", "no-such-file.csv")
        self.assertIn(result.code, (2, 3), str(result))
        self.assertIn("no-such-file.csv", result.err)

    def test_the_configuration_is_checked_with_file_and_line(self):
        bursar = self.bursar(self.node())
        good = (bursar.directory / "bursar.conf").read_text()
        for bad, named in (("[executor]\nbatch_sise = 10\n", "batch_sise"), ("[executor]\nbatch_size = 1001\n", "1000"),
                           ("[executor]\nbatch_size = ten\n", "batch_size"), ("[frob]\nx = 1\n", "frob")):
            with self.subTest(bad=bad):
                (bursar.directory / "other.conf").write_text(good + "\n" + bad)
                line = len((good + "\n").splitlines()) + 1
                result = bursar.command("-c", "other.conf", "list")
                self.assertIn(result.code, (2, 3), str(result))
                self.assertIn("other.conf", result.err)
                self.assertIn(named, result.err)
                self.assertTrue(f":{line}" in result.err or f":{line + 1}" in result.err
                                or f"line {line}" in result.err or f"line {line + 1}" in result.err, str(result))

    def test_the_environment_is_checked_too(self):
        bursar = self.bursar(self.node())
        result = bursar.command("list", settings={"BURSAR_EXECUTOR_BATCH_SIZE": "0"})
        self.assertIn(result.code, (2, 3), str(result))
        self.assertIn("BURSAR_EXECUTOR_BATCH_SIZE", result.err)

    def test_no_secret_is_shown(self):
        node = self.node()
        bursar = self.bursar(node, LOG_LEVEL="debug")
        self.pay(bursar, harness.rows("quiet", 2))
        results = [bursar.run_until_idle(), bursar.command("status"), bursar.command("show", "ref:quiet-0")]
        password = (bursar.directory / "treasury.pass").read_text().rstrip("\n")
        key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
        for result in results:
            self.assert_exit(0, result)
            for secret in filter(None, (key, password if len(password) > 7 else "")):
                self.assertNotIn(secret, (result.out + result.err).lower())
