#!/bin/bash
# Before RabbitMQ stops: waits until no queue would lose its majority by it, then hands over leaders and ends connections.
set -uo pipefail
set -m # the background job is a process group, which can be ended as a whole

named() { getent hosts "${RABBITMQ_NODENAME#*@}" >/dev/null; }
hand_over() {
  if [ "$NODES" -gt 1 ]; then rabbitmq-upgrade await_online_quorum_plus_one -t 45; fi
  rabbitmq-upgrade drain -t 15
}

hand_over &
# When all of it is uninstalled the nodes' names are gone first: then there is nobody to hand over to.
while kill -0 $! 2>/dev/null; do
  if ! named; then
    kill -- -$!
    exit 0
  fi
  sleep 1
done
