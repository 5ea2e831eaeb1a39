#!/bin/sh
# Find a Chromium, or install Debian's; root only, else say what installs it, and stop.
set -eu
line="apt-get install -y --no-install-recommends chromium fonts-dejavu-core"

if [ -n "${INTAKE_PROBER_CHROMIUM:-}" ]; then
    command -v "$INTAKE_PROBER_CHROMIUM" >/dev/null 2>&1 && exit 0
    printf 'There is no browser at %s, which INTAKE_PROBER_CHROMIUM names. Correct it, or take it away.\n' \
        "$INTAKE_PROBER_CHROMIUM" >&2
    exit 2
fi
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
for own in "${PLAYWRIGHT_BROWSERS_PATH:-${HOME:-}/.cache/ms-playwright}"/chromium-*/chrome-linux*/chrome; do
    [ -x "$own" ] && exit 0
done

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    printf 'A Chromium is missing, without which nothing can go through the portal. As root: %s\n' "$line" >&2
    exit 2
fi
printf 'installing chromium\n' >&2
{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive $line >/dev/null; } || {
    printf 'That did not go. As root: %s\n' "$line" >&2
    exit 2
}
