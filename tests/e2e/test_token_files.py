"""Payment files that pay with tokens: whose amounts depend on what the chain says of the token, once and for all."""

import contextlib
import http.server
import json
import threading
import urllib.request

import contracts
import harness

TO = harness.destination("token-files")
OTHER = harness.destination("token-files-other")
NOBODY = "http://127.0.0.1:1"  # nothing listens there
DOWN = {"BURSAR_TREASURY_MAIN_RPC": NOBODY}
DECIMALS = "0x313ce567"  # decimals()


class Counter:
    """A node's other door, that counts who asks a token for its decimals."""

    def __init__(self, node):
        self.asked = {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                calls = json.loads(body)
                for call in calls if isinstance(calls, list) else [calls]:
                    if call["method"] == "eth_call" and call["params"][0]["data"] == DECIMALS:
                        token = call["params"][0]["to"].lower()
                        outer.asked[token] = outer.asked.get(token, 0) + 1
                request = urllib.request.Request(node.url, body, {"Content-Type": "application/json"})
                with urllib.request.urlopen(request, timeout=60) as reply:
                    answer = reply.read()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class TokenFilesTest(harness.ChainCase):
    def setUp(self):
        super().setUp()
        self.chain = self.node(block_time=None)
        self.program = self.bursar(self.chain)
        self.token = contracts.deploy(self.chain, "Token", 6, 10**12)

    def row(self, ref="a", amount="1", asset=None, to=TO, **fields):
        return {"ref": ref, "destination": to, "amount": amount, "asset": asset or self.token.address, **fields}

    def pay_with(self, settings, payments, *options, name="payments.csv"):
        (self.program.directory / name).write_text(
            payments if isinstance(payments, str) else harness.csv_text(payments), encoding="utf-8", newline="")
        return self.program.command("pay", name, "--json", *options, settings=settings)

    def refused(self, payments, *words, line=2, column="asset", code=3, options=(), settings=None, name="bad.csv"):
        """Nothing is added, and the place is named."""
        before = self.program.items()
        result = self.assert_exit(code, self.pay_with(settings, payments, *options, name=name))
        self.assertEqual(result.json["added"], 0, str(result))
        error = result.json["errors"][0]
        self.assertEqual((error["line"], error["column"]), (line, column), str(result))
        for word in words:
            self.assertIn(word, error["message"], str(result))
        self.assertEqual(self.program.items(), before)
        return result

    def name(self, name, **keys):
        self.program.configure(f"asset {name}", **keys)

    # -- amounts -------------------------------------------------------------------------------------------------------

    def test_amounts_are_whole_units_of_the_token_by_address_and_by_name(self):
        self.name("usdc", token=self.token.address)
        wide = contracts.deploy(self.chain, "Token", 18, 10**24)
        checksummed = self.checksummed(wide.address)
        self.pay(self.program, [
            self.row("a", "1.5"), self.row("b", "0.000001", asset="usdc"), self.row("c", "12", asset=wide.address),
            self.row("d", "0.000000000000000001", asset=checksummed), self.row("e", "2", asset="native"),
            {"ref": "f", "destination": TO, "amount": "3gwei", "asset": ""}])
        jsonl = self.program.pay([self.row("g", "7.25", asset="usdc"), {"ref": "h", "destination": TO, "amount": "1"}],
                                 name="more.jsonl")
        self.assertEqual(self.assert_exit(0, jsonl).json["added"], 2)
        items = {item["ref"]: item for item in self.program.items() if item["ref"] != "checksum"}
        self.assertEqual({ref: (item["asset"].lower(), item["amount"]) for ref, item in items.items()}, {
            "a": (self.token.address, "1500000"), "b": (self.token.address, "1"),
            "c": (wide.address, str(12 * 10**18)), "d": (wide.address, "1"), "e": ("native", str(2 * 10**18)),
            "f": ("native", str(3 * 10**9)), "g": (self.token.address, "7250000"), "h": ("native", str(10**18))})
        self.assertEqual(items["d"]["asset"], checksummed)
        self.assertEqual({k: items["a"][k] for k in ("asset_name", "decimals", "amount_units", "amount_ether")},
                         {"asset_name": "usdc", "decimals": 6, "amount_units": "1.5", "amount_ether": None})
        self.assertEqual({k: items["c"][k] for k in ("asset_name", "decimals", "amount_units")},
                         {"asset_name": None, "decimals": 18, "amount_units": "12"})
        self.assertEqual({k: items["e"][k] for k in ("asset_name", "amount_units", "amount_ether")},
                         {"asset_name": None, "amount_units": "2", "amount_ether": "2"})
        text = self.program.command("list").out
        for shown in ("1.5 usdc", "0.000001 usdc", f"12 of {checksummed}", "2 ETH", "7.25 usdc"):
            self.assertIn(shown, text)
        shown = self.program.command("show", "ref:a").out
        self.assertRegex(shown, "amount +1.5 usdc")
        self.assertRegex(shown.lower(), f"token +{self.token.address}")
        statement = self.program.command("export").out.splitlines()
        self.assertTrue(statement[0].endswith(",asset_name,amount_units,short_by"), statement[0])
        self.assertTrue(statement[2].endswith(",usdc,1.5,"), statement[2])
        self.assertIn(",1500000,,", statement[2])
        exported = json.loads(self.program.command("export", "--json").out)["items"]
        self.assertEqual(exported[1:], list(items.values()))

    def checksummed(self, address):
        """As the program writes it: its EIP-55 is tested elsewhere."""
        self.assert_exit(0, self.program.pay([self.row("checksum", asset=address)]))
        return self.program.show("ref:checksum")["asset"]

    def test_an_amount_that_the_token_can_not_have_is_refused_with_its_place(self):
        self.name("usdc", token=self.token.address)
        for asset in (self.token.address, "usdc"):
            self.refused([self.row(amount="1.0000001", asset=asset)], "6 decimals", column="amount")
            for unit in ("1ether", "1 gwei", "1wei", "1usdc"):
                self.refused([self.row(amount=unit, asset=asset)], "whole units", column="amount")
            self.refused([self.row(amount="0.000000", asset=asset)], "zero", column="amount")
        self.refused([self.row(to=self.token.address)], "the token itself", column="destination")
        self.refused([self.row("ok"), self.row("bad", "1.23456789")], line=3, column="amount")
        self.refused(harness.jsonl_text([self.row(amount="1.0000001")]), line=1, column="amount", name="bad.jsonl")
        largest = contracts.deploy(self.chain, "Token", 77, 1)
        self.assert_exit(0, self.program.pay([self.row("one", "1", asset=largest.address)]))
        self.assertEqual(self.program.show("ref:one")["amount"], str(10**77))
        self.refused([self.row("two", "2", asset=largest.address)], "256 bits", column="amount")

    def test_another_asset_is_another_content(self):
        second = contracts.deploy(self.chain, "Token", 6, 1)
        self.assert_exit(0, self.program.pay([self.row()]))
        again = self.assert_exit(0, self.program.pay([self.row()]))
        self.assertEqual((again.json["added"], again.json["existing"]), (0, 1))
        self.refused([self.row(asset=second.address)], "other content", column="ref")
        self.refused([self.row(asset="native", amount="1000000wei")], "other content", column="ref")
        self.name("usdc", token=self.token.address)  # by another name it is the same
        self.assertEqual(self.program.pay([self.row(asset="usdc")]).json["existing"], 1)

    # -- names ---------------------------------------------------------------------------------------------------------

    def test_what_is_no_asset_is_refused(self):
        self.name("usdc", token=self.token.address)
        for asset in ("USDC", "usd", "Native", "usdc ", "eth"):
            self.refused([self.row(asset=asset)], f'"{asset}"', "[asset NAME]")
        self.refused([self.row(asset="0x1234")], "not an address")
        self.refused([self.row(asset="0x" + "0" * 40)], "no contract")
        self.refused([self.row(asset="0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5D359")], "EIP-55")
        self.name("elsewhere", token=OTHER, chain_id=1)
        self.refused([self.row(asset="elsewhere")], "elsewhere", "on chain 1", str(harness.CHAIN_ID))

    def test_decimals_in_the_configuration_must_be_the_tokens(self):
        self.name("usdc", token=self.token.address, decimals=18)
        for asset in ("usdc", self.token.address):
            self.refused([self.row(asset=asset)], "has 6 decimals", "[asset usdc]", "18")
        self.name("usdc", decimals=6)
        self.assert_exit(0, self.program.pay([self.row(asset="usdc")]))
        self.name("usdc", decimals=18)
        self.refused([self.row("b", asset="usdc")], "[asset usdc]", settings=DOWN)  # what is known from before as well

    def test_what_is_no_token_is_refused(self):
        receiver = contracts.deploy(self.chain, "Receiver")
        self.refused([self.row(asset=OTHER)], "no contract", str(harness.CHAIN_ID))
        self.refused([self.row(asset=receiver.address)], "does not say how many decimals")
        for answer, words in ((b"", "does not say"), (b"\x06", "does not say"), (bytes(30) + b"\x01\x00", "does not say"),
                              (bytes(31) + b"\x4e", "78 decimals"), (bytes(31) + b"\xff", "255 decimals"),
                              (bytes(31) + b"\x06" + bytes(32), "does not say"), (b"\xff" * 1024, "does not say")):
            odd = contracts.deploy(self.chain, "OddToken", answer)
            self.refused([self.row("ok"), self.row(asset=odd.address)], words, line=3)
        # Nothing was remembered of any of these.
        self.assert_exit(4, self.pay_with(DOWN, [self.row("ok")]))

    # -- read once -----------------------------------------------------------------------------------------------------

    def test_a_known_token_needs_no_node_and_a_new_one_does(self):
        result = self.assert_exit(4, self.pay_with(DOWN, [self.row(), self.row("coin", asset="native")]))
        self.assertEqual((result.json["added"], self.program.items()), (0, []))
        self.assertIn("decimals", result.json["errors"][0]["message"])
        self.assert_exit(0, self.pay_with(DOWN, [self.row("coin", asset="native")]))
        self.assert_exit(0, self.program.pay([self.row("a", "2.5")]))
        self.assert_exit(0, self.pay_with(DOWN, [self.row("b", "3.5"), self.row("a", "2.5")]))
        self.assertEqual([item["amount"] for item in self.program.items()], [str(10**18), "2500000", "3500000"])
        new = contracts.deploy(self.chain, "Token", 18, 1)
        self.assert_exit(4, self.pay_with(DOWN, [self.row("c"), self.row("d", asset=new.address)]))
        self.assertEqual(len(self.program.items()), 3)

    def test_a_dry_run_remembers_nothing(self):
        self.assert_exit(0, self.program.pay([self.row(amount="1.5")], "--dry-run"))
        self.assertEqual(self.program.items(), [])
        self.refused([self.row(amount="1.0000001")], column="amount", options=["--dry-run"])
        self.assert_exit(4, self.pay_with(DOWN, [self.row()]))
        self.token.send("setDecimals", 2)  # and so nothing speaks against another number
        self.assert_exit(0, self.program.pay([self.row(amount="1.5")]))
        self.assertEqual(self.program.show("ref:a")["amount"], "150")

    def test_a_file_with_a_bad_row_remembers_nothing(self):
        self.refused([self.row(), self.row("bad", "0")], line=3, column="amount")
        self.assert_exit(4, self.pay_with(DOWN, [self.row()]))

    def test_decimals_that_change_are_an_error_and_never_used(self):
        self.assert_exit(0, self.program.pay([self.row("a", "1.5")]))
        self.token.send("setDecimals", 18)
        self.refused([self.row("ok", asset="native"), self.row("b", "1.5")], "had 6 decimals", "says 18 now", line=3)
        self.refused([self.row("a", "1.5")], "says 18 now")
        # Without a node nobody can know; the amount means what it meant.
        self.assert_exit(0, self.pay_with(DOWN, [self.row("c", "1.5")]))
        self.token.send("setDecimals", 6)
        self.assert_exit(0, self.program.pay([self.row("d", "1.5")]))
        self.assertEqual({item["amount"] for item in self.program.items()}, {"1500000"})

    def test_many_tokens_are_read_once_each(self):
        counter = Counter(self.chain)
        self.addCleanup(counter.close)
        tokens = [contracts.deploy(self.chain, "Token", n, 1) for n in range(18)]
        rows = [self.row(f"{token.address}-{n}", "3", asset=token.address) for n in range(40) for token in tokens]
        settings = {"BURSAR_TREASURY_MAIN_RPC": counter.url}
        self.assertEqual(self.assert_exit(0, self.pay_with(settings, rows)).json["added"], len(rows))
        self.assertEqual(counter.asked, {token.address: 1 for token in tokens})
        counter.asked.clear()
        self.assert_exit(0, self.pay_with(settings, [self.row("coin", asset="native")]))
        self.assertEqual(counter.asked, {})  # nothing to ask
        for item in self.program.items():
            if item["asset"] != "native":
                self.assertEqual(item["amount"], str(3 * 10**item["decimals"]))

    def test_a_node_of_another_chain_is_not_believed(self):
        other = self.node(block_time=None, chain_id=99)
        impostor = contracts.deploy(other, "Token", 2, 1)  # the same sender and nonce: the same address
        self.assertEqual(impostor.address, self.token.address)
        settings = {"BURSAR_TREASURY_MAIN_RPC": other.url}
        result = self.assert_exit(6, self.pay_with(settings, [self.row()]))
        self.assertIn("chain 99", result.json["errors"][0]["message"])
        self.assertEqual(self.program.items(), [])
        self.assert_exit(0, self.program.pay([self.row("a")]))
        self.assert_exit(0, self.pay_with(settings, [self.row("b")]))  # known by now
        self.assertEqual([item["amount"] for item in self.program.items()], ["1000000"] * 2)

    def test_two_nodes_that_disagree_are_no_answer(self):
        other = self.node(block_time=None)
        contracts.deploy(other, "Token", 2, 1)
        settings = {"BURSAR_TREASURY_MAIN_RPC": f"{self.chain.url} {other.url}", "BURSAR_TREASURY_MAIN_QUORUM": "2"}
        self.assertIn(self.pay_with(settings, [self.row()]).code, (4, 6))
        self.assertEqual(self.program.items(), [])

    # -- files of the Safe airdrop app ---------------------------------------------------------------------------------

    def test_a_safe_airdrop_file(self):
        text = ("token_type,token_address,receiver,amount,id\n"
                f"erc20,{self.token.address},{TO},0.02,\n"
                f"native,,{TO},0.0001,\n"
                f"erc20,{self.token.address},{OTHER},3,\n")
        self.refused(text, "--ref-prefix", line=1, column=None)
        result = self.assert_exit(0, self.pay_with(None, text, "--ref-prefix", "drop/", name="drop.csv"))
        self.assertEqual(result.json["added"], 3)
        self.assertEqual([(i["ref"], i["asset"].lower(), i["amount"]) for i in self.program.items()],
                         [("drop/2", self.token.address, "20000"), ("drop/3", "native", str(10**14)),
                          ("drop/4", self.token.address, "3000000")])
        again = self.assert_exit(0, self.pay_with(DOWN, text, "--ref-prefix", "drop/", name="drop.csv"))
        self.assertEqual((again.json["added"], again.json["existing"]), (0, 3))
        prefix = ("--ref-prefix", "x")
        self.refused(text + f"nft,{self.token.address},{TO},,7\n", "NFT", line=5, column="token_type", options=prefix)
        self.refused(text + f"erc20,{self.token.address},{TO},1.0000001,\n", line=5, column="amount", options=prefix)
        self.refused(text + f"erc20,{OTHER},{TO},1,\n", "no contract", line=5, column="token_address", options=prefix)
        self.refused(text + f"erc20,,{TO},1,\n", "is empty", line=5, column="token_address", options=prefix)
        self.refused(text + f"erc20,{self.token.address},nobody,1,\n", line=5, column="receiver", options=prefix)

    def test_from_standard_input(self):
        result = self.program.command("pay", "-", "--json", stdin=harness.csv_text([self.row(amount="1.5")]))
        self.assertEqual(self.assert_exit(0, result).json["added"], 1)
        with contextlib.suppress(FileNotFoundError):
            self.assertEqual(list(self.program.directory.glob("bursar-*")), [])
