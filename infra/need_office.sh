#!/bin/sh
# Whether a spreadsheet runs what is in our tables is shown with LibreOffice; install Debian's where there is none and we may.
for name in soffice libreoffice; do command -v "$name" >/dev/null 2>&1 && exit 0; done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "installing LibreOffice for the tests of tables ..."
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    libreoffice-calc-nogui >/dev/null && exit 0
fi
echo "no LibreOffice found: the tests of tables will fail (install the package libreoffice-calc-nogui)"
