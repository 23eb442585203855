#!/bin/bash
# Before RabbitMQ starts: the cookie, and the passwords in the definitions.
set -euo pipefail
umask 077

cookie=/var/lib/rabbitmq/.erlang.cookie
rm -f "$cookie"
cp /secrets/erlang-cookie "$cookie"

definitions=$(</config/definitions.json)
for file in /secrets/*; do
  password=$(<"$file")
  password=${password//\\/\\\\}
  password=${password//\"/\\\"}
  definitions=${definitions//"@${file##*/}@"/"$password"}
done
printf '%s\n' "$definitions" >/generated/definitions.json
