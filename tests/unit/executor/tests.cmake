foreach(subject planner_halts planner_fees planner_flights planner_spend planner_payload)
  unit_test(executor ${subject})
  target_sources(unit_executor_${subject} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/planner_fixture.c)
endforeach()
unit_test(executor pending)
unit_test(executor exhibit)

# A store and a signing log on disk, a chain in memory, and the oracle: shared by the tests of the whole executor.
add_library(executor_world STATIC executor/world.c executor/oracle.c executor/memory_chain.c executor/memory_node.c
            executor/crashing_store.c executor/faulty_signer.c)
target_include_directories(executor_world PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(executor_world PUBLIC executor PkgConfig::CMOCKA)

unit_test(executor executor_pays executor_world)
unit_test(executor executor_node executor_world)
unit_test(executor executor_halts executor_world)
unit_test(executor executor_exhibit executor_world)
unit_test(executor executor_history executor_world)
unit_test(executor executor_lease executor_world)
unit_test(executor executor_records executor_world)
unit_test(executor executor_crash executor_world)
unit_test(executor executor_breaker executor_world)
unit_test(executor executor_replace executor_world)
unit_test(executor executor_storm executor_world)
