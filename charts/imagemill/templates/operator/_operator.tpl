{{/* The operator as charts/workerpool-operator/templates/_shared.tpl takes it; as YAML. */}}
{{- define "imagemill.operator" -}}
{{- $settings := include "imagemill.pod.settings" (list . .Values.operator) | fromYaml -}}
name: {{ include "imagemill.operator.name" . }}
namespace: {{ .Release.Namespace }}
serves: {{ .Release.Namespace }}
labels:
  {{- include "imagemill.labels" (list . "operator") | nindent 2 }}
selector:
  {{- include "imagemill.selector" (list . "operator") | nindent 2 }}
# Of the workers' Deployments alone.
scales:
  {{- range $pool, $values := .Values.workers.pools }}
  {{- if $values }}
  - {{ include "imagemill.worker.name" (list $ $pool) }}
  {{- end }}
  {{- end }}
# People change this release's pools, and only where that is wanted.
steers:
  {{- range $pool, $values := .Values.workers.pools }}
  {{- if and $values $.Values.operator.steering.enabled }}
  - {{ $pool }}
  {{- end }}
  {{- end }}
image: {{ include "imagemill.image" (list . .Values.operator.image) }}
pullPolicy: {{ .Values.operator.image.pullPolicy }}
resources:
  {{- toYaml $settings.resources | nindent 2 }}
metadata:
  {{- include "imagemill.pod.metadata" (dict "root" . "component" "operator" "settings" $settings) | nindent 2 }}
pod:
  {{- include "imagemill.pod" (dict "root" . "component" "operator" "settings" $settings "serviceAccount" (include "imagemill.operator.name" .) "token" true) | nindent 2 }}
env:
  {{- include "imagemill.operator.env" . | nindent 2 }}
tickSeconds: {{ .Values.operator.tickSeconds }}
logLevel: {{ .Values.logLevel }}
extraEnv:
  {{- toYaml $settings.extraEnv | nindent 2 }}
mounts:
  {{- include "imagemill.tls.mount" . | nindent 2 }}
volumes:
  {{- include "imagemill.tls.volume" . | nindent 2 }}
{{- end -}}

{{/* How it reaches the broker, and who may ask it. */}}
{{- define "imagemill.operator.env" -}}
{{ include "imagemill.env.rabbitmq" (list . "operator") }}
{{- if include "imagemill.rabbitmq.own" . }}
- name: IMAGEMILL_BROKER_METRICS_URL
  value: http://{{ include "imagemill.rabbitmq.headless" . }}:15692
{{- else }}
{{- with .Values.rabbitmq.external.metricsUrl }}
- name: IMAGEMILL_BROKER_METRICS_URL
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if include "imagemill.tls.secret" . }}
# Whom it believes instead of the system's authorities: it speaks TLS with nobody else but the Kubernetes API.
- name: SSL_CERT_FILE
  value: /etc/imagemill-tls/ca.crt
{{- end }}
- name: IMAGEMILL_POOLS_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "imagemill.access.secret" . }}
      key: pools-token
{{- if .Values.operator.steering.enabled }}
- name: IMAGEMILL_POOLS_STEER_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "imagemill.access.secret" . }}
      key: pools-steer-token
- name: IMAGEMILL_POOLS_MOST_REPLICAS
  value: {{ .Values.operator.steering.maxReplicas | quote }}
{{- end }}
{{- end -}}
