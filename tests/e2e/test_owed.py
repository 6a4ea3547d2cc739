"""What is owed and what of it is due: the same in the API, in metrics and in the balance's history."""

import unittest

import contracts
from harness import ETHER, HANG_S, TREASURY, destination, expected, free_port, rows, wait_until
from metrics import check_with_promtool, scrape
from test_http_api import ApiCase, Described


class OwedTest(ApiCase):
    def test_what_is_owed_and_what_of_it_is_due(self):
        _, _, http = self.serving()
        later = rows("later", 2, not_before="2100-01-01T00:00:00Z") + rows("epoch", 1, not_before="epoch:1000000")
        now = dict(rows("now", 1)[0], amount="1000000")  # more than the account holds
        self.create(http, later + [now])
        wait_until(lambda: http.get("/v1/balance").json["seen_at"], HANG_S, "a look at the account")
        balance = http.get("/v1/balance").json
        owed, due = sum(expected(later + [now]).values()), sum(expected([now]).values())
        self.assertEqual((balance["owed"], balance["due"], balance["owed_is_all"]), (str(owed), str(due), True))
        self.assertEqual([(a["asset"], a["owed_count"], a["due_count"]) for a in balance["assets"]], [("native", 4, 1)])
        page = scrape(http)
        self.assertEqual((page.value("treasury_owed"), page.value("treasury_due")), (owed, due))
        self.assertEqual(page.value("treasury_owed_is_all"), 1)
        self.assertEqual(page.value("treasury_executor_pending_matured"), 1)

    def test_what_is_owed_in_tokens_is_told_by_token(self):
        node, port = self.node(), free_port()
        usdc, other = (contracts.deploy(node, "Token", 6, 10**12) for _ in range(2))
        bursar = self.bursar(node, HTTP_LISTEN=f"127.0.0.1:{port}")
        bursar.configure("asset usdc", token=usdc.address)
        run = bursar.start("run")
        http = Described(port, self.token(bursar, "t", "pay"))
        self.wait_served(run, http)
        http.description = http.get("/openapi.json").json
        row = {"ref": "named", "destination": destination("named"), "amount": "1.5", "asset": "usdc"}
        self.create(http, [row, dict(row, ref="later", amount="2", not_before="2100-01-01T00:00:00Z"),
                           dict(row, ref="unnamed", amount="7", asset=other.address)])  # the account holds none of them
        assets = http.get("/v1/balance").json["assets"]
        found = {a["asset_name"] or a["asset"].lower(): (a["owed"], a["owed_units"], a["due_units"], a["due_count"])
                 for a in assets}
        self.assertEqual(found, {"native": ("0", "0", "0", 0), "usdc": ("3500000", "3.5", "1.5", 1),
                                 other.address.lower(): ("7000000", "7", "7", 1)})
        self.assertEqual(assets[0]["asset"], "native")
        page = scrape(http)
        for asset, owed, due, count in (("native", 0, 0, 0), ("usdc", 3500000, 1500000, 2), ("other", None, None, 1)):
            self.assertEqual(page.value("treasury_asset_owed", asset=asset), owed)
            self.assertEqual(page.value("treasury_asset_due", asset=asset), due)
            self.assertEqual(page.value("treasury_asset_owed_disbursements", asset=asset), count)
        check_with_promtool(self, page.text)

    def test_the_history_of_the_balance_has_what_was_due(self):
        node = self.node()
        _, _, http = self.serving(node)
        wait_until(lambda: http.get("/v1/balance").json["balance"], HANG_S, "a balance")
        large = dict(rows("large", 1)[0], amount="20000ether")
        self.create(http, [large])
        due = str(sum(expected([large]).values()))
        newest = wait_until(lambda: next((i for i in http.get("/v1/balance/history").json["items"] if i["due"] == due),
                                         None), HANG_S, "what is due to be kept")
        self.assertEqual((newest["kind"], newest["delta"], newest["disbursements"]), ("due", "0", []))
        node.set_balance(TREASURY, 30000 * ETHER)
        wait_until(lambda: http.get("/v1/balance/history").json["items"][0]["due"] == "0", HANG_S, "nothing to be due")
        items = http.get("/v1/balance/history").json["items"]
        paid = next(item for item in items if item["disbursements"])
        self.assertEqual((paid["disbursements"][0]["ref"], paid["kind"]), ("large-0", "spent"))


if __name__ == "__main__":
    unittest.main()
