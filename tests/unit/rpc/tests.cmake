unit_test(rpc rpc_codec)
unit_test(rpc http_rpc)
target_sources(unit_rpc_http_rpc PRIVATE ${CMAKE_CURRENT_LIST_DIR}/loopback_server.c)
