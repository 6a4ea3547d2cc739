# libbursar.so and libbursar.a: what hosts link against. Both export what libbursar.symbols lists and nothing else, so that
# a host may have functions of any other name of its own.
include(GNUInstallDirs)
set(symbols_file ${CMAKE_CURRENT_LIST_DIR}/libbursar.symbols)
set(version_script ${CMAKE_CURRENT_BINARY_DIR}/libbursar.map)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${symbols_file})
file(STRINGS ${symbols_file} symbols)
list(JOIN symbols ";\n    " symbol_lines)
file(CONFIGURE OUTPUT ${version_script}
     CONTENT "BURSAR_${PROJECT_VERSION_MAJOR} {\n  global:\n    @symbol_lines@;\n  local:\n    *;\n};\n" @ONLY)

# These are taken whole, of the other rooms only what they need: no HTTP, no JSON, no keystore.
set(whole_rooms $<TARGET_OBJECTS:embed> $<TARGET_OBJECTS:domain> $<TARGET_OBJECTS:base>)

add_library(libbursar SHARED ${whole_rooms})
set_target_properties(libbursar PROPERTIES OUTPUT_NAME bursar VERSION ${PROJECT_VERSION}
                      SOVERSION ${PROJECT_VERSION_MAJOR} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
                      LINKER_LANGUAGE C LINK_DEPENDS ${version_script})
target_link_libraries(libbursar PRIVATE executor)
target_link_options(libbursar PRIVATE -Wl,--version-script=${version_script} -Wl,--as-needed)
if(NOT BURSAR_SANITIZE)
  target_link_options(libbursar PRIVATE -Wl,--no-undefined)
endif()

# One object, with every other symbol made local.
set(archive ${CMAKE_BINARY_DIR}/libbursar.a)
set(object ${CMAKE_CURRENT_BINARY_DIR}/libbursar.o)
add_custom_command(OUTPUT ${archive}
  COMMAND ${CMAKE_LINKER} -r -o ${object} ${whole_rooms}
          --start-group $<TARGET_FILE:executor> $<TARGET_FILE:store> $<TARGET_FILE:chain> $<TARGET_FILE:signer>
          $<TARGET_FILE:eth> --end-group
  COMMAND ${CMAKE_OBJCOPY} --keep-global-symbols=${symbols_file} ${object}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
  COMMAND ${CMAKE_AR} qcs ${archive} ${object}
  DEPENDS embed domain base executor store chain signer eth ${symbols_file}
  COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(libbursar_archive ALL DEPENDS ${archive})

file(RELATIVE_PATH BURSAR_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" BURSAR_PC_UP "${BURSAR_PC_UP}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/bursar.pc.in ${CMAKE_BINARY_DIR}/bursar.pc @ONLY)

install(TARGETS bursar RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS libbursar LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/bursar DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_BINARY_DIR}/bursar.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
