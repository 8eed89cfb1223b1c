"""Where a server of one project lives: its folder ``.masc``, its port, its settings, and that there is only one."""
