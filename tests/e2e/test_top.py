"""`bursar top` in a real terminal: tmux has it, and what is on the screen is read from there."""

import os
import pathlib
import signal
import subprocess
import unittest

from harness import HANG_S, ChainCase, _die_with_parent, rows, wait_until


class Terminal:
    """A pane of a tmux server of its own that runs `bursar top` and then writes down how it found its terminal."""

    SCRIPT = 'stty -g >before; "$@"; code=$?; stty -g >after; echo $code >code; echo the end; exec sleep 1000'

    def __init__(self, bursar, *arguments, columns=80, rows=24, settings=None):
        self.directory = bursar.directory
        self.socket = bursar.directory / "tmux"
        environment = {**bursar._environment(settings), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        environment.pop("TMUX", None)
        self.server = subprocess.Popen(["tmux", "-S", self.socket, "-f", "/dev/null", "-D"], env=environment,
                                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       preexec_fn=_die_with_parent)
        wait_until(self.answers, HANG_S, "tmux to start")
        command = [bursar.program, "top", "--interval", "0.2", *arguments]
        self.tmux("new-session", "-d", "-x", columns, "-y", rows, "-c", self.directory,
                  "sh", "-c", self.SCRIPT, "sh", *command)

    def answers(self):
        return subprocess.run(["tmux", "-N", "-S", self.socket, "show-options", "-g"], capture_output=True).returncode == 0

    def tmux(self, *arguments):  # -N: never a server of its own, which would outlive us
        return subprocess.run(["tmux", "-N", "-S", self.socket, *map(str, arguments)], check=True, capture_output=True,
                              encoding="utf-8").stdout

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def wait_shown(self, *texts):
        def shown():
            screen = self.screen()
            return screen if all(text in screen for text in texts) else None
        return wait_until(shown, HANG_S, lambda: f"{texts} on the screen\n{self.screen()}")

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def flags(self):
        return self.tmux("display-message", "-p", "alternate=#{alternate_on} cursor=#{cursor_flag}").strip()

    def pid(self):
        shell = self.tmux("display-message", "-p", "#{pane_pid}").strip()
        return int(pathlib.Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])

    def end(self):
        self.server.terminate()
        self.server.wait()


class TopTest(ChainCase):
    def top(self, bursar, *arguments, **options):
        terminal = Terminal(bursar, *arguments, **options)
        self.addCleanup(terminal.end)
        return terminal

    def assert_restored(self, terminal, code):
        terminal.wait_shown("the end")
        self.assertEqual(int((terminal.directory / "code").read_text()), code)
        self.assertEqual((terminal.directory / "after").read_text(), (terminal.directory / "before").read_text())
        self.assertEqual(terminal.flags(), "alternate=0 cursor=1")
        self.assertNotIn("TREASURY", terminal.screen())

    def test_payments_move_on_the_screen_and_q_gives_the_terminal_back(self):
        node = self.node(block_time=0, flags=["--no-mining"])
        bursar = self.bursar(node)
        self.pay(bursar, rows("moving", 40))
        self.pay(bursar, [dict(rows("dear", 1)[0], amount="999999")], name="dear.csv")
        terminal = self.top(bursar)
        screen = terminal.wait_shown("main (1 of 1)", "41 queued", "none is running", "start `bursar run`", "ok, block")
        self.assertEqual(terminal.flags(), "alternate=1 cursor=0")
        self.assertTrue(all(len(line) <= 80 for line in screen.splitlines()))
        bursar.start("run")
        terminal.wait_shown("1 queued, 40 staged", "IN FLIGHT", "accepted", "'dear-0': not enough funds", "to do")
        node.mine(1)
        terminal.wait_shown("40 executed", "40 paid")
        node.mine(3)
        terminal.wait_shown("40 finalized", "40 became final", "final_success")
        terminal.tmux("resize-window", "-x", "120", "-y", "45")
        wait_until(lambda: "q quit" in terminal.screen().splitlines()[44], HANG_S, lambda: terminal.screen())
        terminal.tmux("resize-window", "-x", "30", "-y", "5")
        wait_until(lambda: "q quit" in terminal.screen().splitlines()[4], HANG_S, lambda: terminal.screen())
        terminal.tmux("resize-window", "-x", "80", "-y", "24")
        wait_until(lambda: "q quit" in terminal.screen().splitlines()[23], HANG_S, lambda: terminal.screen())
        terminal.press("?")
        terminal.wait_shown("the next treasury")
        terminal.press("x")
        terminal.wait_shown("TREASURY")
        terminal.press("End")
        terminal.wait_shown(" 0 below")
        terminal.press("Home")
        terminal.wait_shown(" 0 above")
        terminal.press("q")
        self.assert_restored(terminal, 0)

    def test_an_open_money_breaker_is_seen_with_what_to_do(self):
        bursar = self.bursar(self.node(), TREASURY_MAIN_MAX_PAYMENTS_PER_HOUR="1")
        self.pay(bursar, rows("many", 3))
        terminal = self.top(bursar, columns=100, rows=40)
        terminal.wait_shown("MONEY", "closed    closed")
        self.assert_exit(6, bursar.run_until_idle())
        terminal.wait_shown("closed    open", "(spending_rate)", "max_payments_per_hour", "to do",
                            "close --money", "money_breaker_opened")
        self.assert_exit(0, bursar.command("breaker", "close", "--money", "--reason", "as planned"))
        terminal.wait_shown("closed    closed", "money_breaker_closed")
        terminal.press("q")
        self.assert_restored(terminal, 0)

    def test_signals_and_a_crash_give_the_terminal_back(self):
        bursar = self.bursar(self.node())
        # A sanitizer would take the crash for itself, and end with a code of its own: here the system has it.
        settings = {name: f"{os.environ.get(name, '')}:handle_segv=0" for name in ("ASAN_OPTIONS", "TSAN_OPTIONS")}
        for how, code in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGHUP, 0), (signal.SIGSEGV, 128 + 11)):
            terminal = Terminal(bursar, settings=settings)
            try:
                terminal.wait_shown("TREASURY")
                os.kill(terminal.pid(), how)
                self.assert_restored(terminal, code)
            finally:
                terminal.end()

    def test_a_node_that_never_answers_holds_nothing_up(self):
        node = self.node()
        bursar = self.bursar(node)
        os.kill(node.process.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, node.process.pid, signal.SIGCONT)
        terminal = self.top(bursar)
        first = terminal.wait_shown("TREASURY").splitlines()[0]
        wait_until(lambda: terminal.screen().splitlines()[0] != first, HANG_S, "the time to go on")
        terminal.wait_shown("failing")
        self.pay(bursar, rows("meanwhile", 3))
        terminal.wait_shown("3 queued")
        terminal.press("q")
        self.assert_restored(terminal, 0)

    def test_without_a_terminal_it_is_printed_once(self):
        bursar = self.bursar(self.node())
        self.pay(bursar, rows("once", 2))
        for result in (bursar.command("top"), bursar.command("top", "--once", settings={"TERM": "xterm"})):
            self.assert_exit(0, result)
            for text in ("2 queued", "ok, block", "no executor is running", "'once-0' and 1 more"):
                self.assertIn(text, result.out)
            self.assertNotIn("\x1b", result.out)
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        done = subprocess.run([bursar.program, "top"], cwd=bursar.directory, stdin=theirs, stdout=theirs,
                              env=bursar._environment({"TERM": "dumb"}), timeout=HANG_S, preexec_fn=_die_with_parent)
        os.close(theirs)
        self.assertEqual(done.returncode, 0)
        printed = os.read(ours, 65536).decode()
        self.assertIn("2 queued", printed)
        self.assertNotIn("\x1b", printed)
        self.assert_exit(2, bursar.command("top", "--interval", "0"))
        self.assert_exit(2, bursar.command("top", "--json"))


if __name__ == "__main__":
    unittest.main()
