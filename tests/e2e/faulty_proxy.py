"""A JSON-RPC proxy that misbehaves on purpose, between the program and a real node. Python's standard library only.

One thread a connection, 127.0.0.1 only. What can be done to a request is in network_faults.py; `inflict` says which
requests are afflicted: by method, by chance, or just the next few. All chance comes from one seed.
"""

import collections
import contextlib
import http.client
import json
import random
import select
import socket
import struct
import threading
import time

from network_faults import FAULTS, SENDS, HungUp

HANG_S = 60.0  # guards against a hang only
CACHE_AGE_MAX = 8


class Rule:
    """Which requests a fault afflicts."""

    def __init__(self, name, on, probability, times):
        assert name in FAULTS, name
        self.name = name
        self.on = on
        self.probability = probability
        self.times = times

    def covers(self, method):
        if self.on in ("sends", "reads"):
            return (method in SENDS) == (self.on == "sends")
        return self.on == "all" or method in self.on

    def fires(self, calls, chance):
        if self.times == 0 or not any(self.covers(call["method"]) for call in calls):
            return False
        if chance.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class FaultyProxy:
    def __init__(self, node_port, seed):
        self.node_port = node_port
        self.chance = random.Random(f"{seed}")
        self.inflicted = collections.Counter()  # (fault, "sends" or "reads") -> HTTP requests
        self._rules = []
        self._lock = threading.Lock()
        self._quiet = threading.Condition(self._lock)
        self._active = 0  # requests in hand
        self._clients = set()
        self._cache = collections.defaultdict(lambda: collections.deque(maxlen=CACHE_AGE_MAX))
        self._listener = None
        self._refusing = None  # ends the pause of a proxy that refuses by itself
        self.closing = threading.Event()
        # Keeps the port ours while nothing listens.
        self._holder = self._socket(0)
        self.port = self._holder.getsockname()[1]
        self.listen()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    # -- what a test says ----------------------------------------------------------------------------------------------

    def inflict(self, name, *, on="all", probability=1.0, times=None):
        """`on`: "all", "sends", "reads" or a collection of methods. Of several rules the first that fires counts."""
        with self._lock:
            self._rules.append(Rule(name, on, probability, times))

    def heal(self):
        """No new faults; those that have begun take their course: see settle()."""
        with self._lock:
            self._rules.clear()
        self.listen()

    def count(self, name=None, kind=None):
        with self._lock:
            return sum(n for (fault_name, fault_kind), n in self.inflicted.items()
                       if name in (None, fault_name) and kind in (None, fault_kind))

    def settle(self):
        """Until nothing is held back any more: every late request has reached the node."""
        with self._quiet:
            if not self._quiet.wait_for(lambda: self._active == 0, HANG_S):
                raise AssertionError(f"the proxy still holds {self._active} requests")

    def refuse(self):
        """Stops listening and resets what is connected: connecting is refused."""
        with self._lock:
            listener, self._listener = self._listener, None
            clients = list(self._clients)
        if listener:
            # Wakes the accepting thread, which a plain close() would not.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for client in clients:
            client.interrupt()

    def listen(self):
        with self._lock:
            if self._listener or self.closing.is_set():
                return
            listener = self._listener = self._socket(self.port)
            listener.listen(16)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self):
        self.closing.set()
        self.refuse()
        self.settle()
        self._holder.close()

    # -- connections ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _socket(port):
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("127.0.0.1", port))
        return made

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            client = Client(connection)
            with self._lock:
                if self._listener is not listener:
                    client.hang_up(is_reset=True, is_quiet=True)
                    return
                self._clients.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        node = NodeConnection(self.node_port)
        try:
            while not self.closing.is_set():
                body = client.read_request()
                if body is None:
                    return
                with self._busy():
                    self._handle(client, node, body)
        except (HungUp, OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._clients.discard(client)
            client.hang_up(is_reset=False, is_quiet=True)
            node.close()

    @contextlib.contextmanager
    def _busy(self):
        with self._lock:
            self._active += 1
        try:
            yield
        finally:
            with self._quiet:
                self._active -= 1
                self._quiet.notify_all()

    def _handle(self, client, node, body):
        document = json.loads(body)
        calls = document if isinstance(document, list) else [document]
        kind = "sends" if any(call["method"] in SENDS for call in calls) else "reads"
        with self._lock:
            rule = next((r for r in self._rules if r.fires(calls, self.chance)), None)
            watched = any(r.name == "stale_cache" for r in self._rules)
            chance = random.Random(self.chance.random())
            if rule:
                self.inflicted[rule.name, kind] += 1
        exchange = Exchange(self, client, node, body, calls, isinstance(document, list), rule, chance)
        if client.held_back is not None:
            FAULTS["one_behind"](exchange)
            return
        if rule:
            FAULTS[rule.name](exchange)
            return
        answer = exchange.deliver()
        if watched:
            self.remember(exchange, json.loads(answer))
        exchange.send(answer)

    # -- a cache that is never up to date ------------------------------------------------------------------------------

    def remember(self, exchange, document):
        answers = document if isinstance(document, list) else [document]
        with self._lock:
            for call, answer in zip(exchange.calls, exchange.in_order(answers)):
                kept = self._cache[call["method"], json.dumps(call["params"])]
                if "result" in answer and (not kept or kept[-1] != answer["result"]):
                    kept.append(answer["result"])

    def recall(self, call, chance):
        """(found, an earlier result of this very call)."""
        with self._lock:
            kept = self._cache.get((call["method"], json.dumps(call["params"])))
            return (True, chance.choice(kept)) if kept else (False, None)


class Client:
    """The program's side of a connection."""

    def __init__(self, connection):
        connection.settimeout(HANG_S)
        self.connection = connection
        self.held_back = None  # the answer to the request before, on a connection that is one behind
        self._reader = connection.makefile("rb")

    def read_request(self):
        """The body of the next request; None at the end of the connection."""
        if not self._reader.readline(65536):
            return None
        headers = http.client.parse_headers(self._reader)
        length = int(headers["Content-Length"])
        body = self._reader.read(length)
        return body if len(body) == length else None

    def write(self, data):
        self.connection.sendall(data)

    def is_gone(self, wait_s):
        """Has the client hung up? Waits for it up to `wait_s`. It may have sent more before it did."""
        watch = select.poll()
        watch.register(self.connection, select.POLLRDHUP)
        return bool(watch.poll(wait_s * 1000))

    def interrupt(self):
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def hang_up(self, is_reset, is_quiet=False):
        with contextlib.suppress(OSError):
            if is_reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.connection.shutdown(socket.SHUT_RDWR)
        self._reader.close()
        self.connection.close()
        if not is_quiet:
            raise HungUp


class NodeConnection:
    """The node's side: always well-behaved."""

    def __init__(self, port):
        self._port = port
        self._connection = None

    def post(self, body):
        for is_retry in (False, True):
            try:
                if self._connection is None:
                    self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=HANG_S)
                self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
                return self._connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                self.close()
                if is_retry:
                    raise OSError("the node does not answer") from None
        raise AssertionError("unreachable")

    def rpc(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        return json.loads(self.post(body)).get("result")

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Exchange:
    """One request, and what a fault can do with it."""

    def __init__(self, proxy, client, node, body, calls, is_batch, rule, chance):
        self.proxy = proxy
        self.client = client
        self.node = node
        self.body = body
        self.calls = calls
        self.is_batch = is_batch
        self.rule = rule
        self.chance = chance

    def with_calls(self, calls):
        """The same with other parameters, in one batch."""
        body = json.dumps(calls).encode()
        return Exchange(self.proxy, self.client, self.node, body, calls, True, self.rule, self.chance)

    def deliver(self):
        return self.node.post(self.body)

    def maybe(self):
        return self.chance.random() < 0.5

    def in_order(self, answers):
        by_id = {answer["id"]: answer for answer in answers}
        return [by_id[call["id"]] for call in self.calls]

    def deliver_for_answers(self):
        document = json.loads(self.deliver())
        return self.in_order(document if self.is_batch else [document])

    def some(self):
        """At least one of the calls that the rule covers."""
        covered = [n for n, call in enumerate(self.calls) if self.rule.covers(call["method"])]
        return sorted(self.chance.sample(covered, self.chance.randint(1, len(covered))))

    def send(self, body, status="200 OK", headers=(), length=None):
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers,
                 f"Content-Length: {len(body) if length is None else length}"]
        self.client.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def send_answers(self, answers, as_batch=None):
        is_batch = self.is_batch if as_batch is None else as_batch
        self.send(json.dumps(answers if is_batch else answers[0]).encode())

    def hang_up(self):
        self.client.hang_up(is_reset=self.maybe())

    def wait_until_given_up(self):
        deadline = time.monotonic() + HANG_S
        while not self.client.is_gone(0.1):
            if self.proxy.closing.is_set() or time.monotonic() > deadline:
                raise HungUp
