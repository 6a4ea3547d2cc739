"""That the contracts of the tests do what tests rely on."""

import contracts
import harness

TO = harness.destination("contracts")


class ContractsTest(harness.ChainCase):
    def test_each_token_moves_as_its_kind_does(self):
        node = self.node(block_time=None)
        for name, values, arrives in (("Token", (6, 1000), 100), ("Token", (18, 1000), 100), ("FalseToken", (1000,), 100),
                                      ("SilentToken", (1000,), 100), ("FeeToken", (1000,), 99)):
            with self.subTest(name):
                token = contracts.deploy(node, name, *values)
                token.send("transfer", harness.TREASURY, 500)
                self.assertEqual(token.balance(harness.TREASURY), 500)
                token.send("transfer", TO, 100, sender=harness.TREASURY)
                self.assertEqual((token.balance(harness.TREASURY), token.balance(TO)), (400, arrives))
                self.assertEqual(token.transfers(harness.TREASURY)[0][1:3], (TO, arrives))
        self.assertEqual(contracts.deploy(node, "Token", 6, 1).call("decimals"), 6)

    def test_what_refuses_refuses(self):
        node = self.node(block_time=None)
        token = contracts.deploy(node, "FalseToken", 1000)
        token.send("setRefuses", True)
        token.send("transfer", TO, 100)  # does not revert
        self.assertEqual((token.balance(TO), token.transfers()), (0, []))
        token = contracts.deploy(node, "Token", 18, 1000)
        token.send("setPaused", True)
        with self.assertRaisesRegex(harness.RpcError, "paused"):
            node.rpc("eth_call", {"from": contracts.OWNER, "to": token.address, "data": token.data("transfer", TO, 1)})
        receiver = contracts.deploy(node, "Receiver")
        node.send(receiver.address, 5, sender=contracts.OWNER, gas=hex(100000))
        self.assertEqual(node.balance(receiver.address), 5)
        self.assertGreater(int(node.rpc("eth_estimateGas", {"to": receiver.address, "value": "0x5"}), 16), 21000)
        receiver.send("setRefuses", True)
        with self.assertRaisesRegex(harness.RpcError, "refused"):
            node.rpc("eth_estimateGas", {"to": receiver.address, "value": "0x5"})
        odd = contracts.deploy(node, "OddToken", bytes(30) + b"\x03\xe8")
        self.assertEqual(int(node.rpc("eth_call", {"to": odd.address, "data": "0x313ce567"}, "latest"), 16), 1000)
