"""The package under a real systemd: a root of its own is booted, and bursar.service does in it what README promises."""

import http.client
import json
import re
import shutil
import signal
import unittest

import clean_root
import harness

UNIT = "bursar.service"
HOME = "/var/lib/bursar"
DROP_IN = """[Service]
WatchdogSec=5s
RestartSec=100ms
"""


@unittest.skipUnless(clean_root.can_boot_roots(), "needs root, debootstrap and systemd-nspawn")
class SystemdTest(clean_root.CleanRootCase):
    def test_the_service_pays_reloads_is_restarted_when_it_hangs_and_stops(self):
        self.make_root("systemd")
        self.boot()
        self.addCleanup(self.tell_journal)
        node = self.node(block_time=None, flags=["--no-mining"])
        payments = harness.rows("service", 12)
        self.configure(node)
        self.start()
        self.bursar_good("pay", "-", stdin=harness.csv_text(payments))
        self.wait_in_flight(node, 3)
        self.assert_sandboxed()
        self.reload(node)
        self.hang_in_a_request(node)
        self.hang_altogether(node)
        self.assert_log_is_json()
        self.restart_machine()

        def done():
            node.mine()
            return self.status()["queue"]["finalized"] == len(payments)
        harness.wait_until(done, harness.HANG_S, self.journal)
        self.replace_package()
        self.ask_doctor()
        self.stop()
        self.bursar_good("reconcile")
        self.assert_chain(node, once=payments)
        self.refuse_to_start()
        self.purge()

    # -- what it stands on

    def boot(self):
        self.machine = clean_root.Booted(self.root, self.directory / "boot.log")
        self.addCleanup(self.machine.end)
        try:
            self.machine.start()
        except clean_root.CannotBoot as reason:
            self.skipTest(f"no systemd can be booted here: {reason}")

    def inside(self, *command, **options):
        done = self.machine.run(*command, **options)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n{self.journal()}")
        return done.stdout

    def bursar_good(self, *arguments, **options):
        return self.inside("bursar", "-c", f"{HOME}/bursar.conf", *arguments, user="bursar", **options)

    def status(self):
        return json.loads(self.bursar_good("status", "--json"))

    def show(self, what):
        return self.machine.run("systemctl", "show", "--property", what, "--value", UNIT).stdout.strip()

    def journal(self, *options):
        return self.machine.run("journalctl", "--no-pager", "-n", "200", "-u", UNIT, *options).stdout

    def tell_journal(self):
        if any(error for _, error in getattr(getattr(self, "_outcome", None), "errors", []) or []):
            print(self.journal())

    def set_keys(self, **keys):
        """Keys of bursar.conf, which `bursar init` left as comments or unset."""
        path = self.root / f"{HOME[1:]}/bursar.conf"
        text = path.read_text()
        for key, value in keys.items():
            text, count = re.subn(rf"^(# )?{key} =.*$", f"{key} = {value}", text, flags=re.M)
            self.assertEqual(count, 1, key)
        path.write_text(text)

    def wait_in_flight(self, node, count):
        harness.wait_until(lambda: node.nonce(block="pending") == count, harness.HANG_S, self.journal)

    # -- what a person does, in this order

    def configure(self, node):
        """README's own commands, down to the last of them; no sudo is here."""
        for source, name in ((harness.KEYSTORE, "treasury.json"), (harness.PASSWORD, "treasury.pass")):
            shutil.copyfile(source, self.root / "root" / name)
        told = re.search(r"apt install \./bursar_\*\.deb`:\n\n```sh\n(.*?)\n```", (harness.ROOT / "README.md").read_text(), re.S)
        commands, last = told[1].replace("sudo -u bursar", "runuser -u bursar --").replace("sudo ", "").rsplit("\n", 1)
        self.assertEqual(last, "systemctl enable --now bursar")
        self.inside("sh", "-euc", f"cd /root\n{commands.replace('URL', node.url.replace('127.0.0.1', 'localhost'))}")
        self.port = harness.free_port()
        self.set_keys(finality=2, max_in_flight=3, poll_interval_ms=50, rpc_timeout_ms=120000, format="json",
                      listen=f"127.0.0.1:{self.port}")
        drop_in = self.root / f"etc/systemd/system/{UNIT}.d/test.conf"
        drop_in.parent.mkdir(parents=True)
        drop_in.write_text(DROP_IN)
        self.inside("systemctl", "daemon-reload")

    def start(self):
        self.inside("systemctl", "enable", "--now", UNIT)  # returns when it said READY=1
        self.assertEqual((self.show("Type"), self.show("ActiveState"), self.show("SubState")),
                         ("notify", "active", "running"))

    def assert_sandboxed(self):
        """Not only written down: systemd had the means to do it."""
        rating = re.search(rf"Overall exposure level for {UNIT}: ([0-9.]+) (\w+)",
                           self.inside("systemd-analyze", "security", "--no-pager", UNIT))
        self.assertLessEqual(float(rating[1]), 2.0)
        pid = self.show("MainPID")
        status, init = (dict(line.split(":\t", 1) for line in self.inside("cat", f"/proc/{which}/status").splitlines())
                        for which in (pid, 1))
        self.assertEqual((status["NoNewPrivs"], int(status["CapBnd"], 16), int(status["CapEff"], 16)), ("1", 0, 0))
        self.assertGreater(int(status["Seccomp_filters"]), int(init["Seccomp_filters"]))
        self.assertGreater(int(status["VmLck"].split()[0]), 0, "the key is not locked in memory")
        self.assertEqual(self.inside("cat", f"/proc/{pid}/uid_map").split()[:3], ["0", "0", "1"])  # users of its own

        def seen(*command):
            return self.machine.run("nsenter", "--target", pid, "--mount", "--", *command)
        for path in ("/usr/x", "/etc/bursar/x"):
            self.assertIn("Read-only file system", seen("touch", path).stderr)
        self.assertEqual(seen("ls", "/root").stdout, "")
        self.assertIn("net", self.inside("ls", "/dev").split())
        self.assertNotIn("net", seen("ls", "/dev").stdout.split())
        mounts = seen("cat", "/proc/self/mountinfo").stdout
        self.assertRegex(mounts, r" /proc .*hidepid=invisible")
        self.assertRegex(mounts, rf" {HOME} rw,")

    def reload(self, node):
        pid = self.show("MainPID")
        self.set_keys(max_in_flight=0)
        self.inside("systemctl", "reload", UNIT)
        harness.wait_until(lambda: "nothing was changed" in self.journal(), harness.HANG_S, self.journal)
        self.set_keys(max_in_flight=6)
        self.inside("systemctl", "reload", UNIT)
        self.wait_in_flight(node, 6)
        self.assertEqual((self.show("MainPID"), self.show("NRestarts")), (pid, "0"))

    def wait_for_watchdog(self, pid):
        def restarted():
            return self.show("ActiveState") == "active" and self.show("MainPID") not in (pid, "0")
        harness.wait_until(restarted, harness.HANG_S, self.journal)
        self.assertIn("Watchdog timeout", self.journal())

    def hang_in_a_request(self, node):
        """The executor's thread waits for a node for longer than it may, while the others work."""
        pid = self.show("MainPID")
        node.process.send_signal(signal.SIGSTOP)
        try:
            http_client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=harness.HANG_S)
            http_client.request("GET", "/healthz")
            self.assertIn(http_client.getresponse().status, (200, 503))
            http_client.close()
            self.wait_for_watchdog(pid)
        finally:
            node.process.send_signal(signal.SIGCONT)
        self.assertGreaterEqual(int(self.show("NRestarts")), 1)
        self.assertEqual(node.nonce(block="pending"), 6)

    def hang_altogether(self, node):
        harness.wait_until(lambda: self.status()["lease"], harness.HANG_S, self.journal)
        pid = self.show("MainPID")
        self.inside("systemctl", "kill", "--signal=SIGSTOP", UNIT)
        node.mine()
        self.wait_for_watchdog(pid)

    def assert_log_is_json(self):
        lines = self.machine.run("journalctl", "--no-pager", "-o", "cat", f"_SYSTEMD_UNIT={UNIT}").stdout.splitlines()
        self.assertGreater(len(lines), 3)
        self.assertEqual({tuple(sorted(json.loads(line))) for line in lines}, {("level", "text", "time", "treasury")})

    def restart_machine(self):
        """All of it is killed in the middle of work; nobody starts the service by hand."""
        self.machine.end()
        self.machine.start()
        self.assertEqual(self.show("ActiveState"), "active", self.journal())

    def replace_package(self):
        """A new version takes over where the old one was at work."""
        pid = self.show("MainPID")
        self.inside("dpkg", "--install", "/bursar.deb")
        self.assertEqual(self.show("ActiveState"), "active")
        self.assertNotEqual(self.show("MainPID"), pid)

    def stop(self):
        harness.wait_until(lambda: self.status()["lease"], harness.HANG_S, self.journal)
        self.inside("systemctl", "stop", UNIT)
        self.assertEqual((self.show("ActiveState"), self.show("Result"), self.show("ExecMainStatus")),
                         ("inactive", "success", "0"))
        self.assertIsNone(self.status()["lease"])

    def ask_doctor(self):
        """As root, with the password from where the service has it; and nothing of root's is left in the service's way."""
        found = json.loads(self.inside("env", "BURSAR_TREASURY_MAIN_PASSWORD_FILE=/etc/bursar/main.pass", "bursar", "-c",
                                       f"{HOME}/bursar.conf", "doctor", "--json"))
        self.assertEqual([check for check in found["checks"] if check["result"] != "ok"], [])
        self.bursar_good("doctor")
        self.assertEqual(self.inside("find", HOME, "!", "-user", "bursar"), "")

    def refuse_to_start(self):
        """What wants a person is not tried again and again."""
        self.set_keys(max_in_flight=0)
        restarts = self.show("NRestarts")
        self.assertNotEqual(self.machine.run("systemctl", "start", UNIT).returncode, 0)
        self.assertEqual((self.show("ActiveState"), self.show("ExecMainStatus"), self.show("NRestarts")),
                         ("failed", "3", restarts))
        self.set_keys(max_in_flight=6)

    def purge(self):
        """Stops it, and leaves the money alone."""
        self.inside("systemctl", "start", UNIT)
        self.inside("dpkg", "--purge", "bursar")
        self.assertEqual(self.show("LoadState"), "not-found")
        self.assertEqual(self.machine.run("sh", "-c", "cat /proc/[0-9]*/comm | grep -cx bursar").stdout, "0\n")
        for name in ("bursar.db", "treasury.json"):
            self.assertTrue((self.root / f"{HOME[1:]}/{name}").exists())


if __name__ == "__main__":
    unittest.main()
