unit_test(reconcile compare)
unit_test(reconcile adopt_match)
unit_test(reconcile adopt_sight)
unit_test(reconcile adopt_look)
