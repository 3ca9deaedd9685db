"""nginx in front of Postern."""

import os
import signal

from . import web

# root gives its rights away, as Debian's package does.
AS_WHOM = "user www-data;\n" if os.getuid() == 0 else ""


class Nginx(web.Server):
    KINDLY = signal.SIGQUIT

    def __init__(self, directory, locations, http="", root=None):
        """`locations` stands in a server's block, `http` before it."""
        super().__init__(directory, root)
        self.logs = [self.directory / "error.log"]
        settings = self.directory / "nginx.conf"
        settings.write_text(f"""
{AS_WHOM}worker_processes 2;
daemon off;
pid {self.directory}/pid;
error_log {self.logs[0]} info;
events {{
    worker_connections 1024;
}}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {self.directory}/body;
    fastcgi_temp_path {self.directory}/fastcgi;
    proxy_temp_path {self.directory}/proxy;
    scgi_temp_path {self.directory}/scgi;
    uwsgi_temp_path {self.directory}/uwsgi;
    {http}
    server {{
        listen 127.0.0.1:{self.port};
        server_name localhost;
        root {self.root};
        {locations}
    }}
}}
""")
        self.run(["nginx", "-e", self.logs[0], "-p", self.directory,
                  "-c", settings])
