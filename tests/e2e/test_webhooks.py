"""Webhooks, with a real receiver: signed, in order, at least once, and never in the executor's way."""

import collections
import hashlib
import hmac
import http.server
import json
import signal
import socketserver
import ssl
import subprocess
import threading
import time
import unittest

from harness import HANG_S, ChainCase, free_port, rows, wait_until
from test_http_api import Described

SECRET = b"a secret of the tests, 32 bytes."


class Receiver(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Keeps what it was sent. `answer(event)` gives the status code, and may take its time."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port=0, certificate=None):
        super().__init__(("127.0.0.1", port), Handler)
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        self.answer = lambda event: 204
        self.headers_of_answer = {}
        self.lock = threading.Lock()
        self.requests = []  # (headers, body), every one
        self.taken = []     # events that were answered with 2xx, in the order of the answers
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server_port}/hook?token=hidden"

    def end(self):
        self.shutdown()
        self.server_close()

    def seqs(self):
        with self.lock:
            return [event["seq"] for event in self.taken]

    def of(self, ref):
        with self.lock:
            return [event["cause"] for event in self.taken if event["ref"] == ref]

    def handle_error(self, request, client_address):
        pass  # a sender that was killed


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = json.loads(body)
        with self.server.lock:
            self.server.requests.append((dict(self.headers), body))
        code = self.server.answer(event)
        with self.server.lock:
            if 200 <= code < 300:
                self.server.taken.append(event)
        self.send_response(code)
        self.send_header("Content-Length", "0")
        for name, value in self.server.headers_of_answer.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *arguments):
        pass


class WebhookCase(ChainCase):
    def receiver(self, **options):
        receiver = Receiver(**options)
        self.addCleanup(receiver.end)
        return receiver

    def hooked(self, node, receiver, name="ops", **keys):
        bursar = self.bursar(node)
        self.add_hook(bursar, receiver, name, **keys)
        return bursar

    @staticmethod
    def add_hook(bursar, receiver, name="ops", **keys):
        (bursar.directory / "hook.secret").write_bytes(SECRET + b"\n")
        bursar.configure(f"webhook {name}", url=receiver.url, secret_file="hook.secret", retry_ms="20",
                         retry_max_ms="200", **keys)

    def wait_taken(self, receiver, ref, cause="final_success"):
        wait_until(lambda: cause in receiver.of(ref), HANG_S,
                   lambda: f"{cause} of {ref}, among {len(receiver.taken)} taken of {len(receiver.requests)} sent")

    def assert_in_order(self, receiver, but_once=True):
        lanes = collections.defaultdict(list)
        for event in receiver.taken:
            lanes[event["id"] or event["treasury"]].append(event["seq"])
        for lane, seqs in lanes.items():
            if not but_once:
                seqs = list(dict.fromkeys(seqs))  # where an event comes for the first time
            self.assertEqual(seqs, sorted(set(seqs)), f"lane {lane}")

    def wait_started(self, bursar, name="ops"):
        """From here on nothing is passed by."""
        wait_until(lambda: f"webhook {name} delivers to" in bursar.runs[-1].err(), HANG_S,
                   lambda: bursar.runs[-1].err())


class WebhookTest(WebhookCase):
    def test_every_event_is_delivered_once_signed_and_in_order(self):
        node, receiver = self.node(), self.receiver()
        bursar = self.hooked(node, receiver)
        run = bursar.start("run")
        self.wait_started(bursar)
        payments = rows("hook", 20)
        self.pay(bursar, payments)
        for payment in payments:
            self.wait_taken(receiver, payment["ref"])
        self.assert_exit(0, bursar.command("breaker", "open", "--reason", "a look"))
        wait_until(lambda: any(e["cause"] == "breaker_opened" for e in receiver.taken), HANG_S, "the breaker's event")
        self.assertEqual(run.terminate()[0], 0)
        for payment in payments:
            self.assertEqual(receiver.of(payment["ref"]), ["imported", "bound", "included", "final_success"])
        self.assert_in_order(receiver)
        headers, body = min(receiver.requests, key=lambda request: json.loads(request[1])["seq"])  # of others, any order
        event = json.loads(body)
        self.assertEqual(headers["Bursar-Event-Id"], str(event["seq"]))
        self.assertEqual((headers["Bursar-Webhook"], headers["Content-Type"]), ("ops", "application/json"))
        self.assertEqual((event["treasury"], event["to"], event["ref"]), ("main", "queued", "hook-0"))
        for headers, body in receiver.requests:
            at, signature = (part.split("=")[1] for part in headers["Bursar-Signature"].split(","))
            wanted = hmac.new(SECRET, at.encode() + b"." + body, hashlib.sha256).hexdigest()
            self.assertEqual(signature, wanted)
            self.assertLess(abs(time.time() - int(at)), 600)
        body_file = self.directory / "body"
        body_file.write_bytes(body)
        shell = '{ printf \'%s.\' "$1"; cat "$2"; } | openssl dgst -sha256 -hmac "$(cat "$3")"'  # as the README has it
        printed = subprocess.run(["sh", "-c", shell, "sh", at, body_file, bursar.directory / "hook.secret"], check=True,
                                 capture_output=True, text=True).stdout
        self.assertIn(signature, printed)
        for text in (run.err(), (bursar.command("status")).out):
            self.assertNotIn("hidden", text)
            self.assertNotIn(SECRET.decode(), text)

    def test_that_the_money_breaker_opens_and_closes_is_told_alone_if_that_is_what_is_wanted(self):
        node, receiver = self.node(), self.receiver()
        bursar = self.hooked(node, receiver, events="money_breaker_opened money_breaker_closed")
        bursar.configure("treasury main", max_payments_per_hour="1")
        bursar.start("run")
        self.wait_started(bursar)
        self.pay(bursar, rows("many", 2))
        wait_until(lambda: receiver.taken, HANG_S, "that it opened")
        self.assert_exit(0, bursar.command("breaker", "close", "--money", "--reason", "as planned"))
        wait_until(lambda: len(receiver.taken) >= 2, HANG_S, "that it was closed")
        wait_until(lambda: bursar.status()["webhooks"][0]["behind"] == 0 and bursar.queue("finalized") == 2, HANG_S,
                   "the second payment")
        opened, closed = receiver.taken
        self.assertEqual([(e["cause"], e["treasury"], e["id"], e["to"]) for e in (opened, closed)],
                         [("money_breaker_opened", "main", None, None), ("money_breaker_closed", "main", None, None)])
        self.assertIn("spending_rate: disbursement 2 would be one more", opened["detail"])
        self.assertEqual(closed["detail"], "as planned")

    def test_what_is_refused_holds_back_its_own_disbursement_only(self):
        node, receiver = self.node(), self.receiver()
        bursar = self.hooked(node, receiver)
        closed = threading.Event()
        receiver.answer = lambda event: 500 if event["ref"] == "hook-0" and not closed.is_set() else 200
        bursar.start("run")
        self.wait_started(bursar)
        payments = rows("hook", 10)
        self.pay(bursar, payments)
        for payment in payments[1:]:
            self.wait_taken(receiver, payment["ref"])
        self.assertEqual(receiver.of("hook-0"), [])
        status = wait_until(lambda: bursar.status()["webhooks"][0]["last_error"] and bursar.status(), HANG_S, "status")
        self.assertEqual(status["webhooks"][0]["last_error"], "answered 500")
        self.assertIn("answered 500", bursar.command("status").out)
        self.assertGreaterEqual(status["webhooks"][0]["kept_back"], 1)
        top = bursar.command("top", settings={"COLUMNS": "200"}).out
        self.assertRegex(top, r"webhooks +ops: \d+ events? behind; not taken at .*: answered 500")
        check = [c for c in json.loads(bursar.command("doctor", "--json").out)["checks"] if c["check"] == "webhook"]
        self.assertEqual((check[0]["subject"], check[0]["result"]), ("ops", "warning"))
        closed.set()
        self.wait_taken(receiver, "hook-0")
        self.assertEqual(receiver.of("hook-0"), ["imported", "bound", "included", "final_success"])
        self.assert_in_order(receiver)
        wait_until(lambda: bursar.status()["webhooks"][0]["behind"] == 0, HANG_S, lambda: str(bursar.status()))

    def test_how_it_stands_is_told_over_http_too(self):
        node, receiver = self.node(), self.receiver()
        bursar = self.hooked(node, receiver, treasuries="main")
        self.add_hook(bursar, receiver, "second", events="reversed")
        closed = threading.Event()
        receiver.answer = lambda event: 500 if not closed.is_set() else 200
        port = free_port()
        bursar.start("run", settings={"BURSAR_HTTP_LISTEN": f"127.0.0.1:{port}"})
        self.wait_started(bursar)
        self.wait_started(bursar, "second")
        http = Described(port, bursar.command("token", "create", "--name", "eve", "--scope", "read").out.strip())
        http.description = http.get("/openapi.json").json

        def hooks():
            found = http.get("/v1/status").json["items"][0]["webhooks"]
            self.assertEqual([hook["name"] for hook in found], ["ops", "second"])
            return found
        self.assertEqual((hooks()[0]["started"], hooks()[0]["last_error"], hooks()[0]["next_try_at"]), (True, None, None))
        before = hooks()[0]["seq"]
        self.pay(bursar, rows("hook", 1))
        failing = wait_until(lambda: hooks()[0]["last_error"] and hooks()[0], HANG_S, lambda: str(hooks()))
        self.assertEqual(failing["last_error"], "answered 500")
        self.assertGreaterEqual(failing["kept_back"], 1)
        self.assertTrue(failing["last_error_at"] and failing["next_try_at"])
        self.assertEqual(bursar.status()["webhooks"][0].keys(), failing.keys())
        self.assertNotIn("hidden", json.dumps(hooks()))
        closed.set()
        self.wait_taken(receiver, "hook-0")
        done = wait_until(lambda: hooks()[0]["behind"] == 0 and hooks()[0], HANG_S, lambda: str(hooks()))
        self.assertGreaterEqual(done["seq"], before + 4)
        self.assertEqual((done["kept_back"], done["last_error"], done["next_try_at"]), (0, None, None))
        self.assertGreaterEqual(done["delivered"], 4)

    def test_a_receiver_that_was_down_gets_everything(self):
        node, receiver = self.node(), self.receiver()
        bursar = self.hooked(node, receiver)
        port = receiver.server_port
        receiver.end()
        bursar.start("run")
        self.wait_started(bursar)
        payments = rows("hook", 150)  # more events than are kept in memory
        self.pay(bursar, payments)
        self.wait_paid(node, payments, len(payments))
        wait_until(lambda: bursar.queue("finalized") == len(payments), HANG_S, "all to be final")
        back = self.receiver(port=port)
        for payment in payments:
            self.wait_taken(back, payment["ref"])
        self.assert_in_order(back)
        self.assertEqual(len(back.seqs()), 4 * len(payments) + sum(e["id"] is None for e in back.taken))

    def test_a_slow_receiver_is_nobodys_trouble_but_its_own(self):
        node, receiver = self.node(), self.receiver()
        bursar = self.hooked(node, receiver, timeout_ms="60000")
        release = threading.Event()

        def slow(event):
            release.wait(HANG_S)
            return 200
        receiver.answer = slow
        run = bursar.start("run")
        self.wait_started(bursar)
        payments = rows("hook", 40)
        self.pay(bursar, payments)
        wait_until(lambda: bursar.queue("finalized") == len(payments), HANG_S, "all to be final")
        self.assertEqual(receiver.seqs(), [])
        self.assertEqual(len(receiver.requests), 4)  # at once, and no more
        self.assertEqual(run.terminate()[0], 0)
        self.assertEqual(receiver.seqs(), [])  # and it did not wait for any of them
        release.set()
        receiver.answer = lambda event: 200
        bursar.start("run")
        for payment in payments:
            self.wait_taken(receiver, payment["ref"])
        self.assert_in_order(receiver, but_once=False)

    def test_after_kill_9_nothing_is_missing(self):
        node, receiver = self.node(), self.receiver()
        bursar = self.hooked(node, receiver)
        run = bursar.start("run")
        self.wait_started(bursar)
        payments = rows("hook", 120)
        self.pay(bursar, payments)
        for taken in (20, 150, 300):
            wait_until(lambda count=taken: len(receiver.taken) >= count, HANG_S, f"{taken} events")
            run.kill()
            run = bursar.start("run")
        for payment in payments:
            self.wait_taken(receiver, payment["ref"])
        self.assert_in_order(receiver, but_once=False)
        for payment in payments:
            self.assertEqual(list(dict.fromkeys(receiver.of(payment["ref"]))),
                             ["imported", "bound", "included", "final_success"])
        self.assertEqual(run.terminate()[0], 0)
        before = len(receiver.requests)
        self.pay(bursar, rows("after", 3), name="after.csv")
        bursar.run_until_idle()
        for n in range(3):
            self.wait_taken(receiver, f"after-{n}")
        seqs = [event["seq"] for event in receiver.taken[before:]]
        self.assertEqual(len(seqs), len(set(seqs)))  # ended in peace: none comes twice

    def test_one_process_delivers_and_another_takes_over(self):
        node, receiver = self.node(), self.receiver()
        bursar = self.hooked(node, receiver)
        first = bursar.start("run")
        self.wait_started(bursar)
        second = bursar.start("run", settings={"BURSAR_EXECUTOR_LEASE_TTL_MS": "500"})
        payments = rows("hook", 30)
        self.pay(bursar, payments)
        for payment in payments:
            self.wait_taken(receiver, payment["ref"])
        self.assert_in_order(receiver)
        self.assertNotIn("delivers to", second.err())
        first.kill()
        self.wait_started(bursar)
        self.pay(bursar, rows("over", 1), name="over.csv")
        self.wait_taken(receiver, "over-0")

    def test_only_what_is_asked_for(self):
        node, receiver, other = self.node(), self.receiver(), self.receiver()
        bursar = self.hooked(node, receiver, events="included final_success", treasuries="main")
        self.add_hook(bursar, other, "second", events="breaker_opened")
        bursar.start("run")
        self.wait_started(bursar)
        self.wait_started(bursar, "second")
        payments = rows("hook", 3)
        self.pay(bursar, payments)
        for payment in payments:
            self.wait_taken(receiver, payment["ref"])
            self.assertEqual(receiver.of(payment["ref"]), ["included", "final_success"])
        wait_until(lambda: bursar.status()["webhooks"][1]["behind"] == 0, HANG_S, lambda: str(bursar.status()))
        self.assertEqual(other.requests, [])

    def test_redirects_are_not_followed(self):
        node, receiver, elsewhere = self.node(), self.receiver(), self.receiver()
        bursar = self.hooked(node, receiver)
        receiver.headers_of_answer = {"Location": elsewhere.url}
        receiver.answer = lambda event: 307
        bursar.start("run")
        self.wait_started(bursar)
        self.pay(bursar, rows("hook", 1))
        wait_until(lambda: "redirects are not followed" in (bursar.status()["webhooks"][0]["last_error"] or ""), HANG_S,
                   lambda: str(bursar.status()))
        self.assertEqual(elsewhere.requests, [])

    def test_https_is_checked(self):
        certificate, key = self.directory / "cert.pem", self.directory / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=receiver",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        node, receiver = self.node(), self.receiver(certificate=(certificate, key))
        bursar = self.hooked(node, receiver)
        run = bursar.start("run")
        self.wait_started(bursar)
        self.pay(bursar, rows("hook", 1))
        wait_until(lambda: "certificate" in (bursar.status()["webhooks"][0]["last_error"] or ""), HANG_S,
                   lambda: str(bursar.status()))
        self.assertEqual(receiver.requests, [])
        self.assertEqual(run.terminate()[0], 0)
        bursar.configure("webhook ops", ca_file=certificate)
        bursar.start("run")
        self.wait_taken(receiver, "hook-0")

    def test_a_hook_that_is_set_up_wrongly_is_told_and_paying_goes_on(self):
        node, receiver = self.node(), self.receiver()
        bursar = self.hooked(node, receiver)
        payments = rows("hook", 2)
        self.pay(bursar, payments)
        (bursar.directory / "hook.secret").write_bytes(b"short")
        result = self.assert_exit(0, bursar.run_until_idle())
        self.assertIn("a secret has 16 to 1024 bytes", result.err)
        self.assert_chain(node, payments)
        for key, value, wanted in (("url", "ftp://hidden.example", "must be an http:// or https:// URL"),
                                   ("treasuries", "main nobody", "there is no [treasury nobody]"),
                                   ("events", "included payed", "there is no event 'payed'")):
            result = bursar.command("status", settings={f"BURSAR_WEBHOOK_OPS_{key.upper()}": value})
            self.assert_exit(3, result)
            self.assertIn(wanted, result.err)
            self.assertNotIn("hidden", result.err)


class ReloadTest(WebhookCase):
    def reload(self, bursar, *told):
        run = bursar.runs[-1]
        before = len(run.err())
        run.process.send_signal(signal.SIGHUP)
        wait_until(lambda: all(text in run.err()[before:] for text in told), HANG_S, lambda: f"{told}\n{run.err()}")

    @staticmethod
    def remove_hook(bursar, name="ops"):
        path = bursar.directory / "bursar.conf"
        before, _, rest = path.read_text().partition(f"[webhook {name}]\n")
        path.write_text(before + "".join(rest.partition("\n[")[1:]))

    def test_another_url_gets_what_the_one_before_has_not_taken_at_once(self):
        node, receiver, other = self.node(), self.receiver(), self.receiver()
        bursar = self.hooked(node, receiver)
        bursar.configure("webhook ops", retry_ms=60000, retry_max_ms=60000)
        release = threading.Event()
        self.addCleanup(release.set)

        def answer(event):
            if event["ref"] == "stuck-1":
                release.wait(HANG_S)
            return 500 if event["ref"] == "stuck-0" else 200
        receiver.answer = answer
        run = bursar.start("run")
        self.wait_started(bursar)
        self.pay(bursar, rows("hook", 1))
        self.wait_taken(receiver, "hook-0")
        payments = rows("stuck", 2)
        self.pay(bursar, payments, name="stuck.csv")
        wait_until(lambda: bursar.status()["webhooks"][0]["last_error"], HANG_S, "one to be refused")
        wait_until(lambda: any(b'"stuck-1"' in body for _, body in receiver.requests), HANG_S, "one to be on its way")
        bursar.configure("webhook ops", url=other.url)
        self.reload(bursar, "[webhook ops] url was changed: in force now", "it delivers to")
        for payment in payments:
            self.wait_taken(other, payment["ref"])
            self.assertEqual(other.of(payment["ref"]), ["imported", "bound", "included", "final_success"])
        self.assertEqual(other.of("hook-0"), [])
        self.assert_in_order(other)
        self.assertEqual(run.err().count("was not taken"), 1)  # the one that was on its way was cut off, not waited for
        self.assertNotIn("hidden", run.err())

    def test_another_secret_in_the_same_file_signs_and_a_bad_one_changes_nothing(self):
        node, receiver = self.node(), self.receiver()
        bursar = self.hooked(node, receiver)
        bursar.start("run")
        self.wait_started(bursar)
        (bursar.directory / "hook.secret").write_bytes(b"short")
        self.reload(bursar, "webhook ops goes on as it was: [webhook ops] secret_file: a secret has 16 to 1024 bytes")
        self.pay(bursar, rows("old", 1))
        self.wait_taken(receiver, "old-0")
        (bursar.directory / "hook.secret").write_bytes(b"another secret that is long enough")
        self.reload(bursar, "webhook ops has another URL, secret or ca_file")
        self.pay(bursar, rows("new", 1), name="new.csv")
        self.wait_taken(receiver, "new-0")
        for headers, body in receiver.requests:
            secret = SECRET if json.loads(body)["ref"] == "old-0" else b"another secret that is long enough"
            at, signature = (part.split("=")[1] for part in headers["Bursar-Signature"].split(","))
            self.assertEqual(signature, hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest())

    def test_one_that_is_added_begins_there_and_one_that_is_removed_stops(self):
        node, receiver = self.node(), self.receiver()
        port = free_port()
        bursar = self.bursar(node, HTTP_LISTEN=f"127.0.0.1:{port}")
        run = bursar.start("run")
        http = Described(port, bursar.command("token", "create", "--name", "eve", "--scope", "read").out.strip())

        def paid(name):
            self.pay(bursar, rows(name, 1), name=f"{name}.csv")
            wait_until(lambda: bursar.show(f"ref:{name}-0")["state"] == "finalized", HANG_S, run.err)
        paid("before")
        self.add_hook(bursar, receiver, events="imported final_success")
        self.reload(bursar, "[webhook ops] was added: in force now", "webhook ops delivers to")
        paid("after")
        self.wait_taken(receiver, "after-0")
        http.description = http.get("/openapi.json").json
        self.assertEqual([hook["name"] for hook in http.get("/v1/status").json["items"][0]["webhooks"]], ["ops"])
        bursar.configure("webhook ops", events="final_success")
        self.reload(bursar, "[webhook ops] events was changed: in force now")
        paid("less")
        self.wait_taken(receiver, "less-0")
        self.assertEqual(receiver.of("less-0"), ["final_success"])
        self.remove_hook(bursar)
        self.reload(bursar, "[webhook ops] was removed: in force now", "webhook ops delivers nothing any more")
        paid("without")
        self.assertEqual(http.get("/v1/status").json["items"][0]["webhooks"], [])
        self.assertEqual(receiver.of("without-0") + receiver.of("before-0"), [])
        self.add_hook(bursar, receiver)
        self.reload(bursar, "[webhook ops] was added: in force now", "webhook ops delivers to")
        self.wait_taken(receiver, "without-0")  # known by its name, it goes on where it was
        self.assertEqual(receiver.of("before-0"), [])
        self.assert_in_order(receiver)
        self.assertEqual(run.terminate()[0], 0)


if __name__ == "__main__":
    unittest.main()
