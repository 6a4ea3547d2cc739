"""As a service: what the service manager is told, a configuration that changes while running, logs for machines, and the
package in a clean root."""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import unittest

import clean_root
import harness
from faulty_proxy import FaultyProxy

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Manager:
    """Listens as systemd does on NOTIFY_SOCKET."""

    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.told = []

    def listen(self):
        try:
            while True:
                self.told += self.socket.recv(4096).decode().split("\n")
        except BlockingIOError:
            return self.told


class ServiceTest(harness.ChainCase):
    def manager(self):
        manager = Manager(self.directory)
        self.addCleanup(manager.socket.close)
        return manager

    def test_the_manager_hears_when_it_is_ready_gets_on_and_ends(self):
        manager, node = self.manager(), self.node()
        bursar = self.bursar(node)
        run = bursar.start("run", settings={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "2000000"})
        harness.wait_until(lambda: manager.listen().count("WATCHDOG=1") > 2, 60, run.err)
        self.assertEqual(manager.told[0], "READY=1")
        self.assertEqual(run.terminate()[0], 0)
        self.assertEqual(manager.listen()[-1], "STOPPING=1")

    def test_a_loop_that_hangs_is_silent_although_the_process_lives(self):
        manager, node = self.manager(), self.node()
        bursar = self.bursar(node, EXECUTOR_RPC_TIMEOUT_MS=120000)
        run = bursar.start("run", settings={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "1000000"})
        harness.wait_until(lambda: "WATCHDOG=1" in manager.listen(), 60, run.err)
        node.process.send_signal(signal.SIGSTOP)  # takes connections, never answers: the step waits
        try:
            last = [None]

            def silent():  # for as long as the manager would have waited
                last[0], before = len(manager.listen()), last[0]
                return before == last[0]
            harness.wait_until(silent, 60, run.err, interval_s=1.5)
            self.assertTrue(run.is_running)
        finally:
            node.process.send_signal(signal.SIGCONT)
        heard = len(manager.listen())
        harness.wait_until(lambda: len(manager.listen()) > heard, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)

    def test_a_changed_configuration_is_taken_over_while_it_pays(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        bursar = self.bursar(node)
        bursar.configure("treasury main", max_in_flight=3)
        payments = harness.rows("reload", 8)
        self.pay(bursar, payments)
        run = bursar.start("run")
        harness.wait_until(lambda: node.nonce(block="pending") == 3, 60, run.err)
        bursar.configure("treasury main", max_in_flight=0)  # not allowed: nothing changes
        run.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: "nothing was changed" in run.err(), 60, run.err)
        self.assertIn("max_in_flight", run.err())
        bursar.configure("treasury main", max_in_flight=8)
        bursar.configure("executor", lease_ttl_ms=30000)
        run.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: node.nonce(block="pending") == 8, 60, run.err)
        self.assertRegex(run.err(), r"\[treasury main\] max_in_flight was changed: in force now")
        self.assertRegex(run.err(), r"\[executor\] lease_ttl_ms was changed: in force with the next start")

        def done():
            node.mine()
            return bursar.queue("finalized") == 8
        harness.wait_until(done, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_another_breaker_is_in_force_while_it_pays(self):
        node = self.node()
        proxy = FaultyProxy(node.port, seed=5)
        self.addCleanup(proxy.close)
        bursar = self.bursar(node)
        bursar.configure("treasury main", rpc=proxy.url)
        bursar.configure("breaker", failure_threshold=1000, success_threshold=1, timeout_s=86400)
        run = bursar.start("run")
        payments = harness.rows("breaker", 2)
        proxy.inflict("drop", on="sends")
        self.pay(bursar, payments)
        harness.wait_until(lambda: bursar.status()["breaker"]["failures"] > 2, 60, run.err)
        self.assertEqual(bursar.status()["breaker"]["state"], "closed")
        bursar.configure("breaker", failure_threshold=2)
        run.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: "circuit breaker: open" in run.err(), 60, run.err)  # with the next failure
        self.assertIn("[breaker] failure_threshold was changed: in force now", run.err())
        proxy.heal()
        later = harness.rows("later", 2)
        self.pay(bursar, later, name="later.csv")
        bursar.configure("breaker", timeout_s=1)  # not a day
        run.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: bursar.queue("finalized") == 4, 60, run.err)
        self.assertEqual(bursar.status()["breaker"]["state"], "closed")
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=payments + later)

    def test_every_line_of_a_json_log_is_a_document(self):
        node = self.node()
        bursar = self.bursar(node, LOG_FORMAT="json", LOG_LEVEL="debug")
        self.pay(bursar, harness.rows("log", 3))
        run = bursar.start("run", "--until-idle")
        self.assertEqual(run.wait(), 0)
        self.assertTrue(self.documents(run))

    def test_a_json_log_has_what_went_wrong_as_documents_too(self):
        node = self.node()
        bursar = self.bursar(node, LOG_FORMAT="json")
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.status()["lease"], 60, run.err)
        bursar.configure("treasury main", max_in_flight=0)
        for told in (1, 2):  # once for each that somebody asks for
            run.process.send_signal(signal.SIGHUP)
            harness.wait_until(lambda: run.err().count("nothing was changed") == told, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assertIn("max_in_flight", self.documents(run)[-1]["text"])
        bursar.configure("treasury main", max_in_flight=1)
        bursar.store.unlink()
        run = bursar.start("run")
        self.assertEqual(run.wait(), 4)
        self.assertRegex(self.documents(run)[-1]["text"], "bursar.db")

    def documents(self, run):
        lines = [json.loads(line) for line in run.err().splitlines()]
        self.assertEqual({tuple(sorted(line)) for line in lines}, {("level", "text", "time", "treasury")})
        return lines


class UnitFileTest(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not here")
    def test_the_sandbox_is_rated_ok_or_better(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager",
                               str(ROOT / "packaging/bursar.service")], capture_output=True, text=True, timeout=60)
        rating = re.search(r"Overall exposure level for bursar.service: ([0-9.]+) (\w+)", done.stdout)
        self.assertTrue(rating, done.stdout + done.stderr)
        self.assertLessEqual(float(rating[1]), 2.0, done.stdout)


class PackageTest(clean_root.CleanRootCase):
    """In a root that holds nothing but Debian's base and what the package asks for."""

    @unittest.skipUnless(clean_root.can_make_roots(), "needs root and debootstrap")
    def test_the_package_installs_into_a_clean_root_and_pays(self):
        self.make_root()
        self.assertRegex(self.good("bursar", "--version"), r"^bursar [0-9.]+\n$")
        self.assertIn("bursar:", self.good("getent", "passwd", "bursar"))
        for page in ("man1/bursar.1", "man1/bursar-run.1", "man5/bursar.conf.5"):
            self.assertTrue((self.root / "usr/share/man" / page).exists()
                            or (self.root / "usr/share/man" / (page + ".gz")).exists(), page)
        self.pay_inside()
        kept = sorted(path.name for path in (self.root / "var/lib/bursar").iterdir())
        self.good("apt-get", "-q", "-y", "purge", "bursar")
        self.assertEqual(sorted(path.name for path in (self.root / "var/lib/bursar").iterdir()), kept)

    def pay_inside(self):
        """As the service's account, in its folder."""
        node, home = self.node(), self.root / "var/lib/bursar"
        payments = harness.rows("packaged", 5)
        for source, name in ((harness.KEYSTORE, "treasury.json"), (harness.PASSWORD, "treasury.pass")):
            shutil.copyfile(source, home / name)
        (home / "pay.csv").write_text(harness.csv_text(payments))
        self.good("sh", "-c", "chown -R bursar: /var/lib/bursar; chmod 600 /var/lib/bursar/*")

        def bursar(arguments):
            return self.good("setpriv", "--reuid=bursar", "--regid=bursar", "--clear-groups", "sh", "-c",
                             f"cd /var/lib/bursar && BURSAR_TREASURY_MAIN_FINALITY=2 bursar {arguments}")
        bursar(f"init --rpc {node.url} --keystore treasury.json --password-file treasury.pass")
        bursar("pay pay.csv")
        bursar("run --until-idle")
        bursar("reconcile")
        self.assert_chain(node, once=payments)


if __name__ == "__main__":
    unittest.main()
