"""Apache in front of Postern."""

import os
import signal

from . import web

MODULES = "/usr/lib/apache2/modules"

# root gives its rights away, as Debian's package does.
AS_WHOM = "User www-data\nGroup www-data\n" if os.getuid() == 0 else ""


class Apache(web.Server):
    KINDLY = signal.SIGWINCH

    def __init__(self, directory, backend, modules=(), root=None):
        """`backend` is what /etc/apache2/conf-enabled would hold; `modules` are
        the names that `a2enmod` takes."""
        super().__init__(directory, root)
        self.logs = [self.directory / "error.log"]
        loaded = "".join(
            f"LoadModule {name}_module {MODULES}/mod_{name}.so\n"
            for name in dict.fromkeys(["mpm_event", "authz_core", *modules]))
        settings = self.directory / "apache.conf"
        settings.write_text(f"""
ServerRoot "{self.directory}"
DefaultRuntimeDir "{self.directory}"
PidFile "{self.directory}/pid"
Mutex file:{self.directory} default
ServerName localhost
Listen 127.0.0.1:{self.port}
DocumentRoot "{self.root}"
ErrorLog "{self.logs[0]}"
LogLevel info
ServerLimit 2
ThreadsPerChild 64
MaxRequestWorkers 128
{AS_WHOM}{loaded}
<Directory />
    Require all denied
</Directory>
<Directory "{self.root}">
    Require all granted
</Directory>
{backend}""")
        self.run(["apache2", "-D", "FOREGROUND", "-f", settings])
