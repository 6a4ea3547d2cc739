unit_test(executor planner)
