find_package(Threads REQUIRED)

# A host of the embedding API: a ledger in memory, a store and a signing log on disk, a clock that moves when told.
add_library(embed_host STATIC embed/host.c embed/host_callbacks.c)
target_include_directories(embed_host PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(embed_host PUBLIC embed PkgConfig::CMOCKA Threads::Threads)

unit_test(embed store_api embed_host)
unit_test(embed tick embed_host)
unit_test(embed observer embed_host)
unit_test(embed restart embed_host)
unit_test(embed say embed_host)
unit_test(embed money embed_host)
unit_test(embed loop embed_host)
