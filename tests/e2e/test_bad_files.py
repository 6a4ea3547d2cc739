"""Payment files that must not be taken: exit 3, nothing stored, and the place named."""

import json

import harness

TO = harness.destination("bad")
HEAD = "ref,destination,amount\n"
# A right checksum with one letter's case turned.
WRONG_CHECKSUM = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5D359"
RIGHT_CHECKSUM = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"


class BadFilesTest(harness.ChainCase):
    def setUp(self):
        super().setUp()
        self.chain = self.node()
        self.program = self.bursar(self.chain)
        self.pay(self.program, harness.rows("before", 2))

    def assert_refused(self, text, line=None, column=None, name="bad.csv"):
        with self.subTest(file=text[:300]):
            result = self.assert_exit(3, self.program.pay(text, name=name))
            self.assertEqual(result.json.get("added"), 0, str(result))
            errors = result.json["errors"]
            self.assertTrue(errors and all(e["message"] for e in errors), str(result))
            if line is not None:
                self.assertIn(line, [e["line"] for e in errors], str(result))
            if column is not None:
                self.assertIn(column, [e["column"] for e in errors], str(result))
            plain = self.program.command("pay", name)
            self.assertEqual(plain.code, 3)
            self.assertIn(name, plain.err)
            return errors

    def tearDown(self):
        self.assertEqual([i["ref"] for i in self.program.items()], ["before-0", "before-1"])
        self.assert_exit(0, self.program.run_until_idle())
        self.assert_chain(self.chain, once=harness.rows("before", 2), unpaid=[{"destination": TO, "amount": "1"}])
        self.assert_agrees(self.program)
        super().tearDown()

    def test_headers(self):
        self.assert_refused("")
        self.assert_refused(f"a,{TO},1\n", line=1)
        self.assert_refused(f"ref,destination,amount,not_befor\na,{TO},1,2031-01-01T00:00:00Z\n",
                            line=1, column="not_befor")
        self.assert_refused(f"ref,destination,amount,amount\na,{TO},1,1\n", line=1, column="amount")
        self.assert_refused(f"ref,destination\na,{TO}\n", line=1)
        self.assert_refused(f"ref,amount\na,1\n", line=1)

    def test_a_header_alone_adds_nothing_and_is_fine(self):
        result = self.assert_exit(0, self.program.pay(HEAD))
        self.assertEqual((result.json["added"], result.json["existing"]), (0, 0))

    def test_broken_csv(self):
        self.assert_refused(HEAD + f"a,{TO}\n", line=2)
        self.assert_refused(HEAD + f"a,{TO},1,2\n", line=2)
        self.assert_refused(HEAD + f'"a,{TO},1\n')
        self.assert_refused(HEAD + f'"a"b,{TO},1\n', line=2)
        self.assert_refused((HEAD + f"a\0,{TO},1\n").encode(), line=2)
        self.assert_refused((HEAD + f"a,{TO},1\n").encode() + b"\xff\xfe,x,1\n", line=3)
        self.assert_refused(HEAD + f"a,{TO},{'9' * 200000}\n", line=2)

    def test_amounts(self):
        for amount in ("", "0", "0.0", "0wei", "-1", "+1", "1e3", "1,5", ".5", "1.", "0x10", " 1", "1 ",
                       "NaN", "1.0000000000000000001", "1.5wei", "0.0000000001gwei", "1finney", "1ETHER", "\u0661",
                       str(2**256) + "wei", str(2**256)):
            shown = f'"{amount}"' if "," in amount else amount
            self.assert_refused(HEAD + f"good,{TO},1\na,{TO},{shown}\n", line=3, column="amount")

    def test_destinations(self):
        for to in ("", "0x", TO[:-1], TO + "0", TO[2:], "0X" + TO[2:], TO[:-1] + "g", "vitalik.eth", WRONG_CHECKSUM):
            self.assert_refused(HEAD + f"a,{to},1\n", line=2, column="destination")
        self.assert_exit(0, self.program.pay(HEAD + f"a,{RIGHT_CHECKSUM},1\n", "--dry-run"))
        self.assert_exit(0, self.program.pay(HEAD + f"a,{RIGHT_CHECKSUM.lower()},1\n", "--dry-run"))

    def test_refs(self):
        for ref in ("", "a;b", "x" * 129, "a\tb", "\u00e4"):
            self.assert_refused(HEAD + f"{ref},{TO},1\n", line=2, column="ref")
        self.assert_exit(0, self.program.pay(HEAD + f"{'x' * 128},{TO},1\n", "--dry-run"))
        errors = self.assert_refused(HEAD + f"twice,{TO},1\nother,{TO},1\ntwice,{TO},1\n", line=4, column="ref")
        self.assertIn("2", errors[0]["message"])  # the other place

    def test_assets(self):
        for asset in (harness.destination("token"), "usdc"):
            self.assert_refused(f"ref,destination,amount,asset\na,{TO},1,{asset}\n", line=2, column="asset")

    def test_memos(self):
        head = "ref,destination,amount,memo\n"
        self.assert_refused(head + f"a,{TO},1,{'m' * 8193}\n", line=2, column="memo")
        self.assert_refused((head + f"a,{TO},1,").encode() + b"\xc3\x28\n", line=2)
        self.assert_exit(0, self.program.pay(head + f"a,{TO},1,{'m' * 8192}\n", "--dry-run"))

    def test_schedules(self):
        for when in ("epoch:", "epoch:-1", "epoch:x", "tomorrow", "2031-01-01", "2031-01-01 00:00",
                     "2031-13-01T00:00:00Z", "2031-02-30T00:00:00Z", "2031-01-01T00:00:00", "1924992000"):
            self.assert_refused(f"ref,destination,amount,not_before\na,{TO},1,{when}\n", line=2, column="not_before")

    def test_dependencies(self):
        head = "ref,destination,amount,depends_on\n"
        self.assert_refused(head + f"a,{TO},1,nobody\n", line=2, column="depends_on")
        self.assert_refused(head + f"a,{TO},1,a\n", line=2, column="depends_on")
        self.assert_refused(head + f"a,{TO},1,b\nb,{TO},1,c\nc,{TO},1,a\n", column="depends_on")
        many = ";".join(f"d{n}" for n in range(101))
        body = "".join(f"d{n},{TO},1,\n" for n in range(101))
        self.assert_refused(head + body + f"a,{TO},1,{many}\n", line=103, column="depends_on")

    def test_json_lines(self):
        good = json.dumps({"ref": "good", "destination": TO, "amount": "1"})
        for bad, column in (
                ('{"ref": "a", "destination": "%s", "amount": 1}' % TO, "amount"),
                ('{"ref": "a", "destination": "%s", "amount": "1", "depends_on": "before-0"}' % TO, "depends_on"),
                ('{"ref": "a", "destination": "%s", "amount": "1", "not_befor": ""}' % TO, "not_befor"),
                ('{"ref": "a", "ref": "b", "destination": "%s", "amount": "1"}' % TO, None),
                ('{"ref": "a", "destination": "%s"}' % TO, None),
                ('{"ref": "a", "destination": "%s", "amount": "1"' % TO, None),
                ('{"ref": "a", "destination": "%s", "amount": "1"} {}' % TO, None),
                ('["a", "%s", "1"]' % TO, None),
                ('{"ref": "a\\u0000", "destination": "%s", "amount": "1"}' % TO, None),
                ("[" * 100000, None)):
            self.assert_refused(f"{good}\n{bad}\n", line=2, column=column, name="bad.jsonl")

    def test_one_bad_row_among_many_stops_them_all(self):
        payments = harness.rows("many", 5000)
        payments[3210]["amount"] = "0"
        self.assert_refused(harness.csv_text(payments), line=3212, column="amount")

    def test_the_first_hundred_errors_are_shown(self):
        errors = self.assert_refused(HEAD + f"a,{TO},0\n" * 500)
        self.assertEqual(len(errors), 100)
