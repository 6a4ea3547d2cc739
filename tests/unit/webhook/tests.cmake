unit_test(webhook sign)
unit_test(webhook queue)
