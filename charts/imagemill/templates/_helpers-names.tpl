{{/* The name of every resource, each in one place. All begin with the release's full name. */}}

{{- define "imagemill.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "imagemill.api.name" -}}{{ include "imagemill.fullname" . }}-api{{- end -}}
{{- define "imagemill.access.secret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-access" (include "imagemill.fullname" .)) -}}
{{- end -}}
{{- define "imagemill.writer.name" -}}{{ include "imagemill.fullname" . }}-writer{{- end -}}
{{- define "imagemill.journal.name" -}}{{ include "imagemill.fullname" . }}-journal{{- end -}}
{{- define "imagemill.operator.name" -}}{{ include "imagemill.fullname" . }}-operator{{- end -}}
{{- define "imagemill.recipes.name" -}}{{ include "imagemill.fullname" . }}-recipes{{- end -}}
{{- define "imagemill.test.name" -}}{{ include "imagemill.fullname" . }}-test{{- end -}}

{{/* Of a worker pool: (list root pool). */}}
{{- define "imagemill.worker.name" -}}{{ include "imagemill.fullname" (index . 0) }}-worker-{{ index . 1 }}{{- end -}}

{{- define "imagemill.rabbitmq.name" -}}{{ include "imagemill.fullname" . }}-rabbitmq{{- end -}}
{{- define "imagemill.rabbitmq.headless" -}}{{ include "imagemill.rabbitmq.name" . }}-nodes{{- end -}}
{{- define "imagemill.rabbitmq.secret" -}}
{{- .Values.rabbitmq.existingSecret | default (include "imagemill.rabbitmq.name" .) -}}
{{- end -}}

{{- define "imagemill.couchdb.name" -}}{{ include "imagemill.fullname" . }}-couchdb{{- end -}}
{{- define "imagemill.couchdb.headless" -}}{{ include "imagemill.couchdb.name" . }}-nodes{{- end -}}
{{- define "imagemill.couchdb.join" -}}{{ include "imagemill.couchdb.name" . }}-join{{- end -}}
{{- define "imagemill.couchdb.secret" -}}
{{- .Values.couchdb.existingSecret | default (include "imagemill.couchdb.name" .) -}}
{{- end -}}

{{/* The Secret with the passwords of the programs' users; empty means that all programs share one account. Whoever gives the
     administrator's Secret gives this one too: a chart that is rendered without a cluster must make no password. */}}
{{- define "imagemill.couchdb.users" -}}
{{- if .Values.couchdb.users.existingSecret -}}
{{- .Values.couchdb.users.existingSecret -}}
{{- else if and (include "imagemill.couchdb.own" .) (not .Values.couchdb.existingSecret) -}}
{{- include "imagemill.couchdb.name" . }}-users
{{- end -}}
{{- end -}}

{{/* The host names of CouchDB's nodes, separated by commas. */}}
{{- define "imagemill.couchdb.hosts" -}}
{{- $hosts := list -}}
{{- range $ordinal := until (int .Values.couchdb.replicas) -}}
{{- $hosts = append $hosts (printf "%s-%d.%s.%s.svc" (include "imagemill.couchdb.name" $) $ordinal (include "imagemill.couchdb.headless" $) $.Release.Namespace) -}}
{{- end -}}
{{- join "," $hosts -}}
{{- end -}}

{{/* The Secret with the servers' certificate; empty means no TLS. */}}
{{- define "imagemill.tls.secret" -}}
{{- if .Values.tls.enabled -}}
{{- if .Values.tls.existingSecret -}}
{{- .Values.tls.existingSecret -}}
{{- else if .Values.tls.issuer.name -}}
{{- include "imagemill.fullname" . }}-tls
{{- else -}}
{{- fail "tls.enabled needs a certificate: name a Secret with tls.crt, tls.key and ca.crt in tls.existingSecret, or an issuer of cert-manager in tls.issuer.name" -}}
{{- end -}}
{{- end -}}
{{- end -}}
