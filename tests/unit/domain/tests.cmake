unit_test(domain lifecycle)
unit_test(domain obligation)
unit_test(domain dependency_graph)
unit_test(domain breaker)
unit_test(domain breaker_memory)
unit_test(domain breaker_model)

find_package(Threads REQUIRED)
unit_test(domain breaker_threads Threads::Threads)

# Not a test: what a breaker costs. Built only by name.
add_executable(bench_breaker_ns EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/bench/breaker_ns.c)
target_link_libraries(bench_breaker_ns PRIVATE domain Threads::Threads)
