# Turns sql/sqlite/NNNN_name.sql into one array of migrations, in order of their numbers.
set(migrations_c ${CMAKE_BINARY_DIR}/generated/sqlite_migrations.c)
file(GLOB migration_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/store/sql/sqlite/*.sql)
list(SORT migration_files)
add_custom_command(OUTPUT ${migrations_c}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${migrations_c} "-DFILES=${migration_files}"
          -P ${CMAKE_CURRENT_SOURCE_DIR}/store/embed_sql_script.cmake
  DEPENDS ${migration_files} ${CMAKE_CURRENT_SOURCE_DIR}/store/embed_sql_script.cmake
  VERBATIM)
