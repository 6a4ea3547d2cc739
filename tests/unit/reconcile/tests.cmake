unit_test(reconcile compare)
unit_test(reconcile adopt_match)
