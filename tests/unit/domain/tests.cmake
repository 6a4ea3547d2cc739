unit_test(domain lifecycle)
unit_test(domain obligation)
unit_test(domain dependency_graph)
