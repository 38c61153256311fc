// LinuxBindings
