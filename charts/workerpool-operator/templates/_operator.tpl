{{/* The operator of a namespace as _shared.tpl takes it; as YAML. (list root namespace) */}}
{{- define "workerpool-operator.operator" -}}
{{- $root := index . 0 -}}{{- $values := $root.Values -}}
name: {{ include "workerpool-operator.name" . }}
namespace: {{ $root.Release.Namespace }}
serves: {{ index . 1 }}
labels:
  {{- include "workerpool-operator.labels" . | nindent 2 }}
selector:
  {{- include "workerpool-operator.selector" . | nindent 2 }}
scales:
  {{- toYaml $values.deployments | nindent 2 }}
brokerSecrets:
  {{- toYaml $values.brokerSecrets | nindent 2 }}
kedaScaledObjects:
  {{- toYaml $values.kedaScaledObjects | nindent 2 }}
image: {{ include "workerpool-operator.image" $root }}
pullPolicy: {{ $values.image.pullPolicy }}
resources:
  {{- toYaml $values.resources | nindent 2 }}
metadata:
  labels:
    {{- include "workerpool-operator.labels" . | nindent 4 }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
pod:
  {{- include "workerpool-operator.pod" . | nindent 2 }}
env:
  {{- include "workerpool-operator.env" $root | nindent 2 }}
tickSeconds: {{ $values.tickSeconds }}
logLevel: {{ $values.logLevel }}
extraEnv:
  {{- toYaml $values.extraEnv | nindent 2 }}
{{- if $values.broker.ca }}
mounts:
  - {name: broker-authority, mountPath: /etc/broker, readOnly: true}
volumes:
  - name: broker-authority
    secret:
      secretName: {{ $values.broker.existingSecret }}
      items:
        - {key: ca.crt, path: ca.crt}
{{- end }}
{{- end -}}

{{- define "workerpool-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Pod Security "restricted", and where it may run. (list root namespace) */}}
{{- define "workerpool-operator.pod" -}}
{{- $values := (index . 0).Values -}}
serviceAccountName: {{ include "workerpool-operator.name" . }}
automountServiceAccountToken: true
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- with $values.runAsUser }}
  runAsUser: {{ . | int64 }}
  runAsGroup: {{ . | int64 }}
  fsGroup: {{ . | int64 }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with index $values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* How it reaches the broker, and who may ask it. Keys that the Secret has not are no error: one address is enough. */}}
{{- define "workerpool-operator.env" -}}
{{- $broker := .Values.broker -}}
{{- if not (or $broker.existingSecret $broker.metricsUrl .Values.brokerSecrets) -}}
{{- fail "the operator needs a broker: name a Secret with the key amqp-url, management-url or metrics-url in broker.existingSecret, or an address in broker.metricsUrl, or, for pools with a brokerRef, their Secrets in brokerSecrets" -}}
{{- end -}}
{{- if and $broker.ca (not $broker.existingSecret) -}}
{{- fail "broker.ca says that the Secret has the key ca.crt: name it in broker.existingSecret" -}}
{{- end -}}
{{- with $broker.existingSecret }}
{{- range $variable, $key := dict "AMQP_URL" "amqp-url" "IMAGEMILL_BROKER_MANAGEMENT_URL" "management-url" "IMAGEMILL_BROKER_METRICS_URL" "metrics-url" }}
{{- if not (and (eq $key "metrics-url") $broker.metricsUrl) }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $broker.existingSecret }}
      key: {{ $key }}
      optional: true
{{- end }}
{{- end }}
{{- end }}
{{- with $broker.metricsUrl }}
- name: IMAGEMILL_BROKER_METRICS_URL
  value: {{ . | quote }}
{{- end }}
{{- if $broker.ca }}
- name: SSL_CERT_FILE
  value: /etc/broker/ca.crt
{{- end }}
{{- with .Values.poolsToken.existingSecret }}
- name: IMAGEMILL_POOLS_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: pools-token
{{- end }}
{{- end -}}
