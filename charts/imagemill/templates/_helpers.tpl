{{- define "imagemill.labels.release" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What selects the pods of a component, (list root component). A worker pool's component is worker-<pool>. */}}
{{- define "imagemill.selector" -}}
{{ include "imagemill.labels.release" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* All labels of a resource of a component, (list root component). */}}
{{- define "imagemill.labels" -}}
{{ include "imagemill.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
app.kubernetes.io/part-of: imagemill
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end -}}

{{/* An image's reference, (list root image). */}}
{{- define "imagemill.image" -}}
{{- $root := index . 0 -}}{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* A component's settings over the defaults of all pods; lists of variables add up. (list root settings) */}}
{{- define "imagemill.pod.settings" -}}
{{- $defaults := (index . 0).Values.defaults -}}{{- $own := index . 1 -}}
{{- $merged := mustMergeOverwrite (deepCopy $defaults) (deepCopy $own) -}}
{{- $_ := set $merged "extraEnv" (concat ($defaults.extraEnv | default list) ($own.extraEnv | default list)) -}}
{{- toYaml $merged -}}
{{- end -}}

{{/* Does this release run RabbitMQ itself? Empty means no. */}}
{{- define "imagemill.rabbitmq.own" -}}{{ if not .Values.rabbitmq.external.enabled }}yes{{ end }}{{- end -}}
{{- define "imagemill.couchdb.own" -}}{{ if not .Values.couchdb.external.enabled }}yes{{ end }}{{- end -}}
{{- define "imagemill.couchdb.clustered" -}}
{{- if and (include "imagemill.couchdb.own" .) (gt (int .Values.couchdb.replicas) 1) }}yes{{ end -}}
{{- end -}}

{{/* The programs which have users of their own at CouchDB. */}}
{{- define "imagemill.programs" -}}
{{- toJson (list "api" "worker" "writer" "journal" "camera" "analyzer" "alerter") -}}
{{- end -}}

{{/* CouchDB's address. (list root user-and-password) */}}
{{- define "imagemill.couchdb.address" -}}
{{- $root := index . 0 -}}{{- $user := index . 1 -}}
{{- $external := $root.Values.couchdb.external -}}
{{- if $external.enabled -}}
{{- $parts := splitList "://" (required "couchdb.external.address must be CouchDB's address, without a user, when couchdb.users.existingSecret is set" $external.address) -}}
{{ first $parts }}://{{ $user }}@{{ last $parts }}
{{- else -}}
http{{ if include "imagemill.tls.secret" $root }}s{{ end }}://{{ $user }}@{{ include "imagemill.couchdb.name" $root }}:{{ include "imagemill.couchdb.port" $root }}
{{- end -}}
{{- end -}}

{{/* Recipes of each pool as the programs' setting; a pool set to null is gone. */}}
{{- define "imagemill.pools" -}}
{{- $pools := dict -}}
{{- range $name, $pool := .Values.workers.pools -}}
{{- if $pool -}}{{- $_ := set $pools $name $pool.recipes -}}{{- end -}}
{{- end -}}
{{- $rest := list -}}
{{- range $name, $recipes := $pools -}}{{- if has "*" $recipes -}}{{- $rest = append $rest $name -}}{{- end -}}{{- end -}}
{{- if ne (len $rest) 1 -}}
{{- fail (printf "workers.pools: exactly one pool must have the recipe \"*\", every recipe which no other pool names, but these have it: [%s]" (join ", " $rest)) -}}
{{- end -}}
{{- toJson $pools -}}
{{- end -}}

{{/* A password which is made once: what the Secret has is kept. (list data key length) */}}
{{- define "imagemill.secret.value" -}}
{{- index (index . 0) (index . 1) | default (randAlphaNum (int (index . 2)) | b64enc) -}}
{{- end -}}

{{/* The page's address as people see it, for what they are sent. */}}
{{- define "imagemill.pageUrl" -}}
{{- $ingress := .Values.api.ingress -}}
{{- if .Values.alerter.pageUrl -}}
{{ .Values.alerter.pageUrl }}
{{- else if and $ingress.enabled $ingress.host -}}
http{{ if $ingress.tlsSecret }}s{{ end }}://{{ $ingress.host }}{{ trimSuffix "/" $ingress.path }}
{{- else -}}
http://localhost:8080
{{- end -}}
{{- end -}}

{{/* Names by which the API may be asked: its Service's, its Ingress's, and those which the values add; as JSON. */}}
{{- define "imagemill.api.hosts" -}}
{{- $name := include "imagemill.api.name" . -}}
{{- $names := list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) (printf "%s.%s.svc.cluster.local" $name .Release.Namespace) -}}
{{- with .Values.api.ingress.host -}}{{- $names = append $names . -}}{{- end -}}
{{- toJson (concat $names .Values.auth.allowedHosts) -}}
{{- end -}}

{{/* What stands behind the door: tokens of the Secret, who may ask, and a proxy's word. */}}
{{- define "imagemill.api.access" -}}
- name: IMAGEMILL_LOGIN
  value: "true"
{{- range $variable, $key := dict "IMAGEMILL_ADMIN_TOKEN" "admin-token" "IMAGEMILL_UPLOADER_TOKEN" "uploader-token" "IMAGEMILL_TOKEN_KEY" "token-key" "IMAGEMILL_POOLS_TOKEN" "pools-token" }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ include "imagemill.access.secret" $ }}
      key: {{ $key }}
{{- end }}
{{- if and .Values.operator.enabled .Values.operator.steering.enabled }}
- name: IMAGEMILL_POOLS_STEER_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "imagemill.access.secret" . }}
      key: pools-steer-token
{{- end }}
- name: IMAGEMILL_ALLOWED_HOSTS
  value: {{ include "imagemill.api.hosts" . | quote }}
- name: IMAGEMILL_CORS_ORIGINS
  value: {{ toJson .Values.auth.corsOrigins | quote }}
- name: IMAGEMILL_PAGE_URL
  value: {{ include "imagemill.pageUrl" . }}
{{- with .Values.auth.oidc }}
{{- if .issuer }}
- name: IMAGEMILL_OIDC_ISSUER
  value: {{ .issuer | quote }}
- name: IMAGEMILL_OIDC_CLIENT_ID
  value: {{ .clientId | quote }}
- name: IMAGEMILL_OIDC_SCOPES
  value: {{ .scopes | quote }}
- name: IMAGEMILL_OIDC_ROLES
  value: {{ toJson .roles | quote }}
{{- with .existingSecret }}
- name: IMAGEMILL_OIDC_CLIENT_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: client-secret
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.auth.proxy.existingSecret }}
- name: IMAGEMILL_PROXY_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: proxy-secret
- name: IMAGEMILL_PROXY_ROLES
  value: {{ toJson $.Values.auth.proxy.roles | quote }}
{{- end }}
{{- end -}}

{{/* The Secret with logins of cameras, for the API too: it tells their names and makes the test of a camera itself. */}}
{{- define "imagemill.api.credentials" -}}
{{- if .Values.camera.enabled -}}{{- .Values.camera.credentialsSecret -}}{{- end -}}
{{- end -}}

{{/* The programs of the camera path which run, as a list. */}}
{{- define "imagemill.cameraPath" -}}
{{- $names := list -}}
{{- range $name := list "camera" "analyzer" "alerter" -}}
{{- if (index $.Values $name).enabled -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}
