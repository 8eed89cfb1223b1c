"""The server's folder of one project: ``.masc``, its port, its settings, and that there is only one."""
