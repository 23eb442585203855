{{- define "imagemill.couchdb.ini" -}}
{{- $replicas := int .Values.couchdb.replicas -}}
[couchdb]
uuid = {{ printf "%s/%s" .Release.Namespace (include "imagemill.couchdb.name" .) | sha256sum | trunc 32 }}
{{- if eq $replicas 1 }}
single_node = true
{{- end }}
; Pictures come in large pieces: a third of the CPU and of the time less than with the default of 4096.
attachment_stream_buffer_size = 1048576

[cluster]
n = {{ min $replicas 3 }}
q = 2

[chttpd]
bind_address = any
{{- if include "imagemill.tls.secret" . }}
; CouchDB cannot do without it, and joins its nodes by it; the network policy keeps programs out.
{{- end }}
port = 5984
; Programs find the databases of the months by their names; nobody does without a user.
admin_only_all_dbs = false
require_valid_user_except_for_up = true
{{- if include "imagemill.tls.secret" . }}

[ssl]
enable = true
port = 6984
cacert_file = /tls/ca.crt
cert_file = /tls/tls.crt
key_file = /tls/tls.key
{{- end }}

[log]
; Not a line for every request.
level = warning
{{- with .Values.couchdb.extraConfig }}

{{ . }}
{{- end }}
{{- end -}}

{{/* The container which joins CouchDB's nodes, or waits until they are. (dict root argument) */}}
{{- define "imagemill.couchdb.join.container" -}}
{{- $root := .root -}}
- name: join-couchdb
  image: {{ include "imagemill.image" (list $root $root.Values.image) }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: [python, /scripts/join-couchdb.py{{ with .argument }}, {{ . }}{{ end }}]
  env:
    - name: COUCHDB_USER
      valueFrom:
        secretKeyRef:
          name: {{ include "imagemill.couchdb.secret" $root }}
          key: username
    - name: COUCHDB_PASSWORD
      valueFrom:
        secretKeyRef:
          name: {{ include "imagemill.couchdb.secret" $root }}
          key: password
    {{- if include "imagemill.tls.secret" $root }}
    - name: COUCHDB_CA_FILE
      value: /etc/imagemill-tls/ca.crt
    {{- end }}
    - name: COUCHDB_NODES
      value: {{ include "imagemill.couchdb.hosts" $root }}
  resources:
    requests: {cpu: 10m, memory: 32Mi}
    limits: {cpu: 500m, memory: 128Mi}
  securityContext:
    {{- include "imagemill.container.security" $root | nindent 4 }}
  volumeMounts:
    - name: join
      mountPath: /scripts
      readOnly: true
    {{- with include "imagemill.tls.mount" $root }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- define "imagemill.couchdb.join.volume" -}}
- name: join
  configMap:
    name: {{ include "imagemill.couchdb.join" . }}
{{- end -}}
