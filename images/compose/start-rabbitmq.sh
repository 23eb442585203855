#!/bin/bash
# Before RabbitMQ starts: the passwords in the definitions, which Compose knows from .env.
set -euo pipefail
umask 077
definitions=$(</start/definitions.json)
for name in $(compgen -e | grep '_PASSWORD$'); do
  password=${!name}
  password=${password//\\/\\\\}
  password=${password//\"/\\\"}
  definitions=${definitions//"@$name@"/"$password"}
  unset "$name"
done
printf '%s\n' "$definitions" >/tmp/definitions.json
exec docker-entrypoint.sh "$@"
