{{/* Peers which are components of this release. (list root component …) */}}
{{- define "imagemill.network.peers" -}}
{{- $root := first . -}}
{{- range rest . }}
- podSelector:
    matchLabels:
      {{- include "imagemill.selector" (list $root .) | nindent 6 }}
{{- end }}
{{- end -}}

{{/* Every worker pool: their components differ, so they are told by expression. */}}
{{- define "imagemill.network.programs" -}}
- podSelector:
    matchLabels:
      {{- include "imagemill.labels.release" .root | nindent 6 }}
    matchExpressions:
      - key: app.kubernetes.io/component
        operator: In
        values: {{ concat (include "imagemill.network.workers" .root | fromJsonArray) .others | toJson }}
{{- end -}}

{{- define "imagemill.network.workers" -}}
{{- $components := list -}}
{{- range $pool, $values := .Values.workers.pools -}}
{{- if $values -}}{{- $components = append $components (printf "worker-%s" $pool) -}}{{- end -}}
{{- end -}}
{{- toJson $components -}}
{{- end -}}

{{/* Who reads metrics: as told, else every pod where Prometheus is to read them, else nobody. */}}
{{- define "imagemill.network.metrics" -}}
{{- if .Values.networkPolicy.monitoring -}}
{{ toYaml .Values.networkPolicy.monitoring }}
{{- else if or .Values.monitoring.podMonitor.enabled .Values.monitoring.serviceMonitor.enabled -}}
- namespaceSelector: {}
{{- end -}}
{{- end -}}

{{/* Ports of TCP. (list of numbers) */}}
{{- define "imagemill.network.ports" -}}
{{- range . }}
- {port: {{ . }}, protocol: TCP}
{{- end }}
{{- end -}}

{{/* Names are looked up in the cluster's name servers alone: to others a taken-over program could carry data away. */}}
{{- define "imagemill.network.dns" -}}
- ports:
    {{- range .Values.networkPolicy.dns.ports }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .Values.networkPolicy.dns.servers }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The way to the broker, ours or another. */}}
{{- define "imagemill.network.to.rabbitmq" -}}
{{- if include "imagemill.rabbitmq.own" . -}}
- to:
    {{- include "imagemill.network.peers" (list . "rabbitmq") | nindent 4 }}
  ports:
    {{- include "imagemill.network.ports" (list (include "imagemill.rabbitmq.port" .)) | nindent 4 }}
{{- else -}}
- ports:
    {{- include "imagemill.network.ports" .Values.rabbitmq.external.ports | nindent 4 }}
{{- end -}}
{{- end -}}

{{- define "imagemill.network.to.couchdb" -}}
{{- if include "imagemill.couchdb.own" . -}}
- to:
    {{- include "imagemill.network.peers" (list . "couchdb") | nindent 4 }}
  ports:
    {{- include "imagemill.network.ports" (list (include "imagemill.couchdb.port" .)) | nindent 4 }}
{{- else -}}
- ports:
    {{- include "imagemill.network.ports" .Values.couchdb.external.ports | nindent 4 }}
{{- end -}}
{{- end -}}

{{/* Head of a policy for one component. (list root component) */}}
{{- define "imagemill.network.policy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "imagemill.fullname" (index . 0) }}-{{ index . 1 }}
  labels:
    {{- include "imagemill.labels" . | nindent 4 }}
{{- end -}}
