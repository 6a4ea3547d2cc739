# Turns the dashboard's files, and the chart library's from npm, into arrays of bytes. Without that library, or with
# -DBURSAR_DASHBOARD=OFF, the table of files is empty: API and metrics are there all the same.
set(uplot_dir ${CMAKE_CURRENT_SOURCE_DIR}/http/dashboard/node_modules/uplot)
set(dashboard_c ${CMAKE_BINARY_DIR}/generated/dashboard_files.c)
set(dashboard_files "")
if(NOT DEFINED BURSAR_DASHBOARD AND NOT EXISTS ${uplot_dir}/dist/uPlot.iife.min.js)
  message(WARNING "There will be no dashboard: its chart library is not here. `scripts/setup build` gets it from npm.")
elseif(NOT DEFINED BURSAR_DASHBOARD OR BURSAR_DASHBOARD)
  set(dashboard_dir ${CMAKE_CURRENT_SOURCE_DIR}/http/dashboard)
  file(GLOB dashboard_files CONFIGURE_DEPENDS ${dashboard_dir}/*.html ${dashboard_dir}/*.css ${dashboard_dir}/*.js
       ${dashboard_dir}/*.svg)
  list(APPEND dashboard_files ${uplot_dir}/dist/uPlot.iife.min.js ${uplot_dir}/dist/uPlot.min.css ${uplot_dir}/LICENSE)
  include(GNUInstallDirs)
  install(FILES ${uplot_dir}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME uPlot-license.txt)
endif()
add_custom_command(OUTPUT ${dashboard_c}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${dashboard_c} "-DFILES=${dashboard_files}"
          -P ${CMAKE_CURRENT_SOURCE_DIR}/http/embed_dashboard_script.cmake
  DEPENDS ${dashboard_files} ${CMAKE_CURRENT_SOURCE_DIR}/http/embed_dashboard_script.cmake
  VERBATIM)
