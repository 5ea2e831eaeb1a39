"""Request Tracker's files, as text: site configuration, the data that we insert, and its way out to SMTP."""

from dataclasses import dataclass
from pathlib import Path

from tests.real.servers.process import HOST

QUEUE = "Support"
CUSTOM_FIELD = "Canary"
USER = "prober"
CUSTOMER, CUSTOMER_PASSWORD = "canary", "customer-of-tests-1"
# All that finding, reading, tagging and resolving need; each was taken away once and missed. Deleting needs
# DeleteTicket as well.
MINIMAL_RIGHTS = ("SeeQueue", "ShowTicket", "ModifyTicket", "SeeCustomField", "ModifyCustomField")


@dataclass(frozen=True, slots=True)
class Site:
    """What the files depend on.

    Attributes:
        smtp_port: where its mail goes, without login.
        support_address: the queue's address; mail *from* it is refused as a loop.
        customer_address: whose log-in to the self-service is `CUSTOMER`.
        rights: what the prober's group may do in the queue.
    """

    directory: Path
    port: int
    smtp_port: int
    support_address: str
    customer_address: str
    rights: tuple[str, ...]


def site_configuration(site: Site) -> str:
    """``RT_SiteConfig.pm``."""
    var = site.directory / "var"
    address = site.support_address.replace(".", r"\.")
    return f"""
Set($rtname, 'acme.test');
Set($Organization, 'acme.test');
Set($WebDomain, '{HOST}');
Set($WebPort, {site.port});
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{var}/rt.sqlite');
Set($WebSessionClass, 'Apache::Session::File');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
Set($CorrespondAddress, '{site.support_address}');
Set($CommentAddress, '{site.support_address}');
Set($RTAddressRegexp, qr/^{address.replace("@", chr(92) + "@")}$/i);
Set($OwnerEmail, '');
Set($MailCommand, 'sendmailpipe');
Set($SendmailPath, '{site.directory}/send-mail');
Set($SendmailArguments, '-oi');
Set($Timezone, 'UTC');
Set($StatementLog, undef);
Set(%FullTextSearch, Enable => 0);
$RT::VarPath = '{var}';
$RT::MasonDataDir = '{var}/mason';
$RT::MasonSessionDir = '{var}/sessions';
1;
"""


def initial_data(site: Site) -> str:
    """The datafile: a queue, a user with a token, a group with the rights, the custom field, a customer who logs in."""
    rights = " ".join(site.rights)
    return f"""
our @Queues = ({{ Name => '{QUEUE}', CorrespondAddress => '{site.support_address}' }});
our @Users = (
    {{ Name => '{USER}', EmailAddress => 'prober@acme.test', Privileged => 1, Password => 'not-used-by-tests' }},
    {{ Name => '{CUSTOMER}', EmailAddress => '{site.customer_address}', Privileged => 0, Password => '{CUSTOMER_PASSWORD}' }},
);
our @Groups = ({{ Name => 'probers', Members => {{ Users => ['{USER}'] }} }});
our @CustomFields = ({{ Name => '{CUSTOM_FIELD}', Type => 'FreeformSingle', MaxValues => 1,
    LookupType => 'RT::Queue-RT::Ticket', Queue => ['{QUEUE}'] }});
our @ACL = (
    (map {{ {{ GroupDomain => 'UserDefined', GroupId => 'probers', Queue => '{QUEUE}', Right => $_ }} }}
        qw({rights})),
    (map {{ {{ GroupDomain => 'SystemInternal', GroupType => 'Everyone', Queue => '{QUEUE}', Right => $_ }} }}
        qw(CreateTicket ReplyToTicket)),
    {{ GroupDomain => 'SystemInternal', GroupType => 'Unprivileged', Queue => '{QUEUE}', Right => 'SeeQueue' }},
    {{ GroupDomain => 'RT::Queue-Role', GroupType => 'Requestor', Queue => '{QUEUE}', Right => 'ShowTicket' }},
);
our @Final = (sub {{
    my $user = RT::User->new(RT->SystemUser);
    $user->Load('{USER}');
    my $token = RT::AuthToken->new(RT->SystemUser);
    my ($ok, $message, $secret) = $token->Create(Owner => $user->Id, Description => 'prober');
    die $message unless $ok;
    open my $file, '>', '{site.directory}/token' or die $!;
    print $file $secret;
    close $file or die $!;
}});
1;
"""


def mail_script(site: Site) -> str:
    """What Request Tracker pipes a mail to: Perl (its own language, so it is there), speaking SMTP."""
    return f"""#!/usr/bin/perl
use strict; use warnings; use Net::SMTP;
my $mail = do {{ local $/; <STDIN> }};
my ($head) = $mail =~ /\\A(.*?)\\n\\r?\\n/s;
$head =~ s/\\n[ \\t]+/ /g;
my @to = map {{ /([^\\s<>,"]+@[^\\s<>,"]+)/g }} ($head =~ /^(?:To|Cc|Bcc): *(.*)$/mgi);
$mail =~ s/^Bcc:.*\\n//mi;
my $smtp = Net::SMTP->new(Host => '{HOST}', Port => {site.smtp_port}, Hello => 'rt.acme.test', Timeout => 20)
    or exit 75;
$smtp->mail('{site.support_address}') and $smtp->to(@to) and $smtp->data($mail) or exit 75;
$smtp->quit;
"""
