# cmake --install: the program, the libraries with their headers, and the package that find_package(seq2seq) finds.
include(CMakePackageConfigHelpers)

install(TARGETS seq2seq_app RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS seq2seq_base seq2seq EXPORT seq2seqTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/seq2seq)
install(EXPORT seq2seqTargets NAMESPACE seq2seq:: DESTINATION ${package})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/seq2seqConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/seq2seqConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/seq2seqConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/seq2seqConfig.cmake ${PROJECT_BINARY_DIR}/seq2seqConfigVersion.cmake
              cmake/Seq2seqTorch.cmake cmake/Seq2seqNativePackages.cmake
        DESTINATION ${package})
