unit_test(http route)
unit_test(http host)
unit_test(http rate)
