unit_test(service statement)
unit_test(service breaker_view)
unit_test(service decisions)
unit_test(service token)
