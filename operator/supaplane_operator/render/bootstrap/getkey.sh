#!/bin/sh
# Prints the root key of vault and pgsodium: the one on the volume, whatever the image's own script
# would take or make.
exec cat /etc/postgresql-custom/pgsodium_root.key
