unit_test(chain chain)
unit_test(chain node_errors)
unit_test(chain evm_codec)
unit_test(chain evm_fees)

foreach(subject evm_observe evm_read evm_code evm_estimate evm_submit)
  unit_test(chain ${subject})
  target_sources(
    unit_chain_${subject} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/scripted_rpc.c ${CMAKE_CURRENT_LIST_DIR}/evm_fixture.c
  )
endforeach()

foreach(subject nodes_health nodes_observe nodes_read nodes_submit)
  unit_test(chain ${subject})
  target_sources(unit_chain_${subject} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/fake_nodes.c)
endforeach()
unit_test(chain evm_token)
target_sources(unit_chain_evm_token PRIVATE ${CMAKE_CURRENT_LIST_DIR}/scripted_rpc.c)
unit_test(chain evm_bodies)
target_sources(unit_chain_evm_bodies PRIVATE ${CMAKE_CURRENT_LIST_DIR}/scripted_rpc.c)
