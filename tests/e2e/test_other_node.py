"""Against a node that shares no code with anvil, with stricter pool rules and an older protocol: see other_node.py."""

import harness
from other_node import Hardhat

GWEI = 10**9


class OtherNodeTest(harness.ChainCase):
    def other(self, **options):
        return self.node(Hardhat, **options)

    def test_some_dozens_of_payments(self):
        node = self.other(block_time=0.3)
        bursar = self.bursar(node)
        payments = harness.rows("plain", 60)
        self.pay(bursar, payments)
        self.assert_exit(0, bursar.run_until_idle())
        self.assertEqual(bursar.queue("finalized"), 60)
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)
