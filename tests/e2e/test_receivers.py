"""Contracts as destinations: paid with the gas that they take; what they refuse costs no nonce, and is tried again."""

import contracts
import harness
from harness import TREASURY

REVERTS = "0x60006000fd"
INVALID = "0xfe"
ENDLESS = "0x5b600056"


class ReceiversTest(harness.ChainCase):
    def receiver(self, node, label="receiver", **fields):
        contract = contracts.deploy(node, "Receiver")
        return contract, [dict(harness.rows(label, 1, **fields)[0], destination=contract.address)]

    def blocked(self, bursar):
        return {entry["ref"]: entry for entry in bursar.status()["blocked"]}

    def test_contracts_and_delegated_accounts_are_paid(self):
        node = self.node()
        bursar = self.bursar(node)
        contract, payment = self.receiver(node)
        delegated = harness.rows("delegated", 1)
        node.set_code(delegated[0]["destination"], "0xef0100" + contract.address[2:])
        people = harness.rows("people", 5)
        self.pay(bursar, people[:2] + payment + delegated + people[2:])
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual(self.blocked(bursar), {})
        self.assert_chain(node, once=people + payment + delegated)
        self.assertEqual(contract.call("received"), harness.wei(payment[0]["amount"]))
        self.assert_agrees(bursar)
        limits = {tx["to"].lower(): int(tx["gas"], 16) for tx in self.transactions(node)}
        for row in payment + delegated:
            self.assertGreater(limits[row["destination"]], 60000, "it stores and logs")
        self.assertEqual({limits[row["destination"]] for row in people}, {21000})

    def transactions(self, node):
        blocks = node.batch([("eth_getBlockByNumber", hex(n), True) for n in range(node.block_number() + 1)])
        return [tx for block in blocks for tx in block["transactions"] if tx["from"].lower() == TREASURY]

    def test_what_a_contract_refuses_is_blocked_in_its_words_and_paid_once_it_takes_it(self):
        node = self.node()
        bursar = self.bursar(node)
        contract, payment = self.receiver(node)
        contract.send("setRefuses", True)
        broken = harness.rows("broken", 3)
        for row, code in zip(broken, (REVERTS, INVALID, ENDLESS)):
            node.set_code(row["destination"], code)
        people = harness.rows("people", 5)
        self.pay(bursar, people[:2] + payment + broken + people[2:])
        self.assert_exit(5, bursar.run_until_idle())
        self.assert_chain(node, once=people, unpaid=payment + broken)
        self.assertEqual(node.nonce(), len(people), "a refusal costs no nonce")
        found = self.blocked(bursar)
        self.assertEqual(set(found), {row["ref"] for row in payment + broken})
        self.assertIn("Receiver: refused", found["receiver-0"]["cause"])
        self.assertIn("more gas", found["broken-2"]["cause"])
        item = next(i for i in bursar.items() if i["ref"] == "receiver-0")
        self.assertEqual(item["blocked"]["cause"], found["receiver-0"]["cause"])
        self.assertIn("Receiver: refused", bursar.command("show", "ref:receiver-0").out)
        self.assert_agrees(bursar)
        contract.send("setRefuses", False)
        run = bursar.start("run")
        harness.wait_until(lambda: bursar.queue("finalized") == len(people) + 1, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=people + payment, unpaid=broken)
        self.assertEqual(contract.call("received"), harness.wei(payment[0]["amount"]))
        self.assert_agrees(bursar)

    def test_a_payment_that_reverts_when_it_is_mined_has_failed_only_once_that_is_final(self):
        node = self.node(block_time=None, flags=["--no-mining"])
        bursar = self.bursar(node, TREASURY_MAIN_FINALITY="3")
        contract, payment = self.receiver(node)
        self.pay(bursar, payment)
        run = bursar.start("run")
        harness.wait_until(lambda: node.nonce(block="pending") == 1, 60, run.err)
        node.rpc("eth_sendTransaction", {  # overtakes the payment in its block
            "from": contracts.OWNER, "to": contract.address, "gas": hex(100000), "data": contract.data("setRefuses", True),
            "maxPriorityFeePerGas": hex(10**12), "maxFeePerGas": hex(10**12)})
        node.mine()
        self.assertEqual(node.nonce(), 1)
        harness.wait_until(lambda: bursar.queue("executed") == 1, 60, run.err)
        receipt = node.rpc("eth_getTransactionReceipt", bursar.show("ref:receiver-0")["tx_hash"])
        self.assertEqual(int(receipt["status"], 16), 0, "it was to revert")
        beside = harness.rows("beside", 1)
        self.pay(bursar, beside, name="beside.csv")
        harness.wait_until(lambda: node.nonce(block="pending") == 2, 60, run.err)
        node.mine()
        harness.wait_until(lambda: bursar.queue("executed") == 2, 60, run.err)  # read, and not final yet
        self.assertEqual(bursar.queue("failed"), 0)
        node.mine(5)
        harness.wait_until(lambda: bursar.queue("failed") == 1, 60, run.err)
        self.assertEqual(node.balance(contract.address), 0)
        node.set_storage(contract.address, 0, 0)  # it takes payments again
        self.assert_exit(0, bursar.command("retry", "ref:receiver-0", "--reason", "it takes it now"))
        harness.wait_until(lambda: node.nonce(block="pending") == 3, 60, run.err)
        node.mine(6)
        harness.wait_until(lambda: bursar.queue("finalized") == 2, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=payment + beside)
        self.assertEqual(contract.call("received"), harness.wei(payment[0]["amount"]))
