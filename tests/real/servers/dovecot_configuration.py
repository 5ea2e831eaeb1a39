"""Dovecot's configuration file, as text, for a private instance that needs no root."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.real.servers.certificates import Pair
from tests.real.servers.process import HOST, Account, free_port


@dataclass(frozen=True, slots=True)
class OAuth:
    """How the server asks whether a bearer token is good (RFC 7662); with `is_only`, nothing else logs in."""

    introspection_url: str
    is_only: bool = False


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of one instance."""

    imap: int = field(default_factory=free_port)
    imaps: int = field(default_factory=free_port)
    lmtp: int = field(default_factory=free_port)
    lmtp_bouncing: int = field(default_factory=free_port)
    quota_status: int = field(default_factory=free_port)
    auth: int = field(default_factory=free_port)


def configuration(directory: Path, account: Account, pair: Pair, ports: Ports, oauth: OAuth | None) -> str:
    """The main file.

    Two LMTP services differ in what they do with a full mailbox (tempfail, so that the mail waits in the
    sender's queue, or refuse, so that it bounces).
    """
    plain = "" if oauth is not None and oauth.is_only else "plain login"
    mechanisms = f"{plain} {'xoauth2 oauthbearer' if oauth is not None else ''}".strip()
    oauth_passdb = (
        f"""
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {directory}/oauth2.conf
}}"""
        if oauth is not None
        else ""
    )
    return f"""
base_dir = {directory}/run
state_dir = {directory}/run
log_path = {directory}/dovecot.log
instance_name = {directory.name}
listen = {HOST}
hostname = mail.acme.test
protocols = imap lmtp
default_internal_user = {account.name}
default_internal_group = {account.group}
default_login_user = {account.name}
first_valid_uid = 1
last_valid_uid = 0
first_valid_gid = 1
ssl = yes
ssl_cert = <{pair.certificate_path}
ssl_key = <{pair.key_path}
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
auth_verbose = yes
login_greeting = ready
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
lmtp_rcpt_check_quota = yes
quota_full_tempfail = yes
mail_location = maildir:~/Maildir
mail_save_crlf = yes
mail_plugins = quota
shutdown_clients = yes
{oauth_passdb}
passdb {{
  driver = passwd-file
  args = username_format=%u {directory}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {directory}/users
}}
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    special_use = \\Junk
    auto = subscribe
  }}
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
}}
protocol imap {{
  mail_plugins = quota imap_quota
  mail_max_userip_connections = 500
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  # The default, 10 %, lets a mailbox that is said to be full take mail.
  quota_grace = 0
  quota_status_success = DUNNO
  quota_status_nouser = DUNNO
  quota_status_overquota = "452 4.2.2 Mailbox is full"
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {ports.imap}
  }}
  inet_listener imaps {{
    port = {ports.imaps}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 600
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    port = {ports.lmtp}
  }}
}}
service lmtp-bouncing {{
  executable = lmtp -o quota_full_tempfail=no
  protocol = lmtp
  inet_listener lmtp-bouncing {{
    port = {ports.lmtp_bouncing}
  }}
}}
service auth {{
  inet_listener auth {{
    port = {ports.auth}
  }}
}}
service quota-status {{
  executable = quota-status -p postfix
  client_limit = 1
  inet_listener quota-status {{
    port = {ports.quota_status}
  }}
}}
"""


def oauth_configuration(oauth: OAuth) -> str:
    """The file of the bearer-token check: every login asks the endpoint, and nothing is remembered."""
    return f"""
introspection_mode = post
introspection_url = {oauth.introspection_url}
username_attribute = username
active_attribute = active
active_value = true
"""
