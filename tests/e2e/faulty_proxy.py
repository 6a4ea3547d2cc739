"""A JSON-RPC proxy that misbehaves on purpose, between the program and a real node. Python's standard library only.

One thread a connection, 127.0.0.1 only. A fault is a function in FAULTS; `inflict` says which requests it afflicts: by
method, by chance, or just the next few. All chance comes from one seed. What a fault waits for is always the client
(that it gives up), except where a pace or a pause is the fault itself.
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

SENDS = frozenset(["eth_sendRawTransaction"])
HANG_S = 60.0  # guards against a hang only
OVERSIZED_BYTES = 80 * 2**20
DENSE_BYTES = 30 * 2**20  # below the client's limit
LAG_BLOCKS_MAX = 6
CACHE_AGE_MAX = 8

FAULTS = {}


def fault(function):
    FAULTS[function.__name__] = function
    return function


class HungUp(Exception):
    """This connection is over."""


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


# -- faults: the way there and back ------------------------------------------------------------------------------------


@fault
def drop(x):
    """The request never reaches the node."""
    x.hang_up()


@fault
def late(x):
    """No answer in time: the request reaches the node before or after the client has given up."""
    if x.maybe():
        x.deliver()
        x.wait_until_given_up()
    else:
        x.wait_until_given_up()
        x.proxy.closing.wait(x.chance.uniform(0, 0.5))
        x.deliver()
    raise HungUp


@fault
def cut(x):
    """The reply is cut after the request has arrived: with nothing, with half a body."""
    answer = x.deliver()
    if x.maybe():
        x.send(answer[:x.chance.randrange(len(answer))], length=len(answer))
    x.hang_up()


@fault
def wrong_length(x):
    """A Content-Length that is not the body's: the client waits for more, or leaves some of it in the connection."""
    answer = x.deliver()
    if x.maybe():
        x.send(answer, length=len(answer) + x.chance.randint(1, 100))
        x.wait_until_given_up()
        raise HungUp
    x.send(answer, length=x.chance.randrange(len(answer)))


@fault
def duplicate(x):
    """Reaches the node several times; the client gets the answer to any of them."""
    x.send(x.chance.choice([x.deliver() for _ in range(x.chance.randint(2, 3))]))


@fault
def drip(x):
    """One byte at a time."""
    answer = x.deliver()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
    x.client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pause_s = x.chance.uniform(0, 0.01)
    for byte in head + answer:
        if x.client.is_gone(pause_s) or x.proxy.closing.is_set():
            raise HungUp
        x.client.write(bytes([byte]))


@fault
def closed_keep_alive(x):
    """A good answer, and then the connection that was said to be kept is closed."""
    x.send(x.deliver())
    x.hang_up()


@fault
def said_twice(x):
    """The same response a second time, or another one that nobody asked for, ahead of the next request."""
    answer = x.deliver()
    x.send(answer)
    if x.maybe():
        x.send(answer)
    else:
        x.send(b"", status="408 Request Timeout")
        x.hang_up()


@fault
def refused(x):
    """Nothing listens for a moment."""
    proxy = x.proxy
    proxy.refuse()
    proxy.closing.wait(x.chance.uniform(0.05, 0.3))
    proxy.listen()
    raise HungUp


# -- faults: what the reply says ---------------------------------------------------------------------------------------


@fault
def truncated(x):
    """A whole HTTP reply with half a JSON document."""
    answer = x.deliver()
    x.send(answer[:x.chance.randrange(1, len(answer) - 1)])


@fault
def oversized(x):
    """A body, or headers, without end."""
    x.deliver()
    how = x.chance.choice(["Transfer-Encoding: chunked", f"Content-Length: {OVERSIZED_BYTES}", "Connection: close"])
    start = f'{{"jsonrpc":"2.0","id":{x.calls[0]["id"]},"result":"'.encode()
    x.client.write(f"HTTP/1.1 200 OK\r\n{how}\r\n\r\n".encode())
    for n in range(OVERSIZED_BYTES // 2**18):
        piece = (start if n == 0 else b"").ljust(2**18, b"a")
        x.client.write(b"%x\r\n%s\r\n" % (len(piece), piece) if "chunked" in how else piece)
    x.hang_up()


@fault
def endless_headers(x):
    x.deliver()
    x.client.write(b"HTTP/1.1 200 OK\r\n")
    for n in range(2**14):
        x.client.write(b"X-Padding-%d: %s\r\n" % (n, b"a" * 1000))
    x.hang_up()


_DENSE = {}


@fault
def dense(x):
    """Not too many bytes, but millions of values: parsed, they would take many times the memory."""
    x.deliver()
    piece = x.chance.choice([b"0,", b"[],", b"{},", b'"",', b'{"a":0},'])
    body = _DENSE.setdefault(piece, piece * (DENSE_BYTES // len(piece)))
    x.send(b"[" + body + b"0]" if x.is_batch else
           b'{"jsonrpc":"2.0","id":%d,"result":[%s0]}' % (x.calls[0]["id"], body))


@fault
def http_429(x):
    """Too many requests: never reaches the node."""
    body = x.chance.choice([b"", b"slow down", b'{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"slow"}}'])
    x.send(body, status="429 Too Many Requests", headers=["Retry-After: 1"])


@fault
def http_503(x):
    """A gateway's error, which may come after the request went through."""
    if x.maybe():
        x.deliver()
    x.send(x.chance.choice([b"", b"<html><h1>503</h1></html>", b"upstream connect error"]),
           status="503 Service Unavailable", headers=["Retry-After: 1"])


@fault
def html(x):
    """A captive portal, a maintenance page."""
    if x.maybe():
        x.deliver()
    x.send(b"<!doctype html><title>Down for maintenance</title>", headers=["Content-Type: text/html"])


@fault
def wrong_ids(x):
    """Answers to calls that nobody made: ids of other requests, past ones among them."""
    answers = x.deliver_for_answers()
    for n in x.some():
        answers[n]["id"] = x.chance.choice([answers[n]["id"] + 1000, answers[0]["id"] - 1, -1, 2**53, 10**400])
    x.send_answers(answers)


@fault
def missing_ids(x):
    """Answers that name no call; in batches also answers that are simply not there."""
    answers = x.deliver_for_answers()
    lost = x.some()
    if x.is_batch and x.maybe():
        answers = [answer for n, answer in enumerate(answers) if n not in lost]
    else:
        for n in lost:
            if x.maybe():
                answers[n]["id"] = None
            else:
                del answers[n]["id"]
    x.send_answers(answers)


@fault
def doubled_ids(x):
    """Two answers to one call, the same or not."""
    answers = x.deliver_for_answers()
    for n in x.some():
        other = dict(answers[n])
        if x.maybe():
            other["result"] = x.chance.choice(answers).get("result")
        answers.insert(x.chance.randrange(len(answers) + 1), other)
    x.send_answers(answers, as_batch=True)


@fault
def string_ids(x):
    """The right numbers, but as texts (or as fractions)."""
    answers = x.deliver_for_answers()
    for n in x.some():
        answers[n]["id"] = x.chance.choice([str, hex, float])(answers[n]["id"])
    x.send_answers(answers)


@fault
def nulls(x):
    """Nothing known about anything, whether it reached the node or not."""
    answers = x.deliver_for_answers() if x.maybe() else None
    afflicted = x.some() if answers and x.maybe() else range(len(x.calls))
    answers = answers or [{}] * len(x.calls)
    for n in afflicted:
        answers[n] = {"jsonrpc": "2.0", "id": x.calls[n]["id"], "result": None}
    x.send_answers(answers)


ERRORS = [(-32005, "limit exceeded"), (-32603, "internal error"), (-32603, "Internal JSON-RPC error."),
          (-32000, "header not found"), (-32000, "missing trie node 5fa3 (path )"), (-32001, "resource not found"),
          (-32002, "resource unavailable"), (429, "Too Many Requests"), (-32000, "context deadline exceeded"),
          (-32016, "rate limit"), (-32700, "parse error"), (-32601, "the method is not available")]


@fault
def errors(x):
    """Error objects that are about the node, for some of the calls or for all at once; it may have arrived all the
    same."""
    code, message = x.chance.choice(ERRORS)
    error = {"code": code, "message": message}
    answers = x.deliver_for_answers() if x.maybe() else None
    if answers is None and x.maybe():
        x.send(json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode())
        return
    afflicted = range(len(x.calls)) if answers is None else x.some()
    answers = answers or [{}] * len(x.calls)
    for n in afflicted:
        answers[n] = {"jsonrpc": "2.0", "id": x.calls[n]["id"], "error": error}
    x.send_answers(answers)


NO_QUANTITIES = ["0x", "-0x1", "0x-1", "0x" + "f" * 75, "", "12", 12, -1, 1.5, True, "0x1g", " 0x1", "0x1 ", "0x\0",
                 "latest", [], {}]
BLOCK_MEMBERS = ["number", "hash", "parentHash", "timestamp", "baseFeePerGas", "transactions"]
RECEIPT_MEMBERS = ["transactionHash", "status", "blockHash", "blockNumber", "gasUsed", "effectiveGasPrice"]


@fault
def garbage(x):
    """Numbers and hashes that are none."""
    answers = x.deliver_for_answers()
    for n in x.some():
        junk = x.chance.choice(NO_QUANTITIES)
        method, result = x.calls[n]["method"], answers[n].get("result")
        if method == "eth_getCode":
            junk = x.chance.choice(["0x1", "0xzz", "-0x1", "", 1, []])  # "0x" would be an answer
        if method == "eth_feeHistory" and isinstance(result, dict):
            result["baseFeePerGas"][-1] = junk
        elif isinstance(result, dict):
            members = BLOCK_MEMBERS if method.startswith("eth_getBlock") else RECEIPT_MEMBERS
            member = x.chance.choice([m for m in members if m in result])
            if member == "transactions":
                junk = x.chance.choice(["0x", {}, 1, [junk], ["0x" + "0" * 63]])
            result[member] = junk
        else:
            answers[n] = {"jsonrpc": "2.0", "id": answers[n]["id"], "result": junk}
    x.send_answers(answers)


# -- faults: what was true a while ago ---------------------------------------------------------------------------------


@fault
def stale_cache(x):
    """Each call by itself as it was answered some time before, as a cache would that knows nothing of blocks."""
    answers = x.deliver_for_answers()
    x.proxy.remember(x, answers)
    for n in x.some():
        if x.calls[n]["method"] not in SENDS:
            found, result = x.proxy.recall(x.calls[n], x.chance)
            if found:
                answers[n] = {"jsonrpc": "2.0", "id": answers[n]["id"], "result": result}
    x.send_answers(answers)


@fault
def stale_node(x):
    """A node of a pool of nodes that is some blocks behind the others, in itself consistent."""
    head = int(x.node.rpc("eth_blockNumber"), 16)
    at = max(0, head - x.chance.randint(1, LAG_BLOCKS_MAX))
    calls = [dict(call, params=[_as_known_at(at, p) for p in call["params"]]) for call in x.calls]
    lagging = Exchange(x.proxy, x.client, x.node, json.dumps(calls).encode(), calls, True, x.rule, x.chance)
    answers = [_answer_at(x.node, at, call, answer) for call, answer in zip(calls, lagging.deliver_for_answers())]
    x.send_answers(answers)


def _as_known_at(at, parameter):
    return hex(at) if parameter in ("latest", "pending") else parameter


def _answer_at(node, at, call, answer):
    method, params = call["method"], call["params"]
    unknown = {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32000, "message": "header not found"}}
    absent = {"jsonrpc": "2.0", "id": answer["id"], "result": None}
    result = answer.get("result")
    if method == "eth_blockNumber":
        return dict(answer, result=hex(at))
    if method == "eth_getBlockByNumber" and result and int(result["number"], 16) > at:
        return absent
    if method == "eth_feeHistory" and int(params[1], 16) > at:
        return unknown
    if method in ("eth_getTransactionReceipt", "eth_getTransactionByHash"):
        return absent if result and int(result["blockNumber"] or hex(at + 1), 16) > at else answer
    state = next((p for p in params if isinstance(p, dict) and "blockHash" in p), None)
    if state:
        block = node.rpc("eth_getBlockByHash", state["blockHash"], False)
        return answer if block and int(block["number"], 16) <= at else unknown
    return answer
