add_library(store_fixture STATIC store/store_fixture.c store/event_chain.c)
target_link_libraries(store_fixture PUBLIC store PkgConfig::CMOCKA PkgConfig::NETTLE)

unit_test(store create store_fixture)
unit_test(store open store_fixture)
unit_test(store damage store_fixture)
unit_test(store schema store_fixture)
unit_test(store import store_fixture)
unit_test(store lease store_fixture)
unit_test(store due store_fixture)
unit_test(store spending store_fixture)
unit_test(store settle store_fixture)
unit_test(store shown store_fixture)
unit_test(store plans store_fixture)

# Not a test: how fast an import is. Built only by name.
add_executable(bench_import_rate EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/bench/import_rate.c)
target_link_libraries(bench_import_rate PRIVATE store)
