"""Payment files with tokens, paid through what goes wrong on the way: the tokens' own balances say that nobody was paid
twice, and nobody forgotten."""

import random
import shutil

import contracts
import harness
from harness import TREASURY

UNIT = 10**18


class TokenPaymentsTest(harness.ChainCase):
    def fund(self, node, name, *values):
        token = contracts.deploy(node, name, *values)
        token.send("transfer", TREASURY, values[-1] // 2)
        return token

    def received(self, token, destinations):
        return {to: token.balance(to) for to in destinations}

    def assert_paid(self, token, owed):
        """owed: {destination: base units}. Each got exactly that, in one transfer, and nobody else got anything."""
        self.assertEqual(self.received(token, owed), owed)
        self.assertEqual(sorted(to for _, to, _, _ in token.transfers(TREASURY)), sorted(owed))

    def test_a_safe_airdrop_is_paid_once_through_kills(self):
        node = self.node()
        program = self.bursar(node, EXECUTOR_BATCH_SIZE=5, TREASURY_MAIN_MAX_IN_FLIGHT=10)
        six, silent = self.fund(node, "Token", 6, 10**12), self.fund(node, "SilentToken", 10**12)
        lines, owed, coins = ["token_type,token_address,receiver,amount,id"], {six: {}, silent: {}}, []
        for n in range(60):
            to = harness.destination(f"drop-{n}")
            if n % 3 == 2:
                coins.append({"destination": to, "amount": f"0.00{n + 1:03d}"})
                lines.append(f"native,,{to},{coins[-1]['amount']},")
            else:
                token = (six, silent)[n % 3]
                owed[token][to] = (n + 1) * 10**6 + n
                lines.append(f"erc20,{token.address},{to},{n + 1}.{n:06d},")
        (program.directory / "drop.csv").write_text("\n".join(lines) + "\n")
        result = self.assert_exit(0, program.command("pay", "drop.csv", "--ref-prefix", "drop/", "--json"))
        self.assertEqual(result.json["added"], 60)
        chance = random.Random(7)

        def paid():
            return len(six.transfers(TREASURY)) + len(silent.transfers(TREASURY))
        for _ in range(6):
            run = program.start()
            goal = paid() + chance.randrange(1, 6)
            harness.wait_until(lambda: paid() >= goal or program.queue("finalized") == 60, 60, run.err)
            run.kill()
            self.assert_exit(0, program.command("pay", "drop.csv", "--ref-prefix", "drop/", "--json"))  # again: no harm
        self.assert_exit(0, program.run_until_idle())
        self.assert_paid(six, owed[six])
        self.assert_paid(silent, owed[silent])
        self.assert_chain(node, once=coins)
        self.assert_agrees(program)

    def test_a_reorg_takes_a_token_payment_back_and_it_is_made_again(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        program = self.bursar(node, TREASURY_MAIN_FINALITY=20)
        token = contracts.deploy(node, "Token", 18, 1000 * UNIT)
        token.send("transfer", TREASURY, 500 * UNIT)
        owed = {harness.destination(f"reorg-{n}"): (n + 1) * UNIT for n in range(3)}
        self.pay(program, [{"ref": to, "destination": to, "amount": str(value // UNIT), "asset": token.address}
                           for to, value in owed.items()])
        run = program.start()
        harness.wait_until(lambda: node.nonce(block="pending") == 3, 60, run.err)
        node.mine(2)
        harness.wait_until(lambda: program.queue("executed") == 3, 60, run.err)
        self.assertEqual(self.received(token, owed), owed)
        node.reorg(2)
        self.assertEqual(set(self.received(token, owed).values()), {0})

        def done():
            node.mine()
            return program.queue("finalized") == 3
        harness.wait_until(done, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_paid(token, owed)
        self.assert_agrees(program)

    def test_a_store_put_back_from_a_backup_learns_which_tokens_were_paid(self):
        node = self.node()
        program = self.bursar(node)
        token, other = self.fund(node, "Token", 18, 1000 * UNIT), self.fund(node, "Token", 6, 1000 * UNIT)
        owed = {harness.destination(f"backup-{n}"): 2 * UNIT for n in range(9)}
        other_owed = dict(list(owed.items())[:2])  # the same people, the same base units, another token
        rows = [{"ref": f"t{n}", "destination": to, "amount": "2", "asset": token.address} for n, to in enumerate(owed)]
        rows += [{"ref": f"o{n}", "destination": to, "amount": f"{2 * UNIT // 10**6}", "asset": other.address}
                 for n, to in enumerate(other_owed)]
        self.pay(program, rows)
        copy = program.directory / "copy.db"
        shutil.copyfile(program.store, copy)
        self.assert_exit(0, program.run_until_idle())
        for stale in program.directory.glob("bursar.db-*"):
            stale.unlink()
        shutil.copyfile(copy, program.store)
        self.assert_exit(6, program.run_until_idle())
        self.assert_exit(0, program.command("reconcile", "--dry-run", "--json"))
        shown = program.command("reconcile", "--dry-run").out
        self.assertEqual(shown.count(f"2 of {program.show('ref:t0')['asset']}"), len(owed), shown)
        self.assertIn(next(iter(owed)), shown.lower())
        self.assert_exit(0, program.command("reconcile", "--adopt", "--reason", "put back", "--json"))
        self.assert_exit(0, program.run_until_idle())
        self.assert_paid(token, owed)
        self.assert_paid(other, other_owed)
        self.assertEqual(program.queue("finalized"), len(rows))
        self.assert_agrees(program)
