"""What the faulty proxy can do to a request: one function each, on an Exchange. What a fault waits for is always the
client (that it gives up), except where a pace or a pause is the fault itself.
"""

import json
import socket

SENDS = frozenset(["eth_sendRawTransaction"])
OVERSIZED_BYTES = 80 * 2**20
DENSE_BYTES = 30 * 2**20  # below the client's limit
LAG_BLOCKS_MAX = 6

FAULTS = {}


class HungUp(Exception):
    """This connection is over."""


def fault(function):
    FAULTS[function.__name__] = function
    return function


# -- the way there and back --------------------------------------------------------------------------------------------


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
def one_behind(x):
    """From now on every request on this connection is answered with the answer to the one before."""
    answer = x.deliver()
    x.send(b"[]" if x.client.held_back is None else x.client.held_back)
    x.client.held_back = answer


@fault
def refused(x):
    """Nothing listens for a moment."""
    proxy = x.proxy
    proxy.refuse()
    proxy.closing.wait(x.chance.uniform(0.05, 0.3))
    proxy.listen()
    raise HungUp


# -- what the reply says -----------------------------------------------------------------------------------------------


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


# -- what was true a while ago -----------------------------------------------------------------------------------------


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
    known = x.with_calls(calls).deliver_for_answers()
    answers = [_answer_at(x.node, at, call, answer) for call, answer in zip(calls, known)]
    x.send_answers(answers)


FAR_BEHIND_BLOCKS = 40


@fault
def far_behind(x):
    """A node that has fallen far behind the others, in itself consistent."""
    at = max(0, int(x.node.rpc("eth_blockNumber"), 16) - FAR_BEHIND_BLOCKS)
    calls = [dict(call, params=[_as_known_at(at, p) for p in call["params"]]) for call in x.calls]
    known = x.with_calls(calls).deliver_for_answers()
    x.send_answers([_answer_at(x.node, at, call, answer) for call, answer in zip(calls, known)])


# -- what never was true -----------------------------------------------------------------------------------------------


@fault
def hides_transactions(x):
    """Blocks that have nobody's transactions in them."""
    answers = x.deliver_for_answers()
    for call, answer in zip(x.calls, answers):
        if call["method"].startswith("eth_getBlock") and answer.get("result"):
            answer["result"]["transactions"] = []
    x.send_answers(answers)


@fault
def calls_success_failure(x):
    """Receipts of payments that went well say that they failed: whoever believes it pays again."""
    answers = x.deliver_for_answers()
    for call, answer in zip(x.calls, answers):
        if call["method"] == "eth_getTransactionReceipt" and answer.get("result"):
            answer["result"]["status"] = "0x0"
    x.send_answers(answers)


@fault
def knows_no_receipts(x):
    answers = x.deliver_for_answers()
    for call, answer in zip(x.calls, answers):
        if call["method"] == "eth_getTransactionReceipt":
            answer["result"] = None
    x.send_answers(answers)


@fault
def busy(x):
    """Too many requests, come back in a minute."""
    x.send(b"", status="429 Too Many Requests", headers=["Retry-After: 60"])


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
