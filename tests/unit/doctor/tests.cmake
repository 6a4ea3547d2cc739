unit_test(doctor blocked)
unit_test(doctor diagnosis)
