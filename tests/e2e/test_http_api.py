"""The API against the real program and chain: every answer is checked against the description that the server hands out."""

import contextlib
import json
import re
import socket
import unittest

import jsonschema

import contracts
from harness import (ETHER, HANG_S, KEYSTORE, TREASURY, csv_text, destination, expected, free_port, jsonl_text, rows,
                     wait_until)
from http_client import Http, HttpCase


class Described(Http):
    """Every answer must be one that openapi.json describes for its path, method, status and type."""

    def __init__(self, port, token=None):
        super().__init__(port, token)
        self.description = None
        self.seen = set()

    def request(self, method, path, body=None, **options):
        answer = super().request(method, path, body, **options)
        if self.description is not None:
            self.check(method, path, answer)
        return answer

    def check(self, method, path, answer):
        path = path.split("?")[0]
        for template, operations in self.description["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in operations:
                break
        else:
            assert answer.status in (404, 405), f"{method} {path} is not described\n{answer}"
            return
        responses = operations[method.lower()]["responses"]
        response = responses.get(str(answer.status), responses["default"])
        assert str(answer.status) in responses or answer.status >= 400, f"{method} {path} is not described: {answer}"
        if answer.status in (204, 304):
            return
        kind = answer.headers["Content-Type"].split(";")[0]
        assert kind in response["content"], f"{method} {path}: {answer}"
        self.seen.add((template, method))
        if kind.endswith("json"):
            schema = {**response["content"][kind]["schema"], "components": self.description["components"]}
            jsonschema.Draft202012Validator(schema).validate(answer.json)


class ApiCase(HttpCase):
    def serving(self, node=None, prepare=None, **settings):
        bursar, run, http = super().serving(node, prepare, **settings)
        described = Described(http.port, self.token(bursar, "all", "pay,operate"))
        described.description = described.get("/openapi.json").json
        return bursar, run, described

    def token(self, bursar, name, scope, *options):
        result = self.assert_exit(0, bursar.command("token", "create", "--name", name, "--scope", scope, *options))
        return result.out.strip()

    def create(self, http, payments, **options):
        answer = http.post("/v1/disbursements", {"disbursements": payments}, **options)
        self.assertEqual(answer.status, 201, str(answer))
        return answer.json["ids"]

    def wait_state(self, http, ids, state):
        def reached():
            return all(http.get(f"/v1/disbursements/{n}").json["state"] == state for n in ids)
        wait_until(reached, HANG_S, f"{ids} to be {state}")


class TokenTest(ApiCase):
    def test_without_a_good_token_nothing_is_told(self):
        bursar, _, http = self.serving()
        good = http.token
        swapped = good[:-1] + ("0" if good[-1] != "0" else "1")
        for token in ("", "nonsense", "bursar_1_", "bursar_999_" + "0" * 64, swapped, good + "0", good.replace("_1_", "_2_")):
            answer = self.assert_problem(401, "unauthorized", http.get("/v1/status", token=token or " "))
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        self.assert_problem(401, "unauthorized", http.get("/v1/status", headers={"Authorization": "Basic " + good}))
        self.assertEqual(http.get("/v1/status", headers={"Authorization": "bearer  " + good}).status, 200)
        self.assertEqual(http.get("/metrics", token=" ").status, 200)  # this machine may
        self.assertNotIn(good.split("_")[2], (bursar.directory / "bursar.db").read_bytes().hex())

    def test_a_token_may_do_what_its_scope_says(self):
        bursar, _, http = self.serving()
        payment = rows("scope", 1)[0]
        read, pay = self.token(bursar, "reader", "read"), self.token(bursar, "payer", "pay")
        operate = self.token(bursar, "operator", "operate")
        self.assertEqual(http.get("/v1/disbursements", token=read).status, 200)
        for token in (read, operate):
            self.assert_problem(403, "forbidden", http.post("/v1/disbursements", payment, token=token))
        reason = {"reason": "not any more"}
        for token in (read, pay):
            answer = self.assert_problem(403, "forbidden", http.post("/v1/breaker", {"command": "open", **reason}, token=token))
            self.assertIn('scope="operate"', answer.headers["WWW-Authenticate"])
        self.assertEqual(http.post("/v1/breaker", {"command": "open", **reason}, token=operate).status, 200)
        created = http.post("/v1/disbursements", payment, token=pay)
        self.assertEqual(created.status, 201)
        number = created.json["ids"][0]
        self.assert_problem(403, "forbidden", http.post(f"/v1/disbursements/{number}/cancel", reason, token=pay))
        answer = http.post(f"/v1/disbursements/{number}/cancel", reason, token=operate)
        self.assertEqual((answer.json["state"], answer.json["history"][-1]["actor"]), ("cancelled", "token operator"))
        self.assertEqual(answer.json["history"][0]["actor"], "token payer")

    def test_revoked_and_expired(self):
        bursar, _, http = self.serving()
        token = self.token(bursar, "gone", "read", "--expires", "1d")
        self.assertEqual(http.get("/v1/status", token=token).status, 200)
        self.assert_exit(0, bursar.command("token", "revoke", "gone"))
        self.assertIn("revoked", self.assert_problem(401, "unauthorized", http.get("/v1/status", token=token)).json["detail"])
        self.assert_exit(6, bursar.command("token", "revoke", "gone"))
        self.assert_exit(3, bursar.command("token", "create", "--name", "gone", "--scope", "read"))
        self.assert_exit(3, bursar.command("token", "revoke", "nobody"))
        items = bursar.command("token", "list", "--json").json["items"]
        self.assertEqual([(i["name"], i["state"]) for i in items], [("all", "valid"), ("gone", "revoked")])
        self.assert_exit(2, bursar.command("token", "create", "--name", "x", "--scope", "everything"))
        self.assert_exit(2, bursar.command("token", "create", "--name", "x", "--scope", "read", "--expires", "2020-01-01T00:00:00Z"))

    def test_metrics_can_be_for_tokens_only(self):
        _, _, http = self.serving(HTTP_METRICS="token")
        self.assert_problem(401, "unauthorized", http.get("/metrics", token=" "))
        self.assertEqual(http.get("/metrics").status, 200)


class ApiTest(ApiCase):
    def test_created_over_http_is_paid_once_and_reconciles(self):
        node = self.node()
        bursar, _, http = self.serving(node)
        payments = rows("api", 20, memo="für März")
        ids = self.create(http, payments)
        self.wait_state(http, ids, "finalized")
        self.assert_chain(node, payments)
        story = http.get(f"/v1/disbursements/{ids[0]}").json
        self.assertEqual(story, bursar.show(ids[0]))  # the same, field by field, as the command line's
        self.assertEqual(http.get("/v1/disbursements/ref:api-0").json["id"], ids[0])
        self.assertEqual(story["memo"], "für März")
        self.assertEqual(http.get("/v1/reconcile").json["state"], "none")
        started = http.post("/v1/reconcile", {})
        self.assertEqual((started.status, started.headers["Location"]), (202, "/v1/reconcile"))
        job = wait_until(lambda: (lambda j: j if j["state"] in ("done", "failed") else None)(http.get("/v1/reconcile").json),
                         HANG_S, "the reconciliation")
        self.assertEqual((job["state"], job["result"]["ok"], job["result"]["checked"]), ("done", True, 20), job)
        status = http.get("/v1/status").json["items"][0]
        self.assertEqual((status["queue"]["finalized"], status["executor_running"]), (20, True))
        csv = http.get("/v1/export")
        self.assertEqual(csv.body.decode().replace("\r\n", "\n"), bursar.command("export").out)
        exported = http.get("/v1/export?format=json").json["items"]
        self.assertEqual(exported, bursar.command("export", "--json").json["items"])

    def test_creating_is_idempotent_by_ref(self):
        bursar, _, http = self.serving()
        payment = rows("again", 1)[0]
        first = http.post("/v1/disbursements", payment)
        self.assertEqual((first.status, first.json["added"], first.json["existing"]), (201, 1, 0))
        again = http.post("/v1/disbursements", payment)
        self.assertEqual((again.status, again.json["added"], again.json["existing"]), (200, 0, 1))
        self.assertEqual(again.json["ids"], first.json["ids"])
        other = http.post("/v1/disbursements", dict(payment, amount="2gwei"))
        self.assert_problem(409, "conflict", other)
        self.assertEqual(bursar.pay([payment]).json["existing"], 1)  # as from a file

    def test_all_new_ones_or_none(self):
        bursar, _, http = self.serving()
        payments = rows("none", 3)
        payments[1]["amount"] = "1.0000000000000000001"
        payments[2] = dict(payments[2], destination="0x123", misspelt="x")
        answer = self.assert_problem(422, "invalid", http.post("/v1/disbursements", {"disbursements": payments}))
        self.assertEqual([(e["index"], e["field"]) for e in answer.json["errors"]][:2], [(1, "amount"), (2, "misspelt")])
        self.assertEqual(bursar.items(), [])
        dry = http.post("/v1/disbursements?dry_run=true", rows("dry", 1)[0])
        self.assertEqual((dry.status, dry.json["added"], dry.json["ids"]), (200, 1, []))
        self.assertEqual(bursar.items(), [])
        number = self.assert_problem(422, "invalid", http.post("/v1/disbursements", dict(rows("n", 1)[0], amount=1)))
        self.assertIn("string", number.json["errors"][0]["message"])
        twice = self.assert_problem(422, "invalid", http.post("/v1/disbursements", {"disbursements": rows("t", 1) * 2}))
        self.assertIn("used once", twice.json["errors"][0]["message"])

    def test_a_token_is_paid_by_its_address_or_its_name(self):
        node, port = self.node(), free_port()
        token = contracts.deploy(node, "Token", 6, 10**12)
        token.send("transfer", TREASURY, 10**9)
        bursar = self.bursar(node, HTTP_LISTEN=f"127.0.0.1:{port}")
        bursar.configure("asset usdc", token=token.address)
        run = bursar.start("run")
        http = Described(port, self.token(bursar, "t", "pay"))
        self.wait_served(run, http)
        http.description = http.get("/openapi.json").json
        row = {"ref": "named", "destination": destination("named"), "amount": "1.5", "asset": "usdc"}
        ids = self.create(http, [row, dict(row, ref="addressed", destination=destination("addressed"), amount="0.000001",
                                           asset=token.address)])
        self.wait_state(http, ids, "finalized")
        stories = [http.get(f"/v1/disbursements/{n}").json for n in ids]
        self.assertEqual([(s["amount"], s["asset_name"], s["amount_units"]) for s in stories],
                         [("1500000", "usdc", "1.5"), ("1", "usdc", "0.000001")])
        self.assertEqual(stories[0], bursar.show(ids[0]))
        self.assertEqual([i["asset_name"] for i in http.get("/v1/disbursements").json["items"]], ["usdc", "usdc"])
        wrong = self.assert_problem(422, "invalid", http.post("/v1/disbursements", dict(row, ref="x", asset="usdt")))
        self.assertEqual(wrong.json["errors"][0]["field"], "asset")
        self.assertEqual(http.get("/v1/export?format=json").json, bursar.command("export", "--json").json)

    def test_bodies_that_are_not_taken(self):
        _, _, http = self.serving(HTTP_MAX_BODY_BYTES="2000")
        path = "/v1/disbursements"
        for body in ("", "{", "[]", "null", '{"a":1}x', '{"ref":"a","ref":"b"}', '{"disbursements":[],"x":1}',
                     '{"disbursements":[]}', '{"disbursements":[1]}', "[" * 1500, b"\xff\xfe{}"):
            self.assert_problem(400, "invalid", http.post(path, body))
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            self.assert_problem(415, "wrong_content_type", http.post(path, "{}", headers={"Content-Type": kind}))
        self.assertEqual(http.post(path, rows("x", 1)[0], headers={"Content-Type": "application/json; charset=utf-8"}).status, 201)
        self.assert_problem(413, "too_large", http.post(path, " " * 2001))
        self.assert_problem(413, "too_large", http.post(path, b"x" * 4_000_000))
        chunks = (b" " * 1000 for _ in range(20))  # no Content-Length says so before
        self.assert_problem(413, "too_large", http.post(path, chunks))
        self.assertEqual(http.post(path, " " * 500 + json.dumps(rows("y", 1)[0])).status, 201)
        self.assert_problem(413, "too_large", http.request("GET", "/v1/status", " "))

    def test_looking_for_some(self):
        bursar, _, http = self.serving()
        http.post("/v1/breaker", {"command": "open", "reason": "so that nothing moves"})
        march = rows("2026-03/m", 5, not_before="epoch:7")
        april = rows("2026-04/a", 5)
        self.create(http, march + april)
        refs = {"": [row["ref"] for row in march + april],
                "?ref_prefix=2026-04": [row["ref"] for row in april],
                "?ref_prefix=2026-03/m-3": ["2026-03/m-3"],
                "?epoch=7&limit=1000": [row["ref"] for row in march],
                f"?destination={april[2]['destination']}": [april[2]["ref"]],
                "?min_amount=4000000000&max_amount=4000000000": ["2026-03/m-3", "2026-04/a-3"],
                "?state=finalized": [], "?state=queued&order=desc": [row["ref"] for row in reversed(march + april)],
                "?created_from=2020-01-01T00:00:00Z&changed_from=2020-01-01T00:00:00Z": [row["ref"] for row in march + april],
                "?created_to=2020-01-01T00:00:00Z": [], "?changed_to=2020-01-01T00:00:00Z": []}
        for query, wanted in refs.items():
            items = http.get("/v1/disbursements" + query).json["items"]
            self.assertEqual([item["ref"] for item in items], wanted, query)
        for order in ("asc", "desc"):
            found, cursor = [], ""
            while cursor is not None:
                page = http.get(f"/v1/disbursements?limit=3&order={order}{cursor}").json
                found += [item["id"] for item in page["items"]]
                cursor = f"&cursor={page['next']}" if page["next"] else None
            self.assertEqual(found, sorted(found, reverse=order == "desc"))
            self.assertEqual(len(found), 10)
        for query in ("limit=0", "limit=1001", "limit=x", "state=paid", "destination=0x1", "min_amount=1.5", "order=up",
                      "created_from=yesterday", "cursor=-1", "epoch="):
            self.assert_problem(400, "invalid", http.get("/v1/disbursements?" + query))
        self.assert_problem(400, "unknown_parameter", http.get("/v1/disbursements?stat=queued"))
        del bursar

    def test_what_people_decide(self):
        node = self.node()
        bursar, _, http = self.serving(node)
        reason = {"reason": "changed our minds"}
        later = rows("later", 1, not_before="2100-01-01T00:00:00Z")
        number = self.create(http, later)[0]
        done = http.post(f"/v1/disbursements/ref:later-0/cancel", reason)
        self.assertEqual((done.status, done.json["state"]), (200, "cancelled"), str(done))
        self.assertEqual(done.json["history"][-1]["detail"], "changed our minds")
        self.assert_problem(409, "refused", http.post(f"/v1/disbursements/{number}/cancel", reason))
        self.assert_problem(409, "refused", http.post(f"/v1/disbursements/{number}/retry", reason))
        self.assert_problem(404, "not_found", http.get("/v1/disbursements/4711"))
        self.assert_problem(404, "not_found", http.post("/v1/disbursements/4711/cancel", reason))
        self.assert_problem(400, "invalid", http.get("/v1/disbursements/x"))
        for bad in ({}, {"reason": 1}, {"reason": ""}, {"reason": "a\nb"}, {"reason": "x" * 501}):
            self.assert_problem(400, "invalid", http.post(f"/v1/disbursements/{number}/cancel", bad))
        opened = http.post("/v1/breaker", {"command": "open", "reason": "maintenance"}).json
        self.assertEqual((opened["state"], opened["forced"], opened["actor"]), ("open", True, "token all"))
        self.assertEqual(bursar.command("breaker", "--json").json, http.get("/v1/breaker").json)
        waits = self.create(http, rows("waits", 1))[0]
        self.assertEqual(http.post("/v1/breaker", {"command": "close", "reason": "done"}).json["state"], "closed")
        self.wait_state(http, [waits], "finalized")
        self.assert_problem(400, "invalid", http.post("/v1/breaker", {"command": "show", "reason": "x"}))
        self.assert_problem(400, "invalid", http.post("/v1/breaker", {"command": "open"}))
        timed = http.post("/v1/breaker", {"command": "open", "reason": "x", "for": "2h"}).json
        self.assertTrue(timed["forced"] and timed["half_open_at"], timed)
        held = http.post("/v1/breaker", {"command": "close", "reason": "x", "for": "2h"}).json
        self.assertTrue(held["forced"] and held["held_until"] and held["state"] == "closed", held)
        self.assertEqual(bursar.status()["breaker"], http.get("/v1/breaker").json)
        for more in ({"for": "31d"}, {"for": 5}, {"for": "25h", "command": "close"}, {"for": "2h", "command": "reset"}):
            self.assert_problem(400, "invalid", http.post("/v1/breaker", {"command": "open", "reason": "x", **more}))

    def test_the_money_breaker_is_opened_and_closed_by_whoever_operates(self):
        bursar, _, http = self.serving()
        opening = {"command": "open", "money": True, "reason": "an audit"}
        for scope in ("read", "pay"):
            refused = http.post("/v1/breaker", opening, token=self.token(bursar, scope, scope))
            self.assert_problem(403, "forbidden", refused)
        for bad in ({"command": "reset"}, {"command": "half_open"}, {"for": "1h"}, {"money": 1}, {"money": "true"},
                    {"money": None}, {"mony": True}, {"reason": ""}):
            self.assert_problem(400, "invalid", http.post("/v1/breaker", {**opening, **bad}))
        self.assertEqual(http.get("/v1/breaker").json["money"],
                         {"state": "closed", "cause": None, "detail": None, "action": None, "actor": None, "since": None})
        opened = http.post("/v1/breaker", opening, token=self.token(bursar, "eve", "operate")).json
        self.assertEqual(opened["state"], "closed", "the circuit breaker is another")
        money = opened["money"]
        self.assertEqual((money["state"], money["cause"], money["detail"], money["actor"]),
                         ("open", "person", "an audit", "token eve"))
        self.assertIn("bursar breaker close --money", money["action"])
        self.assertEqual(bursar.command("breaker", "--json").json, http.get("/v1/breaker").json)
        self.assertEqual(http.get("/v1/status").json["items"][0]["breaker"]["money"], money)
        self.assertEqual(http.get("/readyz").status, 200, "to start another process would help nobody")
        self.assertEqual(http.get("/healthz").status, 200)
        number = self.create(http, rows("waits", 1))[0]
        wait_until(lambda: "money breaker" in str(http.get(f"/v1/disbursements/{number}").json), HANG_S, "a reason")
        closed = http.post("/v1/breaker", {"command": "close", "reason": "another one"}).json
        self.assertEqual(closed["money"], money)
        closed = http.post("/v1/breaker", {"command": "close", "reason": "all is well", "money": True}).json["money"]
        self.assertEqual((closed["state"], closed["cause"], closed["detail"], closed["action"], closed["actor"]),
                         ("closed", None, "all is well", None, "token all"))
        self.wait_state(http, [number], "finalized")
        events = http.get("/v1/treasury-events").json["items"]
        self.assertEqual([(e["cause"], e["actor"], e["detail"]) for e in events if e["cause"].startswith("money_")],
                         [("money_breaker_closed", "token all", "all is well"),
                          ("money_breaker_opened", "token eve", "person: an audit")])

    def test_balance_and_its_history(self):
        node = self.node()
        _, _, http = self.serving(node)
        first = wait_until(lambda: http.get("/v1/balance").json["balance"], HANG_S, "a balance")
        self.assertEqual(int(first), node.balance("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"))
        payment = rows("balance", 1)
        number = self.create(http, payment)[0]
        self.wait_state(http, [number], "finalized")
        node.set_balance("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", 77 * ETHER)
        wait_until(lambda: http.get("/v1/balance").json["balance"] == str(77 * ETHER), HANG_S, "the new balance")
        items = http.get("/v1/balance/history").json["items"]
        self.assertEqual(items[-1]["kind"], "opening")
        self.assertEqual(items[0]["balance"], str(77 * ETHER))
        spent = [item for item in items if item["kind"] == "spent"]
        self.assertLess(int(spent[-1]["delta"]), -sum(expected(payment).values()))  # and its fee
        self.assertEqual([i for i in items if i["disbursements"]], spent[-1:])
        self.assertEqual((spent[-1]["disbursements"], spent[-1]["disbursements_more"]),
                         ([{"id": number, "ref": "balance-0"}], False))
        for newer, older in zip(items, items[1:]):
            self.assertEqual(int(newer["balance"]) - int(older["balance"]), int(newer["delta"]))
        page = http.get("/v1/balance/history?limit=1").json
        following = http.get(f"/v1/balance/history?limit=1&cursor={page['next']}").json
        self.assertEqual([page["items"][0], following["items"][0]], items[:2])

    def test_several_treasuries_are_told_apart(self):
        node = self.node()
        port = free_port()
        bursar = self.bursar(node, HTTP_LISTEN=f"127.0.0.1:{port}")
        for name in ("anvil1.json", "anvil1.pass"):
            (bursar.directory / name).write_bytes((KEYSTORE.parent / name).read_bytes())
        bursar.configure("treasury other", chain_id=31337, rpc=node.url, keystore="anvil1.json",
                         password_file="anvil1.pass")
        run = bursar.start("run")
        http = self.wait_served(run, Http(port, self.token(bursar, "t", "read")))
        self.assertEqual([i["treasury"] for i in http.get("/v1/status").json["items"]], ["main", "other"])
        self.assert_problem(400, "invalid", http.get("/v1/balance"))
        self.assertEqual(http.get("/v1/balance?treasury=other").status, 200)
        self.assert_problem(404, "not_found", http.get("/v1/balance?treasury=nobody"))

    def test_every_described_operation_was_answered(self):
        node = self.node()
        _, _, http = self.serving(node)
        number = self.create(http, rows("all", 1, not_before="2100-01-01T00:00:00Z"))[0]
        reason = {"reason": "x"}
        bodies = {"/v1/disbursements": rows("one", 1)[0], "/v1/breaker": {"command": "reset", "reason": "x"},
                  "/v1/reconcile": {}, "/rpc": {"jsonrpc": "2.0", "method": "gov.treasury.balance", "id": 1}}
        for path, operations in http.description["paths"].items():
            for method in operations:
                where = path.replace("{id}", str(number)).replace("{file}", "app.js")
                http.request(method.upper(), where, bodies.get(path, reason) if method == "post" else None)
        described = {(p, m.upper()) for p, o in http.description["paths"].items() for m in o}
        self.assertEqual(described - http.seen, set())


class PaymentFileTest(ApiCase):
    def send(self, http, text, query="", kind="text/csv"):
        return http.request("POST", f"/v1/payment-files{query}", text, headers={"Content-Type": kind})

    def test_a_payment_file_is_checked_added_and_known_again(self):
        _, _, http = self.serving()
        payments = rows("file", 3, not_before="2100-01-01T00:00:00Z")
        checked = self.send(http, csv_text(payments), "?dry_run=true")
        self.assertEqual((checked.status, checked.json["added"], checked.json["ids"]), (200, 3, []))
        self.assertEqual(checked.json["total"], str(sum(expected(payments).values())))
        first = checked.json["rows"][0]
        self.assertEqual((first["line"], first["ref"], first["destination"].lower(), first["amount_units"], first["is_new"]),
                         (2, "file-0", payments[0]["destination"], "0.000000001", True))
        self.assertEqual(http.get("/v1/disbursements").json["items"], [])
        added = self.send(http, csv_text(payments), "?name=may.csv")
        self.assertEqual((added.status, len(added.json["ids"])), (201, 3), str(added))
        self.assertIn("may.csv, line 2", http.get("/v1/disbursements/ref:file-0").json["history"][0]["detail"])
        again = self.send(http, jsonl_text(payments), kind="application/jsonl; charset=utf-8")
        self.assertEqual((again.status, again.json["added"], again.json["existing"], again.json["total"]), (200, 0, 3, "0"))
        self.assertEqual(http.get("/v1/balance").json["owed"], str(sum(expected(payments).values())))

    def test_what_is_wrong_with_a_payment_file_is_told_by_line(self):
        _, _, http = self.serving()
        text = csv_text(rows("bad", 3)).replace("2gwei", "2bananas")
        problem = self.assert_problem(422, "invalid", self.send(http, text))
        self.assertEqual([(e["line"], e["column"]) for e in problem.json["errors"]], [(3, "amount")])
        self.assertEqual(http.get("/v1/disbursements").json["items"], [])
        self.assert_problem(400, "invalid", self.send(http, ""))
        self.assert_problem(400, "invalid", self.send(http, text, "?name="))
        self.assert_problem(400, "invalid", self.send(http, text, "?dry_run=perhaps"))
        self.assert_problem(415, "wrong_content_type", self.send(http, text, kind="application/json"))
        self.assert_problem(413, "too_large", self.send(http, "x" * (1024 * 1024 + 1)))

    def test_a_treasury_has_a_history_of_its_own_and_a_token_knows_what_it_may(self):
        bursar, _, http = self.serving()
        self.create(http, rows("some", 2))
        for command, reason in (("open", "one"), ("close", "two"), ("reset", "three")):
            self.assertEqual(http.post("/v1/breaker", {"command": command, "reason": reason}).status, 200)
        page = http.get("/v1/treasury-events?limit=2").json
        self.assertEqual([(e["cause"], e["detail"], e["id"]) for e in page["items"]],
                         [("breaker_reset", "three", None), ("breaker_closed", "two", None)])
        page = http.get(f"/v1/treasury-events?limit=2&before={page['next']}").json
        self.assertEqual(([e["detail"] for e in page["items"]], page["next"]), (["one"], None))
        self.assertEqual(http.get("/v1/token").json, {"actor": "token all", "read": True, "pay": True, "operate": True})
        reader = self.token(bursar, "reader", "read")
        self.assertEqual(http.get("/v1/token", token=reader).json["pay"], False)

    def test_the_dashboard_is_kept_by_browsers_and_may_load_nothing_from_elsewhere(self):
        _, _, http = self.serving()
        page = http.get("/", token=" ")
        policy = page.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        files = re.findall(rb'(?:src|href)="(/[^"#]+)"', page.body)
        self.assertIn(b"/dashboard/app.js", files)
        for name in {name.decode() for name in files}:
            answer = http.get(name, token=" ")
            self.assertEqual(answer.status, 200, name)
            if name.startswith("/dashboard/"):
                again = http.get(name, token=" ", headers={"If-None-Match": answer.headers["ETag"]})
                self.assertEqual((again.status, again.body), (304, b""), name)
        self.assert_problem(404, "no_such_path", http.get("/dashboard/..%2fopenapi.json", token=" "))


class EventsTest(ApiCase):
    def stream(self, http, links, query="", **headers):
        link = links.enter_context(socket.create_connection(("127.0.0.1", http.port), timeout=HANG_S))
        lines = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
        link.sendall(f"GET /v1/events{query} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{lines}"
                     f"Authorization: Bearer {http.token}\r\n\r\n".encode())
        return link.makefile("rb")

    def read(self, reader, count):
        """Events of a stream: chunk sizes lie on lines of their own and are passed over."""
        found, fields = [], {}
        while len(found) < count:
            line = reader.readline()
            self.assertTrue(line, f"the stream ended after {found}")
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name in ("id", "event", "data"):
                fields[name] = value
            if len(fields) == 3:
                found.append(dict(fields, data=json.loads(fields["data"])))
                fields = {}
        return found

    def test_events_arrive_and_go_on_where_a_connection_ended(self):
        node = self.node()
        _, _, http = self.serving(node)
        with contextlib.ExitStack() as links:
            live = self.stream(http, links)
            self.assertIn(b"200", live.readline())
            while not live.readline().startswith(b"retry:"):
                pass
            ids = self.create(http, rows("event", 2))
            self.wait_state(http, ids, "finalized")
            events = self.read(live, 8)
            self.assertEqual(sorted(e["event"] for e in events), sorted(["imported", "bound", "included", "final_success"] * 2))
            schema = {"$ref": "#/components/schemas/LogEvent", "components": http.description["components"]}
            for event in events:
                jsonschema.Draft202012Validator(schema).validate(event["data"])
                self.assertEqual((event["id"], event["data"]["treasury"]), (str(event["data"]["seq"]), "main"))
            again = self.stream(http, links, Last_Event_ID=events[2]["id"])
            self.assertEqual(self.read(again, 5), events[3:])
            after = self.stream(http, links, f"?after={events[5]['id']}&treasury=main")
            self.assertEqual(self.read(after, 2), events[6:])
        page = http.get("/v1/events?after=0&limit=3").json
        rest = http.get(f"/v1/events?after={page['next']}").json
        self.assertEqual([e["seq"] for e in page["items"] + rest["items"]][-8:], [int(e["id"]) for e in events])
        self.assertIsNone(rest["next"])
        bad = http.get("/v1/events", headers={"Accept": "text/event-stream", "Last-Event-ID": "x"})
        self.assert_problem(400, "invalid", bad)

    def test_the_money_breaker_is_in_the_stream(self):
        _, _, http = self.serving()
        for command in ("open", "close"):
            self.assertEqual(http.post("/v1/breaker", {"command": command, "money": True, "reason": command}).status, 200)
        with contextlib.ExitStack() as links:
            events = self.read(self.stream(http, links, "?after=0&treasury=main"), 2)
        self.assertEqual([(e["event"], e["data"]["cause"], e["data"]["detail"], e["data"]["id"]) for e in events],
                         [("money_breaker_opened", "money_breaker_opened", "person: open", None),
                          ("money_breaker_closed", "money_breaker_closed", "close", None)])

    def test_streams_are_few_and_end_with_the_program(self):
        node = self.node()
        _, run, http = self.serving(node)
        with contextlib.ExitStack() as links:
            for _ in range(16):
                self.assertIn(b"200", self.stream(http, links).readline())
            answer = http.get("/v1/events", headers={"Accept": "text/event-stream"})
            self.assert_problem(503, "too_many_streams", answer)
            payments = rows("beside", 3)
            self.create(http, payments)
            self.wait_paid(node, payments, 3)
            code, seconds = run.terminate()
        self.assertEqual(code, 0, run.err())
        self.assertLess(seconds, 2)

    def test_a_stream_ends_when_its_token_is_revoked_and_no_other_does(self):
        bursar, _, http = self.serving()
        reader = Http(http.port, self.token(bursar, "reader", "read"))
        with contextlib.ExitStack() as links:
            ending, going = self.stream(reader, links), self.stream(http, links)
            for stream in (ending, going):
                self.assertIn(b"200", stream.readline())
                while not stream.readline().startswith(b"retry:"):
                    pass
            self.assert_exit(0, bursar.command("token", "revoke", "reader"))
            while (line := ending.readline()) != b"0\r\n":  # its end, and not broken off
                self.assertTrue(line)
            self.create(http, rows("after", 1))
            self.assertEqual(self.read(going, 1)[0]["event"], "imported")

    def test_a_stream_that_is_gone_makes_room(self):
        _, _, http = self.serving()
        with contextlib.ExitStack() as links:
            for _ in range(16):
                self.assertIn(b"200", self.stream(http, links).readline())

        def has_room():
            self.create(http, rows(f"room-{len(http.get('/v1/disbursements').json['items'])}", 1))  # something to write
            with contextlib.ExitStack() as again:
                return b"200" in self.stream(http, again).readline()
        wait_until(has_room, HANG_S, "room for another stream", interval_s=0.5)


class RpcTest(ApiCase):
    def call(self, http, method, params=None, **options):
        request = {"jsonrpc": "2.0", "id": 7, "method": "gov.treasury." + method}
        if params is not None:
            request["params"] = params
        answer = http.post("/rpc", request, **options)
        self.assertEqual((answer.status, answer.json["id"]), (200, 7), str(answer))
        return answer.json

    def test_the_methods_of_the_original(self):
        node = self.node()
        bursar, _, http = self.serving(node)
        payments = rows("rpc", 3)
        ids = [self.call(http, "submit_disbursement", payment)["result"]["id"] for payment in payments]
        self.assertEqual(self.call(http, "submit_disbursement", payments[0])["result"], {"id": ids[0], "existing": True})
        refused = self.call(http, "submit_disbursement", dict(payments[0], amount="9gwei"))["error"]
        self.assertEqual((refused["code"], refused["data"]["errors"][0]["field"]), (-32002, "ref"))
        bad = self.call(http, "submit_disbursement", dict(payments[0], ref=""))["error"]
        self.assertEqual(bad["code"], -32602)
        self.wait_state(http, ids, "finalized")
        self.assert_chain(node, payments)
        listed = self.call(http, "disbursements", {"status": "finalized", "limit": 2})["result"]
        self.assertEqual([item["id"] for item in listed["items"]], [ids[2], ids[1]])  # the newest first
        listed = self.call(http, "disbursements", {"cursor": listed["next"]})["result"]
        self.assertEqual([item["id"] for item in listed["items"]], [ids[0]])
        self.assertEqual(self.call(http, "disbursements", {"limit": 201})["error"]["code"], -32602)
        self.assertEqual(self.call(http, "disbursement", {"id": ids[0]})["result"], bursar.show(ids[0]))
        self.assertEqual(self.call(http, "disbursement", {"id": 4711})["error"]["code"], -32001)
        self.assertEqual(self.call(http, "balance")["result"], http.get("/v1/balance").json)
        self.assertEqual(self.call(http, "balance_history", {"limit": 5})["result"]["items"],
                         http.get("/v1/balance/history?limit=5").json["items"])
        for method in ("queue_disbursement", "execute_disbursement", "rollback_disbursement"):
            error = self.call(http, method, {"id": 1})["error"]
            self.assertEqual(error["code"], -32005)
            self.assertGreater(len(error["message"]), 40)

    def test_what_is_not_a_call(self):
        bursar, _, http = self.serving()
        reader = self.token(bursar, "reader", "read")
        self.assertEqual(self.call(http, "submit_disbursement", rows("no", 1)[0], token=reader)["error"]["code"], -32003)
        self.assertEqual(self.call(http, "nonsense")["error"]["code"], -32601)
        self.assertEqual(self.call(http, "balance", {"misspelt": 1})["error"]["code"], -32602)
        self.assertEqual(self.call(http, "balance", [1])["error"]["code"], -32602)
        for body, code in (("{", -32700), ("1", -32600), ("{}", -32600), ("[]", -32600), ('[1]', -32600),
                           ('{"jsonrpc":"1.0","method":"x","id":1}', -32600)):
            answer = http.post("/rpc", body).json
            self.assertEqual((answer[0] if isinstance(answer, list) else answer)["error"]["code"], code, body)
        one = {"jsonrpc": "2.0", "method": "gov.treasury.balance"}
        self.assertEqual(http.post("/rpc", one).status, 204)  # a notification
        batch = http.post("/rpc", [dict(one, id=1), one, dict(one, id="b", method="x")]).json
        self.assertEqual([(a["id"], "result" in a) for a in batch], [(1, True), ("b", False)])
        self.assert_problem(401, "unauthorized", http.post("/rpc", one, token=" "))


if __name__ == "__main__":
    unittest.main()
