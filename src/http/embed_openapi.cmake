# Turns openapi.json into an array of bytes.
set(openapi_c ${CMAKE_BINARY_DIR}/generated/openapi.c)
add_custom_command(OUTPUT ${openapi_c}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${openapi_c} -DFILE=${CMAKE_CURRENT_SOURCE_DIR}/http/openapi.json
          -P ${CMAKE_CURRENT_SOURCE_DIR}/http/embed_openapi_script.cmake
  DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/http/openapi.json ${CMAKE_CURRENT_SOURCE_DIR}/http/embed_openapi_script.cmake
  VERBATIM)
