unit_test(doctor blocked)
unit_test(doctor diagnosis)
unit_test(doctor files)
