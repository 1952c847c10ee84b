"""A mail server on this machine: STARTTLS, then AUTH, then messages into a folder, one file each.

smtpd.py PORT CERTIFICATE KEY USER PASSWORD FOLDER

It says `ready` once it listens and ends when its input does. Not part of the hub: aiosmtpd is what answers.
"""

import logging
import pathlib
import ssl
import sys
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

# What a client does wrong, its own test says.
logging.getLogger("mail.log").disabled = True
warnings.simplefilter("ignore")

port, certificate, key, user, password, folder = sys.argv[1:]
folder = pathlib.Path(folder)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        number = len(list(folder.iterdir()))
        to = ",".join(envelope.rcpt_tos)
        if any(address.startswith("nobody@") for address in envelope.rcpt_tos):
            return "550 5.1.1 there is no such mailbox"
        text = f"X-To: {to}\r\n".encode() + envelope.content
        (folder / f"{number:04}.part").write_bytes(text)
        (folder / f"{number:04}.part").rename(folder / f"{number:04}.eml")
        return f"250 2.0.0 kept as {number:04}"


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (user.encode(), password.encode())
    return AuthResult(success=right, handled=right or None)


class Server(Controller):
    def factory(self):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        return SMTP(
            self.handler,
            hostname="localhost",
            tls_context=tls,
            require_starttls=True,
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=True,
        )


server = Server(Handler(), hostname="127.0.0.1", port=int(port))
server.start()
print("ready", flush=True)
sys.stdin.read()
server.stop()
