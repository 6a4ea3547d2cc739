"""The harness itself: what all other verdicts rest on."""

import subprocess
import sys
import time

import harness
from harness import ETHER, TREASURY, Anvil, ChainTruth


class HarnessTest(harness.ChainCase):
    def test_the_chain_tells_once_twice_unpaid_and_wrong_apart(self):
        node = self.node()
        once, twice, unpaid, other_amount, gift = map(harness.destination, ("once", "twice", "no", "other", "gift"))
        for to, value in ((once, 5), (twice, 6), (twice, 6), (other_amount, 1)):
            node.send(to, value)
        node.set_balance(gift, 9)
        verdict = ChainTruth(node).verdict({once: 5, twice: 6, unpaid: 7, other_amount: 8, gift: 9})
        self.assertEqual(verdict, {"once": [once], "twice": [twice], "unpaid": [unpaid], "wrong": [other_amount, gift]})

    def test_a_killed_node_comes_back_with_its_blocks(self):
        node = self.node(keeps_state=True)
        to = harness.destination("kept")
        node.send(to, ETHER)
        paid_in = node.block_number()
        harness.wait_until(lambda: node.block_number() > paid_in + 10, 60, "the node to write its state")
        before = node.block(paid_in)["hash"]
        node.restart()
        self.assertEqual(node.block(paid_in)["hash"], before)
        self.assertEqual(len(ChainTruth(node).verdict({to: ETHER})["once"]), 1)

    def test_a_reorg_takes_payments_back(self):
        node = self.node()
        to = harness.destination("orphaned")
        nonce = node.nonce()
        node.send(to, 3)
        node.reorg(node.block_number())
        self.assertEqual(node.balance(to), 0)
        self.assertEqual(node.nonce(), nonce)
        self.assertEqual(ChainTruth(node).verdict({to: 3})["unpaid"], [to])

    def test_a_node_dies_with_the_process_that_started_it(self):
        child = subprocess.Popen(
            [sys.executable, "-c", f"import harness, os, time\nn = harness.Anvil({str(self.directory)!r}).start()\n"
             "print(n.process.pid, flush=True)\ntime.sleep(600)"], stdout=subprocess.PIPE, text=True,
            cwd=harness.ROOT / "tests/e2e")
        node_pid = int(child.stdout.readline())
        child.kill()
        child.wait()
        child.stdout.close()
        harness.wait_until(lambda: _is_gone(node_pid), 30, "the node to die")

    def test_whatever_a_sanitizer_finds_fails_a_test(self):
        for report in ("==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010",
                       "==7==ERROR: LeakSanitizer: detected memory leaks",
                       "src/base/amount.c:12:5: runtime error: signed integer overflow",
                       "WARNING: ThreadSanitizer: data race (pid=7)",
                       "WARNING: ThreadSanitizer: lock-order-inversion (potential deadlock) (pid=7)",
                       "ThreadSanitizer:DEADLYSIGNAL\n==7==ERROR: ThreadSanitizer: SEGV on unknown address"):
            with self.assertRaisesRegex(AssertionError, "the sanitizer found something"):
                harness.check_sanitizers(f"2026-01-01 info: before\n{report}\n", "a command")
        harness.check_sanitizers("warning: the node does not answer\nerror: refused\n", "a command")

    def test_amounts_of_payment_files_are_read_exactly(self):
        self.assertEqual([harness.wei(a) for a in ("1", "0.5ether", "1.000000001gwei", "7wei")],
                         [ETHER, ETHER // 2, 10**9 + 1, 7])


def _is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
