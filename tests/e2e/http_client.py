"""A plain HTTP client for the tests of the HTTP server, and a treasury that serves it."""

import contextlib
import http.client
import json
import socket
import ssl

from harness import ChainCase, HANG_S, free_port, wait_until


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return f"HTTP {self.status}\n{self.headers}{self.body[:2000].decode(errors='replace')}"


class Http:
    """One server, asked with a new connection each time, or on one that is kept."""

    def __init__(self, port, token=None, cafile=None):
        self.port = port
        self.token = token
        self.cafile = cafile

    def connect(self):
        if self.cafile:
            context = ssl.create_default_context(cafile=str(self.cafile))
            return http.client.HTTPSConnection("localhost", self.port, timeout=HANG_S, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)

    def request(self, method, path, body=None, *, connection=None, token=None, headers=None):
        sent = dict(headers or {})
        token = self.token if token is None else token
        if token:
            sent.setdefault("Authorization", f"Bearer {token}")
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        with contextlib.closing(self.connect()) if connection is None else contextlib.nullcontext(connection) as used:
            used.request(method, path, body, sent)
            return Answer(used.getresponse())

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    def raw(self, data, timeout_s=HANG_S):
        """What comes back for these bytes until the other end closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as link:
            link.sendall(data)
            return read_to_end(link)


def read_to_end(link):
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := link.recv(65536):
            received += part
    return received


class HttpCase(ChainCase):
    """Tests with a treasury whose executor runs and serves HTTP."""

    def serving(self, node=None, prepare=None, **settings):
        """A treasury, its executor at work, and an Http for it. `prepare` has the program before it is started."""
        node = node or self.node()
        port = free_port()
        settings.setdefault("HTTP_LISTEN", f"127.0.0.1:{port}")
        bursar = self.bursar(node, **settings)
        if prepare:
            prepare(bursar)
        run = bursar.start("run")
        return bursar, run, self.wait_served(run, Http(port))

    def wait_served(self, run, http_):
        def answers():
            self.assertTrue(run.is_running, run.err())
            with contextlib.suppress(OSError):
                return http_.get("/readyz").status == 200
        wait_until(answers, HANG_S, lambda: "the server to be ready\n" + run.err())
        return http_

    def assert_problem(self, status, code, answer):
        self.assertEqual(answer.status, status, str(answer))
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual((answer.json["status"], answer.json["code"]), (status, code), str(answer))
        self.assertTrue(answer.json["title"] and answer.json["detail"], str(answer))
        return answer
