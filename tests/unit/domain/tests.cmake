unit_test(domain lifecycle)
unit_test(domain obligation)
unit_test(domain dependency_graph)
unit_test(domain breaker)
unit_test(domain breaker_memory)
unit_test(domain breaker_model)

find_package(Threads REQUIRED)
unit_test(domain breaker_threads Threads::Threads)
