{{- define "workerpool-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The namespaces that are served, each by an operator of its own; as JSON, none where the templates alone are used. */}}
{{- define "workerpool-operator.namespaces" -}}
{{- if .Values.enabled -}}{{- toJson (.Values.namespaces | default (list .Release.Namespace) | uniq) -}}{{- else -}}[]{{- end -}}
{{- end -}}

{{/* The operator of a namespace; long names end in a hash, so that no two are the same. (list root namespace) */}}
{{- define "workerpool-operator.name" -}}
{{- $root := index . 0 -}}{{- $namespace := index . 1 -}}
{{- include "workerpool-operator.fullname" $root -}}
{{- $short := gt (len $namespace) 22 | ternary (printf "%s-%s" ($namespace | trunc 13 | trimSuffix "-") ($namespace | sha256sum | trunc 8)) $namespace -}}
{{- if ne $namespace $root.Release.Namespace -}}-{{ $short }}{{- end -}}
{{- end -}}

{{/* What selects the pod of a namespace's operator. (list root namespace) */}}
{{- define "workerpool-operator.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: operator
imagemill.dev/serves: {{ index . 1 }}
{{- end -}}

{{/* All labels of its resources. (list root namespace) */}}
{{- define "workerpool-operator.labels" -}}
{{- $root := index . 0 -}}
{{ include "workerpool-operator.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* Labels of what is there once, for the operators of all namespaces. */}}
{{- define "workerpool-operator.labels.common" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}
