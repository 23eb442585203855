{{/* One user for each program, with what it needs and no more: configure, write, read (regular expressions).
     The names are those of services/src/imagemill/wire/topology.py; the README repeats the table. */}}
{{- define "imagemill.rabbitmq.users" -}}
{{- $shared := "images|results|outcomes|dead|activity|frames|events|looks|replies|(work|dead|frames|results)\\..*|activity\\.journal|events\\.alerter" -}}
api:
  configure: ^api\..*$
  write: ^(images|outcomes|activity|frames|events|looks|api\..*)$
  read: ^(outcomes|activity|events|replies|api\..*)$
worker:
  configure: ^$
  write: ^(results|activity|replies)$
  read: ^work\..*$
writer:
  configure: ^({{ $shared }})$
  write: ^({{ $shared }})$
  read: ^({{ $shared }})$
journal:
  configure: ^$
  write: ^$
  read: ^activity\.journal$
camera:
  configure: ^camera\..*$
  write: ^(frames|events|activity|replies|camera\..*)$
  read: ^(looks|camera\..*)$
analyzer:
  configure: ^$
  write: ^(events|activity)$
  read: ^frames\..*$
alerter:
  configure: ^$
  write: ^(events|activity)$
  read: ^events\.alerter$
operator:
  configure: ^$
  write: ^$
  read: ^work\..*$
  tags: [monitoring]
{{- end -}}

{{/* The definitions; @name@ stands for the password of a user and is filled in within the pod. */}}
{{- define "imagemill.rabbitmq.definitions" -}}
{{- $users := list -}}{{- $permissions := list -}}
{{- range $name, $user := include "imagemill.rabbitmq.users" . | fromYaml -}}
{{- $users = append $users (dict "name" $name "password" (printf "@%s@" $name) "tags" ($user.tags | default list)) -}}
{{- $permissions = append $permissions (dict "user" $name "vhost" "imagemill" "configure" $user.configure "write" $user.write "read" $user.read) -}}
{{- end -}}
{{- dict "users" $users "permissions" $permissions "vhosts" (list (dict "name" "imagemill" "metadata" (dict "description" "Imagemill" "tags" list "default_queue_type" "quorum"))) | mustToPrettyJson -}}
{{- end -}}

{{- define "imagemill.rabbitmq.conf" -}}
cluster_name = {{ include "imagemill.rabbitmq.name" . }}
# The nodes' names are known beforehand, so nobody has to ask the Kubernetes API, and no pod needs a token for it.
cluster_formation.peer_discovery_backend = classic_config
{{- range $ordinal := until (int .Values.rabbitmq.replicas) }}
cluster_formation.classic_config.nodes.{{ add1 $ordinal }} = rabbit@{{ include "imagemill.rabbitmq.name" $ }}-{{ $ordinal }}.{{ include "imagemill.rabbitmq.headless" $ }}.{{ $.Release.Namespace }}.svc
{{- end }}
cluster_formation.target_cluster_size_hint = {{ .Values.rabbitmq.replicas }}
# A node which starts for the first time waits so long for all others, so that they found one cluster and not three.
cluster_formation.discovery_retry_limit = 120
cluster_formation.discovery_retry_interval = 1000
cluster_partition_handling = pause_minority
queue_leader_locator = balanced
# Queues may be declared before all nodes have joined: they then get their members as soon as there are some.
quorum_queue.continuous_membership_reconciliation.enabled = true
quorum_queue.continuous_membership_reconciliation.target_group_size = {{ min 3 (int .Values.rabbitmq.replicas) }}
quorum_queue.continuous_membership_reconciliation.interval = 60000
{{- if include "imagemill.tls.secret" . }}
listeners.tcp = none
listeners.ssl.default = 5671
ssl_options.cacertfile = /tls/ca.crt
ssl_options.certfile = /tls/tls.crt
ssl_options.keyfile = /tls/tls.key
# Programs prove who they are by their passwords.
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
{{- end }}
load_definitions = /generated/definitions.json
total_memory_available_override_value = {{ .Values.rabbitmq.memory }}B
vm_memory_high_watermark.relative = 0.6
# What a quorum queue writes stands in memory until the log has this size; messages here carry pictures.
raft.wal_max_size_bytes = {{ int .Values.rabbitmq.walBytes }}
disk_free_limit.absolute = {{ .Values.rabbitmq.diskFreeLimit }}B
log.console = true
log.console.level = info
log.file = false
{{- with .Values.rabbitmq.extraConfig }}
{{ . }}
{{- end }}
{{- end -}}

{{- define "imagemill.rabbitmq.plugins" -}}
[{{ join "," (concat (list "rabbitmq_prometheus" "rabbitmq_consistent_hash_exchange") .Values.rabbitmq.extraPlugins) }}].
{{- end -}}
