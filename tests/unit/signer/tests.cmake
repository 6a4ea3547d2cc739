unit_test(signer transaction_vectors)
unit_test(signer private_key)
unit_test(signer keystore)
unit_test(signer signing_log)
unit_test(signer signing_log_damage)
unit_test(signer local_signer)

# Random transactions for the cross-check by tests/vectors/make_transactions.mjs.
add_executable(emit_transactions ${CMAKE_SOURCE_DIR}/tests/vectors/emit_transactions.c)
target_link_libraries(emit_transactions PRIVATE signer)
