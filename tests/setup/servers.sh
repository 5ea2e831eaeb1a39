#!/bin/sh
# Install the Debian packages of the servers and the browser that the tests start; root only, else say what is missing.
set -eu
packages="postfix dovecot-imapd dovecot-lmtpd request-tracker5 rt5-db-sqlite rt5-standalone rt5-clients redmine redmine-sqlite puma python3 postgresql-15 prometheus prometheus-alertmanager prometheus-pushgateway prometheus-node-exporter chromium fonts-dejavu-core cron"

missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

line="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" != 0 ]; then
    printf 'These packages are missing, what needs them is left out:%s\nAs root: %s\n' "$missing" "$line" >&2
    [ "${CI:-}" = true ] && exit 1
    exit 0
fi

printf 'installing for the real tier:%s\n' "$missing" >&2
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then            # the tests start their own servers: no service of the machine is to begin
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
case $missing in
    *' redmine'*)                      # no instance of the machine's own: the tests make theirs
        printf 'redmine redmine/instances/default/dbconfig-install boolean false\n' | debconf-set-selections ;;
esac
DEBIAN_FRONTEND=noninteractive $line >/dev/null
