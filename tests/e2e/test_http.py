"""The HTTP server beside a working executor: what it says of itself, and what it does with clients that mean harm."""

import contextlib
from http.client import HTTPException
import socket
import subprocess
import unittest

from harness import HANG_S, free_port, rows, wait_until
from http_client import Http, HttpCase, read_to_end


class HttpTest(HttpCase):
    def test_health_and_readiness(self):
        node = self.node()
        bursar, run, http = self.serving(node)
        healthy = http.get("/healthz")
        self.assertEqual((healthy.status, healthy.json["status"]), (200, "ok"))
        ready = http.get("/readyz")
        self.assertEqual(ready.json["treasuries"], [{"treasury": "main", "ready": True, "because": None}])
        self.assertEqual(http.request("HEAD", "/healthz").body, b"")
        port = free_port()
        standby = bursar.start("run", settings={"BURSAR_HTTP_LISTEN": f"127.0.0.1:{port}"})
        self.wait_served(standby, Http(port))  # one that stands by is ready as well
        self.assertTrue(run.is_running)

    def test_a_halted_treasury_is_not_ready_but_healthy(self):
        node = self.node()
        bursar, run, http = self.serving(node)
        run.terminate()
        bursar.signing_logs()[0].unlink()  # the next start finds it lost
        self.pay(bursar, rows("halted", 1))
        node.send(rows("stranger", 1)[0]["destination"], 1)
        bursar.start("run")
        answer = None

        def halted():
            nonlocal answer
            with contextlib.suppress(OSError):
                answer = http.get("/readyz")
                return answer.status == 503 and answer.json["treasuries"][0]["because"] == "halted"
        wait_until(halted, HANG_S, lambda: str(answer))
        self.assertEqual(http.get("/healthz").status, 200)

    def test_a_taken_port_is_a_warning_and_paying_goes_on(self):
        node = self.node()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            bursar = self.bursar(node, HTTP_LISTEN=f"127.0.0.1:{taken.getsockname()[1]}")
            payments = rows("taken", 3)
            self.pay(bursar, payments)
            result = self.assert_exit(0, bursar.run_until_idle())
            self.assertIn("no HTTP server, paying goes on without it", result.err)
        self.assert_chain(node, payments)

    def test_what_is_not_there_and_what_is_not_taken(self):
        _, _, http = self.serving()
        self.assert_problem(404, "no_such_path", http.get("/nowhere"))
        self.assert_problem(404, "no_such_path", http.get("/healthz/"))
        answer = self.assert_problem(405, "no_such_method", http.post("/healthz", {}))
        self.assertEqual(answer.headers["Allow"], "GET")
        for name, value in (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"),
                            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")):
            self.assertEqual(answer.headers[name], value)
        self.assertNotIn("Access-Control-Allow-Origin", answer.headers)

    def test_only_its_own_names_are_answered(self):
        _, _, http = self.serving(HTTP_ALLOWED_HOSTS="ops.example")
        for host in ("localhost", "127.0.0.1", "[::1]:80", "ops.example:9478"):
            self.assertEqual(http.get("/healthz", headers={"Host": host}).status, 200, host)
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:9478", "10.0.0.1", ""):
            answer = http.get("/healthz", headers={"Host": host})
            self.assertIn(answer.status, (400, 421), f"{host}: {answer}")
        self.assertNotIn(b"200 OK", http.raw(b"GET /healthz HTTP/1.0\r\n\r\n"))

    def test_pages_of_allowed_origins_only_may_read_answers(self):
        _, _, http = self.serving(HTTP_ALLOWED_ORIGINS="https://ops.example")
        good = http.get("/healthz", headers={"Origin": "https://ops.example"})
        self.assertEqual(good.headers["Access-Control-Allow-Origin"], "https://ops.example")
        bad = http.get("/healthz", headers={"Origin": "https://evil.example"})
        self.assertNotIn("Access-Control-Allow-Origin", bad.headers)
        preflight = {"Access-Control-Request-Method": "POST"}
        good = http.request("OPTIONS", "/healthz", headers={"Origin": "https://ops.example", **preflight})
        self.assertEqual(good.status, 204, str(good))
        bad = http.request("OPTIONS", "/healthz", headers={"Origin": "https://evil.example", **preflight})
        self.assertEqual(bad.status, 405, str(bad))

    def test_too_many_requests_are_told_when_to_come_back(self):
        _, _, http = self.serving(HTTP_REQUESTS_PER_S="20")
        with contextlib.closing(http.connect()) as connection:
            answers = [http.get("/healthz", connection=connection) for _ in range(60)]
        refused = [answer for answer in answers if answer.status == 429]
        self.assertTrue(refused)
        self.assertGreaterEqual(int(refused[0].headers["Retry-After"]), 1)

    def test_https_with_a_certificate_of_ones_own(self):
        certificate, key = self.directory / "cert.pem", self.directory / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        node, port = self.node(), free_port()
        bursar = self.bursar(node, HTTP_LISTEN=f"127.0.0.1:{port}", HTTP_TLS_CERTIFICATE=certificate, HTTP_TLS_KEY=key)
        run = bursar.start("run")
        http = self.wait_served(run, Http(port, cafile=certificate))
        self.assertEqual(http.get("/healthz").status, 200)
        self.assertNotIn(b"200 OK", Http(port).raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        self.assertEqual(run.terminate()[0], 0)
        result = bursar.command("run", "--until-idle", settings={"BURSAR_HTTP_TLS_KEY": ""})
        self.assertIn("tls_certificate and tls_key belong together", result.err)


class HarmTest(HttpCase):
    """The executor pays on, whatever clients do."""

    def assert_pays(self, node, bursar, label):
        payments = rows(label, 5)
        self.pay(bursar, payments)
        self.wait_paid(node, payments, len(payments))

    def test_slow_clients_are_cut(self):
        node = self.node()
        bursar, _, http = self.serving(node, HTTP_REQUEST_TIMEOUT_MS="500")
        with contextlib.ExitStack() as links:
            slow = [links.enter_context(socket.create_connection(("127.0.0.1", http.port), timeout=HANG_S))
                    for _ in range(3)]
            for link, start in zip(slow, (b"", b"GET /healthz HTTP/1.1\r\nHost: loc",
                                          b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                          b"Content-Length: 100\r\n\r\n{")):
                link.sendall(start)
            self.assert_pays(node, bursar, "slow")

            def drip(link):  # a byte now and then keeps no connection alive
                try:
                    link.sendall(b" ")
                    link.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        return link.recv(65536) == b""
                    return False
                except OSError:
                    return True
                finally:
                    link.settimeout(HANG_S)
            for link in slow[1:2]:
                wait_until(lambda: drip(link), HANG_S, "a dripping client to be cut", interval_s=0.1)
            self.assertNotIn(b"200", read_to_end(slow[0]))
            self.assertNotIn(b"200", read_to_end(slow[2]))
        self.assertEqual(http.get("/healthz").status, 200)

    def test_more_connections_than_there_may_be(self):
        node = self.node()
        bursar, _, http = self.serving(node, HTTP_MAX_CONNECTIONS="8", HTTP_REQUEST_TIMEOUT_MS="1000")
        with contextlib.ExitStack() as links:
            for _ in range(60):
                links.enter_context(socket.create_connection(("127.0.0.1", http.port), timeout=HANG_S))
            self.assert_pays(node, bursar, "many")

            def answers():
                with contextlib.suppress(OSError, HTTPException):
                    return http.get("/healthz").status == 200
            wait_until(answers, HANG_S, "an answer, once the idle ones are cut")

    def test_oversized_and_malformed_requests(self):
        node = self.node()
        bursar, _, http = self.serving(node)
        for data in (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100000 + b"\r\n\r\n",
                     b"\x00\x01\x02\x03\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01" + b"x" * 600,
                     b"GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: -5\r\nConnection: close\r\n\r\n"):
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                self.assertNotIn(b"200 OK", http.raw(data), data[:40])
        self.assertEqual(http.get("/healthz").status, 200)
        self.assert_pays(node, bursar, "malformed")

    def test_sigterm_ends_it_with_clients_hanging_on(self):
        _, run, http = self.serving()
        with contextlib.ExitStack() as links:
            for start in (b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") * 5:
                link = links.enter_context(socket.create_connection(("127.0.0.1", http.port), timeout=HANG_S))
                link.sendall(start)
            code, seconds = run.terminate()
        self.assertEqual(code, 0, run.err())
        self.assertLess(seconds, 2, run.err())


if __name__ == "__main__":
    unittest.main()
