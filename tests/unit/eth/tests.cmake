unit_test(eth keccak)
unit_test(eth address)
unit_test(eth rlp)
unit_test(eth transaction)
