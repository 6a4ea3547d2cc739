unit_test(reconcile compare)
