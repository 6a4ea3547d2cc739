unit_test(top grid)
unit_test(top log_tail)
unit_test(top draw)
unit_test(top gather store_fixture)
