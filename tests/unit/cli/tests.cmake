unit_test(cli config)
unit_test(cli config_env)
unit_test(cli blocked)
unit_test(cli output)
