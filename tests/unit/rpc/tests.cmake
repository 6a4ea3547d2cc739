unit_test(rpc rpc_codec)

foreach(subject http_rpc_batch http_rpc_reply http_rpc_connection http_rpc_start)
  unit_test(rpc ${subject})
  target_sources(
    unit_rpc_${subject} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/loopback_server.c ${CMAKE_CURRENT_LIST_DIR}/http_rpc_fixture.c
  )
endforeach()
